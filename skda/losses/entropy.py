"""Losses and weights made of how certain the predictions are."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["certainty_weights", "class_confusion_loss", "prediction_entropy"]


def prediction_entropy(logits: Tensor) -> Tensor:
    r"""Entropy of every prediction, :math:`-\sum_k p_k \log p_k`.

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Unnormalised log-probabilities of :math:`p`.

    Returns
    -------
    Tensor of shape (n,)
        The entropies, from 0 to :math:`\log c`.

    Examples
    --------
    >>> import torch
    >>> prediction_entropy(torch.tensor([[0.0, 0.0], [99.0, 0.0]]))
    tensor([0.6931, 0.0000])
    """
    log_p = logits.log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1)


@torch.no_grad()
def certainty_weights(logits: Tensor) -> Tensor:
    r"""Weigh rows by how certain their predictions are, without a gradient.

    With :math:`H_i` the entropy of a prediction,

    .. math:: w_i = \frac{n (1 + e^{-H_i})}{\sum_j 1 + e^{-H_j}} .

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Unnormalised log-probabilities.

    Returns
    -------
    Tensor of shape (n,)
        The weights, of mean one.

    Examples
    --------
    >>> import torch
    >>> certainty_weights(torch.tensor([[0.0, 0.0], [99.0, 0.0]]))
    tensor([0.8571, 1.1429])
    """
    weights = 1 + (-prediction_entropy(logits)).exp()
    return weights / weights.mean()


def class_confusion_loss(logits: Tensor, temperature: float = 1.0) -> Tensor:
    r"""How much a batch of predictions confuses the classes with each other [1]_.

    With :math:`P` the softened predictions, :math:`w` their
    :func:`certainty_weights`, and :math:`\tilde C` the matrix
    :math:`P^\top \operatorname{diag}(w) P` with rows scaled to sum one,

    .. math::

        \frac{1}{c} \sum_k \sum_{l \neq k} \tilde C_{kl}
        = 1 - \frac{1}{c} \sum_k \frac{\sum_i w_i P_{ik}^2}{\sum_i w_i P_{ik}} ,

    because predictions sum to one; the right-hand side is what is computed.

    Parameters
    ----------
    logits : Tensor of shape (n, c)
        Unnormalised log-probabilities.
    temperature : float, default=1.0
        What to divide them by.

    Returns
    -------
    Tensor of shape ()
        The loss, zero if every prediction is certain.

    References
    ----------
    .. [1] Y. Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation",
       ECCV 2020. arXiv:1912.03699.

    Examples
    --------
    >>> import torch
    >>> class_confusion_loss(torch.zeros(4, 2))
    tensor(0.5000)
    """
    softened = logits / temperature
    P = softened.softmax(dim=1)  # (n, c)
    w = certainty_weights(softened)[:, None]  # (n, 1)
    # A class that no row is likely to have must not turn the loss into NaN.
    mass = (w * P).sum(dim=0).clamp(min=torch.finfo(P.dtype).tiny)  # (c,)
    return 1 - ((w * P.square()).sum(dim=0) / mass).mean()
