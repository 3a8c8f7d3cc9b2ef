"""Losses that align the domains topic by topic.

Shapes in this module use

==========  ======================================================
``n``       samples in a batch (``n_s``, ``n_t`` in either domain)
``d``       features
``J``       topics, of which ``j`` at a time
==========  ======================================================
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["dense_topic_alignment", "gated_topic_alignment"]


def gated_topic_alignment(
    source: Tensor, target: Tensor, gates: Tensor, weights: Tensor
) -> Tensor:
    r"""Distance of the domains as the topics see them, for attention of rank one.

    It is :func:`dense_topic_alignment` for :math:`A_{jik} = g_{ij} w_{jk}`, by two
    matrix products and without the attention itself.

    Parameters
    ----------
    source : Tensor of shape (n_s, d)
        Features of the source.
    target : Tensor of shape (n_t, d)
        Features of the target.
    gates : Tensor of shape (n_s + n_t, J)
        How much of a row each topic sees, :math:`g_{ij} \ge 0`, source rows first.
    weights : Tensor of shape (J, d)
        How much of a feature it sees, :math:`w_{jk} \ge 0`.

    Returns
    -------
    Tensor of shape ()
        The loss. Only the features have a gradient.

    Examples
    --------
    >>> import torch
    >>> source, target = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0]])
    >>> gated_topic_alignment(source, target, torch.ones(2, 1), torch.ones(1, 2))
    tensor(2.5000)
    """
    X, shares = _stack(source, target)
    if gates.shape != (len(X), len(weights)) or weights.shape[1] != X.shape[1]:
        raise ValueError(
            f"Expected gates of shape ({len(X)}, J) and weights of shape "
            f"(J, {X.shape[1]}), got {tuple(gates.shape)} and {tuple(weights.shape)}."
        )
    with torch.no_grad():
        scale = _scale(gates.norm(dim=0) * weights.norm(dim=1), len(X))  # (J,)
        scaled_weights = scale[:, None] * weights  # (J, d)
        shares = gates * shares[:, None]  # (n, J)
    gaps = scaled_weights * (shares.T @ X)  # (J, d)
    return gaps.square().sum().to(X.dtype) / X.shape[1]


def dense_topic_alignment(
    source: Tensor, target: Tensor, attention: Iterable[Tensor]
) -> Tensor:
    r"""Distance of the domains as the topics see them [1]_.

    With :math:`A_{jik} \ge 0` the attention of topic :math:`j` to feature :math:`k` of
    row :math:`i`, and :math:`\hat A_j = n A_j / \|A_j\|_F`,

    .. math::

        \frac{1}{d} \sum_j \Bigl\| \frac{1}{n_s} \sum_{i \in S} \hat A_{ji} \odot x_i
        - \frac{1}{n_t} \sum_{i \in T} \hat A_{ji} \odot x_i \Bigr\|^2 .

    The attention is a constant, so that the gradient has a closed form, and is
    evaluated together with the loss; no more than one part of the attention is needed
    at a time.

    Parameters
    ----------
    source : Tensor of shape (n_s, d)
        Features of the source.
    target : Tensor of shape (n_t, d)
        Features of the target.
    attention : iterable of Tensor of shape (j, n_s + n_t, d)
        The attention, some topics at a time, source rows first. A topic that sees
        nothing counts for nothing.

    Returns
    -------
    Tensor of shape ()
        The loss. Only the features have a gradient.

    References
    ----------
    .. [1] W. Xiao, Z. Ding and H. Liu, "Implicit Semantic Response Alignment for
       Partial Domain Adaptation", NeurIPS 2021.

    Examples
    --------
    >>> import torch
    >>> source, target = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0]])
    >>> dense_topic_alignment(source, target, [torch.ones(1, 2, 2)])
    tensor(2.5000)
    """
    X, shares = _stack(source, target)
    with torch.no_grad():
        signed = shares[:, None] * X  # (n, d)
        loss, weighted_gaps = X.new_zeros(()), torch.zeros_like(X)
        for A in attention:
            if A.shape[1:] != X.shape:
                raise ValueError(
                    f"Expected attention of shape (j, {X.shape[0]}, {X.shape[1]}), "
                    f"got {tuple(A.shape)}."
                )
            scale = _scale(A.flatten(1).norm(dim=1), len(X))[:, None]  # (j, 1)
            gaps = scale * (A * signed).sum(dim=1)  # (j, d)
            loss += gaps.square().sum()
            weighted_gaps += (A * (scale * gaps)[:, None]).sum(dim=0)
        gradient = 2 * shares[:, None] * weighted_gaps  # (n, d)
    zero_with_gradient = (gradient * (X - X.detach())).sum()
    return (loss + zero_with_gradient) / X.shape[1]


def _stack(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Stack the rows, and the share of each in the difference of the means."""
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Expected features of shapes (n_s, d) and (n_t, d), "
            f"got {tuple(source.shape)} and {tuple(target.shape)}."
        )
    n_s, n_t = max(1, len(source)), max(1, len(target))
    shares = source.new_full((len(source),), 1 / n_s)
    others = target.new_full((len(target),), -1 / n_t)
    return torch.cat([source, target]), torch.cat([shares, others])


def _scale(norms: Tensor, n_rows: int) -> Tensor:
    """Divide by norms, but for those that are zero."""
    tiny = torch.finfo(norms.dtype).tiny
    return (norms > 1e-12) * n_rows / norms.clamp(min=tiny)
