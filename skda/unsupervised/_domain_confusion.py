"""Domain confusion."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import confusion_loss, domain_loss, prediction_entropy
from skda.modules import AdversarialClassifier
from skda.training import Objective, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative

__all__ = ["DomainConfusion"]


class DomainConfusionObjective(OneStreamObjective):
    """Equation 1 of :class:`DomainConfusion`."""

    def __init__(self, lambda0: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight

    def adapt(
        self, module: AdversarialClassifier, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the losses of the discriminator, of the features and of both."""
        ramp = sigmoid_ramp(progress)
        n_s = len(source.features)
        f = torch.cat([source.features, target.features])
        d = module.discriminate(f.detach())
        fixed = module.discriminate(f, fixed=True)
        confusion = confusion_loss(fixed[:n_s]) + confusion_loss(fixed[n_s:])
        terms = {
            "domain": 2 * domain_loss(d[:n_s], d[n_s:]),
            "confusion": self.lambda0 * ramp * confusion,
        }
        if self.entropy_weight:
            logits = module.classify_fixed(target.features)
            entropy = prediction_entropy(logits).mean()
            terms["entropy"] = self.entropy_weight * ramp * entropy
        return terms


@estimator
class DomainConfusion(BaseOneStreamClassifier):
    r"""Domain confusion.

    Learns features from which a discriminator tells either domain with the same
    probability [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_p (\lambda_0 L_{conf} + \mu H) \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of the discriminator, the sum of the means over
      either domain, which trains the discriminator alone.
    * :math:`L_{conf}`: the cross-entropy of the discriminator with one half for either
      domain, the sum of the means over either domain, which trains the features alone.
    * :math:`H`: the mean entropy of the predictions of target rows, which trains the
      features alone; off, unless ``entropy_weight`` is set.
    * :math:`\lambda_p = 2 / (1 + e^{-10 p}) - 1`, which rises with the progress
      :math:`p`.

    One step updates all of them, where the paper alternates.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the confusion, at the end of the training.
    entropy_weight
        Weight :math:`\mu` of the entropy, at the end of the training. As 1 it is the
        row "+ Em" in the tables of [2]_.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.

    See Also
    --------
    DANN : Reverses the gradient of the discriminator instead.
    SymNets : Confuses the domains by their classifiers.

    Notes
    -----
    :meth:`published` has the training settings of [2]_.

    References
    ----------
    .. [1] E. Tzeng et al., "Simultaneous Deep Transfer Across Domains and Tasks", ICCV
       2015. arXiv:1510.02192.
    .. [2] Y. Zhang et al., "Domain-Symmetric Networks for Adversarial Domain
       Adaptation", CVPR 2019. arXiv:1904.04663.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import DomainConfusion
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = DomainConfusion(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    entropy_weight: NonNegative = 0.0
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "batch_size": 128,
        "weight_decay": 0.0001,
        "max_epochs": 200,
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return DomainConfusionObjective(self.lambda0, self.entropy_weight)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
