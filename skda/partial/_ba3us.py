"""Balanced adversarial alignment and adaptive uncertainty suppression."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import Pass, estimator
from skda.losses import complement_entropy, prediction_entropy, weighted_mean
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.partial._base import BasePartialClassifier, PartialObjective, entropy_term
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Count, Fraction, LayerSizes, NonNegative
from skda.utils.seeding import draw

__all__ = ["BA3US"]


class BA3USObjective(PartialObjective):
    """Equations 1 to 3 of :class:`BA3US`."""

    def __init__(
        self,
        lambda0: float,
        *,
        n_refreshes: int,
        alpha: float,
        lambda_cot: float,
        entropy_weight: float,
        mu: int | None,
    ) -> None:
        super().__init__(lambda0, n_refreshes=n_refreshes)
        self.alpha = alpha
        self.lambda_cot = lambda_cot
        self.entropy_weight = entropy_weight
        self.mu = mu
        self.generator: torch.Generator | None = None  # set by a fit

    def adapt(
        self, module: AdversarialClassifier, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms but for the risks."""
        terms = {"domain": self.domain_loss(module, source, target, progress)}
        terms |= entropy_term(self.entropy_weight, target.logits)
        if self.lambda_cot:
            terms["complement"] = self.lambda_cot * self.complement_loss(source)
        return terms

    def complement_loss(self, source: Pass) -> Tensor:
        """Evaluate Equation 2."""
        p = (source.logits.detach().softmax(dim=1) * source.labels).sum(dim=1)
        weights = (1 - p + 1e-7) ** self.alpha * self.row_weights(source.labels)
        entropies = complement_entropy(source.logits, source.labels)  # (n_s,)
        return -weighted_mean(entropies, weights)

    def domain_loss(
        self, module: AdversarialClassifier, source: Pass, target: Pass, progress: float
    ) -> Tensor:
        """Evaluate Equation 3."""
        f_s, f_t, labels = source.features, target.features, source.labels
        kappa = self.lambda0 * sigmoid_ramp(progress)
        augmenting, share = self.augmentation(labels, progress)  # (m,), (m,)
        f = torch.cat([f_s, f_t, f_s.index_select(0, augmenting)])
        d = module.discriminate(reverse_gradient(f, kappa))
        d_s, d_t, d_m = d.split([len(f_s), len(f_t), len(augmenting)])
        # The predictions, too, are to make it hard to tell the domains.
        h_s, h_t = (
            reverse_gradient(prediction_entropy(domain.logits), kappa)
            for domain in (source, target)
        )
        u_s, u_t = 1 + (-h_s).exp(), 1 + (-h_t).exp()
        u_s = u_s * self.row_weights(labels)  # (n_s,)
        u_m = u_s.index_select(0, augmenting) * share  # (m,)
        losses = torch.cat([F.softplus(-d_s), F.softplus(d_m)])
        rho = share.sum() / len(f_s)
        loss_s = (1 + rho) * weighted_mean(losses, torch.cat([u_s, u_m]))
        return (loss_s + weighted_mean(F.softplus(d_t), u_t)) / (2 + rho)

    def augmentation(self, labels: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Draw source rows to add to the target, and tell which of them still count."""
        n_source, device = len(labels), labels.device
        n_augmenting = 0 if self.mu is None else n_source // self.mu
        order = draw(
            lambda generator: torch.randperm(
                n_source, generator=generator, device=device
            ),
            self.generator,
        )
        part = (progress * self.n_refreshes + 1e-6) // 1
        n_left = n_augmenting * (1 - part / self.n_refreshes) + 1e-6
        counts = torch.arange(1, n_augmenting + 1, device=device) <= n_left
        return order[:n_augmenting], counts.to(labels.dtype)


@estimator
class BA3US(BasePartialClassifier):
    r"""Balanced adversarial alignment and adaptive uncertainty suppression.

    Learns features from which a discriminator cannot tell the domains, where source
    rows of classes that the target lacks count little, and some source rows pose as
    target rows, so that the target is not alone with its few classes [1]_. The network
    minimizes

    .. math:: L = L_s + L_t + L_d + \lambda_H H + \lambda_{cot} L_{cot} \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target. A source row weighs what its class does:
      :math:`w_c` is the mean probability of the class over the whole target, looked at
      ``n_refreshes`` times during the training; all classes weigh the same before.
    * :math:`H`: the mean entropy of the predictions of target rows.
    * :math:`L_{cot}`: the negative entropy of the predictions over the wrong classes.
      With :math:`r_{ik} = p_{ik} / (1 - p_{iy_i})`, and without a gradient of
      :math:`v`,

    .. math::

        L_{cot} = \frac{1}{\sum_i v_i} \sum_i \frac{v_i}{\log (K - 1)}
        \sum_{k \neq y_i} r_{ik} \log r_{ik},
        \qquad v_i = w_{y_i} (1 - p_{iy_i})^\alpha . \tag{2}

    * :math:`L_d`: the cross-entropy of the discriminator. With the source rows
      :math:`S` of a batch, those :math:`M` of them that pose as target rows, and
      :math:`\rho = |M| / |S|`,

    .. math::

        L_d = \frac{1}{2 + \rho} \left( \frac{1 + \rho}{\sum_{S, M} u} \Bigl(
        -\sum_S u_i \log \sigma(d_i) - \sum_M u_i \log \bigl(1 - \sigma(d_i)\bigr)
        \Bigr) - \frac{1}{\sum_T u} \sum_T u_i \log \bigl(1 - \sigma(d_i)\bigr)
        \right) \tag{3}

    with :math:`u_i = w_{y_i} (1 + e^{-H_i})`, where :math:`w` is one for target rows.
    Of the sums below the fractions there is no gradient. That of the discriminator's
    input and that of the entropies :math:`H_i` are multiplied by :math:`-\kappa`, so
    that features and predictions maximize what the discriminator minimizes;
    :math:`\kappa = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
    progress :math:`p` of the training. :math:`M` shrinks from :math:`1/\mu` of the rows
    to none.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradients, at the end of the training.
    alpha
        Exponent :math:`\alpha` of the uncertainty in the weights of Equation 2.
    lambda_cot
        Weight :math:`\lambda_{cot}` of the complement entropy; 5 for Office-31 in the
        public code.
    entropy_weight
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.1 in the
        public code. If the domains differ much, it draws the target into one class,
        whose weight then leaves nothing of the others.
    mu
        One of how many source rows poses as a target row at first; None for no row.
    n_refreshes
        Number of equal parts of the training after which class weights, at the next
        epoch, and number of posing rows, at the next step, change.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.

    See Also
    --------
    PADA : Class weights alone.
    SHOT : No adversary, and better on precomputed features.

    Notes
    -----
    The rows that pose as target rows are drawn from those of the batch, whereas the
    public code loads others; they have no cost but the discriminator's. With two
    classes, :math:`L_{cot}` is zero.

    :meth:`published` has the settings of the public code for Office-Home, but for the
    last layer of the features, which is linear there.

    References
    ----------
    .. [1] J. Liang et al., "A Balanced and Uncertainty-aware Approach for Partial
       Domain Adaptation", ECCV 2020. arXiv:2003.02541.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import BA3US
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = BA3US(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    alpha: NonNegative = 1.0
    lambda_cot: NonNegative = 1.0
    entropy_weight: NonNegative = 0.0
    mu: Count | None = 4
    n_refreshes: Count = 10
    discriminator_layer_sizes: LayerSizes = (256, 256)
    dropout: Fraction = 0.5
    lr = 0.03

    published_params: ClassVar[dict[str, Any]] = {
        "entropy_weight": 0.1,
        "discriminator_layer_sizes": (1024, 1024),
        "batch_size": 36,
        "max_steps": 5000,
        "lr": 0.01,
        "lr_schedule": partial(inverse_decay, alpha=5.0),
    }

    def make_objective(self) -> Objective:
        return BA3USObjective(
            self.lambda0,
            n_refreshes=self.n_refreshes,
            alpha=self.alpha,
            lambda_cot=self.lambda_cot,
            entropy_weight=self.entropy_weight,
            mu=self.mu,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return AdversarialClassifier(
            **layout,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )
