"""What the methods for a target with fewer classes than the source have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import (
    BaseOneStreamClassifier,
    OneStreamObjective,
    Pass,
    Rows,
    estimator,
)
from skda.losses import prediction_entropy, weighted_mean
from skda.training import Batch, Domain, Objective, chunks

__all__ = [
    "BasePartialClassifier",
    "PartialObjective",
    "RefreshedObjective",
    "entropy_term",
    "map_domain",
]

AnyObjective = TypeVar("AnyObjective", bound=Objective)


@torch.no_grad()
def map_domain(
    module: nn.Module, domain: Domain, function: Callable[[Tensor], Tensor]
) -> Tensor:
    """Map all samples of a domain through a network in evaluation mode.

    Parameters
    ----------
    module : nn.Module
        Network; it is left in the mode that it was in.
    domain : Domain
        Every row of a domain, of which there are n.
    function : callable
        What to evaluate on a part of the samples: the network, or a method of it.

    Returns
    -------
    Tensor of shape (n, ...)
        The values of the function.
    """
    training = module.training
    module.eval()
    values = [function(X) for X in chunks(domain.X, domain.labels.device)]
    module.train(training)
    return torch.cat(values)


def entropy_term(weight: float, logits: Tensor) -> dict[str, Tensor]:
    """Evaluate the weighted mean entropy of predictions, unless its weight is zero.

    Parameters
    ----------
    weight : float
        Weight of the term.
    logits : Tensor of shape (n, c)
        Logits of the target.

    Returns
    -------
    dict of str to Tensor of shape ()
        The term "entropy", or nothing.
    """
    if not weight:
        return {}
    return {"entropy": weight * prediction_entropy(logits).mean()}


class RefreshedObjective(OneStreamObjective):
    """An objective of which something is computed anew as each part of a fit begins.

    A subclass overrides :meth:`refresh`.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight of what the method adds, at the end of the training.
    n_refreshes : int, default=10
        Number of equal parts of the training, of which each but the first begins, at
        the next epoch, with a refresh.
    """

    def __init__(self, lambda0: float = 1.0, *, n_refreshes: int = 10) -> None:
        super().__init__(lambda0)
        self.n_refreshes = n_refreshes

    def start_fit(self, module: Any, domains: Batch) -> None:
        """Begin with the first part of the training.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        super().start_fit(module, domains)
        self.part = 0

    def start_epoch(self, module: Any, domains: Batch, progress: float) -> None:
        """Refresh, if this is the first epoch of another part of the training.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        progress : float
            Fraction of the training already done.
        """
        part = int(progress * self.n_refreshes + 1e-6)  # 0.3 * 10 may be less than 3
        if part > self.part:
            self.part = part
            self.refresh(module, domains)

    def refresh(self, module: Any, domains: Batch) -> None:
        """Compute what depends on the whole domains, for part ``self.part``.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        raise NotImplementedError


class PartialObjective(RefreshedObjective):
    """Class-weighted risk of the source, risk of the target, and a method's terms.

    The weights of the classes are their shares in the predictions of the whole target.
    Until they are known for the first time, all classes weigh the same.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight of what the method adds, at the end of the training.
    n_refreshes : int, default=10
        Number of equal parts of the training, of which each but the first begins, at
        the next epoch, with new weights.
    """

    class_weights: Tensor

    def __init__(self, lambda0: float = 1.0, *, n_refreshes: int = 10) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.register_buffer("class_weights", torch.empty(0))
        self.shares_history: list[Tensor] = []

    def start_fit(self, module: Any, domains: Batch) -> None:
        """Let all classes weigh the same.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        super().start_fit(module, domains)
        n_classes = domains.source.labels.shape[1]
        uniform = domains.source.labels.new_ones(n_classes) / n_classes
        self.class_weights = self.weigh(uniform)
        self.shares_history = []

    def refresh(self, module: Any, domains: Batch) -> None:
        """Estimate the weights of the classes.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        shares = self.shares(map_domain(module, domains.target, module))
        self.shares_history.append(shares)
        self.class_weights = self.weigh(shares)

    def shares(self, logits: Tensor) -> Tensor:
        """Estimate the share of every class in the target.

        Parameters
        ----------
        logits : Tensor of shape (n_t, c)
            Logits of the whole target.

        Returns
        -------
        Tensor of shape (c,)
            The shares, which sum to one.
        """
        return logits.softmax(dim=1).mean(dim=0)

    def weigh(self, shares: Tensor) -> Tensor:
        """Scale the shares of the classes to weights.

        Parameters
        ----------
        shares : Tensor of shape (c,)
            The shares, which sum to one.

        Returns
        -------
        Tensor of shape (c,)
            The weights; the shares themselves, unless a method says.
        """
        return shares

    def source_risk(self, source: Pass) -> Tensor:
        """Evaluate the cross-entropy of the source, weighted by class.

        Parameters
        ----------
        source : Pass
            Features, logits and labels of the source.

        Returns
        -------
        Tensor of shape ()
            The risk.
        """
        risks = F.cross_entropy(source.logits, source.labels, reduction="none")
        return weighted_mean(risks, self.row_weights(source.labels))

    def row_weights(self, labels: Tensor) -> Tensor:
        """Weight every source row by its classes.

        Parameters
        ----------
        labels : Tensor of shape (n_s, c)
            Class memberships of the source.

        Returns
        -------
        Tensor of shape (n_s,)
            The weights of their classes.
        """
        # No matrix product: autocast would round it.
        return (labels * self.class_weights).sum(dim=1)


@estimator
class BasePartialClassifier(BaseOneStreamClassifier):
    """Classify a target that has only some of the classes of the source.

    Predictions are over all classes of the source. A target label that is none of them
    is an error.

    Attributes
    ----------
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target, in the order of
        ``classes_``.
    class_weights_history_ : ndarray of shape (n_refreshes, n_classes)
        These shares whenever the training looked at them, and at its end.
    """

    target_classes: ClassVar[Literal["all", "subset"]] = "subset"

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        logits = torch.from_numpy(self.net_.evaluate(self.net_.module_, target.X))
        objective = self._find_objective(PartialObjective) or PartialObjective()
        history = [shares.cpu() for shares in objective.shares_history]
        history.append(objective.shares(logits))
        self.class_weights_history_ = torch.stack(history).numpy()
        self.class_weights_ = self.class_weights_history_[-1]

    def _find_objective(self, kind: type[AnyObjective]) -> AnyObjective | None:
        """Find an objective of a kind in that of the last phase, or what it extends."""
        parts = self.net_.criterion_.modules()
        return next((part for part in parts if isinstance(part, kind)), None)
