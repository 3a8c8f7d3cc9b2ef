"""Maximum mean discrepancies of two domains under Gaussian kernels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from skda.losses._gaussian_kernels import gaussian_kernels, gaussian_sum
from skda.losses._same_width import check_same_width
from skda.utils.stacking import is_stacking

__all__ = ["classwise_kernel_mmd", "joint_kernel_mmd", "kernel_mmd", "root_kernel_mmd"]

#: A squared discrepancy below this is made of rounding.
ROUNDING = 1e-6


def kernel_mmd(
    a: Tensor,
    b: Tensor,
    weights_a: Tensor | None = None,
    weights_b: Tensor | None = None,
    *,
    scales: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
) -> Tensor:
    r"""Unbiased maximum mean discrepancy, under a mean of Gaussian kernels.

    The estimate of [1]_ for rows that weigh :math:`u_i` and :math:`v_j`,

    .. math::

        \frac{\sum_{i \neq j} u_i u_j k(a_i, a_j)}{\sum_{i \neq j} u_i u_j}
        + \frac{\sum_{i \neq j} v_i v_j k(b_i, b_j)}{\sum_{i \neq j} v_i v_j}
        - 2 \frac{\sum_{ij} u_i v_j k(a_i, b_j)}{\sum_{ij} u_i v_j},

    with :math:`k(x, y) = \frac1m \sum_l \exp(-\|x - y\|^2 / (\beta_l s^2))`, where
    :math:`s^2` is the mean squared distance between two rows of either domain, by
    their weights, and has no gradient.

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.
    weights_a, weights_b : Tensor of shape (n_a,) and (n_b,), default=None
        Non-negative weights of the rows; None lets them all weigh the same.
    scales : sequence of float, default=(0.25, 0.5, 1.0, 2.0, 4.0)
        The :math:`\beta` of the kernels.

    Returns
    -------
    Tensor of shape ()
        The discrepancy, which may be negative. It is zero if a domain has fewer than
        two rows that weigh anything.

    References
    ----------
    .. [1] A. Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(3, 2), torch.ones(3, 2)
    >>> kernel_mmd(a, b, scales=[1.0])  # 2 - 2 exp(-2 / 1.2)
    tensor(1.6222)
    """
    return joint_kernel_mmd([a], [b], weights_a, weights_b, scales=scales)


def joint_kernel_mmd(
    a: Sequence[Tensor],
    b: Sequence[Tensor],
    weights_a: Tensor | None = None,
    weights_b: Tensor | None = None,
    *,
    scales: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
) -> Tensor:
    r"""Unbiased maximum mean discrepancy of several layers of a network together.

    It is :func:`kernel_mmd` under the product of the kernels of the layers,
    :math:`\prod_l k(a^l_i, b^l_j)`, which compares their joint distributions [1]_.

    Parameters
    ----------
    a : sequence of Tensor of shape (n_a, d)
        What the layers make of the first domain; every layer has a width of its own.
    b : sequence of Tensor of shape (n_b, d)
        What they make of the second domain.
    weights_a, weights_b : Tensor of shape (n_a,) and (n_b,), default=None
        Non-negative weights of the rows; None lets them all weigh the same.
    scales : sequence of float, default=(0.25, 0.5, 1.0, 2.0, 4.0)
        The :math:`\beta` of the kernels, of every layer.

    Returns
    -------
    Tensor of shape ()
        The discrepancy, which may be negative. It is zero if a domain has fewer than
        two rows that weigh anything.

    References
    ----------
    .. [1] M. Long et al., "Deep Transfer Learning with Joint Adaptation Networks", ICML
       2017. arXiv:1605.06636.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(3, 2), torch.ones(3, 2)
    >>> joint_kernel_mmd([a, a[:, :1]], [b, b[:, :1]], scales=[1.0])
    tensor(1.9287)
    """
    for first_layer, second_layer in zip(a, b, strict=True):
        check_same_width(a=first_layer, b=second_layer)
    u, v, pairs = _weigh(a[0], b[0], weights_a, weights_b)
    w = torch.cat([u, v])
    layers = []
    for layer in zip(a, b, strict=True):
        x = torch.cat(layer).to(u.dtype)
        center, length = _scale_of(x, w, pairs.a + pairs.b + 2 * pairs.ab)
        layers.append((x - center) / length)
    tiny = torch.finfo(u.dtype).tiny
    there = (pairs.a > 0) & (pairs.b > 0)
    aa, bb, ab = (there / mass.clamp(min=tiny) for mass in pairs)
    beside = torch.stack([torch.cat([aa * u, -ab * v]), torch.cat([-ab * u, bb * v])])
    if not w.requires_grad and not is_stacking():
        return gaussian_sum(layers, (w, beside), len(u), scales)
    kernel = prod((gaussian_kernels(x, scales) for x in layers), start=u.new_ones(()))
    with torch.autocast(u.device.type, enabled=False):  # which would round it
        sums = kernel @ beside.T  # (n, 2)
    return u @ sums[: len(u), 0] + v @ sums[len(u) :, 1]


def classwise_kernel_mmd(
    a: Tensor,
    b: Tensor,
    weights_a: Tensor,
    weights_b: Tensor,
    *,
    scales: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
) -> Tensor:
    r"""Unbiased maximum mean discrepancy of the rows of every class.

    That of :func:`kernel_mmd` once for each class, whose memberships weigh the rows.
    The kernels are shared: :math:`s^2` is the mean squared distance between any two
    rows.

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.
    weights_a, weights_b : Tensor of shape (n_a, c) and (n_b, c)
        Non-negative class memberships.
    scales : sequence of float, default=(0.25, 0.5, 1.0, 2.0, 4.0)
        The :math:`\beta` of the kernels.

    Returns
    -------
    Tensor of shape (c,)
        The discrepancies. That of a class is zero if a domain has fewer than two rows
        of it.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(4, 2), torch.ones(4, 2)
    >>> y = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> classwise_kernel_mmd(a, b, y, y, scales=[1.0])  # 2 - 2 exp(-2 / (8 / 7))
    tensor([1.6525, 0.0000])
    """
    check_same_width(a=a, b=b)
    dtype = torch.promote_types(a.dtype, torch.float32)
    x = torch.cat([a, b]).to(dtype)
    u, v = weights_a.to(dtype), weights_b.to(dtype)
    ones = x.new_ones(len(x))
    center, length = _scale_of(x, ones, _mass_of_pairs(ones, equal=True))
    kernel = gaussian_kernels((x - center) / length, scales)  # (n, n)
    with torch.autocast(x.device.type, enabled=False):
        to_a = kernel[:, : len(a)] @ u  # (n, c)
        to_b = kernel[:, len(a) :] @ v
    tiny = torch.finfo(dtype).tiny
    pairs_a, pairs_b = (
        (w.sum(dim=0).square() - w.square().sum(dim=0)).clamp(min=tiny) for w in (u, v)
    )
    pairs_ab = (u.sum(dim=0) * v.sum(dim=0)).clamp(min=tiny)
    within = (u * to_a[: len(a)]).sum(dim=0) / pairs_a
    within = within + (v * to_b[len(a) :]).sum(dim=0) / pairs_b
    between = (u * to_b[: len(a)]).sum(dim=0) / pairs_ab
    both = ((u > 0).sum(dim=0) > 1) & ((v > 0).sum(dim=0) > 1)
    return both * (within - 2 * between)


class _Pairs(NamedTuple):
    """What the pairs of different rows weigh, within the domains and between them."""

    a: Tensor
    b: Tensor
    ab: Tensor


def _weigh(
    a: Tensor, b: Tensor, weights_a: Tensor | None, weights_b: Tensor | None
) -> tuple[Tensor, Tensor, _Pairs]:
    """Take the weights of the rows of both domains, and of their pairs."""
    dtype = torch.promote_types(a.dtype, torch.float32)
    u, v = (
        (x.new_ones(len(x)) if given is None else given).to(dtype)
        for x, given in ((a, weights_a), (b, weights_b))
    )
    of_a, of_b = (
        _mass_of_pairs(w, equal=given is None)
        for w, given in ((u, weights_a), (v, weights_b))
    )
    return u, v, _Pairs(of_a, of_b, u.sum() * v.sum())


def _mass_of_pairs(weights: Tensor, *, equal: bool) -> Tensor:
    """Sum the products of the weights of different rows."""
    if equal:  # to one
        return weights.new_full((), len(weights) * (len(weights) - 1))
    pairs = torch.outer(weights, weights)
    return (pairs - pairs.diag().diag()).sum()


@torch.no_grad()
def _scale_of(x: Tensor, weights: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Find the mean of rows, and the root of the mean square between two of them."""
    tiny = torch.finfo(x.dtype).tiny
    total = weights.sum()
    center = weights @ x / total.clamp(min=tiny)
    squares = (x - center).square().sum(dim=1)
    mean_square = 2 * total * (weights @ squares) / pairs.clamp(min=tiny)
    return center, mean_square.clamp(min=tiny).sqrt()


