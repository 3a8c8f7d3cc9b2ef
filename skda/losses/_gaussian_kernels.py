"""Gaussian kernels between rows, with the gradient in one product of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["gaussian_kernels", "gaussian_sum"]

#: Pairs that are looked at together on a CPU, so that they stay in its cache.
PAIRS = 2**18


def _ladder(distances: Tensor, scales: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Average Gaussian kernels of squared distances, and their slopes in these.

    One exponential is enough for widths that double.
    """
    kernels, slopes = torch.zeros_like(distances), torch.zeros_like(distances)
    wider, one = None, distances
    for scale in sorted(scales, reverse=True):
        # The kernel of half the width is the square of that of the whole.
        halves = wider is not None and wider == 2 * scale
        one = one.square_() if halves else torch.exp(distances / -scale)
        kernels.add_(one, alpha=1 / len(scales))
        slopes.add_(one, alpha=-1 / (scale * len(scales)))
        wider = scale
    return kernels, slopes


class GaussianKernels(torch.autograd.Function):
    """Average Gaussian kernels of several widths between all rows.

    A batch has so many pairs that a pass over them is what a step waits for. This makes
    few, and keeps one matrix for the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scales: Sequence[float]) -> Tensor:
        """Evaluate the kernels, and how fast they change with a squared distance."""
        with torch.autocast(x.device.type, enabled=False):  # which would round it
            products = x @ x.T
        squares = products.diagonal().clone()
        distances = products.mul_(-2).add_(squares).add_(squares[:, None])
        distances = distances.clamp_(min=0)
        kernels, slopes = _ladder(distances, scales)
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


class GaussianSum(torch.autograd.Function):
    """Sum weighted Gaussian kernels over all pairs of rows, without a matrix of them.

    It goes through blocks of rows and the pairs of each with those that follow, which
    have the others' distances, and takes the gradient on the way.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weights: tuple[Tensor, Tensor],
        n_a: int,
        scales: Sequence[float],
    ) -> Tensor:
        """Evaluate the sum, and its gradient."""
        n, (u, V) = len(x), weights
        size = max(1, PAIRS // n) if x.device.type == "cpu" else n
        starts = [*range(0, n_a, size), *range(n_a, n, size)]
        squares = x.square().sum(dim=1)
        gradient, total = torch.zeros_like(x), x.new_zeros(())
        with torch.autocast(x.device.type, enabled=False):  # which would round it
            for start, end in zip(starts, [*starts[1:], n], strict=True):
                m = end - start
                block, own = x[start:end], u[start:end]
                distances = torch.addmm(squares[start:], block, x[start:].T, alpha=-2)
                distances = distances.add_(squares[start:end, None]).clamp_(min=0)
                kernels, slopes = _ladder(distances, scales)
                for pairs in (kernels, slopes):
                    pairs[:, :m].fill_diagonal_(0)  # a row with itself is no pair
                v = V[int(start >= n_a), start:]
                twice = torch.cat([v[:m], 2 * v[m:]])  # those that follow, both ways
                total += own @ (kernels @ twice)
                gradient[start:end] += own[:, None] * _pull(slopes, v, block, x[start:])
                gradient[end:] += v[m:, None] * _pull(
                    slopes[:, m:].T, own, x[end:], block
                )
        ctx.save_for_backward(4 * gradient)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        """Take the gradient back to the rows."""
        return grads[0] * ctx.saved_tensors[0], None, None, None


def _pull(slopes: Tensor, weights: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    """Sum the weighted slopes times the differences of rows and all others."""
    return (slopes @ weights)[:, None] * rows - slopes @ (weights[:, None] * others)


def gaussian_sum(
    x: Tensor, u: Tensor, V: Tensor, n_a: int, scales: Sequence[float]
) -> Tensor:
    r"""Sum :math:`u_i V_{g_i j} k(x_i, x_j)` over :math:`i \neq j`.

    With the kernels of :func:`gaussian_kernels`. The weights are constants.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows of two groups, one after the other.
    u : Tensor of shape (n,)
        Weight of a row as the first of a pair.
    V : Tensor of shape (2, n)
        As the second, beside a first of either group. What a pair weighs may not
        depend on the order of its rows.
    n_a : int
        How many rows the first group has.
    scales : sequence of float
        The :math:`\beta` of the kernels.

    Returns
    -------
    Tensor of shape ()
        The sum.
    """
    total: Tensor = GaussianSum.apply(x, (u, V), n_a, tuple(scales))  # type: ignore[no-untyped-call]
    return total
