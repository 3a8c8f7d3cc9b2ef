"""The objectives of :class:`skda.partial.A2KTStyle`, and its selection of rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from skda.base import TargetRisk
from skda.losses import kernel_mmd
from skda.partial._base import PartialObjective, map_domain
from skda.partial._dual import DualClassifier
from skda.training import Batch

__all__ = ["A2KTStyleObjective", "select_rows"]


class DualTargetRisk(TargetRisk):
    """Risk of both classifiers in the target, for a fit without a source."""

    next_prototypes: Tensor

    def start_fit(self, module: DualClassifier, domains: Batch) -> None:
        module.initialize_prototypes(domains.target)

    def forward(
        self, module: DualClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        _, target, _ = batch
        f = module.encode(target.X)
        self.next_prototypes = module.updated_prototypes(f, target.labels).detach()
        return {"target_risk": module.risk(f, target.labels)}

    def end_step(self, module: DualClassifier, batch: Batch) -> None:
        module.prototypes.copy_(self.next_prototypes)


class A2KTStyleObjective(PartialObjective):
    """Equations 1 to 3 of :class:`A2KTStyle`.

    Parameters
    ----------
    lambda0 : float
        Weight of everything but the risks.
    n_refreshes : int
        Number of parts of the training, of which each but the first begins with a new
        selection.
    threshold : float
        Least count of a class, as a share of its share of the selected rows.
    pseudo_weight, discrepancy_weight, intra_weight, inter_weight : float
        Weights of the terms.
    margin : float
        How far apart the prototypes are to be.
    """

    selected: Tensor
    next_prototypes: Tensor

    def __init__(
        self,
        lambda0: float,
        *,
        n_refreshes: int,
        threshold: float,
        pseudo_weight: float,
        discrepancy_weight: float,
        intra_weight: float,
        inter_weight: float,
        margin: float,
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.threshold = threshold
        self.pseudo_weight = pseudo_weight
        self.discrepancy_weight = discrepancy_weight
        self.intra_weight = intra_weight
        self.inter_weight = inter_weight
        self.margin = margin
        self.register_buffer("selected", torch.empty(0))

    def start_fit(self, module: DualClassifier, domains: Batch) -> None:
        super().start_fit(module, domains)
        module.initialize_prototypes(domains.source)
        self.selected = domains.target.labels.clone()

    def weigh(self, shares: Tensor) -> Tensor:
        return torch.ones_like(shares)  # whatever the shares, until some are selected

    def refresh(self, module: DualClassifier, domains: Batch) -> None:
        super().refresh(module, domains)
        f = map_domain(module, domains.target, module.encode)
        p_m, p_p = module.classify(f).softmax(1), module.prototype_logits(f).softmax(1)
        fraction = self.part / self.n_refreshes
        self.selected = select_rows(p_m, p_p, domains.target.labels, fraction)
        if len(self.shares_history) > 1:  # all classes count in the first round
            self.class_weights = self.select_classes(domains.target.labels)

    def select_classes(self, given: Tensor) -> Tensor:
        """Select the classes that enough selected rows have.

        Parameters
        ----------
        given : Tensor of shape (n_t, c)
            Class memberships of the whole target, zero where unknown.

        Returns
        -------
        Tensor of shape (c,)
            One for a class that is selected, else zero; ones if no class is.
        """
        counts = self.selected.sum(dim=0)
        min_count = self.threshold * counts.mean()
        found = ((counts > 0) & (counts >= min_count)) | given.any(dim=0)
        return (found | ~found.any()).to(counts)

    def forward(
        self, module: DualClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        source, target, _ = batch
        features = module.encode_both(source.X, target.X)
        kept = source.labels * self.class_weights  # (n_s, c)
        selected = self.selected.index_select(0, target.rows)  # (n_t, c)
        prototypes = module.updated_prototypes(features[0], source.labels)
        self.next_prototypes = prototypes.detach()
        terms = {"source_risk": module.risk(features[0], kept)}
        if self.semi_supervised:
            terms["target_risk"] = module.risk(features[1], target.labels)
        pseudo = module.risk(features[1], selected - target.labels)
        g_s, g_t = (F.normalize(f, dim=1) for f in features)
        discrepancy = kernel_mmd(g_s, g_t, kept.sum(dim=1), selected.sum(dim=1))
        spread = class_spread(
            module.cosines(torch.cat(features)), torch.cat([kept, selected])
        )
        hinge = prototype_hinge(prototypes, self.class_weights, self.margin)
        return terms | {
            "pseudo_risk": self.lambda0 * self.pseudo_weight * pseudo,
            "discrepancy": self.lambda0 * self.discrepancy_weight * discrepancy,
            "intra": self.lambda0 * self.intra_weight * spread,
            "inter": self.lambda0 * self.inter_weight * hinge,
        }

    def end_step(self, module: DualClassifier, batch: Batch) -> None:
        module.prototypes.copy_(self.next_prototypes)


def class_spread(cosines: Tensor, memberships: Tensor) -> Tensor:
    """Average the squared distances, (n, c), of unit rows to their prototypes."""
    squares = (memberships * (2 - 2 * cosines)).sum()
    return squares / memberships.sum().clamp(min=1)


def prototype_hinge(prototypes: Tensor, weights: Tensor, margin: float) -> Tensor:
    """Average how much closer than a margin two unit prototypes, (c, d), are."""
    squares = (2 - 2 * prototypes @ prototypes.T).clamp(min=1e-6)  # a root has a slope
    pairs = torch.outer(weights, weights)
    pairs = pairs - pairs.diag().diag()
    gaps = (margin - squares.sqrt()).clamp(min=0)
    return (pairs * gaps).sum() / pairs.sum().clamp(min=1)


def select_rows(
    first: Tensor, second: Tensor, given: Tensor, fraction: float
) -> Tensor:
    """Select the most confident rows of every class on which two classifiers agree.

    Parameters
    ----------
    first, second : Tensor of shape (n, c)
        Probabilities of either classifier.
    given : Tensor of shape (n, c)
        Class memberships, zero where unknown; a row that has one is always selected.
    fraction : float
        Fraction of the rows of a class to select, rounded up to whole rows.

    Returns
    -------
    Tensor of shape (n, c)
        One-hot rows of the classes of what is selected, zero elsewhere.
    """
    confidence, classes = ((first + second) / 2).max(dim=1)
    agreed = (first.argmax(dim=1) == second.argmax(dim=1)) & ~given.any(dim=1)
    candidates = F.one_hot(classes, first.shape[1]) * agreed[:, None]  # (n, c)
    order = confidence.argsort(descending=True, stable=True)
    ordered = candidates[order]
    # No fraction that rounds to a little more than a whole number takes one row more.
    quota = (fraction * candidates.sum(dim=0) - 1e-4).ceil()
    selected = given.clone()
    selected[order] += (ordered * (ordered.cumsum(dim=0) <= quota)).to(given)
    return selected