def root_kernel_mmd(a: Tensor, b: Tensor, *, widths: Sequence[float]) -> Tensor:
    r"""Root of the biased maximum mean discrepancy, under a sum of Gaussian kernels.

    .. math::

        \sqrt{\frac{1}{n_a^2} \sum_{ij} k(a_i, a_j) + \frac{1}{n_b^2} \sum_{ij}
        k(b_i, b_j) - \frac{2}{n_a n_b} \sum_{ij} k(a_i, b_j)}

    with :math:`k(x, y) = \sum_l \exp(-\|x - y\|^2 / (2 \sigma_l^2))`: a distance of the
    two samples, in which a row is a pair with itself, unlike in
    :func:`~skda.losses.kernel_mmd`.

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.
    widths : sequence of float
        The :math:`\sigma` of the kernels, in the unit of the features.

    Returns
    -------
    Tensor of shape ()
        The distance; zero, without a gradient, where rounding is all that there is.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(3, 2), torch.ones(3, 2)
    >>> root_kernel_mmd(a, b, widths=[1.0])  # the root of 2 - 2 exp(-2 / 2)
    tensor(1.1244)
    """
    check_same_width(a=a, b=b)
    x = torch.cat([a, b]).to(torch.promote_types(a.dtype, torch.float32))
    n_a, n_b = len(a), len(b)
    scales = [2 * width**2 for width in widths]
    kernel = gaussian_kernels(x - x.mean(dim=0).detach(), scales)
    # The kernel of a row with itself is one, but left out there.
    within_a = kernel[:n_a, :n_a].mean() + 1 / n_a
    within_b = kernel[n_a:, n_a:].mean() + 1 / n_b
    squared = len(widths) * (within_a + within_b - 2 * kernel[:n_a, n_a:].mean())
    return torch.where(squared > ROUNDING, squared.clamp(min=ROUNDING).sqrt(), 0.0)
