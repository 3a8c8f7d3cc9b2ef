"""Selective adversarial network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective, Pass, estimator
from skda.losses import domain_loss
from skda.modules import ClasswiseAdversarialClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative, Positive

__all__ = ["SAN"]


class SANObjective(OneStreamObjective):
    """Equation 1 of :class:`SAN`."""

    def __init__(self, lambda0: float, *, gamma: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.gamma = gamma
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: ClasswiseAdversarialClassifier,
        source: Pass,
        target: Pass,
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the loss of every discriminator, and the entropy."""
        p_s = source.logits.detach().softmax(dim=1)  # (n_s, c)
        p_t = target.logits.detach().softmax(dim=1)  # (n_t, c)
        weights = p_t.mean(dim=0)  # (c,)
        weights = weights / weights.max()
        ramp = sigmoid_ramp(progress, gamma=self.gamma)
        reversal = self.lambda0 * ramp * weights[:, None, None]
        shares = torch.cat([p_s, p_t]).T[:, :, None]  # (c, n, 1)
        f = shares * torch.cat([source.features, target.features])  # (c, n, d)
        d = module.discriminate(reverse_gradient(f, reversal))
        d_s, d_t = d.split([len(p_s), len(p_t)], dim=1)  # (c, n_s), (c, n_t)
        mean = domain_loss(d_s.flatten(), d_t.flatten())
        terms = {"domain": len(weights) * mean}
        return terms | entropy_term(self.entropy_weight, target.logits)


@estimator
class SAN(BasePartialClassifier):
    r"""Selective adversarial network.

    Learns features from which no discriminator can tell the domains, of which there is
    one for every class; that of a class which the target lacks has little to say [1]_.
    The network minimizes

    .. math::

        L = L_s + L_t + \sum_{k=1}^{c} L_{d_k} + \lambda_H H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{d_k}`: the cross-entropy of the discriminator of a class, which sees
      :math:`p_{ik} f_i`, the features times the probability of the class, the mean over
      both domains. Behind it, the gradient is multiplied by :math:`-\kappa w_k`, with
      the mean probability of the class over the target rows of the batch divided by
      that of the most likely one as :math:`w_k`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-\gamma p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.
    * :math:`H`: the mean entropy of the predictions of target rows.

    Neither :math:`p` nor :math:`w` has a gradient.

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
    entropy_weight
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.2 in the
        public code.
    discriminator_layer_sizes
        Widths of the hidden layers of every discriminator.
    dropout
        Fraction of their hidden units to drop in training.

    See Also
    --------
    PADA : One discriminator, and class weights in the risk, too.

    Notes
    -----
    The weights of the classes and the entropy are those of the target, as in the paper;
    the public code takes the mean over both domains.

    :meth:`published` has the settings of the public code for Office-31.

    References
    ----------
    .. [1] Z. Cao et al., "Partial Transfer Learning with Selective Adversarial
       Networks", CVPR 2018. arXiv:1707.07901.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SAN(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    gamma: Positive = 10.0
    entropy_weight: NonNegative = 0.05
    discriminator_layer_sizes: LayerSizes = (64,)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "gamma": 50.0,
        "entropy_weight": 0.2,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 50_000,
        "lr": 0.003,
        "weight_decay": 0.0005,
        "lr_schedule": partial(inverse_decay, alpha=50.0),
    }

    def make_objective(self) -> Objective:
        return SANObjective(
            self.lambda0, gamma=self.gamma, entropy_weight=self.entropy_weight
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return ClasswiseAdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
