"""The network of :class:`skda.partial.A2KTStyle`, with two classifiers."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.losses import class_centroids, cross_entropy
from skda.modules import ByteDropout, OneStreamClassifier
from skda.partial._base import map_domain
from skda.training import Domain

__all__ = ["DualClassifier", "insert_dropout"]


class DualClassifier(OneStreamClassifier):
    """A linear classifier and one by the nearest prototype, of the same features.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes ``c``.
    temperature : float
        Temperature of the cosines with the prototypes.
    momentum : float
        What is left of a prototype after a step.
    **layout : dict
        Passed to :class:`skda.modules.OneStreamClassifier`.
    """

    prototypes: Tensor

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        temperature: float,
        momentum: float,
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        self.temperature = temperature
        self.momentum = momentum
        self.register_buffer("prototypes", torch.zeros(n_classes, n_components))

    def cosines(self, f: Tensor) -> Tensor:
        """Compare features with the prototypes.

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features.

        Returns
        -------
        Tensor of shape (n, c)
            The cosines, without a gradient for the prototypes.
        """
        return (F.normalize(f, dim=1) @ self.prototypes.T).to(f.dtype)

    def prototype_logits(self, f: Tensor) -> Tensor:
        """Map features to the logits that the prototypes give.

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features.

        Returns
        -------
        Tensor of shape (n, c)
            The logits.
        """
        return self.cosines(f) / self.temperature

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples to logarithms of the mean of both probabilities.

        Parameters
        ----------
        X : Tensor of shape (n, ...)
            Samples.
        domain : str, default="target"
            Where they come from.

        Returns
        -------
        Tensor of shape (n, c)
            The logarithms, whose softmax is the mean.
        """
        f = self.encode(X, domain)
        logits = torch.stack([self.classify(f), self.prototype_logits(f)])
        return logits.log_softmax(dim=2).logsumexp(dim=0) - math.log(2)

    def initialize_prototypes(self, domain: Domain) -> None:
        """Set the prototypes to the means of all labeled rows of a domain.

        Parameters
        ----------
        domain : Domain
            The rows.
        """
        f = map_domain(self, domain, self.encode)
        means = class_centroids(F.normalize(f, dim=1), domain.labels).mean
        self.prototypes = F.normalize(means, dim=1)

    def updated_prototypes(self, f: Tensor, labels: Tensor) -> Tensor:
        """Evaluate the prototypes after a step, with its gradient.

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features of the step.
        labels : Tensor of shape (n, c)
            Their class memberships.

        Returns
        -------
        Tensor of shape (c, d)
            The prototypes; that of a class without a row is what it was.
        """
        means, mass = class_centroids(F.normalize(f, dim=1), labels)
        averages = self.momentum * self.prototypes + (1 - self.momentum) * means
        has_rows = (mass > 0)[:, None]
        return F.normalize(torch.where(has_rows, averages, self.prototypes), dim=1)

    def risk(self, f: Tensor, memberships: Tensor) -> Tensor:
        """Add up the cross-entropies of both classifiers.

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features.
        memberships : Tensor of shape (n, c)
            Class memberships; an all-zero row does not count.

        Returns
        -------
        Tensor of shape ()
            The risk.
        """
        linear = cross_entropy(self.classify(f), memberships)
        return linear + cross_entropy(self.prototype_logits(f), memberships)


def insert_dropout(layers: nn.Sequential, dropout: float) -> nn.Sequential:
    """Drop units after every ReLU but the last one, of layers changed in place.

    Parameters
    ----------
    layers : nn.Sequential
        Feature extractor.
    dropout : float
        Fraction of the units to drop in training.

    Returns
    -------
    nn.Sequential
        The same layers.
    """
    activations = [i for i, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]
    for i in reversed(activations[:-1]):
        layers.insert(i + 1, ByteDropout(dropout))
    return layers
