"""Partial adversarial domain adaptation."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import Pass, estimator
from skda.losses import domain_loss
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, PartialObjective
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Count, Fraction, LayerSizes, Positive

__all__ = ["PADA"]


class PADAObjective(PartialObjective):
    """Equation 1 of :class:`PADA`."""

    def __init__(
        self, lambda0: float, *, gamma: float, n_refreshes: int, temperature: float
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.gamma = gamma
        self.temperature = temperature

    def shares(self, logits: Tensor) -> Tensor:
        """Estimate the share of every class, of logits of the whole target."""
        return super().shares(logits / self.temperature)

    def weigh(self, shares: Tensor) -> Tensor:
        """Scale the shares so that the largest is one."""
        return shares / shares.max()

    def adapt(
        self, module: AdversarialClassifier, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the weighted domain loss behind a gradient reversal."""
        f = torch.cat([source.features, target.features])
        reversal = self.lambda0 * sigmoid_ramp(progress, gamma=self.gamma)
        d = module.discriminate(reverse_gradient(f, reversal))
        d_s, d_t = d.split([len(source.features), len(target.features)])
        weights = self.row_weights(source.labels)  # (n_s,)
        return {
            "domain": domain_loss(d_s, d_t, weights, weights.mean().expand(d_t.shape))
        }


@estimator
class PADA(BasePartialClassifier):
    r"""Partial adversarial domain adaptation.

    Learns features from which a discriminator cannot tell the domains, where source
    rows of classes that the target lacks count little [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target. A source row weighs what its class does:
      :math:`\gamma_c` is the mean probability of the class over the whole target, at
      temperature :math:`T`, divided by that of the most likely one. It is looked at
      ``n_refreshes`` times during the training; all classes weigh the same before.
    * :math:`L_d`: the cross-entropy of the discriminator, the mean over both domains. A
      source row weighs :math:`\gamma_{y_i}`, a target row the mean of these. Behind the
      discriminator, the gradient is multiplied by :math:`-\kappa`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-\gamma p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    gamma
        Steepness :math:`\gamma` of the rise of :math:`\kappa`.
    temperature
        Temperature :math:`T` of the predictions that make the class weights.
    n_refreshes
        Number of equal parts of the training after which the class weights change, at
        the next epoch.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.
    discriminator_batch_norm
        Whether its hidden layers have a batch norm.

    Attributes
    ----------
    class_weights_ : ndarray of shape (n_classes,)
        Share of every class in the predictions of the target at temperature :math:`T`,
        in the order of ``classes_``.

    See Also
    --------
    BA3US : Its successor, with weights in more places.
    skda.unsupervised.DANN : Without the weights.

    Notes
    -----
    :meth:`published` has the settings of the authors' successor library (TLlib) for
    Office-31.

    References
    ----------
    .. [1] Z. Cao et al., "Partial Adversarial Domain Adaptation", ECCV 2018.
       arXiv:1808.04205.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import PADA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = PADA(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    gamma: Positive = 10.0
    temperature: Positive = 0.1
    n_refreshes: Count = 10
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5
    discriminator_batch_norm: bool = False

    published_params: ClassVar[dict[str, Any]] = {
        "gamma": 20.0,
        "temperature": 0.1,
        "n_refreshes": 40,
        "discriminator_layer_sizes": (1024, 1024),
        "dropout": 0.0,
        "discriminator_batch_norm": True,
        "batch_norm": True,
        "batch_size": 36,
        "max_steps": 20_000,
        "lr": 0.002,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    def make_objective(self) -> Objective:
        return PADAObjective(
            self.lambda0,
            gamma=self.gamma,
            n_refreshes=self.n_refreshes,
            temperature=self.temperature,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
            discriminator_batch_norm=self.discriminator_batch_norm,
        )
