"""What the methods for a target with fewer classes than the source have in common."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Rows
from skda.losses import cross_entropy, prediction_entropy, weighted_mean
from skda.partial._subset import SubsetMixin
from skda.training import Batch, Domain, chunks

__all__ = ["BasePartialClassifier", "PartialObjective", "entropy_term", "target_logits"]


@torch.no_grad()
def target_logits(module: nn.Module, target: Domain) -> Tensor:
    """Map a whole target domain to logits, in evaluation mode, for a hook.

    Parameters
    ----------
    module : nn.Module
        Network from samples to logits; it is left in the mode that it was in.
    target : Domain
        Every row of the target.

    Returns
    -------
    Tensor of shape (n_t, c)
        The logits.
    """
    training = module.training
    module.eval()
    logits = [module(X) for X in chunks(target.X, target.labels.device)]
    module.train(training)
    return torch.cat(logits)


def entropy_term(weight: float, logits: Tensor) -> dict[str, Tensor]:
    """Evaluate the weighted mean entropy of predictions, if it weighs anything.

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


class PartialObjective(OneStreamObjective):
    """Risks in which a source row weighs what its class does, and a method's terms.

    The weights of the classes are their shares in the predictions of the whole target.
    Until they are known for the first time, all classes weigh the same.

    A subclass overrides :meth:`align`, which sees the labels of the source, instead of
    :meth:`adapt`. Who wants to add terms to such an objective evaluates ``forward`` on
    a module whose ``encode_both`` remembers its features, and passes the hooks on.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight of what the method adds, at the end of the training.
    n_refreshes : int, default=10
        Number of parts of the training, of which each but the first begins, at the
        next epoch, with new weights.
    """

    class_weights: Tensor

    def __init__(self, lambda0: float = 1.0, *, n_refreshes: int = 10) -> None:
        super().__init__(lambda0)
        self.n_refreshes = n_refreshes
        self.register_buffer("class_weights", torch.empty(0))
        self.refreshed: list[Tensor] = []

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
        self.refreshed = []
        self.n_steps, self.stage, self.progress = 0, 0, 0.0

    def start_epoch(self, module: Any, domains: Batch, progress: float) -> None:
        """Refresh the weights of the classes, if a part of the training is over.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        # The last progress seen was that of the step before this epoch.
        n_done = self.n_steps / max(self.n_steps - 1, 1)
        stage = int(self.progress * n_done * self.n_refreshes + 1e-6)
        if stage > self.stage:
            self.stage = stage
            shares = self.shares(target_logits(module, domains.target))
            self.refreshed.append(shares)
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

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the risks and the terms of the method on one batch.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        batch : Batch
            What the step sees.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        self.n_steps, self.progress = self.n_steps + 1, progress
        source, target, _ = batch
        f_s, f_t = module.encode_both(source.X, target.X)
        v_s, v_t = module.classify(f_s), module.classify(f_t)
        terms = {"source_risk": self.source_risk(v_s, source.labels)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        return terms | self.align(module, (f_s, f_t), (v_s, v_t), source.labels)

    def source_risk(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Evaluate the cross-entropy of the source, weighted by class.

        Parameters
        ----------
        logits : Tensor of shape (n_s, c)
            Logits of the source.
        labels : Tensor of shape (n_s, c)
            Its class memberships.

        Returns
        -------
        Tensor of shape ()
            The risk.
        """
        risks = F.cross_entropy(logits, labels, reduction="none")  # (n_s,)
        return weighted_mean(risks, self.row_weights(labels))

    def row_weights(self, labels: Tensor) -> Tensor:
        """Look up what source rows weigh.

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

    def align(
        self,
        module: Any,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Evaluate what brings the domains together; ``self.progress`` says when.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        features : tuple of Tensor of shape (n_s, d) and (n_t, d)
            Features of source and target.
        logits : tuple of Tensor of shape (n_s, c) and (n_t, c)
            Their logits.
        labels : Tensor of shape (n_s, c)
            Class memberships of the source.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        raise NotImplementedError


class BasePartialClassifier(SubsetMixin, BaseOneStreamClassifier):
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

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        """Set the shares of the classes."""
        super().set_fitted_attributes(source, target)
        logits = torch.from_numpy(self.net_.evaluate(self.net_.module_, target.X))
        parts = self.net_.criterion_.modules()  # a plug-in has another's objective
        weighing = [part for part in parts if isinstance(part, PartialObjective)]
        objective = weighing[0] if weighing else PartialObjective()
        history = [*(shares.cpu() for shares in objective.refreshed)]
        history.append(objective.shares(logits))
        self.class_weights_history_ = torch.stack(history).numpy()
        self.class_weights_ = self.class_weights_history_[-1]
