"""The soft-label loss, and pseudo-labels.

Shapes in this module use

==========  ======================================================
``n``       samples
``c``       classes
==========  ======================================================
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from skda.losses.alignment import Centroids

__all__ = ["pseudo_labels", "soft_label_loss"]


def soft_label_loss(
    logits: Tensor, memberships: Tensor, teacher: Centroids, *, reduction: str = "mean"
) -> Tensor:
    r"""Cross-entropy of labeled rows with the soft label of their class.

    With :math:`q^{(k)}` the soft label of class :math:`k`, :math:`n_k` the labeled
    rows of that class and :math:`\mathcal{K}` the classes that have both,

    .. math::

        -\frac{1}{\sum_{k \in \mathcal{K}} n_k} \sum_{k \in \mathcal{K}}
        \sum_{i: y_i = k} q^{(k)\top} \log p_i
        \quad \text{or} \quad
        -\sum_{k \in \mathcal{K}} \frac{1}{n_k}
        \sum_{i: y_i = k} q^{(k)\top} \log p_i .

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Unnormalised log-probabilities of :math:`p`.
    memberships : Tensor of shape (n, c)
        One-hot labels; an all-zero row does not count.
    teacher : Centroids
        Soft labels :math:`q` in the rows of ``mean``, which has shape (c, c); a class
        without mass teaches nothing.
    reduction : {"mean", "class_sum"}, default="mean"
        The first form, a mean over rows, or the second, a sum of class means, which
        is ``c`` times as large on balanced labels.

    Returns
    -------
    Tensor of shape ()
        The loss, zero if no row has a teacher.

    Examples
    --------
    >>> import torch
    >>> q = Centroids(mean=torch.full((2, 2), 0.5), mass=torch.ones(2))
    >>> soft_label_loss(torch.zeros(3, 2), torch.eye(2)[[0, 1, 1]], q)
    tensor(0.6931)
    """
    if logits.shape != memberships.shape:
        raise ValueError(
            f"logits and memberships must have the same shape, "
            f"got {tuple(logits.shape)} and {tuple(memberships.shape)}."
        )
    if reduction not in ("mean", "class_sum"):
        raise ValueError(f"reduction must be 'mean' or 'class_sum', got {reduction!r}.")
    counted = memberships * (teacher.mass > 0)  # (n, c)
    loss = -(counted @ teacher.mean * F.log_softmax(logits, dim=1)).sum(dim=1)  # (n,)
    if reduction == "mean":
        return loss.sum() / counted.sum().clamp(min=1)
    return (loss @ counted / counted.sum(dim=0).clamp(min=1)).sum()


@torch.no_grad()
def pseudo_labels(
    logits: Tensor, labels: Tensor, similarities: Tensor | None = None
) -> Tensor:
    r"""Label the unlabeled rows as they are predicted, or only where it is confirmed.

    A row gets class :math:`k` if :math:`k = \arg\max_j v_{ij}` and, given
    similarities, :math:`k = \arg\max_j s_{ij}` as well. There is no gradient.

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Predictions :math:`v` of the network.
    labels : Tensor of shape (n, c)
        Given one-hot labels; a row that has one gets no pseudo-label.
    similarities : Tensor of shape (n, c), default=None
        Similarities :math:`s` of every row to the prototypes of the classes.

    Returns
    -------
    Tensor of shape (n, c)
        One-hot pseudo-labels; an all-zero row where there is none.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[2.0, 0.0], [3.0, 0.0]])
    >>> pseudo_labels(logits, torch.zeros(2, 2), torch.eye(2))
    tensor([[1., 0.],
            [0., 0.]])
    """
    predicted = logits.argmax(dim=1)  # (n,)
    accepted = 1 - labels.sum(dim=1)  # (n,)
    if similarities is not None:
        accepted = accepted * (similarities.argmax(dim=1) == predicted)
    return torch.zeros_like(labels).scatter(1, predicted[:, None], accepted[:, None])
