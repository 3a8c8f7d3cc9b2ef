"""One feature extractor and one classifier for both domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from skda.modules.multi_view import multilayer_perceptron

__all__ = [
    "OneStreamClassifier",
    "Standardization",
    "has_batch_norm",
    "row_extractor",
    "width_after",
]

_BATCH_NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm


class Standardization(nn.Module):
    """Layer that subtracts a mean from every feature and divides it by a scale.

    Parameters
    ----------
    mean, scale : ndarray of shape (p,)
        Constants, which are saved with the network and not trained.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skda.modules import Standardization
    >>> layer = Standardization(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    >>> layer(torch.tensor([[3.0, 4.0]]))
    tensor([[2.0000, 0.5000]])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: NDArray[Any], scale: NDArray[Any]) -> None:
        super().__init__()
        for name, constants in {"mean": mean, "scale": scale}.items():
            self.register_buffer(name, torch.as_tensor(constants, dtype=torch.float32))

    def forward(self, X: Tensor) -> Tensor:
        """Map rows, of shape (n, p), to rows of the same shape."""
        return (X - self.mean) / self.scale


def row_extractor(
    n_features: int,
    n_components: int,
    *,
    hidden_layer_sizes: Sequence[int] = (),
    normalize: bool = True,
    batch_norm: bool = False,
) -> nn.Sequential:
    """Build a feature extractor for rows of features, in which every layer is a ReLU.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_components : int
        Width of the last layer.
    hidden_layer_sizes : sequence of int, default=()
        Width of every layer before it.
    normalize : bool, default=True
        Whether to scale every row to a mean square of one first.
    batch_norm : bool, default=False
        Whether there is a batch norm before every ReLU.

    Returns
    -------
    nn.Sequential
        The network.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import row_extractor
    >>> row_extractor(5, 3)(torch.randn(2, 5)).shape
    torch.Size([2, 3])
    """
    widths = [n_features, *hidden_layer_sizes, n_components]
    layers = multilayer_perceptron(widths, last=nn.ReLU(), batch_norm=batch_norm)
    if normalize:
        layers.insert(0, nn.RMSNorm(n_features, 1e-30, elementwise_affine=False))
    return layers


def has_batch_norm(module: nn.Module) -> bool:
    """Say whether a layer of the module mixes the rows of a batch.

    Parameters
    ----------
    module : nn.Module
        Network.

    Returns
    -------
    bool
        Whether it has a batch norm.

    Examples
    --------
    >>> from torch import nn
    >>> from skda.modules import has_batch_norm
    >>> has_batch_norm(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)))
    True
    """
    return any(isinstance(layer, _BATCH_NORMS) for layer in module.modules())


@torch.no_grad()
def width_after(extractor: nn.Module, sample_shape: Sequence[int]) -> int:
    """Count the features that an extractor makes of a sample.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of features; it is left in training mode.
    sample_shape : sequence of int
        Shape of one sample.

    Returns
    -------
    int
        Number of features.

    Raises
    ------
    ValueError
        If it makes anything but one vector of every sample.

    Examples
    --------
    >>> from torch import nn
    >>> from skda.modules import width_after
    >>> width_after(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), (3, 8, 8))
    72
    """
    extractor.eval()  # or batch norm would take the blank samples for data
    device = next((weight.device for weight in extractor.parameters()), None)
    shape = tuple(extractor(torch.zeros(2, *sample_shape, device=device)).shape)
    extractor.train()
    if len(shape) != 2 or shape[0] != 2:
        raise ValueError(
            f"Expected module to build a network from samples to vectors, got an "
            f"output of shape {shape} for 2 samples of shape {tuple(sample_shape)}: "
            f"end it with a pooling layer and nn.Flatten(), and without a classifier."
        )
    return shape[1]


class OneStreamClassifier(nn.Module):
    """A feature extractor and a classifier that both domains go through.

    Domains go through one after the other, in batches of their own, so that a batch
    norm normalizes each by its own mean and variance in training. Its running means
    and variances, which it uses afterwards, are over both.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes ``c``.
    joint : bool, default=False
        Whether both domains go through the extractor at once, which is faster; a batch
        norm then normalizes them together.

    Examples
    --------
    >>> import torch
    >>> from skda.modules import OneStreamClassifier, row_extractor
    >>> net = OneStreamClassifier(row_extractor(5, 4), 4, n_classes=3)
    >>> net(torch.randn(2, 5)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        joint: bool = False,
    ) -> None:
        super().__init__()
        self.extractor = extractor
        self.head = nn.Linear(n_components, n_classes)
        self.joint = joint

    def encode(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to features, of shape (n, d)."""
        precision = self.head.weight.dtype
        if X.dtype == torch.uint8:
            X = X.to(precision) / 255
        # Autocast lowers the precision of the layers, but not of what is made of them.
        return self.extractor_of(domain)(X).to(precision)

    def extractor_of(self, domain: str) -> nn.Module:
        """Return the feature extractor of a domain; it is one for both."""
        return self.extractor

    def encode_both(self, X_s: Tensor, X_t: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch of either domain to features, of shapes (n_s, d), (n_t, d)."""
        if not self.joint or X_s.dtype != X_t.dtype:
            return self.encode(X_s, "source"), self.encode(X_t, "target")
        f_s, f_t = self.encode(torch.cat([X_s, X_t])).split([len(X_s), len(X_t)])
        return f_s, f_t

    def classify(self, f: Tensor) -> Tensor:
        """Map features, of shape (n, d), to logits, of shape (n, c)."""
        return self.head(f).to(f.dtype)

    def classify_fixed(self, f: Tensor) -> Tensor:
        """Classify features, so that the gradient reaches them and not the head."""
        head = self.head
        return F.linear(f, head.weight.detach(), head.bias.detach()).to(f.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to logits, of shape (n, c)."""
        return self.classify(self.encode(X, domain))
