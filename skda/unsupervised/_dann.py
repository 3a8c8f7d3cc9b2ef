"""Domain-adversarial neural network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import domain_loss
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative, Positive

__all__ = ["DANN"]


class DANNObjective(OneStreamObjective):
    """Equation 1 of :class:`DANN`."""

    def __init__(self, lambda0: float, *, gamma: float) -> None:
        super().__init__(lambda0)
        self.gamma = gamma

    def adapt(
        self, module: AdversarialClassifier, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the domain loss behind a gradient reversal."""
        f = torch.cat([source.features, target.features])
        reversal = self.lambda0 * sigmoid_ramp(progress, gamma=self.gamma)
        d = module.discriminate(reverse_gradient(f, reversal))
        n_s = len(source.features)
        return {"domain": domain_loss(d[:n_s], d[n_s:])}


@estimator
class DANN(BaseOneStreamClassifier):
    r"""Domain-adversarial neural network.

    Learns features from which a discriminator cannot tell the domains [1]_. The network
    minimizes

    .. math:: L = L_s + L_t + L_d \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of the discriminator, the mean over both domains.
      Behind it, the gradient is multiplied by :math:`-\lambda_p`, so that the features
      maximize what the discriminator minimizes;
      :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-\gamma p}) - 1\bigr)` rises with
      the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.
    gamma
        Steepness :math:`\gamma` of the rise of :math:`\lambda_p`.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.
    discriminator_batch_norm
        Whether its hidden layers have a batch norm.

    See Also
    --------
    CDAN : Its discriminator sees the predictions, too.
    MCC : No adversary, and steadier on precomputed features.

    Notes
    -----
    :meth:`published` has the settings of TLlib for Office-31.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016. arXiv:1505.07818.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import DANN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DANN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    gamma: Positive = 10.0
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5
    discriminator_batch_norm: bool = False

    published_params: ClassVar[dict[str, Any]] = {
        "gamma": 20.0,
        "discriminator_layer_sizes": (1024, 1024),
        "dropout": 0.0,
        "discriminator_batch_norm": True,
        "batch_norm": True,
        "batch_size": 32,
        "max_steps": 20_000,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return DANNObjective(self.lambda0, gamma=self.gamma)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
            discriminator_batch_norm=self.discriminator_batch_norm,
        )
