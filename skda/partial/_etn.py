"""Example transfer network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import log
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import OneStreamObjective, estimator
from skda.losses import (
    cross_entropy,
    domain_loss,
    weighted_mean,
)
from skda.modules import (
    AdversarialClassifier,
    multilayer_perceptron,
    quicken_dropout,
    reverse_gradient,
)
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Batch, Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Fraction, LayerSizes, NonNegative, Positive

__all__ = ["ETN"]


class ETNModule(AdversarialClassifier):
    """A network with an auxiliary classifier, which knows the classes of the source."""

    def __init__(
        self,
        n_components: int,
        n_classes: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        dropout: float,
        **layout: Any,
    ) -> None:
        super().__init__(
            n_components=n_components,
            n_classes=n_classes,
            discriminator_layer_sizes=discriminator_layer_sizes,
            dropout=dropout,
            **layout,
        )
        widths = [n_components, *discriminator_layer_sizes, n_classes]
        self.auxiliary = quicken_dropout(multilayer_perceptron(widths, dropout=dropout))

    def recognize(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the leaky softmax of features, of shape (n, d).

        Its logarithms have the shape (n, c); the logits of their sum, which tell how
        much a row looks like the source, the shape (n,).
        """
        z = self.auxiliary(f.detach()).to(f.dtype)  # (n, c)
        leak = z.new_full((len(z), 1), log(z.shape[1]))
        log_p = torch.cat([z, leak], dim=1).log_softmax(dim=1)[:, :-1]
        return log_p, z.logsumexp(dim=1) - leak.squeeze(1)


class ETNObjective(OneStreamObjective):
    """Equations 1 and 2 of :class:`ETN`."""

    def __init__(
        self,
        lambda0: float,
        *,
        gamma: float,
        entropy_weight: float,
        auxiliary_class_weight: float,
        auxiliary_domain_weight: float,
    ) -> None:
        super().__init__(lambda0)
        self.gamma = gamma
        self.entropy_weight = entropy_weight
        self.auxiliary_class_weight = auxiliary_class_weight
        self.auxiliary_domain_weight = auxiliary_domain_weight

    def forward(
        self, module: ETNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of both equations."""
        source, target = self.pass_both(module, batch)
        f = torch.cat([source.features, target.features])
        sizes = [len(source.features), len(target.features)]
        log_p, o = module.recognize(f)
        o_s, o_t = o.split(sizes)
        terms = self.auxiliary_terms(log_p[: sizes[0]], source.labels, o_s, o_t)

        weights = (-o_s.detach()).sigmoid()  # how little a row looks like the source
        risks = F.cross_entropy(source.logits, source.labels, reduction="none")
        terms["source_risk"] = weighted_mean(risks, weights)
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(target.logits, target.labels)
        reversal = self.lambda0 * sigmoid_ramp(progress, gamma=self.gamma)
        d_s, d_t = module.discriminate(reverse_gradient(f, reversal)).split(sizes)
        mean = weights.mean().clamp(min=torch.finfo(weights.dtype).tiny)
        terms["domain"] = 2 * domain_loss(d_s, d_t, weights / mean)
        return terms | entropy_term(self.entropy_weight, target.logits)

    def auxiliary_terms(
        self, log_p: Tensor, labels: Tensor, o_s: Tensor, o_t: Tensor
    ) -> dict[str, Tensor]:
        """Evaluate Equation 2, of what the auxiliary classifier makes of the rows."""
        log_p = log_p.clamp(max=-1e-6)  # below one, or there is no logarithm of 1 - p
        log_q = (-torch.expm1(log_p)).log()
        likelihoods = labels * log_p + (1 - labels) * log_q  # (n_s, c)
        class_risk = -likelihoods.sum(dim=1).mean()
        domain = 2 * domain_loss(o_s, o_t)
        return {
            "auxiliary_class": self.auxiliary_class_weight * class_risk,
            "auxiliary_domain": self.auxiliary_domain_weight * domain,
        }


@estimator
class ETN(BasePartialClassifier):
    r"""Example transfer network.

    Learns features from which a discriminator cannot tell the domains, where a source
    row counts the less, the better an auxiliary classifier, which knows the classes of
    the source, recognizes it as such [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_H H + L_{aux} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of the discriminator, the sum of the means over
      either domain. Behind it, the gradient is multiplied by :math:`-\kappa`;
      :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-\gamma p}) - 1\bigr)` rises with the
      progress :math:`p` of the training.
    * :math:`H`: the mean entropy of the predictions of target rows.

    In :math:`L_s` and :math:`L_d`, source rows weigh :math:`1 - \tilde d_i`, scaled to
    mean one, without a gradient, with :math:`\tilde d_i = \sum_k \tilde p_{ik}` and the
    leaky softmax :math:`\tilde p_{ik} = e^{z_{ik}} / (c + \sum_l e^{z_{il}})` of the
    outputs :math:`z_i` of the auxiliary classifier. It alone is trained by

    .. math::

        L_{aux} = -\frac{\lambda_c}{n_s} \sum_{ik} \bigl( y_{ik} \log \tilde p_{ik}
        + (1 - y_{ik}) \log (1 - \tilde p_{ik}) \bigr)
        - \frac{\lambda_d}{n_s} \sum_i \log \tilde d^s_i
        - \frac{\lambda_d}{n_t} \sum_j \log \bigl(1 - \tilde d^t_j\bigr) . \tag{2}

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
    auxiliary_class_weight
        Weight :math:`\lambda_c` of the classes in Equation 2.
    auxiliary_domain_weight
        Weight :math:`\lambda_d` of the domains in Equation 2; 10 in the public code.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator and of the auxiliary
        classifier.
    dropout
        Fraction of their hidden units to drop in training.

    See Also
    --------
    IWAN : Weighs by a discriminator that does not know the classes.

    Notes
    -----
    The public code draws as many source rows of every class in a batch; here they are
    drawn as they come. :meth:`published` has its settings, but for the last layer of
    the features, which is linear there.

    References
    ----------
    .. [1] Z. Cao et al., "Learning to Transfer Examples for Partial Domain Adaptation",
       CVPR 2019. arXiv:1903.12230.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import ETN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = ETN(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    gamma: Positive = 10.0
    entropy_weight: NonNegative = 0.1
    auxiliary_class_weight: NonNegative = 1.0
    auxiliary_domain_weight: NonNegative = 1.0
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5

    published_params: ClassVar[dict[str, Any]] = {
        "gamma": 20.0,
        "entropy_weight": 0.2,
        "auxiliary_domain_weight": 10.0,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 20_000,
        "lr": 0.001,
        "weight_decay": 0.0005,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    def make_objective(self) -> Objective:
        return ETNObjective(
            self.lambda0,
            gamma=self.gamma,
            entropy_weight=self.entropy_weight,
            auxiliary_class_weight=self.auxiliary_class_weight,
            auxiliary_domain_weight=self.auxiliary_domain_weight,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return ETNModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
