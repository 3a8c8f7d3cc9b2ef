"""Domain-symmetric networks."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, estimator
from skda.losses import confusion_loss, cross_entropy, domain_loss, prediction_entropy
from skda.modules import OneStreamClassifier
from skda.training import Batch, Objective, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["SymNets"]


class SymNetsModule(OneStreamClassifier):
    """A feature extractor, and a classifier of each domain side by side."""

    def __init__(
        self, n_classes: int, *, cross_domain: bool = True, **layout: Any
    ) -> None:
        super().__init__(n_classes=2 * n_classes, **layout)
        self.target_half = int(cross_domain)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to logits of their domain's classifier."""
        halves = super().forward(X, domain).chunk(2, dim=1)
        return halves[self.target_half if domain == "target" else 0]


class SymNetsObjective(OneStreamObjective):
    """Equations 1 and 2 of :class:`SymNets`."""

    def __init__(
        self,
        lambda0: float,
        *,
        entropy_weight: float,
        cross_domain: bool,
        confusion: str,
        symmetric_entropy: bool,
    ) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight
        self.cross_domain = cross_domain
        self.confusion = confusion
        self.symmetric_entropy = symmetric_entropy

    def forward(
        self, module: SymNetsModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of both equations, each on what it trains."""
        source, target, _ = batch
        f_s, f_t = module.encode_both(source.X, target.X)
        terms = self.classifier_terms(
            module.classify(f_s.detach()), module.classify(f_t.detach()), source.labels
        )
        terms |= self.feature_terms(
            module.classify_fixed(f_s),
            module.classify_fixed(f_t),
            source.labels,
            self.lambda0 * sigmoid_ramp(progress),
        )
        if self.semi_supervised:
            halves = module.classify(f_t).chunk(2, dim=1)
            v_t = halves[module.target_half]
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        return terms

    def classifier_terms(
        self, v_s: Tensor, v_t: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Evaluate Equation 1."""
        by_source, by_target = v_s.chunk(2, dim=1)  # (n_s, c) each
        terms = {"source_risk": cross_entropy(by_source, labels)}
        if self.cross_domain:
            terms["cross_risk"] = cross_entropy(by_target, labels)
        if self.symmetric_entropy:
            both = torch.cat([labels, torch.zeros_like(labels)], dim=1)
            target_domain = F.softplus(domain_logits(v_t)).mean()
            return terms | {"domain": cross_entropy(v_s, both) + target_domain}
        d_s, d_t = domain_logits(v_s), domain_logits(v_t)
        return terms | {"domain": 2 * domain_loss(d_s, d_t)}

    def feature_terms(
        self, v_s: Tensor, v_t: Tensor, labels: Tensor, weight: float
    ) -> dict[str, Tensor]:
        """Evaluate Equation 2."""
        terms = {f"{self.confusion}_confusion": self.source_confusion(v_s, labels)}
        if self.symmetric_entropy:
            return terms | {"entropy": weight * symmetric_entropy(v_t)}
        if self.confusion != "no":
            terms["target_confusion"] = weight * confusion_loss(domain_logits(v_t))
        if self.entropy_weight:
            pairs = torch.logaddexp(*v_t.chunk(2, dim=1))  # (n_t, c)
            entropy = prediction_entropy(pairs).mean()
            terms["entropy"] = self.entropy_weight * weight * entropy
        return terms

    def source_confusion(self, v_s: Tensor, labels: Tensor) -> Tensor:
        """Evaluate the loss of the features on the source."""
        if self.confusion == "category":
            return cross_entropy(v_s, torch.cat([labels, labels], dim=1) / 2)
        if self.confusion == "domain":
            return confusion_loss(domain_logits(v_s))
        by_source, by_target = v_s.chunk(2, dim=1)
        risks = cross_entropy(by_source, labels) + cross_entropy(by_target, labels)
        return risks / 2


def domain_logits(v: Tensor) -> Tensor:
    """Map logits of both halves, of shape (n, 2 c), to those of "source"."""
    by_source, by_target = v.chunk(2, dim=1)
    return by_source.logsumexp(dim=1) - by_target.logsumexp(dim=1)


def symmetric_entropy(v: Tensor) -> Tensor:
    """Evaluate the cross-entropy of either half with the other."""
    log_s, log_t = v.log_softmax(dim=1).chunk(2, dim=1)  # (n, c) each
    return -(log_t.exp() * log_s + log_s.exp() * log_t).sum(dim=1).mean() / 2


@estimator
class SymNets(BaseOneStreamClassifier):
    r"""Domain-symmetric networks.

    A classifier of each domain, both on the same features [1]_; side by side they are
    one classifier of :math:`2K` outputs, and so a discriminator of the domains as well.
    With :math:`v_s, v_t` the two halves of its outputs, :math:`p` their common softmax
    and :math:`p_s, p_t` that of each half, the classifiers minimize

    .. math:: L_C = E_s + E_t + E_d \tag{1}

    while the features stay as they are, and the features minimize

    .. math:: L_G = F_{cat} + \lambda_p (F_{dom} + \mu M) \tag{2}

    while the classifiers stay as they are, in one step and one backward pass.

    * :math:`E_s, E_t`: the cross-entropy of :math:`p_s` and of :math:`p_t` on the
      source, whose labels thus train the target's classifier, too (cross-domain
      training).
    * :math:`E_d`: :math:`-\log \sum_{k \le K} p_k` on the source plus
      :math:`-\log \sum_{k > K} p_k` on the target.
    * :math:`F_{cat}`: on the source, the cross-entropy of :math:`p` with one half each
      for the two outputs of a row's class (category confusion).
    * :math:`F_{dom}`: on the target, that with one half for each half (domain
      confusion).
    * :math:`M`: on the target, the entropy of :math:`q_k = p_k + p_{k+K}`.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)`, which rises
      with the progress :math:`p` of the training.

    Target rows are classified by :math:`p_t`, source rows by :math:`p_s`.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of what the target adds, at the end of the training.
    entropy_weight
        Weight :math:`\mu` of the entropy :math:`M`.
    cross_domain
        Whether there is :math:`E_t`. Without it, the target's classifier learns no
        class, and target rows are classified by :math:`p_s`.
    confusion
        What to confuse: categories and domains; domains only, which puts
        :math:`F_{dom}` on the source in the place of :math:`F_{cat}`; or nothing, which
        puts :math:`(E_s + E_t) / 2` there and drops :math:`F_{dom}`.
    symmetric_entropy
        Whether to run the second version [2]_: on the source, :math:`E_d` is the
        cross-entropy of :math:`p`; on the target, :math:`-\frac12 \sum_k p_k \log
        p_{k+K} + p_{k+K} \log p_k` replaces :math:`F_{dom} + \mu M`.

    See Also
    --------
    DomainConfusion : Confuses a discriminator of its own.
    MCC : No adversary, and steadier on precomputed features.

    Notes
    -----
    The rows of the ablation in [1]_: ``cross_domain=False`` (w/o :math:`E_t`),
    ``entropy_weight=0`` (w/o :math:`M`), ``confusion="no"`` (w/o confusion) and
    ``confusion="domain"`` (w/o category confusion); :class:`SourceOnly` and
    :class:`DomainConfusion`, with ``entropy_weight`` 0 and 1, are the others.

    The public code moves :math:`\lambda_p` and the learning rate once per epoch, here
    it is at every step. It reports the best epoch and the better of the two classifiers
    on the test labels, which no fit of this library sees. Its features are those of a
    pretrained network, at a tenth of the learning rate; a new layer needs the larger
    rates that are the defaults here. The method is sensitive to them.

    References
    ----------
    .. [1] Y. Zhang et al., "Domain-Symmetric Networks for Adversarial Domain
       Adaptation", CVPR 2019. arXiv:1904.04663.
    .. [2] Y. Zhang et al., "Unsupervised Multi-Class Domain Adaptation: Theory,
       Algorithms, and Practice", IEEE TPAMI 2020. arXiv:2002.08681.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SymNets
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SymNets(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    entropy_weight: NonNegative = 1.0
    cross_domain: bool = True
    confusion: Literal["category", "domain", "no"] = "category"
    symmetric_entropy: bool = False
    extractor_lr = 0.3
    lr = 0.03

    published_params: ClassVar[dict[str, Any]] = {
        "extractor_lr": 1.0,
        "batch_size": 128,
        "lr": 0.01,
        "weight_decay": 0.0001,
        "max_epochs": 200,
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return SymNetsObjective(
            self.lambda0,
            entropy_weight=self.entropy_weight,
            cross_domain=self.cross_domain,
            confusion=self.confusion,
            symmetric_entropy=self.symmetric_entropy,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        no_source = self.n_features_in_source_ is None
        return SymNetsModule(**layout, cross_domain=self.cross_domain or no_source)
