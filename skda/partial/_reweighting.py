"""The network, the objective and the solver of :class:`skda.partial.AR`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.losses import cross_entropy, prediction_entropy, weighted_mean
from skda.modules import OneStreamClassifier
from skda.partial._base import RefreshedObjective, map_domain
from skda.training import Batch, sigmoid_ramp

__all__ = ["ARObjective", "CriticizedClassifier", "nearest_weights"]


class SpectralLinear(nn.Linear):
    """A linear layer that is divided by its largest singular value.

    That of PyTorch, a parametrization, cannot be pickled.
    """

    u: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.register_buffer("u", F.normalize(torch.randn(out_features), dim=0))

    def forward(self, X: Tensor) -> Tensor:
        """Map rows; in training, after one more step of the power iteration."""
        with torch.autocast(X.device.type, enabled=False):  # which would round it
            with torch.no_grad():
                v = F.normalize(self.u @ self.weight, dim=0)
                if self.training:
                    self.u = F.normalize(self.weight @ v, dim=0)
            weight = self.weight / (self.u @ self.weight @ v)
        return F.linear(X, weight, self.bias)


class CriticizedClassifier(OneStreamClassifier):
    """A classifier, and a critic of its features that is Lipschitz-continuous.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes ``c``.
    critic_layer_sizes : sequence of int, default=(256,)
        Width of every hidden layer of the critic.
    **layout : dict
        Passed to :class:`skda.modules.OneStreamClassifier`.
    """

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        critic_layer_sizes: Sequence[int] = (256,),
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        widths = [n_components, *critic_layer_sizes]
        self.critic = nn.Sequential()
        for width, following in pairwise(widths):
            self.critic.extend([SpectralLinear(width, following), nn.LeakyReLU(0.2)])
        self.critic.append(SpectralLinear(widths[-1], 1))

    def criticize(self, f: Tensor) -> Tensor:
        """Map features, of shape (n, d), to scores, of shape (n,).

        Parameters
        ----------
        f : Tensor of shape (n, d)
            Features.

        Returns
        -------
        Tensor of shape (n,)
            Scores, which are to be larger in the source.
        """
        return self.critic(f).to(f.dtype).squeeze(1)


class ARObjective(RefreshedObjective):
    """Equations 1 and 2 of :class:`skda.partial.AR`.

    Parameters
    ----------
    lambda0 : float
        Weight of the entropy, at the end of the training.
    rho : float
        How far the weights may be from one.
    smoothing : float
        Share of a label that all classes have in equal parts.
    n_refreshes : int
        Number of equal parts of the training, of which each but the first begins with
        new weights.
    """

    weights: Tensor

    def __init__(
        self, lambda0: float, *, rho: float, smoothing: float, n_refreshes: int
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.rho = rho
        self.smoothing = smoothing
        self.register_buffer("weights", torch.empty(0))

    def start_fit(self, module: Any, domains: Batch) -> None:
        super().start_fit(module, domains)
        labels = domains.source.labels
        self.weights = labels.new_ones(len(labels))

    def refresh(self, module: CriticizedClassifier, domains: Batch) -> None:
        scores = map_domain(
            module,
            domains.source,
            lambda X: module.criticize(module.encode(X, "source")),
        )
        self.weights = nearest_weights(scores, self.rho)

    def forward(
        self, module: CriticizedClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        source, target = self.pass_both(module, batch)
        w = self.weights.index_select(0, batch.source.rows)
        risks = F.cross_entropy(
            source.logits,
            source.labels,
            reduction="none",
            label_smoothing=self.smoothing,
        )
        f = torch.cat([source.features, target.features]).detach()
        d_s, d_t = module.criticize(f).split([len(w), len(f) - len(w)])
        terms = {
            "source_risk": weighted_mean(risks, w),
            "critic": d_t.mean() - weighted_mean(d_s, w),
        }
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(target.logits, target.labels)
        weight = self.lambda0 * sigmoid_ramp(progress)
        return terms | {"entropy": weight * prediction_entropy(target.logits).mean()}


def nearest_weights(scores: Tensor, rho: float) -> Tensor:
    r"""Minimize :math:`\sum_i w_i d_i` over weights that are not too far from one.

    The weights are not negative, have a mean of one, and
    :math:`\frac1n \sum_i (w_i - 1)^2 \le \rho`. By the conditions of Karush, Kuhn and
    Tucker they are :math:`\max(0, 1 - t (d_i + \nu))`; :math:`\nu` has a closed form,
    that of the projection onto a simplex, and :math:`t` is found by bisection.

    Parameters
    ----------
    scores : Tensor of shape (n,)
        Scores :math:`d`.
    rho : float
        Bound :math:`\rho`.

    Returns
    -------
    Tensor of shape (n,)
        The weights.
    """
    n_rows = len(scores)
    d = scores.double() - scores.double().mean()
    d = d / d.abs().max().clamp(min=torch.finfo(d.dtype).tiny)
    ordered = d.sort().values
    ranks = torch.arange(1, n_rows + 1, dtype=d.dtype, device=d.device)

    def weights(t: Tensor) -> Tensor:
        excess = ((1 - t * ordered).cumsum(dim=0) - n_rows) / ranks
        return (1 - t * d - excess.max()).clamp(min=0)

    low, high = d.new_tensor(-16.0), d.new_tensor(16.0)  # logarithms of t
    for _ in range(60):
        middle = (low + high) / 2
        far = (weights(middle.exp()) - 1).square().mean() > rho
        low, high = torch.where(far, low, middle), torch.where(far, middle, high)
    return weights(low.exp()).to(scores.dtype)
