"""Importance weighted adversarial nets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective, Pass, estimator
from skda.losses import domain_loss
from skda.modules import (
    AdversarialClassifier,
    multilayer_perceptron,
    quicken_dropout,
    reverse_gradient,
)
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Objective, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative

__all__ = ["IWAN"]


class IWANModule(AdversarialClassifier):
    """A network with a second discriminator, which weighs the source rows."""

    def __init__(
        self,
        n_components: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        dropout: float,
        **layout: Any,
    ) -> None:
        super().__init__(
            n_components=n_components,
            discriminator_layer_sizes=discriminator_layer_sizes,
            dropout=dropout,
            **layout,
        )
        widths = [n_components, *discriminator_layer_sizes, 1]
        self.weigher = quicken_dropout(multilayer_perceptron(widths, dropout=dropout))

    def weigh(self, f: Tensor) -> Tensor:
        """Map features, of shape (n, d), to logits of "source", of shape (n,)."""
        return self.weigher(f.detach()).to(f.dtype).squeeze(1)


class IWANObjective(OneStreamObjective):
    """Equation 1 of :class:`IWAN`."""

    def __init__(
        self, lambda0: float, *, domain_weight: float, entropy_weight: float
    ) -> None:
        super().__init__(lambda0)
        self.domain_weight = domain_weight
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: IWANModule,
        source: Pass,
        target: Pass,
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the losses of both discriminators, and the entropy."""
        f = torch.cat([source.features, target.features])
        sizes = [len(source.features), len(target.features)]
        reversal = self.lambda0 * sigmoid_ramp(progress)
        o_s, o_t = module.weigh(f).split(sizes)
        d_s, d_t = module.discriminate(reverse_gradient(f, reversal)).split(sizes)
        weights = (-o_s).sigmoid().detach()  # how little a row looks like the source
        weights = weights / (weights.mean() + 1e-5)
        terms = {
            "weigher": 1.5 * self.domain_weight * domain_loss(o_s, o_t),
            "domain": self.domain_weight * domain_loss(d_s, d_t, weights),
        }
        return terms | entropy_term(self.entropy_weight, target.logits)


@estimator
class IWAN(BasePartialClassifier):
    r"""Importance weighted adversarial nets.

    Learns features from which a discriminator cannot tell the domains, where source
    rows count the less, the better another discriminator knows where they are from: of
    their classes, the target has none [1]_. The network minimizes

    .. math::

        L = L_s + L_t + \tfrac{3}{2} \mu L_D + \mu L_{D_0} + \lambda_H H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_D`: the cross-entropy of the discriminator :math:`D` that weighs the
      rows, the mean over both domains. It trains nothing else.
    * :math:`L_{D_0}`: that of the other one, with source rows of weight
      :math:`1 - D(f_i)`, scaled to mean one, without a gradient. Behind it, the
      gradient is multiplied by :math:`-\kappa`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.
    * :math:`H`: the mean entropy of the predictions of target rows.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    domain_weight
        Weight :math:`\mu` of the losses of the discriminators; 3 in the public code.
    entropy_weight
        Weight :math:`\lambda_H` of the entropy of the target's predictions.
    discriminator_layer_sizes
        Widths of the hidden layers of either discriminator.
    dropout
        Fraction of their hidden units to drop in training.

    See Also
    --------
    PADA : Weighs classes, by the predictions of the target.
    ETN : Weighs rows, by a discriminator that knows the classes.

    Notes
    -----
    As in the public code, both discriminators see the same features; in the paper, the
    source has an extractor of its own.

    :meth:`published` has the default arguments of TLlib, which takes ``lr=0.0003`` for
    Office-31.

    References
    ----------
    .. [1] J. Zhang et al., "Importance Weighted Adversarial Nets for Partial Domain
       Adaptation", CVPR 2018. arXiv:1803.09210.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import IWAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = IWAN(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    domain_weight: NonNegative = 1.0
    entropy_weight: NonNegative = 0.1
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "domain_weight": 3.0,
        "batch_norm": True,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 10_000,
        "lr": 0.001,
    }

    def make_objective(self) -> Objective:
        return IWANObjective(
            self.lambda0,
            domain_weight=self.domain_weight,
            entropy_weight=self.entropy_weight,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return IWANModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
