"""Autoencoders that classify: one domain's, and those of two that are mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.modules.multi_view import multilayer_perceptron

__all__ = ["AutoEncoderClassifier", "MappedAutoEncoders"]


class AutoEncoderClassifier(nn.Module):
    """An encoder, the decoder that mirrors it, and a linear classifier on top.

    Every layer of the encoder ends in a ReLU, the last one too. The decoder has weights
    of its own and linear outputs, and the classifier has no bias.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_layer_sizes : sequence of int
        Width of every layer of the encoder; the last is the dimension ``d`` of the
        latent space.
    n_classes : int
        Number of classes ``c``.
    linear_top : bool, default=False
        Whether the last layer of the encoder is linear.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import AutoEncoderClassifier
    >>> net = AutoEncoderClassifier(7, [5, 4], n_classes=3)
    >>> z = net.encode(torch.randn(2, 7))
    >>> z.shape, net.decode(z).shape, net.classify(z).shape
    (torch.Size([2, 4]), torch.Size([2, 7]), torch.Size([2, 3]))
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_classes: int,
        *,
        linear_top: bool = False,
    ) -> None:
        super().__init__()
        widths = [n_features, *hidden_layer_sizes]
        top = None if linear_top else nn.ReLU()
        self.encoder = multilayer_perceptron(widths, last=top)
        self.decoder = multilayer_perceptron(widths[::-1])
        self.head = nn.Linear(widths[-1], n_classes, bias=False)
        for layer in (*self.encoder, *self.decoder):
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def encode(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, p), to shape (n, d); the domain plays no role."""
        # Autocast lowers the precision of the layers, but not of what is made of them.
        return self.encoder(X).to(X.dtype)

    def decode(self, z: Tensor) -> Tensor:
        """Map latent rows, of shape (n, d), back to samples, of shape (n, p)."""
        return self.decoder(z).to(z.dtype)

    def classify(self, z: Tensor) -> Tensor:
        """Map latent rows, of shape (n, d), to logits, of shape (n, c)."""
        return self.head(z).to(z.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, p), to logits, of shape (n, c)."""
        return self.classify(self.encode(X))


class MappedAutoEncoders(nn.Module):
    """An autoencoder per domain, and a linear map from one latent space to the other.

    A mapped target is classified by the source's classifier. The map ``G`` is a buffer:
    no gradient reaches it.

    Parameters
    ----------
    widths : mapping of str to int
        Number of features of every domain.
    hidden_layer_sizes : mapping of str to sequence of int
        Width of every layer of every domain's encoder; they may end in different ones.
    n_classes : int
        Number of classes ``c``.
    mapped : bool, default=True
        Whether to map the target. It needs a source.
    linear_top : bool, default=False
        Whether the last layers of the encoders are linear.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import MappedAutoEncoders
    >>> layers = {"source": [6, 4], "target": [3]}
    >>> net = MappedAutoEncoders({"source": 7, "target": 5}, layers, n_classes=2)
    >>> net.G.shape, net.encode(torch.randn(2, 5), "target").shape
    (torch.Size([3, 4]), torch.Size([2, 4]))
    """

    G: Tensor | None

    def __init__(
        self,
        widths: Mapping[str, int],
        hidden_layer_sizes: Mapping[str, Sequence[int]],
        n_classes: int,
        *,
        mapped: bool = True,
        linear_top: bool = False,
    ) -> None:
        super().__init__()
        layers = {domain: list(hidden_layer_sizes[domain]) for domain in widths}
        self.domains: Any = nn.ModuleDict(
            {
                domain: AutoEncoderClassifier(
                    width, layers[domain], n_classes, linear_top=linear_top
                )
                for domain, width in widths.items()
            }
        )
        G = None
        if mapped and "source" in widths:
            G = torch.zeros(layers["target"][-1], layers["source"][-1])
        self.register_buffer("G", G)

    def map(self, z: Tensor) -> Tensor:
        """Take the target's latent rows, of shape (n, d_t), to the source's."""
        return z if self.G is None else (z @ self.G).to(z.dtype)

    def encode(self, X: Tensor, domain: str) -> Tensor:
        """Map samples of a domain, of shape (n, p), into the source's latent space."""
        z = self.domains[domain].encode(X)
        return self.map(z) if domain == "target" else z

    def classify(self, z: Tensor, domain: str) -> Tensor:
        """Map a domain's own latent rows, of shape (n, d), to logits, shape (n, c)."""
        if domain == "source" or self.G is None:
            return self.domains[domain].classify(z)
        # A map of weights costs less than one of rows.
        return F.linear(z, self.domains["source"].head.weight @ self.G.T).to(z.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples of a domain, of shape (n, p), to logits, of shape (n, c)."""
        return self.classify(self.domains[domain].encode(X), domain)
