"""The objectives of the two phases of DATN, and the fit of its map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skda.base import AutoEncoderObjective
from skda.losses import cross_entropy, linear_mmd, pair_loss, ridge_map, squared_norm
from skda.training import Batch, Objective, Pairs

__all__ = [
    "PretrainingObjective",
    "TransferObjective",
    "solve_map",
]


@torch.no_grad()
def solve_map(module: Any, pairs: Pairs, lambda0: float) -> None:
    """Fit the map of the target to the pairs, as the encoders now see them.

    Parameters
    ----------
    module : MappedAutoEncoders
        Network, whose map is set in place.
    pairs : Pairs
        All pairs.
    lambda0 : float
        Ridge of the map.
    """
    z_s, z_t = (
        module.domains[domain].encode(X) for domain, X in pairs._asdict().items()
    )
    module.G.copy_(ridge_map(z_s, z_t, lambda0))


class PretrainingObjective(AutoEncoderObjective):
    """Equation 1 of :class:`DATN`, for each domain of the network.

    Parameters
    ----------
    recon_weight : float, default=1.0
        Weight of the mean squared error of a row.
    lambda_reg : float, default=1e-4
        Weight of the layers of the encoders and of the decoders.
    """

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the three terms of each domain on one batch.

        Parameters
        ----------
        module : MappedAutoEncoders
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
        return {
            f"{domain}_{name}": term
            for domain, net in module.domains.items()
            for name, term in self.terms(net, getattr(batch, domain)).items()
        }


class TransferObjective(Objective):
    """Equation 2 of :class:`DATN`, for the current map.

    Parameters
    ----------
    alpha, beta, lambda0, lambda_reg, source_weight : float
        Weights of the terms.
    pair_reduction : {"mean", "sum"}
        Whether the loss of the pairs is divided by their number.
    mmd_on : {"raw", "mapped"}
        Which latent rows of the target are compared with the source's.
    g_update : {"epoch", "step"}
        When to solve for the map.
    freeze_source : bool
        Whether to leave the source's network alone.
    """

    def __init__(
        self,
        *,
        alpha: float,
        beta: float,
        lambda0: float,
        lambda_reg: float,
        source_weight: float,
        pair_reduction: str,
        mmd_on: str,
        g_update: str,
        freeze_source: bool,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.lambda0 = lambda0
        self.lambda_reg = lambda_reg
        self.source_weight = source_weight
        self.pair_reduction = pair_reduction
        self.mmd_on = mmd_on
        self.g_update = g_update
        self.freeze_source = freeze_source

    def start_fit(self, module: Any, domains: Batch) -> None:
        """Choose what to train, and keep all pairs until :meth:`end_fit`.

        Parameters
        ----------
        module : MappedAutoEncoders
            Network.
        domains : Batch
            All rows.
        """
        module.domains["source"].requires_grad_(not self.freeze_source)
        self.pairs: Pairs | None = domains.pairs

    def start_epoch(self, module: Any, domains: Batch, progress: float) -> None:
        """Solve for the map, on all pairs.

        Parameters
        ----------
        module : MappedAutoEncoders
            Network.
        domains : Batch
            All rows.
        progress : float
            Fraction of the training already done.
        """
        if module.G is not None:
            solve_map(module, domains.pairs, self.lambda0)

    def end_step(self, module: Any, batch: Batch) -> None:
        """Solve for the map again, if ``g_update`` is "step".

        Parameters
        ----------
        module : MappedAutoEncoders
            Network.
        batch : Batch
            What the step saw.
        """
        if self.g_update == "step" and module.G is not None and self.pairs is not None:
            solve_map(module, self.pairs, self.lambda0)

    def end_fit(self, module: Any) -> None:
        """Make all parameters trainable again, and forget the pairs.

        Parameters
        ----------
        module : MappedAutoEncoders
            Network.
        """
        module.requires_grad_(True)
        self.pairs = None  # a fitted estimator keeps no rows

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the terms of Equation 2 on one batch.

        Parameters
        ----------
        module : MappedAutoEncoders
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
        source, target, pairs = batch
        net_s, net_t = module.domains["source"], module.domains["target"]
        z_s, z_t = net_s.encode(source.X), net_t.encode(target.X)  # (n, d) of its own
        risk_t = cross_entropy(module.classify(z_t, "target"), target.labels)
        risk_s = cross_entropy(module.classify(z_s, "source"), source.labels)
        norm = squared_norm(net_s.encoder, vectors=True)
        norm = norm + squared_norm(net_t.encoder, vectors=True)
        terms = {
            "target_risk" if module.G is None else "transfer_risk": self.alpha * risk_t,
            "source_risk": self.source_weight * risk_s,
            "decay": self.lambda_reg * norm,
        }
        if module.G is not None:
            terms["pair"] = pair_loss(
                net_s.encode(pairs.source),
                net_t.encode(pairs.target),
                module.G,
                self.lambda0,
                reduction=self.pair_reduction,
            )
        if self.beta:
            mean_t = z_t.mean(dim=0, keepdim=True)  # (1, d_t), and as good as the rows
            other = module.map(mean_t) if self.mmd_on == "mapped" else mean_t
            terms["domain"] = self.beta * linear_mmd(z_s, other)
        return terms
