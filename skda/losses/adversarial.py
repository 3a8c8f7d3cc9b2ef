"""Losses of networks that tell the domains apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["pooled_domain_loss"]


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
    if source.ndim != 1 or target.ndim != 1:
        raise ValueError(
            f"Expected one logit per row, of shapes (n_s,) and (n_t,), "
            f"got {tuple(source.shape)} and {tuple(target.shape)}."
        )
    logits = torch.cat([source, target])  # (n_s + n_t,)
    labels = torch.cat([torch.ones_like(source), torch.zeros_like(target)])
    return F.binary_cross_entropy_with_logits(logits, labels)
