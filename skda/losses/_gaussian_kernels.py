"""Gaussian kernels between rows, with the gradient in one product of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from skda.utils.stacking import is_stacking

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
    if is_stacking():
        with torch.autocast(x.device.type, enabled=False):  # which would round it
            products = x @ x.T
        squares = products.diagonal()
        distances = (squares + squares[:, None] - 2 * products).clamp(min=0)
        total, wider, one = torch.zeros_like(distances), None, distances
        for scale in sorted(scales, reverse=True):
            halves = wider is not None and wider == 2 * scale
            one = one * one if halves else torch.exp(distances / -scale)
            total, wider = total + one, scale
        return total / len(scales) * (1 - torch.eye(len(x)).to(x))
    kernels: Tensor = GaussianKernels.apply(x, tuple(scales))  # type: ignore[no-untyped-call]
    return kernels


class GaussianSum(torch.autograd.Function):
    """Sum weighted products of Gaussian kernels over all pairs, without a matrix.

    It goes through blocks of rows and the pairs of each with those that follow, of
    which the distances are the same both ways, and takes the gradients on the way.
    """

    @staticmethod
    def forward(
        ctx: Any,
        weights: tuple[Tensor, Tensor],
        n_a: int,
        scales: Sequence[float],
        *layers: Tensor,
    ) -> Tensor:
        """Evaluate the sum, and its gradients."""
        u, V = weights
        n, on_cpu = len(u), u.device.type == "cpu"
        size = max(1, PAIRS // n) if on_cpu else n
        starts = [*range(0, n_a, size), *range(n_a, n, size)]
        squares = [x.square().sum(dim=1) for x in layers]
        gradients, total = [torch.zeros_like(x) for x in layers], u.new_zeros(())
        with torch.autocast(u.device.type, enabled=False):  # which would round it
            for start, end in zip(starts, [*starts[1:], n], strict=True):
                own, v, m = u[start:end], V[int(start >= n_a), start:], end - start
                kernels, slopes = zip(
                    *(
                        _ladder(_distances(x, s, start, end), scales)
                        for x, s in zip(layers, squares, strict=True)
                    ),
                    strict=True,
                )
                twice = torch.cat([v[:m], 2 * v[m:]])  # those that follow, both ways
                total += own @ (_product(kernels, m) @ twice)
                for i, (x, gradient) in enumerate(zip(layers, gradients, strict=True)):
                    others = kernels[:i] + kernels[i + 1 :]
                    slope, block = _product((slopes[i], *others), m), x[start:end]
                    gradient[start:end] += own[:, None] * _pull(
                        slope, v, block, x[start:]
                    )
                    gradient[end:] += v[m:, None] * _pull(
                        slope[:, m:].T, own, x[end:], block
                    )
        ctx.save_for_backward(*(4 * gradient for gradient in gradients))
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Take the gradient back to the rows."""
        return None, None, None, *(grads[0] * each for each in ctx.saved_tensors)


def _distances(x: Tensor, squares: Tensor, start: int, end: int) -> Tensor:
    """Square the distances of the rows of a block to these and those that follow."""
    products = torch.addmm(squares[start:], x[start:end], x[start:].T, alpha=-2)
    return products.add_(squares[start:end, None]).clamp_(min=0)


def _product(factors: Sequence[Tensor], m: int) -> Tensor:
    """Multiply matrices, of which the first m columns are the rows themselves."""
    product = reduce(torch.mul, factors)
    product[:, :m].fill_diagonal_(0)  # a row with itself is no pair
    return product


def _pull(slopes: Tensor, weights: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    """Sum the weighted slopes times the differences of rows and all others."""
    return (slopes @ weights)[:, None] * rows - slopes @ (weights[:, None] * others)


def gaussian_sum(
    layers: Sequence[Tensor],
    weights: tuple[Tensor, Tensor],
    n_a: int,
    scales: Sequence[float],
) -> Tensor:
    r"""Sum :math:`u_i V_{g_i j} \prod_l k(x^l_i, x^l_j)` over :math:`i \neq j`.

    With the kernels of :func:`gaussian_kernels`.

    Parameters
    ----------
    layers : sequence of Tensor of shape (n, d)
        Rows of two groups, one after the other; every layer has a width of its own.
    weights : tuple of Tensor of shape (n,) and (2, n)
        Constants :math:`u`, the weights of a row as the first of a pair, and :math:`V`,
        as the second, beside a first of either group. What a pair weighs may not depend
        on the order of its rows.
    n_a : int
        How many rows the first group has.
    scales : sequence of float
        The :math:`\beta` of the kernels.

    Returns
    -------
    Tensor of shape ()
        The sum.
    """
    total: Tensor = GaussianSum.apply(weights, n_a, tuple(scales), *layers)  # type: ignore[no-untyped-call]
    return total
