"""An encoder for every view of paired samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skda.modules.dropout import SeededDropout

__all__ = ["MultiViewEncoder", "multilayer_perceptron"]


def multilayer_perceptron(
    widths: Sequence[int],
    *,
    dropout: float = 0.0,
    last: nn.Module | None = None,
    batch_norm: bool = False,
) -> nn.Sequential:
    """Chain linear layers, with ReLU and dropout between them.

    Parameters
    ----------
    widths : sequence of int
        Number of inputs, of the units of every hidden layer, and of outputs.
    dropout : float, default=0.0
        Fraction of the hidden units to drop in training.
    last : nn.Module, default=None
        Activation of the outputs; None leaves them linear.
    batch_norm : bool, default=False
        Whether there is a batch norm before every activation.

    Returns
    -------
    nn.Sequential
        The network.

    Examples
    --------
    >>> from skda.modules import multilayer_perceptron
    >>> [type(layer).__name__ for layer in multilayer_perceptron([4, 3, 2])]
    ['Linear', 'ReLU', 'Linear']
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers.append(nn.Linear(n_in, n_out))
        if batch_norm:
            layers.append(nn.BatchNorm1d(n_out))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(SeededDropout(dropout))
    del layers[-1 - bool(dropout) :]  # the outputs have neither
    if last is not None:
        layers.append(last)
    elif batch_norm:
        del layers[-1]
    return nn.Sequential(*layers)


class MultiViewEncoder(nn.Module):
    """Map every view into one space by a network of its own.

    Parameters
    ----------
    widths : mapping of str to int
        Number of features of every view, in the order in which they stand side by side.
    n_components : int
        Dimension ``d`` of the common space.
    hidden_layer_sizes : sequence of int, default=(512, 512)
        Width of every hidden layer.
    dropout : float, default=0.0
        Fraction of the hidden units to drop in training.
    last : nn.Module, default=None
        Activation of the outputs; None leaves them linear.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import MultiViewEncoder
    >>> net = MultiViewEncoder({"image": 7, "text": 5}, 4, hidden_layer_sizes=[6])
    >>> net(torch.randn(3, 12)).shape  # (views, pairs, components)
    torch.Size([2, 3, 4])
    >>> net.encode(torch.randn(2, 5), "text").shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        *,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        dropout: float = 0.0,
        last: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.widths = dict(widths)
        self.encoders = nn.ModuleList(
            multilayer_perceptron(
                [width, *hidden_layer_sizes, n_components], dropout=dropout, last=last
            )
            for width in widths.values()
        )

    def views(self, X: Tensor) -> tuple[Tensor, ...]:
        """Cut rows, of shape (n, sum of the widths), into their views."""
        return X.split(list(self.widths.values()), dim=1)

    def encode(self, X: Tensor, view: str) -> Tensor:
        """Map rows of one view, of shape (n, p_v), to shape (n, d)."""
        # Autocast lowers the precision of the layers, but not of what is made of them.
        return self.encoders[list(self.widths).index(view)](X).to(X.dtype)

    def forward(self, X: Tensor) -> Tensor:
        """Map rows, all views side by side, to shape (v, n, d)."""
        pairs = zip(self.views(X), self.widths, strict=True)
        return torch.stack([self.encode(rows, name) for rows, name in pairs])
