"""Topics of a network's features, as terms to add to any objective."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from skda.losses import dense_topic_alignment, gated_topic_alignment
from skda.modules import FeatureRecorder, Topics
from skda.training import Batch, Objective

__all__ = ["TopicObjective"]


class TopicObjective(Objective):
    """Add the terms of :class:`ISRA` to those of another objective.

    Parameters
    ----------
    inner : Objective
        The other objective.
    topics : Topics
        What is trained beside the network.
    alpha, beta : float
        Weights of the auto-encoder and of the alignment.
    receptor_weight : float
        Weight of the regression of the receptors.
    receptor_l1 : float
        Weight of the absolute values of their weights within it.
    receptor_lr : float
        Their learning rate, relative to the net's.
    """

    def __init__(
        self,
        inner: Objective,
        topics: Topics,
        *,
        alpha: float,
        beta: float,
        receptor_weight: float,
        receptor_l1: float,
        receptor_lr: float,
    ) -> None:
        super().__init__(inner.lr_multipliers)
        self.inner = inner
        self.topics = topics
        self.alpha = alpha
        self.beta = beta
        self.receptor_weight = receptor_weight
        self.receptor_l1 = receptor_l1
        self.receptor_lr = receptor_lr

    @property
    def lr_multipliers(self) -> dict[str, float]:
        """Learning rates of the other objective, and of the receptors."""
        if self.receptor_lr == 1:
            return self.multipliers
        return self.multipliers | {"topics.receptors": self.receptor_lr}

    @lr_multipliers.setter
    def lr_multipliers(self, multipliers: Mapping[str, float]) -> None:
        self.multipliers = dict(multipliers)

    def start_fit(self, module: Any, domains: Batch) -> None:
        self.inner.start_fit(module, domains)

    def start_epoch(self, module: Any, domains: Batch, progress: float) -> None:
        self.inner.start_epoch(module, domains, progress)

    def end_step(self, module: Any, batch: Batch) -> None:
        self.inner.end_step(module, batch)

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the terms of both.

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
        recorder = FeatureRecorder(module)
        terms = self.inner(recorder, batch, progress)
        source, target, _ = batch
        if recorder.features is None:  # it looks at one domain, which goes to the other
            f_s, f_t = module.encode_both(source.X, target.X)
            f_s = f_s.detach()
        else:
            f_s, f_t = recorder.features
            f_s, f_t = f_s[: len(source.X)], f_t[: len(target.X)]
        return terms | self.topic_terms(f_s, f_t)

    def topic_terms(self, f_s: Tensor, f_t: Tensor) -> dict[str, Tensor]:
        """Evaluate Equations 1 to 3 of :class:`ISRA`.

        Parameters
        ----------
        f_s, f_t : Tensor of shape (n_s, d) and (n_t, d)
            Features of source and target.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        X = torch.cat([f_s, f_t])
        reconstruction = F.mse_loss(self.topics.autoencoder(X), X)
        terms = {"class2vec": self.alpha * reconstruction}
        self.topics.observe(X)
        regression = self.topics.regress(X, self.receptor_l1)
        if regression is None:
            alignment = gated_topic_alignment(f_s, f_t, *self.topics.gates(X))
            return terms | {"topic_alignment": self.beta * alignment}
        attention = self.topics.attend(regression)
        alignment = dense_topic_alignment(f_s, f_t, attention)
        terms["topic_alignment"] = self.beta * alignment
        return terms | {"receptors": self.receptor_weight * regression.loss}
