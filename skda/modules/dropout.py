"""Dropout that draws from the generator of a fit, and a faster one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skda.utils.seeding import Generators, draw

__all__ = ["ByteDropout", "SeededDropout", "quicken_dropout"]


class SeededDropout(nn.Dropout):
    """PyTorch's dropout, which draws from a generator that a fit may set.

    Parameters
    ----------
    p : float, default=0.5
        Fraction of the units to drop in training.

    Attributes
    ----------
    generator : torch.Generator or None
        What to draw from; None is PyTorch's default generator.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import SeededDropout
    >>> SeededDropout(0.5)(torch.ones(1000)).unique()
    tensor([0., 2.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.generator: torch.Generator | Generators | None = None

    def forward(self, X: Tensor) -> Tensor:
        """Drop units of any shape."""
        if not self.training or not self.p:
            return X
        shape, options = X.shape, {"dtype": X.dtype, "device": X.device}

        def keep(generator: torch.Generator | None) -> Tensor:
            empty = torch.empty(shape, **options)  # type: ignore[call-overload]
            kept: Tensor = empty.bernoulli_(1 - self.p, generator=generator)
            return kept

        kept = draw(keep, self.generator)
        return X * (kept / (1 - self.p) if self.p < 1 else kept)


class ByteDropout(SeededDropout):
    """Dropout, seven times as fast on a CPU, where random numbers are what it costs.

    Of 256 equally likely bytes, so many drop a unit as come closest to ``p``; what is
    left is scaled to have the right mean exactly. A half is one half. On other devices
    this is PyTorch's dropout.

    Parameters
    ----------
    p : float, default=0.5
        Fraction of the units to drop in training.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import ByteDropout
    >>> ByteDropout(0.5)(torch.ones(1000)).unique()
    tensor([0., 2.])
    """

    def forward(self, X: Tensor) -> Tensor:
        """Drop units of any shape."""
        n_kept = 256 - round(256 * self.p)
        in_bytes = X.device.type == "cpu" and 0 < n_kept < 256
        if not self.training or not in_bytes:
            return super().forward(X)
        n_units, shape = X.numel(), X.shape

        def draw_bytes(generator: torch.Generator | None) -> Tensor:
            words = torch.empty(-(-n_units // 8), dtype=torch.int64)
            words.random_(-(2**63), None, generator=generator)
            return words.view(torch.uint8)[:n_units].view(shape)

        random_bytes = draw(draw_bytes, self.generator)
        return X * (random_bytes < n_kept).to(X.dtype).mul_(256 / n_kept)


def quicken_dropout(layers: nn.Sequential) -> nn.Sequential:
    """Replace the dropout between layers by a faster one.

    Parameters
    ----------
    layers : nn.Sequential
        Network, changed in place.

    Returns
    -------
    nn.Sequential
        The same network.

    Examples
    --------
    >>> from torch import nn
    >>> from skda.modules import quicken_dropout
    >>> quicken_dropout(nn.Sequential(nn.Dropout(0.3)))[0]
    ByteDropout(p=0.3, inplace=False)
    """
    for i, layer in enumerate(layers):
        if type(layer) in (nn.Dropout, SeededDropout):
            layers[i] = ByteDropout(layer.p)  # type: ignore[arg-type]
    return layers
