"""Initial weights that papers ask for and PyTorch does not give by itself."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["draw_normal"]


@torch.no_grad()
def draw_normal(module: nn.Module, std: float, *, truncated: bool = False) -> None:
    """Draw every weight and every bias from a normal distribution of mean zero.

    Parameters
    ----------
    module : nn.Module
        Network to initialize, in place.
    std : float
        Standard deviation, before any truncation.
    truncated : bool, default=False
        Whether to draw again what lies beyond two standard deviations.

    Examples
    --------
    >>> from torch import nn
    >>> layer = nn.Linear(3, 2)
    >>> draw_normal(layer, 0.01, truncated=True)
    >>> bool(layer.bias.abs().max() <= 0.02)
    True
    """
    for parameter in module.parameters():
        if truncated:
            nn.init.trunc_normal_(parameter, std=std, a=-2 * std, b=2 * std)
        else:
            nn.init.normal_(parameter, std=std)
