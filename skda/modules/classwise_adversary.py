"""A classifier with an adversary for every class, which tells the domains apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from skda.modules.dropout import ByteDropout
from skda.modules.one_stream import OneStreamClassifier

__all__ = ["ClasswiseAdversarialClassifier"]


class StackedLinear(nn.Module):
    """As many linear layers as there are classes, in one product."""

    def __init__(self, n_layers: int, n_in: int, n_out: int) -> None:
        super().__init__()
        bound = n_in**-0.5  # that of a linear layer
        shapes = (n_layers, n_in, n_out), (n_layers, 1, n_out)
        weight, bias = (torch.empty(shape).uniform_(-bound, bound) for shape in shapes)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, X: Tensor) -> Tensor:
        """Map inputs of every layer, of shape (c, n, n_in)."""
        return torch.baddbmm(self.bias, X, self.weight)


class ClasswiseAdversarialClassifier(OneStreamClassifier):
    """A network for both domains, and a discriminator of the domains for every class.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes ``c``.
    discriminator_layer_sizes : sequence of int, default=(64,)
        Width of every hidden layer of every discriminator.
    dropout : float, default=0.5
        Fraction of their hidden units to drop in training.
    **layout : dict
        Passed to :class:`OneStreamClassifier`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skda.modules import ClasswiseAdversarialClassifier
    >>> net = ClasswiseAdversarialClassifier(nn.Linear(5, 4), 4, n_classes=3)
    >>> net.discriminate(torch.randn(3, 2, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        discriminator_layer_sizes: Sequence[int] = (64,),
        dropout: float = 0.5,
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        widths = [n_components, *discriminator_layer_sizes, 1]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [StackedLinear(n_classes, n_in, n_out), nn.ReLU()]
            layers += [ByteDropout(dropout)]
        self.discriminators = nn.Sequential(*layers[:-2])

    def discriminate(self, f: Tensor) -> Tensor:
        """Map features, of shape (c, n, d), to logits of "source", of shape (c, n)."""
        return self.discriminators(f).to(f.dtype).squeeze(2)
