"""Losses for a target that has only some of the classes of the source."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["complement_entropy", "weighted_mean"]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    r"""Mean of values of which some count more, :math:`\sum_i w_i v_i / \sum_i w_i`.

    The sum of the weights has no gradient; the weights themselves may have one.

    Parameters
    ----------
    values : Tensor of shape (n,)
        Values :math:`v`.
    weights : Tensor of shape (n,)
        Weights :math:`w`, none of them negative.

    Returns
    -------
    Tensor of shape ()
        The mean; zero if no value counts.

    Examples
    --------
    >>> import torch
    >>> weighted_mean(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0]))
    tensor(2.)
    """
    if values.ndim != 1 or values.shape != weights.shape:
        raise ValueError(
            f"Expected one weight per value, of shape (n,), got values of shape "
            f"{tuple(values.shape)} and weights of shape {tuple(weights.shape)}."
        )
    total = weights.detach().sum().clamp(min=torch.finfo(weights.dtype).tiny)
    return (weights * values).sum() / total


def complement_entropy(logits: Tensor, memberships: Tensor) -> Tensor:
    r"""How evenly each prediction spreads over the classes that are not the label [1]_.

    With :math:`r_{ik} = p_{ik} / (1 - p_{iy})` for :math:`k \neq y`, it is

    .. math:: -\frac{1}{\log(c - 1)} \sum_{k \neq y} r_{ik} \log r_{ik} .

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Unnormalised log-probabilities of :math:`p`.
    memberships : Tensor of shape (n, c)
        One-hot rows of the labels :math:`y`.

    Returns
    -------
    Tensor of shape (n,)
        The entropies, from 0 to 1; zero if there are but two classes.

    References
    ----------
    .. [1] H.-Y. Chen et al., "Complement Objective Training", ICLR 2019.
       arXiv:1903.01182.

    Examples
    --------
    >>> import torch
    >>> label = torch.tensor([[1.0, 0.0, 0.0]])
    >>> complement_entropy(torch.zeros(1, 3), label)
    tensor([1.])
    """
    if logits.shape != memberships.shape:
        raise ValueError(
            f"logits and memberships must have the same shape, "
            f"got {tuple(logits.shape)} and {tuple(memberships.shape)}."
        )
    # A class with such logits has no probability, and no gradient.
    log_r = (logits - 1e4 * memberships).log_softmax(dim=1)
    n_others = max(logits.shape[1] - 1, 2)  # for one of them, zero over any number
    return -(log_r.exp() * log_r).sum(dim=1) / math.log(n_others)
