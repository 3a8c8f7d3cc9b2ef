"""One encoder per domain, one classifier for both."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["TwoStreamClassifier", "unit_length"]


def unit_length(z: Tensor) -> Tensor:
    """Scale rows to unit length; a row of zeros stays one.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Rows.

    Returns
    -------
    Tensor of shape (n, d)
        The rows, divided by their Euclidean lengths.

    Examples
    --------
    >>> import torch
    >>> unit_length(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return F.normalize(z, dim=1)


class TwoStreamClassifier(nn.Module):
    """Encoders of two domains onto one sphere, and a classifier there.

    The network that SSAN and STN share. A domain is told by its role: two domains of
    the same width still have an encoder each.

    Parameters
    ----------
    widths : mapping of str to int
        Number of features of every domain.
    n_components : int
        Dimension ``d`` of the common space.
    n_classes : int
        Number of classes ``c``.
    n_hidden : int or None, default=None
        Width of the hidden layers; None is halfway between a domain's features and
        ``n_components``.
    negative_slope : float, default=0.2
        Slope of every leaky ReLU on its negative side.
    leaky_logits : bool, default=True
        Whether a leaky ReLU follows the classifier as well, which flattens its
        probabilities.

    Examples
    --------
    >>> import torch
    >>> net = TwoStreamClassifier({"source": 7, "target": 5}, 4, n_classes=3)
    >>> net.encode(torch.randn(6, 7), "source").shape
    torch.Size([6, 4])
    >>> net(torch.randn(2, 5)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        n_classes: int,
        *,
        n_hidden: int | None = None,
        negative_slope: float = 0.2,
        leaky_logits: bool = True,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict()
        for domain, width in widths.items():
            hidden = n_hidden or (width + n_components) // 2
            self.encoders[domain] = nn.Sequential(
                nn.Linear(width, hidden),
                nn.LeakyReLU(negative_slope),
                nn.Linear(hidden, n_components),
                nn.LeakyReLU(negative_slope),
            )
        self.head = nn.Sequential(nn.Linear(n_components, n_classes))
        if leaky_logits:
            self.head.append(nn.LeakyReLU(negative_slope))

    def encode(self, X: Tensor, domain: str) -> Tensor:
        """Map samples, of shape (n, p), to unit vectors, of shape (n, d)."""
        # Autocast lowers the precision of the layers, but not of what is made of them.
        return unit_length(self.encoders[domain](X).to(X.dtype))

    def classify(self, z: Tensor) -> Tensor:
        """Map unit vectors, of shape (n, d), to logits, of shape (n, c)."""
        return self.head(z).to(z.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, p), to logits, of shape (n, c)."""
        return self.classify(self.encode(X, domain))
