"""Losses that pull two feature distributions together.

Every loss here is a pure function of tensors: it validates shapes, computes one
equation and returns a scalar that is differentiable in all of its float inputs.

Shapes in this module use

==========  ======================================================
``n``       samples in a batch (``n_a``, ``n_b`` when there are two)
``c``       classes
``d``       latent dimensions
==========  ======================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from skda.losses._gaussian_kernels import gaussian_kernels, gaussian_sum

__all__ = [
    "Centroids",
    "class_centroids",
    "classwise_kernel_mmd",
    "coral_loss",
    "joint_kernel_mmd",
    "kernel_mmd",
    "linear_mmd",
    "paired_centroid_loss",
    "pooled_centroids",
    "triplet_centroid_loss",
]


class Centroids(NamedTuple):
    """Class means, and the mass of every class.

    Parameters
    ----------
    mean : Tensor of shape (c, d)
        Mean feature of every class; zero for a class that has no mass.
    mass : Tensor of shape (c,)
        Total membership of every class; zero where the class is absent.
    """

    mean: Tensor
    mass: Tensor


def linear_mmd(a: Tensor, b: Tensor) -> Tensor:
    r"""Squared distance between the mean features of two domains.

    The maximum mean discrepancy of [1]_ under a linear kernel,

    .. math:: \Bigl\| \tfrac{1}{n_a} \sum_i a_i - \tfrac{1}{n_b} \sum_j b_j \Bigr\|^2 .

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.

    Returns
    -------
    Tensor of shape ()
        The discrepancy, zero if and only if the two means coincide.

    References
    ----------
    .. [1] A. Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012.

    Examples
    --------
    >>> import torch
    >>> a = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> b = torch.tensor([[1.0, 3.0]])
    >>> linear_mmd(a, b)
    tensor(9.)
    """
    _check_same_width(a=a, b=b)
    gap = a.mean(dim=0) - b.mean(dim=0)  # (d,)
    return gap.square().sum()


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
    .. [1] M. Long et al., "Deep Transfer Learning with Joint Adaptation Networks",
       ICML 2017.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.zeros(3, 2), torch.ones(3, 2)
    >>> joint_kernel_mmd([a, a[:, :1]], [b, b[:, :1]], scales=[1.0])
    tensor(1.9287)
    """
    for first_layer, second_layer in zip(a, b, strict=True):
        _check_same_width(a=first_layer, b=second_layer)
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
    if not w.requires_grad:
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
    _check_same_width(a=a, b=b)
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


def coral_loss(a: Tensor, b: Tensor) -> Tensor:
    r"""Distance between the covariances of two domains.

    .. math:: \frac{1}{4 d^2} \| C_a - C_b \|_F^2

    with the unbiased covariances :math:`C` of the features [1]_. Means have no part in
    it.

    Parameters
    ----------
    a : Tensor of shape (n_a, d)
        Features of the first domain.
    b : Tensor of shape (n_b, d)
        Features of the second domain.

    Returns
    -------
    Tensor of shape ()
        The distance; a domain of one row has a covariance of zero.

    References
    ----------
    .. [1] B. Sun and K. Saenko, "Deep CORAL: Correlation Alignment for Deep Domain
       Adaptation", ECCV 2016 Workshops.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]])
    >>> coral_loss(a, b)  # of variances 2 and 8
    tensor(9.)
    """
    _check_same_width(a=a, b=b)
    gap = _covariance(a) - _covariance(b)  # (d, d)
    return gap.square().sum() / (4 * a.shape[1] ** 2)


def _covariance(x: Tensor) -> Tensor:
    centered = x - x.mean(dim=0)
    with torch.autocast(x.device.type, enabled=False):  # which would round it
        return centered.T @ centered / max(len(x) - 1, 1)


def class_centroids(features: Tensor, memberships: Tensor) -> Centroids:
    r"""Mean feature of every class, under hard or soft membership.

    .. math:: \mu_k = \frac{\sum_i p_{ik} z_i}{\sum_i p_{ik}} .

    Parameters
    ----------
    features : Tensor of shape (n, d)
        Latent features :math:`z`.
    memberships : Tensor of shape (n, c)
        Non-negative class memberships :math:`p`: one-hot labels, probabilities, or
        an all-zero row for a sample that should not count.

    Returns
    -------
    Centroids
        The class means, and the mass that tells absent classes from present ones.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[0.0, 1.0], [4.0, 3.0]])
    >>> class_centroids(z, torch.tensor([[1.0, 0.0], [1.0, 0.0]])).mean
    tensor([[2., 2.],
            [0., 0.]])
    """
    if len(features) != len(memberships):
        raise ValueError(
            f"features and memberships must describe the same samples, "
            f"got {len(features)} and {len(memberships)} rows."
        )
    mass = memberships.sum(dim=0)  # (c,)
    total = memberships.T @ features  # (c, d)
    # An absent class must not turn the whole loss into NaN: divide by one instead.
    divisor = mass.where(mass > 0, 1.0)  # (c,)
    return Centroids(mean=total / divisor[:, None], mass=mass)


