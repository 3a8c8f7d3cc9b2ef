"""The distance of paired rows under a linear map, and the map that minimizes it."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["pair_loss", "ridge_map"]


def pair_loss(
    z_s: Tensor, z_t: Tensor, G: Tensor, lambda0: float, *, reduction: str = "sum"
) -> Tensor:
    r"""Squared distance of paired rows, and the ridge of the map between them.

    .. math:: \lVert Z_S - Z_T G \rVert_F^2 + \lambda_0 \lVert G \rVert_F^2 .

    Parameters
    ----------
    z_s : Tensor of shape (n, d_s)
        Source sides :math:`Z_S`.
    z_t : Tensor of shape (n, d_t)
        Target sides :math:`Z_T`.
    G : Tensor of shape (d_t, d_s)
        The map.
    lambda0 : float
        Weight :math:`\lambda_0` of its norm.
    reduction : {"sum", "mean"}, default="sum"
        Whether to divide all of it by the number of pairs.

    Returns
    -------
    Tensor of shape ()
        The loss.

    Examples
    --------
    >>> import torch
    >>> pair_loss(torch.ones(4, 1), torch.zeros(4, 2), torch.ones(2, 1), 0.5)
    tensor(5.)
    """
    errors = z_s - (z_t @ G).to(z_t.dtype)
    loss = errors.square().sum() + lambda0 * G.square().sum()
    return loss / len(z_s) if reduction == "mean" else loss


@torch.no_grad()
def ridge_map(z_s: Tensor, z_t: Tensor, lambda0: float) -> Tensor:
    r"""Solve for the map that minimizes :func:`pair_loss`, by Cholesky's factors.

    .. math:: (Z_T^\top Z_T + \lambda_0 I)\, G = Z_T^\top Z_S .

    Parameters
    ----------
    z_s : Tensor of shape (n, d_s)
        Source sides :math:`Z_S`.
    z_t : Tensor of shape (n, d_t)
        Target sides :math:`Z_T`.
    lambda0 : float
        Positive weight :math:`\lambda_0` of the norm of the map.

    Returns
    -------
    Tensor of shape (d_t, d_s)
        The map, which has no gradient. It is solved for in double precision, and not a
        number where the factors are not.

    Examples
    --------
    >>> import torch
    >>> z_t = torch.tensor([[1.0], [2.0]])
    >>> ridge_map(3 * z_t, z_t, lambda0=1.0)
    tensor([[2.5000]])
    """
    target = z_t.double()
    gram = target.T @ target  # (d_t, d_t)
    gram.diagonal().add_(lambda0)
    factor = torch.linalg.cholesky_ex(gram).L  # does not wait for the device
    return torch.cholesky_solve(target.T @ z_s.double(), factor).to(z_t.dtype)
