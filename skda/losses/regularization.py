"""Losses that look at the parameters alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["squared_norm"]


def squared_norm(module: nn.Module, *, vectors: bool = False) -> Tensor:
    r"""Sum of the squares of all weight matrices, :math:`\sum_l \|W_l\|_F^2`.

    Parameters
    ----------
    module : nn.Module
        Network.
    vectors : bool, default=False
        Whether its biases and other vectors count too.

    Returns
    -------
    Tensor of shape ()
        The squared norm.

    Examples
    --------
    >>> from torch import nn
    >>> layer = nn.Linear(2, 3)
    >>> _ = nn.init.constant_(layer.weight, 2.0)
    >>> squared_norm(layer)
    tensor(24., grad_fn=<SumBackward0>)
    """
    weights = [weight for weight in module.parameters() if weight.ndim > 1 or vectors]
    return torch.stack([weight.square().sum() for weight in weights]).sum()
