"""The reconstruction loss of autoencoders."""

from __future__ import annotations

from torch import Tensor

__all__ = ["reconstruction_loss"]


def reconstruction_loss(X: Tensor, reconstructed: Tensor) -> Tensor:
    r"""Squared error of a row, averaged over the rows.

    .. math:: \frac 1 n \sum_i \lVert \hat x_i - x_i \rVert_2^2 .

    Parameters
    ----------
    X : Tensor of shape (n, p)
        Samples :math:`x`.
    reconstructed : Tensor of shape (n, p)
        What became of them, :math:`\hat x`.

    Returns
    -------
    Tensor of shape ()
        The error, a sum over the features.

    Examples
    --------
    >>> import torch
    >>> reconstruction_loss(torch.zeros(2, 3), torch.tensor([[1.0, 2, 0], [0, 0, 1]]))
    tensor(3.)
    """
    if X.shape != reconstructed.shape:
        raise ValueError(
            f"Expected the rows and features that went in, {tuple(X.shape)}, got "
            f"{tuple(reconstructed.shape)}."
        )
    return (X - reconstructed).square().sum(dim=1).mean()
