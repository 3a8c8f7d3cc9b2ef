"""Canonical correlations of the two views of a batch of pairs.

Both functions work in float64, whatever comes in: whitening divides by standard
deviations that may be as small as the regularization lets them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["CanonicalMaps", "canonical_correlations", "canonical_maps"]


class CanonicalMaps(NamedTuple):
    """Linear maps of two views onto their canonical directions.

    Parameters
    ----------
    a, b : Tensor of shape (d, d)
        Maps of the centered rows of each view, one direction in every column.
    correlations : Tensor of shape (d,)
        Regularized canonical correlations, in descending order.
    """

    a: Tensor
    b: Tensor
    correlations: Tensor


def canonical_correlations(
    a: Tensor, b: Tensor, *, regularization: float = 1e-3
) -> Tensor:
    r"""Correlate two views along the directions in which they agree the most.

    The singular values of :math:`S_{aa}^{-1/2} S_{ab} S_{bb}^{-1/2}`, where :math:`r`
    is added to the diagonals of :math:`S_{aa}` and :math:`S_{bb}`. Their sum, the
    nuclear norm, is what deep canonical correlation analysis [1]_ maximizes.

    Parameters
    ----------
    a, b : Tensor of shape (n, d)
        Embeddings of the two views; row ``i`` of both is one pair. With ``n`` not
        several times ``d``, everything correlates.
    regularization : float, default=1e-3
        What to add to every variance, :math:`r > 0`.

    Returns
    -------
    Tensor of shape (d,)
        The correlations in float64, in descending order, from 0 to 1.

    References
    ----------
    .. [1] G. Andrew, R. Arora, J. Bilmes and K. Livescu, "Deep canonical correlation
       analysis", ICML 2013.

    Examples
    --------
    >>> import torch
    >>> a = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> b = torch.stack([3 * a[:, 1], a[:, 0] * a[:, 1]], dim=1)
    >>> canonical_correlations(a, b, regularization=1e-9)
    tensor([1., 0.], dtype=torch.float64)
    """
    return torch.linalg.svdvals(_whiten(a, b, regularization)[0])


def canonical_maps(
    a: Tensor, b: Tensor, *, regularization: float = 1e-3
) -> CanonicalMaps:
    """Find the directions in which two views agree the most.

    Parameters
    ----------
    a, b : Tensor of shape (n, d)
        Embeddings of the two views; row ``i`` of both is one pair.
    regularization : float, default=1e-3
        What to add to every variance; positive.

    Returns
    -------
    CanonicalMaps
        Maps after which the views have covariances near the identity, and correlate
        column by column.

    Examples
    --------
    >>> import torch
    >>> a = torch.tensor([[-2.0], [0.0], [2.0]])
    >>> maps = canonical_maps(a, -3 * a, regularization=1e-9)
    >>> torch.allclose(a.double() @ maps.a, -3 * a.double() @ maps.b)
    True
    """
    T, L_a, L_b = _whiten(a, b, regularization)
    U, s, Vh = torch.linalg.svd(T)
    return CanonicalMaps(
        torch.linalg.solve_triangular(L_a.mT, U, upper=True),
        torch.linalg.solve_triangular(L_b.mT, Vh.mT, upper=True),
        s,
    )


def _whiten(a: Tensor, b: Tensor, r: float) -> tuple[Tensor, Tensor, Tensor]:
    """Whiten the cross-covariance, and return the Cholesky factors too.

    By Cholesky factors, not by inverse roots: they are a rotation apart, which no
    singular value sees, and their gradient knows no differences of eigenvalues, which
    may be zero.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"Expected embeddings of the same pairs in as many dimensions, got shapes "
            f"{tuple(a.shape)} and {tuple(b.shape)}."
        )
    a, b = (z.double() - z.double().mean(dim=0) for z in (a, b))
    divisor = max(len(a) - 1, 1)
    ridge = r * torch.eye(a.shape[1], dtype=a.dtype, device=a.device)
    # The check of the plain function would wait for the device. With a ridge, every
    # matrix has a factor.
    L_a = torch.linalg.cholesky_ex(a.T @ a / divisor + ridge).L
    L_b = torch.linalg.cholesky_ex(b.T @ b / divisor + ridge).L
    half = torch.linalg.solve_triangular(L_a, a.T @ b / divisor, upper=False)
    T = torch.linalg.solve_triangular(L_b, half.mT, upper=False).mT  # (d, d)
    return T, L_a, L_b
