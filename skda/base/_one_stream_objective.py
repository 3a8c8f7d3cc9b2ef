"""What a network minimizes that both domains go through."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from skda.losses import cross_entropy
from skda.training import Batch, Objective

__all__ = ["OneStreamObjective", "Pass"]


class Pass(NamedTuple):
    """What the network makes of the samples of one domain in a step.

    Parameters
    ----------
    features : Tensor of shape (n, d)
        Features.
    logits : Tensor of shape (n, c)
        Logits.
    labels : Tensor of shape (n, c)
        Class memberships: one-hot, or an all-zero row where the label is unknown.
    """

    features: Tensor
    logits: Tensor
    labels: Tensor


class OneStreamObjective(Objective):
    """The risk of the labeled rows of both domains, and what a method adds to it.

    A method overrides :meth:`adapt`, and perhaps :meth:`source_risk`.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight of what the method adds, at the end of the training.
    """

    def __init__(self, lambda0: float = 1.0) -> None:
        super().__init__()
        self.lambda0 = lambda0
        self.semi_supervised = True

    def start_fit(self, module: Any, domains: Batch) -> None:
        """See whether there is a labeled target row at all.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        self.semi_supervised = bool(domains.target.labels.any())

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
        source, target = self.pass_both(module, batch)
        terms = {"source_risk": self.source_risk(source)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(target.logits, target.labels)
        return terms | self.adapt(module, source, target, progress)

    def pass_both(self, module: Any, batch: Batch) -> tuple[Pass, Pass]:
        """Take the samples of a step through the network.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        batch : Batch
            What the step sees.

        Returns
        -------
        source, target : Pass
            Features, logits and labels of the domains.
        """
        f_s, f_t = module.encode_both(batch.source.X, batch.target.X)
        source = Pass(f_s, module.classify(f_s), batch.source.labels)
        target = Pass(f_t, module.classify(f_t), batch.target.labels)
        return source, target

    def source_risk(self, source: Pass) -> Tensor:
        """Evaluate the risk of the labeled source rows.

        Parameters
        ----------
        source : Pass
            Features, logits and labels of the source.

        Returns
        -------
        Tensor of shape ()
            Their mean cross-entropy, unless the method weights them.
        """
        return cross_entropy(source.logits, source.labels)

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate what brings the domains together.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        source, target : Pass
            Features, logits and labels of the domains.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted; none, unless a method has some.
        """
        return {}
