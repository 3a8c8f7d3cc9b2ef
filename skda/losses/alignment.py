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

from typing import NamedTuple

import torch
from torch import Tensor

from skda.losses._same_width import check_same_width

__all__ = [
    "Centroids",
    "class_centroids",
    "coral_loss",
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
    check_same_width(a=a, b=b)
    gap = a.mean(dim=0) - b.mean(dim=0)  # (d,)
    return gap.square().sum()


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
       Adaptation", ECCV Workshops 2016. arXiv:1607.01719.

    Examples
    --------
    >>> import torch
    >>> a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]])
    >>> coral_loss(a, b)  # of variances 2 and 8
    tensor(9.)
    """
    check_same_width(a=a, b=b)
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
    check_same_width(first=first.mean, second=second.mean)
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
       Domain Adaptation", ACM Multimedia 2020. arXiv:2008.01677.

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
    check_same_width(source=source.mean, target=target.mean)
    shared = ((source.mass > 0) & (target.mass > 0)).to(source.mean)  # (c,)
    return shared * (source.mean - target.mean).square().sum(dim=1)