def pooled_centroids(first: Centroids, second: Centroids) -> Centroids:
    """Merge two sets of centroids into those of all their rows together.

    Parameters
    ----------
    first, second : Centroids
        Centroids of the same ``c`` classes in the same ``d`` dimensions.

    Returns
    -------
    Centroids
        The means over the rows of both.

    Examples
    --------
    >>> import torch
    >>> at_0 = Centroids(mean=torch.zeros(1, 1), mass=torch.tensor([3.0]))
    >>> at_4 = Centroids(mean=torch.full((1, 1), 4.0), mass=torch.tensor([1.0]))
    >>> pooled_centroids(at_0, at_4)
    Centroids(mean=tensor([[1.]]), mass=tensor([4.]))
    """
    _check_same_width(first=first.mean, second=second.mean)
    mass = first.mass + second.mass  # (c,)
    share = first.mass / mass.where(mass > 0, 1.0)  # (c,)
    return Centroids(torch.lerp(second.mean, first.mean, share[:, None]), mass)


def paired_centroid_loss(source: Centroids, target: Centroids) -> Tensor:
    r"""Squared distances between the two centroids of every class.

    .. math:: \sum_{k \in K} \|\mu^s_k - \mu^t_k\|^2

    where :math:`K` holds the classes present in both.

    Parameters
    ----------
    source, target : Centroids
        Centroids of the same ``c`` classes in the same ``d`` dimensions.

    Returns
    -------
    Tensor of shape ()
        The loss, zero if and only if all shared centroids coincide.

    Examples
    --------
    >>> import torch
    >>> at_0 = Centroids(mean=torch.zeros(2, 3), mass=torch.ones(2))
    >>> at_1 = Centroids(mean=torch.ones(2, 3), mass=torch.tensor([1.0, 0.0]))
    >>> paired_centroid_loss(at_0, at_1)
    tensor(3.)
    """
    return _shared_distances(source, target).sum()


def triplet_centroid_loss(source: Centroids, target: Centroids) -> Tensor:
    r"""Squared distances between the centroids of source, target and both together.

    With :math:`\mu^{st}_k` the centroid of class :math:`k` over the rows of both,

    .. math::

        \sum_{k \in K} \|\mu^s_k - \mu^t_k\|^2 + \|\mu^s_k - \mu^{st}_k\|^2
        + \|\mu^t_k - \mu^{st}_k\|^2
        = \sum_{k \in K} (1 + w_k^2 + (1 - w_k)^2) \|\mu^s_k - \mu^t_k\|^2 ,

    where :math:`w_k` is the share of the source in the mass of the class. The third
    centroid lies on the line between the other two, so it only weighs their distance,
    by a factor between 1.5 and 2; the right-hand side is what is computed. It is the
    explicit semantic alignment of [1]_.

    Parameters
    ----------
    source, target : Centroids
        Centroids of the same ``c`` classes in the same ``d`` dimensions.

    Returns
    -------
    Tensor of shape ()
        The loss, zero if and only if all shared centroids coincide.

    References
    ----------
    .. [1] S. Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous
       Domain Adaptation", ACM Multimedia 2020.

    Examples
    --------
    >>> import torch
    >>> at_0 = Centroids(mean=torch.zeros(1, 1), mass=torch.ones(1))
    >>> at_2 = Centroids(mean=torch.full((1, 1), 2.0), mass=torch.ones(1))
    >>> triplet_centroid_loss(at_0, at_2)  # 4 between them, 1 from either to the third
    tensor(6.)
    """
    w = source.mass / (source.mass + target.mass).clamp(min=1e-12)  # (c,)
    factor = 1 + w.square() + (1 - w).square()  # (c,)
    return (factor * _shared_distances(source, target)).sum()


def _shared_distances(source: Centroids, target: Centroids) -> Tensor:
    """Squared distance of every class, of shape (c,); zero if a domain lacks it."""
    _check_same_width(source=source.mean, target=target.mean)
    shared = ((source.mass > 0) & (target.mass > 0)).to(source.mean)  # (c,)
    return shared * (source.mean - target.mean).square().sum(dim=1)


def _check_same_width(**tensors: Tensor) -> None:
    """Reject shapes that would broadcast to a wrong result without an error."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"Expected 2D tensors, got shapes {shapes}.")
    if len({width for _, width in shapes.values()}) > 1:
        raise ValueError(f"Expected tensors of the same width, got shapes {shapes}.")
