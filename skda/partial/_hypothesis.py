"""The network, the objectives and the clusters of :class:`skda.partial.SHOT`."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import OneStreamObjective
from skda.losses import cross_entropy, prediction_entropy
from skda.modules import OneStreamClassifier
from skda.partial._base import RefreshedObjective, map_domain
from skda.training import Batch

__all__ = [
    "Clusters",
    "SHOTClassifier",
    "SHOTObjective",
    "SourceObjective",
    "find_clusters",
]


class Clusters(NamedTuple):
    """Clusters of a target by Equations 3 and 4 of :class:`SHOT`, one per class.

    Parameters
    ----------
    labels : Tensor of shape (n, c)
        One-hot rows of the pseudo-labels.
    centroids : Tensor of shape (c, d + 1)
        Centroids of unit length, zero for a class that is not kept.
    counts : Tensor of shape (c,)
        Number of rows of every class.
    kept : Tensor of shape (c,)
        Whether a class has enough of them.
    """

    labels: Tensor
    centroids: Tensor
    counts: Tensor
    kept: Tensor


class WeightNormLinear(nn.Linear):
    """A linear layer whose weights are directions of unit length times lengths.

    That of PyTorch, a parametrization, cannot be pickled.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.zeros_(self.bias)
        length = self.weight.detach().norm(dim=1, keepdim=True)
        self.length = nn.Parameter(length)  # (c, 1)

    def forward(self, X: Tensor) -> Tensor:
        """Map features, of shape (n, d), to logits, of shape (n, c)."""
        directions = F.normalize(self.weight, dim=1)
        return F.linear(X, self.length * directions, self.bias)


class SHOTClassifier(OneStreamClassifier):
    """A classifier that can be kept from learning.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes ``c``.
    **layout : dict
        Passed to :class:`skda.modules.OneStreamClassifier`.
    """

    def __init__(
        self, extractor: nn.Module, n_components: int, n_classes: int, **layout: Any
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        self.head = WeightNormLinear(n_components, n_classes)

    def classify(self, f: Tensor, *, fixed: bool = False) -> Tensor:
        """Map features to logits; ``fixed`` is not to teach the head anything.

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features.
        fixed : bool, default=False
            Whether to teach the head nothing.

        Returns
        -------
        Tensor of shape (n, c)
            The logits.
        """
        if not fixed:
            return super().classify(f)
        constants = {name: p.detach() for name, p in self.head.named_parameters()}
        return torch.func.functional_call(self.head, constants, f).to(f.dtype)


class SourceObjective(OneStreamObjective):
    """Equation 1 of :class:`SHOT`.

    Parameters
    ----------
    smoothing : float
        Share of a label that all classes have in equal parts.
    """

    def __init__(self, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(
        self, module: SHOTClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        source, target, _ = batch
        # Nothing is asked of the target if none of it is labeled.
        f_s = module.encode(source.X, "source")
        terms = {"source_risk": self.smooth_risk(module.classify(f_s), source.labels)}
        if self.semi_supervised:
            v_t = module(target.X)
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        return terms

    def smooth_risk(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Evaluate the cross-entropy with labels of which the others have a share.

        Parameters
        ----------
        logits : Tensor of shape (n, c)
            Logits.
        labels : Tensor of shape (n, c)
            Class memberships.

        Returns
        -------
        Tensor of shape ()
            The risk.
        """
        known = labels.sum(dim=1, keepdim=True)
        uniform = known / labels.shape[1]
        return cross_entropy(
            logits, (1 - self.smoothing) * labels + self.smoothing * uniform
        )


class SHOTObjective(RefreshedObjective):
    """Equation 2 of :class:`SHOT`.

    Parameters
    ----------
    lambda0 : float
        Weight of both terms.
    beta : float
        Weight of the pseudo-labels.
    threshold : float
        Least count of a class, as a share of its share of the rows.
    min_count : int or None
        Least count of a class, instead.
    n_refreshes : int
        Number of equal parts of the training that begin with new pseudo-labels.
    """

    pseudo_labels: Tensor

    def __init__(
        self,
        lambda0: float,
        *,
        beta: float,
        threshold: float,
        min_count: int | None,
        n_refreshes: int,
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.beta = beta
        self.threshold = threshold
        self.min_count = min_count
        self.register_buffer("pseudo_labels", torch.empty(0))

    def start_fit(self, module: Any, domains: Batch) -> None:
        super().start_fit(module, domains)
        self.part = -1
        self.pseudo_labels = torch.zeros_like(domains.target.labels)

    def refresh(self, module: SHOTClassifier, domains: Batch) -> None:
        """Find the pseudo-labels, if they weigh anything.

        Parameters
        ----------
        module : SHOTClassifier
            Network.
        domains : Batch
            Every row.
        """
        if not self.beta:
            return
        features = map_domain(module, domains.target, module.encode)
        clusters = self.find_clusters(
            features, module.classify(features), domains.target.labels
        )
        self.pseudo_labels = clusters.labels

    def find_clusters(
        self, features: Tensor, logits: Tensor, given: Tensor
    ) -> Clusters:
        """Cluster a whole target.

        Parameters
        ----------
        features : Tensor of shape (n, d)
            Features of a whole target.
        logits : Tensor of shape (n, c)
            Their logits.
        given : Tensor of shape (n, c)
            Class memberships, zero where unknown.

        Returns
        -------
        Clusters
            Pseudo-labels, centroids and counts.
        """
        n_rows, n_classes = logits.shape
        min_count: float | None = self.min_count
        if min_count is None:
            min_count = self.threshold * n_rows / n_classes
        return find_clusters(features, logits, given, min_count)

    def forward(
        self, module: SHOTClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        target = batch.target
        v_t = module.classify(module.encode(target.X), fixed=True)
        terms = {"entropy": self.lambda0 * prediction_entropy(v_t).mean()}
        if self.beta:
            labels = self.pseudo_labels.index_select(0, target.rows)
            terms["pseudo_risk"] = self.lambda0 * self.beta * cross_entropy(v_t, labels)
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        return terms


def find_clusters(
    features: Tensor, logits: Tensor, given: Tensor, min_count: float
) -> Clusters:
    """Evaluate Equation 3 of :class:`SHOT` twice.

    If no class has more rows than it takes, the largest one is kept.

    Parameters
    ----------
    features : Tensor of shape (n, d)
        Features of a whole target.
    logits : Tensor of shape (n, c)
        Their logits.
    given : Tensor of shape (n, c)
        Class memberships, which outweigh what is found; zero where unknown.
    min_count : float
        Number of rows that a class has to have more of.

    Returns
    -------
    Clusters
        Pseudo-labels, centroids and counts.
    """
    n_classes = logits.shape[1]
    known = given.sum(dim=1, keepdim=True)
    phi = F.normalize(F.pad(features, (0, 1), value=1.0), dim=1)  # (n, d + 1)
    shares = torch.where(known > 0, given, logits.softmax(dim=1))
    counts = F.one_hot(shares.argmax(dim=1), n_classes).sum(dim=0)
    for _ in range(2):
        kept = (counts > min_count) | (counts == counts.max())
        centroids = kept[:, None] * F.normalize(shares.T @ phi, dim=1)  # (c, d + 1)
        cosines = (phi @ centroids.T).masked_fill(~kept, -torch.inf)
        found = F.one_hot(cosines.argmax(dim=1), n_classes).to(given.dtype)
        shares = torch.where(known > 0, given, found)
        counts = shares.sum(dim=0)
    return Clusters(shares, centroids, counts, kept)
