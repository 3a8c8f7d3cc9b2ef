"""Gaussian kernels between rows, with the gradient in one product of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["gaussian_kernels"]


class GaussianKernels(torch.autograd.Function):
    """Average Gaussian kernels of several widths between all rows.

    A batch has so many pairs that a pass over them is what a step waits for. This makes
    few: one exponential for widths that double, and one matrix for the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scales: Sequence[float]) -> Tensor:
        """Evaluate the kernels, and how fast they change with a squared distance."""
        with torch.autocast(x.device.type, enabled=False):  # which would round it
            products = x @ x.T
        squares = products.diagonal().clone()
        distances = products.mul_(-2).add_(squares).add_(squares[:, None])
        distances = distances.clamp_(min=0)
        kernels, slopes = torch.zeros_like(distances), torch.zeros_like(distances)
        wider, one = None, distances
        for scale in sorted(scales, reverse=True):
            # The kernel of half the width is the square of that of the whole.
            halves = wider is not None and wider == 2 * scale
            one = one.square_() if halves else torch.exp(distances / -scale)
            kernels.add_(one, alpha=1 / len(scales))
            slopes.add_(one, alpha=-1 / (scale * len(scales)))
            wider = scale
        kernels.fill_diagonal_(0)
        ctx.save_for_backward(x, slopes)
        return kernels

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Take the gradient back to the rows."""
        x, slopes = ctx.saved_tensors
        pulls = grads[0] * slopes
        pulls = pulls + pulls.T
        return 2 * (pulls.sum(dim=1, keepdim=True) * x - pulls @ x), None


def gaussian_kernels(x: Tensor, scales: Sequence[float]) -> Tensor:
    r"""Average :math:`\exp(-\|x_i - x_j\|^2 / \beta_l)` over :math:`l`.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows.
    scales : sequence of float
        The :math:`\beta`.

    Returns
    -------
    Tensor of shape (n, n)
        The kernels, of diagonal zero: a row with itself is no pair.
    """
    kernels: Tensor = GaussianKernels.apply(x, tuple(scales))  # type: ignore[no-untyped-call]
    return kernels
