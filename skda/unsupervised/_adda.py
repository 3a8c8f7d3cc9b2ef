"""Adversarial discriminative domain adaptation."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import cross_entropy, domain_loss
from skda.modules import AdversarialClassifier
from skda.training import Batch, Objective, Phase
from skda.utils.ranges import Count, Fraction, LayerSizes, NonNegative

__all__ = ["ADDA"]


class ADDAModule(AdversarialClassifier):
    """A feature extractor of each domain, a classifier and a discriminator."""

    def __init__(self, extractor: nn.Module, *args: Any, **layout: Any) -> None:
        super().__init__(extractor, *args, **layout)
        # Its name makes ``extractor_lr`` that of both.
        self.extractor_target = deepcopy(extractor)

    def extractor_of(self, domain: str) -> nn.Module:
        """Return the feature extractor of a domain."""
        return self.extractor if domain == "source" else self.extractor_target

    def encode_both(self, X_s: Tensor, X_t: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch of either domain to features, of shapes (n_s, d), (n_t, d)."""
        return self.encode(X_s, "source"), self.encode(X_t, "target")


class SourceObjective(OneStreamObjective):
    """Equation 1 of :class:`ADDA`."""

    def forward(
        self, module: ADDAModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risks of all labeled rows, by the extractor of the source."""
        terms = {"source_risk": risk(module, batch.source)}
        if self.semi_supervised:
            terms["target_risk"] = risk(module, batch.target)
        return terms


def risk(module: ADDAModule, domain: Any) -> Tensor:
    """Evaluate the risk of labeled rows of a domain, by the source's extractor."""
    return cross_entropy(module(domain.X, "source"), domain.labels)


class ADDAObjective(OneStreamObjective):
    """Equations 2 and 3 of :class:`ADDA`."""

    def start_fit(self, module: ADDAModule, domains: Batch) -> None:
        """Start the target from what the source has learned."""
        super().start_fit(module, domains)
        module.extractor_target.load_state_dict(module.extractor.state_dict())

    def forward(
        self, module: ADDAModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the losses of the discriminator and of the target's features."""
        with torch.no_grad():
            f_s = module.encode(batch.source.X, "source")
        f_t = module.encode(batch.target.X, "target")
        source = Pass(f_s, module.classify(f_s), batch.source.labels)
        target = Pass(f_t, module.classify(f_t), batch.target.labels)
        terms = self.adapt(module, source, target, progress)
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(target.logits, target.labels)
        return terms

    def adapt(
        self, module: ADDAModule, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate Equations 2 and 3."""
        n_s = len(source.features)
        d = module.discriminate(torch.cat([source.features, target.features.detach()]))
        taken_for_target = F.softplus(-module.discriminate(target.features, fixed=True))
        return {
            "domain": domain_loss(d[:n_s], d[n_s:]),
            "inverted": self.lambda0 * taken_for_target.mean(),
        }


@estimator
class ADDA(BaseOneStreamClassifier):
    r"""Adversarial discriminative domain adaptation.

    First, features :math:`f_s` and a classifier learn from the source [1]_:

    .. math:: L_1 = L_s + L_t \tag{1}

    with the cross-entropy of the labeled rows of the source and, if there are any, of
    the target. Then the target has features :math:`f_t` of its own, which start from
    those, while the source's and the classifier stay as they are. A discriminator
    :math:`d`, the probability of the source, minimizes

    .. math::

        L_2 = -\frac{1}{2 n_s} \sum_i \log d(f_s(x^s_i))
        - \frac{1}{2 n_t} \sum_j \log \bigl(1 - d(f_t(x^t_j))\bigr) \tag{2}

    and :math:`f_t` minimizes, with :math:`L_t` by then its own,

    .. math:: L_3 = -\frac{\lambda_0}{n_t} \sum_j \log d(f_t(x^t_j)) + L_t. \tag{3}

    Target rows are classified by :math:`f_t`, source rows by :math:`f_s`.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the discriminator in Equation 3. The paper has 1, at
        a learning rate that is far smaller; here, the features would leave the classes.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.
    source_epochs
        Epochs of the first phase; None is as many as there are of the second, and so
        it is with ``max_steps``.

    See Also
    --------
    DANN : The same features for both domains, in one phase.

    Notes
    -----
    Nothing ties the target's features to the classes once they have left the source's:
    in a long second phase they may swap classes.

    One step updates the discriminator and the features, where the paper alternates;
    labeled target rows train the classifier as well. :meth:`published` has the
    settings of the authors' code for digits, where the learning rate of the first phase
    is 0.001.

    References
    ----------
    .. [1] E. Tzeng, J. Hoffman, K. Saenko and T. Darrell, "Adversarial Discriminative
       Domain Adaptation", CVPR 2017. arXiv:1702.05464.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import ADDA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = ADDA(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 0.1
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5
    source_epochs: Count | None = None

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 1.0,
        "discriminator_layer_sizes": (500, 500),
        "dropout": 0.0,
        "optimizer": partial(torch.optim.Adam, betas=(0.5, 0.999)),
        "lr": 0.0002,
        "lr_schedule": "constant",
        "weight_decay": 0.0,
        "batch_size": 128,
        "max_steps": 10_000,
    }
    # The authors' code has one learning rate for all layers.
    published_module_params: ClassVar[dict[str, Any]] = {}

    def make_phases(self, max_epochs: int) -> list[Phase]:
        first = max_epochs if self.max_steps else self.source_epochs or max_epochs
        return [
            Phase(SourceObjective(), first, "source"),
            Phase(self.make_objective(), max_epochs, "target"),
        ]

    def make_objective(self) -> Objective:
        return ADDAObjective(self.lambda0)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return ADDAModule(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
