"""Losses that bring the two views of a pair together."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, normalize

__all__ = ["matching_loss", "residual_norm"]

MASKED_LOGIT = -1e9  # a logit of no weight that, unlike -inf, has gradients: zeros


def matching_loss(
    a: Tensor,
    t: Tensor,
    weight: Tensor | None = None,
    *,
    similarity: Literal["euclidean", "cosine"] = "euclidean",
    temperature: float = 1.0,
    sigma: float = 1e-6,
) -> Tensor:
    r"""Find the partner of every row among the rows of the other view, both ways.

    .. math::

        -\frac 1b \sum_i \log(p(t_i \mid a_i) + \sigma)
        -\frac 1b \sum_j \log(p(a_j \mid t_j) + \sigma), \quad
        p(t_j \mid a_i) = \mathrm{softmax}_j(s_{ij} / \tau)

    with :math:`s_{ij} = -\lVert a_i - t_j \rVert` or :math:`\cos(a_i, t_j)`. With
    distances and :math:`\tau = 1` it is the first term of DMTL, with cosines the
    symmetric InfoNCE loss.

    Parameters
    ----------
    a, t : Tensor of shape (b, d)
        Embeddings of the two views; row ``i`` of both is one pair.
    weight : Tensor of shape (b,), default=None
        1 for the pairs to compare, 0 for rows that are to be as if absent.
    similarity : {"euclidean", "cosine"}, default="euclidean"
        What is compared.
    temperature : float, default=1.0
        Temperature :math:`\tau`.
    sigma : float, default=1e-6
        Probability :math:`\sigma` that keeps the logarithm finite; 0 leaves it out.

    Returns
    -------
    Tensor of shape ()
        The loss, at least ``-2 * sigma``.

    Examples
    --------
    Two pairs that coincide, at distance 1 from each other: every row finds its partner
    with probability :math:`1 / (1 + e^{-1})`.

    >>> import torch
    >>> from skda.losses import matching_loss
    >>> a = torch.tensor([[0.0], [1.0]])
    >>> matching_loss(a, a, sigma=0.0)
    tensor(0.6265)
    """
    logits = _similarities(a, t, similarity) / temperature  # (b, b)
    if weight is None:
        weight = torch.ones_like(logits[0])
    absent = weight == 0
    loss = torch.zeros_like(logits[0])
    for view in (logits, logits.T):
        candidates = view.masked_fill(absent, MASKED_LOGIT)
        log_p = log_softmax(candidates, dim=1).diagonal()
        if sigma:  # log(p + sigma), where p may be too small for exp
            log_p = torch.logaddexp(log_p, torch.full_like(log_p, math.log(sigma)))
        loss = loss - log_p
    return loss.masked_fill(absent, 0.0).sum() / weight.sum().clamp(min=1)


def residual_norm(predicted: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    r"""Average the lengths of the residuals, without squaring them.

    .. math:: \frac{\sum_i w_i \sum_v \lVert P_{vi} - Y_{vi} \rVert_2}{\sum_i w_i}

    Parameters
    ----------
    predicted : Tensor of shape (v, b, c)
        Predictions of every view.
    wanted : Tensor of shape (v, b, c) or (b, c)
        What they should be.
    weight : Tensor of shape (b,)
        1 for the rows that count, else 0.

    Returns
    -------
    Tensor of shape ()
        The loss; 0 if no row counts. Its gradient at a residual of zero is zero.

    Examples
    --------
    >>> import torch
    >>> from skda.losses import residual_norm
    >>> P = torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]]])  # two views of one row
    >>> residual_norm(P, torch.zeros(1, 2), torch.ones(1))
    tensor(6.)
    """
    lengths = torch.linalg.vector_norm(predicted - wanted, dim=2).sum(dim=0)  # (b,)
    return (weight * lengths).sum() / weight.sum().clamp(min=1)


def _similarities(a: Tensor, t: Tensor, similarity: str) -> Tensor:
    if similarity == "cosine":
        return normalize(a, dim=1) @ normalize(t, dim=1).T
    # By way of a product, distances near zero drown in rounding: those of the partners
    # are measured directly.
    D = torch.cdist(a, t, compute_mode="use_mm_for_euclid_dist")
    return -torch.diagonal_scatter(D, torch.linalg.vector_norm(a - t, dim=1))
