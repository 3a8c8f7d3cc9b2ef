"""Losses of networks that tell the domains apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "classifier_discrepancy",
    "confusion_loss",
    "domain_loss",
    "margin_disparity",
    "pooled_domain_loss",
]

#: What keeps the logarithm of a probability of zero finite.
FLOOR = 1e-6


def pooled_domain_loss(source: Tensor, target: Tensor) -> Tensor:
    r"""Binary cross-entropy of a domain discriminator over the rows of both domains.

    .. math::

        -\frac{1}{n_s + n_t} \Bigl( \sum_i \log \sigma(d^s_i)
        + \sum_j \log \bigl(1 - \sigma(d^t_j)\bigr) \Bigr)

    Every row weighs the same, so that the larger domain weighs more.

    Parameters
    ----------
    source : Tensor of shape (n_s,)
        Logits :math:`d^s` of "this row is from the source", for source rows.
    target : Tensor of shape (n_t,)
        The same logits :math:`d^t`, for target rows.

    Returns
    -------
    Tensor of shape ()
        The loss, :math:`\log 2` for a discriminator that cannot tell.

    Examples
    --------
    >>> import torch
    >>> pooled_domain_loss(torch.zeros(3), torch.zeros(5))
    tensor(0.6931)
    """
    _check_vectors(source, target)
    logits = torch.cat([source, target])  # (n_s + n_t,)
    labels = torch.cat([torch.ones_like(source), torch.zeros_like(target)])
    return F.binary_cross_entropy_with_logits(logits, labels)


def domain_loss(
    source: Tensor,
    target: Tensor,
    source_weights: Tensor | None = None,
    target_weights: Tensor | None = None,
) -> Tensor:
    r"""Binary cross-entropy of a domain discriminator, the mean over both domains.

    .. math::

        -\frac{1}{2 n_s} \sum_i w^s_i \log \sigma(d^s_i)
        - \frac{1}{2 n_t} \sum_j w^t_j \log \bigl(1 - \sigma(d^t_j)\bigr)

    Either domain weighs the same, whatever its size.

    Parameters
    ----------
    source : Tensor of shape (n_s,)
        Logits :math:`d^s` of "this row is from the source", for source rows.
    target : Tensor of shape (n_t,)
        The same logits :math:`d^t`, for target rows.
    source_weights, target_weights : Tensor of shape (n_s,) or (n_t,), default=None
        Weights :math:`w` of the rows, of mean one; None is one each.

    Returns
    -------
    Tensor of shape ()
        The loss, :math:`\log 2` for a discriminator that cannot tell.

    Examples
    --------
    >>> import torch
    >>> domain_loss(torch.zeros(3), torch.zeros(5))
    tensor(0.6931)
    """
    _check_vectors(source, target)
    missed_source, missed_target = F.softplus(-source), F.softplus(target)
    if source_weights is not None:
        missed_source = source_weights * missed_source
    if target_weights is not None:
        missed_target = target_weights * missed_target
    return (missed_source.mean() + missed_target.mean()) / 2


def confusion_loss(logits: Tensor) -> Tensor:
    r"""Cross-entropy of a domain discriminator with "either domain, equally likely".

    .. math::

        -\frac{1}{2n} \sum_i \log \sigma(d_i) + \log \bigl(1 - \sigma(d_i)\bigr)

    Features that minimize it, while the discriminator does not move, are features of
    no domain in particular [1]_.

    Parameters
    ----------
    logits : Tensor of shape (n,)
        Logits :math:`d` of "this row is from the source".

    Returns
    -------
    Tensor of shape ()
        The loss, at least :math:`\log 2`.

    References
    ----------
    .. [1] E. Tzeng et al., "Simultaneous Deep Transfer Across Domains and Tasks", ICCV
       2015. arXiv:1510.02192.

    Examples
    --------
    >>> import torch
    >>> confusion_loss(torch.zeros(3))
    tensor(0.6931)
    """
    # Two softplus of opposite arguments differ by the argument.
    return (F.softplus(logits) - logits / 2).mean()


def classifier_discrepancy(first: Tensor, second: Tensor) -> Tensor:
    r"""Mean absolute difference of the probabilities of two classifiers.

    .. math:: \frac{1}{n c} \sum_{ik} | p_{ik} - q_{ik} |

    Classifiers that maximize it on the target, and are right about the source, find
    target rows that are far from the source [1]_.

    Parameters
    ----------
    first, second : Tensor of shape (n, c)
        Logits of :math:`p` and :math:`q`.

    Returns
    -------
    Tensor of shape ()
        The discrepancy, at most :math:`2 / c`.

    References
    ----------
    .. [1] K. Saito et al., "Maximum Classifier Discrepancy for Unsupervised Domain
       Adaptation", CVPR 2018. arXiv:1712.02560.

    Examples
    --------
    >>> import torch
    >>> classifier_discrepancy(torch.tensor([[99.0, 0.0]]), torch.zeros(1, 2))
    tensor(0.5000)
    """
    if first.shape != second.shape:
        raise ValueError(
            f"Expected logits of the same rows and classes, got shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    return (first.softmax(dim=1) - second.softmax(dim=1)).abs().mean()


def margin_disparity(
    source: Tensor,
    target: Tensor,
    adversary_source: Tensor,
    adversary_target: Tensor,
    margin: float = 4.0,
) -> Tensor:
    r"""Loss of an adversary that is to differ from a classifier on the target alone.

    With :math:`k_i` the class that the classifier predicts for a row, which has no
    gradient, and :math:`q` the probabilities of the adversary,

    .. math::

        -\frac{\gamma}{n_s} \sum_i \log q_{k_i}(x^s_i)
        - \frac{1}{n_t} \sum_j \log \bigl(1 - q_{k_j}(x^t_j)\bigr) .

    Its least value falls as the margin disparity discrepancy of the domains grows
    [1]_, so that features maximize it.

    Parameters
    ----------
    source, target : Tensor of shape (n_s, c) and (n_t, c)
        Logits of the classifier.
    adversary_source, adversary_target : Tensor of shape (n_s, c) and (n_t, c)
        Logits of the adversary, for the same rows.
    margin : float, default=4.0
        Factor :math:`\gamma`, the exponential of the margin.

    Returns
    -------
    Tensor of shape ()
        The loss.

    References
    ----------
    .. [1] Y. Zhang et al., "Bridging Theory and Algorithm for Domain Adaptation", ICML
       2019. arXiv:1904.05801.

    Examples
    --------
    >>> import torch
    >>> v = torch.tensor([[1.0, 0.0]])
    >>> margin_disparity(v, v, torch.zeros(1, 2), torch.zeros(1, 2))  # 5 log 2
    tensor(3.4657)
    """
    agreed = F.cross_entropy(adversary_source, source.argmax(dim=1))
    q = adversary_target.softmax(dim=1)
    q = q.gather(1, target.argmax(dim=1, keepdim=True))  # (n_t, 1)
    return margin * agreed - (1 + FLOOR - q).log().mean()


def _check_vectors(source: Tensor, target: Tensor) -> None:
    """Reject shapes that would broadcast to a wrong result without an error."""
    if source.ndim != 1 or target.ndim != 1:
        raise ValueError(
            f"Expected one logit per row, of shapes (n_s,) and (n_t,), "
            f"got {tuple(source.shape)} and {tuple(target.shape)}."
        )
