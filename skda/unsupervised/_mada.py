"""Multi-adversarial domain adaptation."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import domain_loss
from skda.modules import ClasswiseAdversarialClassifier, reverse_gradient
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative, Positive

__all__ = ["MADA"]


class MADAObjective(OneStreamObjective):
    """Equation 1 of :class:`MADA`."""

    def __init__(self, lambda0: float, *, gamma: float) -> None:
        super().__init__(lambda0)
        self.gamma = gamma

    def adapt(
        self,
        module: ClasswiseAdversarialClassifier,
        source: Pass,
        target: Pass,
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate the loss of every discriminator behind a gradient reversal."""
        p = torch.cat([source.logits, target.logits]).softmax(dim=1)  # (n, c)
        f = torch.cat([source.features, target.features])  # (n, d)
        reversal = self.lambda0 * sigmoid_ramp(progress, gamma=self.gamma)
        shares = reverse_gradient(p.T[:, :, None] * f, reversal)  # (c, n, d)
        d = module.discriminate(shares)  # (c, n)
        n_s = len(source.features)
        mean = domain_loss(d[:, :n_s].flatten(), d[:, n_s:].flatten())
        return {"domain": len(d) * mean}


@estimator
class MADA(BaseOneStreamClassifier):
    r"""Multi-adversarial domain adaptation.

    Learns features from which no discriminator can tell the domains, of which there is
    one for every class, so that classes meet their like [1]_. The network minimizes

    .. math:: L = L_s + L_t + \sum_{k=1}^{c} L_{d_k} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_{d_k}`: the cross-entropy of the discriminator of a class, which sees
      :math:`p_{ik} f_i`, the features times the predicted probability of the class, the
      mean over both domains. Behind it, the gradient is multiplied by
      :math:`-\lambda_p`, so that features and predictions maximize what the
      discriminators minimize; :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-\gamma
      p}) - 1\bigr)` rises with the progress :math:`p` of the training.

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
        Widths of the hidden layers of every discriminator.
    dropout
        Fraction of their hidden units to drop in training.

    See Also
    --------
    CDAN : One discriminator, of all products of features and predictions.
    skda.partial.SAN : Weighs the discriminators, where classes may be missing.

    Notes
    -----
    :meth:`published` has the settings of the public code, which weighs the
    discriminators' own training by 0.3, too.

    References
    ----------
    .. [1] Z. Pei et al., "Multi-Adversarial Domain Adaptation", AAAI 2018.
       arXiv:1809.02176.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import MADA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = MADA(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    gamma: Positive = 10.0
    discriminator_layer_sizes: LayerSizes = (64,)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 0.3,
        "discriminator_layer_sizes": (1024, 1024),
        "max_steps": 10_000,
        "weight_decay": 0.0,
        "lr_schedule": partial(inverse_decay, alpha=3.0),
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return MADAObjective(self.lambda0, gamma=self.gamma)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return ClasswiseAdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
