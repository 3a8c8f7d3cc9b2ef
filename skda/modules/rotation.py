"""A wide first layer, trained in the row space of its samples."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.utils.stacking import is_stacking

__all__ = ["RotatedLinear"]


N_BLOCKS = 4


class _TriangularProduct(torch.autograd.Function):
    """Product of a lower triangular matrix and a transposed weight.

    By blocks, which leave out most of the zeros: 5 of 8 multiplications, both ways.
    """

    @staticmethod
    def forward(ctx: Any, Z: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(Z)
        return torch.cat([Z[a:b, :b] @ weight[:, :b].T for a, b in _blocks(len(Z))])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        (Z,), (grad,) = ctx.saved_tensors, grads
        columns = [grad[a:].T @ Z[a:, a:b] for a, b in _blocks(len(Z))]
        return None, torch.cat(columns, dim=1)


def _blocks(n: int) -> pairwise[tuple[int, int]]:
    return pairwise(n * i // N_BLOCKS for i in range(N_BLOCKS + 1))


class RotatedLinear(nn.Module):
    r"""A linear layer in coordinates of the row space of its training samples.

    Samples :math:`X` of shape (n, p) with :math:`n < p` are :math:`Z Q^\top` with
    orthonormal columns of :math:`Q`, of shape (p, n). The gradient of a weight
    :math:`W` lies in that space, and what an optimizer of the SGD family does to it,
    with momentum and weight decay, is the same in any orthonormal coordinates: to
    train :math:`W Q` on :math:`Z` is to train :math:`W` on :math:`X`, with :math:`n`
    instead of :math:`p` columns. The part of :math:`W` across that space has no
    gradient and only decays; ``decay`` takes part in the training to record by how
    much, so that :meth:`unrotated` is the layer that plain training arrives at.

    Parameters
    ----------
    layer : nn.Linear
        The layer, with ``p`` inputs; it is not changed.
    X : Tensor of shape (n, p)
        The samples that it is to be trained on, and on no others.
    whole : bool, default=False
        Whether every step of the training has all samples in their order. Their
        coordinates are a lower triangular matrix, which saves a third of the work.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> X, layer = torch.randn(3, 50), nn.Linear(50, 4)
    >>> rotated = RotatedLinear(layer, X)
    >>> rotated.weight.shape
    torch.Size([4, 3])
    >>> torch.allclose(rotated(rotated.rotate(X)), layer(X), atol=1e-5)
    True
    """

    basis: Tensor
    start: Tensor

    def __init__(self, layer: nn.Linear, X: Tensor, *, whole: bool = False) -> None:
        super().__init__()
        self.whole = whole
        start = layer.weight.detach().to(X, copy=True)
        basis, _ = torch.linalg.qr(X.T)  # (p, n)
        self.register_buffer("basis", basis)
        self.register_buffer("start", start)
        self.weight = nn.Parameter(start @ basis)  # (h, n)
        self.bias = nn.Parameter(layer.bias.detach().to(X, copy=True))
        self.decay = nn.Parameter(start.new_ones(()))

    def rotate(self, X: Tensor) -> Tensor:
        """Express samples, of shape (m, p), in the basis, of shape (m, n)."""
        return X @ self.basis

    def forward(self, Z: Tensor) -> Tensor:
        """Map rotated samples, of shape (m, n), to units, of shape (m, h)."""
        # Times zero: a gradient of zero, which lets the optimizer decay it.
        bias = self.bias + 0 * self.decay
        if self._is_triangular(Z):
            return _TriangularProduct.apply(Z, self.weight) + bias  # type: ignore[no-untyped-call]
        return F.linear(Z, self.weight, bias)

    def _is_triangular(self, Z: Tensor) -> bool:
        """Say whether these are all rows of the training, so that blocks are faster."""
        in_training = self.training and torch.is_grad_enabled() and not is_stacking()
        in_full = Z.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        return self.whole and in_training and in_full and len(Z) == len(self.weight[0])

    @torch.no_grad()
    def unrotated(self) -> nn.Linear:
        """Build the layer in the coordinates of the features.

        Returns
        -------
        nn.Linear
            The layer with ``p`` inputs.
        """
        start, basis = self.start, self.basis
        orthogonal = start - start @ basis @ basis.T
        n_units, n_features = start.shape
        # Without initial weights, which would be drawn from a global generator.
        layer: nn.Linear = nn.utils.skip_init(
            nn.Linear, n_features, n_units, device=start.device, dtype=start.dtype
        )
        layer.weight.copy_(self.weight @ basis.T + self.decay * orthogonal)
        layer.bias.copy_(self.bias)
        return layer
