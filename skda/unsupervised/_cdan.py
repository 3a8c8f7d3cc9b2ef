"""Conditional domain-adversarial network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.losses import certainty_weights, domain_loss
from skda.modules import AdversarialClassifier, reverse_gradient
from skda.training import Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import Count, Fraction, LayerSizes, NonNegative, Positive

__all__ = ["CDAN"]


class CDANModule(AdversarialClassifier):
    """A network whose discriminator sees features and predictions together."""

    feature_map: Tensor
    class_map: Tensor

    def __init__(
        self, n_components: int, n_classes: int, n_random: int | None, **layout: Any
    ) -> None:
        super().__init__(
            n_components=n_components,
            n_classes=n_classes,
            n_inputs=n_random or n_components * n_classes,
            **layout,
        )
        self.is_random = n_random is not None
        width = n_random or 0
        self.register_buffer("feature_map", torch.randn(n_components, width))
        self.register_buffer("class_map", torch.randn(n_classes, width))

    def condition(self, f: Tensor, v: Tensor) -> Tensor:
        """Multiply features, of shape (n, d), by predictions, of shape (n, c)."""
        g = v.detach().softmax(dim=1)  # (n, c)
        if self.is_random:
            product = (f @ self.feature_map) * (g @ self.class_map)  # (n, m)
            return product / product.shape[1] ** 0.5
        # A product of matrices, whose backward pass needs no temporary of its size.
        return torch.bmm(g[:, :, None], f[:, None, :]).flatten(start_dim=1)  # (n, c d)

    def domain_logits(self, f: Tensor, v: Tensor) -> Tensor:
        """Map features and logits of classes to logits of "from the source"."""
        first: Any = self.discriminator[0]
        if self.is_random or first.out_features >= f.shape[1]:
            return self.discriminate(self.condition(f, v))
        # A narrow first layer goes before the mix of the classes, on fewer numbers.
        g = v.detach().softmax(dim=1)  # (n, c)
        parts = first.weight.unflatten(1, (g.shape[1], -1)).transpose(0, 1)  # (c, h, d)
        units = F.linear(f, parts.flatten(end_dim=1)).unflatten(1, parts.shape[:2])
        mixed = torch.bmm(g[:, None, :].to(units.dtype), units).squeeze(1)  # (n, h)
        return self.discriminator[1:](mixed + first.bias).to(v.dtype).squeeze(1)


class CDANObjective(OneStreamObjective):
    """Equation 1 of :class:`CDAN`."""

    def __init__(
        self, lambda0: float, *, gamma: float, entropy_weighting: bool
    ) -> None:
        super().__init__(lambda0)
        self.gamma = gamma
        self.entropy_weighting = entropy_weighting

    def adapt(
        self, module: CDANModule, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the domain loss behind a gradient reversal."""
        f = torch.cat([source.features, target.features])
        v = torch.cat([source.logits, target.logits])
        reversal = self.lambda0 * sigmoid_ramp(progress, gamma=self.gamma)
        d = module.domain_logits(reverse_gradient(f, reversal), v)
        n_s = len(source.features)
        weights = []
        if self.entropy_weighting:
            weights = [certainty_weights(p.logits) for p in (source, target)]
        return {"domain": domain_loss(d[:n_s], d[n_s:], *weights)}


@estimator
class CDAN(BaseOneStreamClassifier):
    r"""Conditional domain-adversarial network.

    Learns features from which a discriminator cannot tell the domains, even though it
    knows the predictions [1]_. The network minimizes

    .. math:: L = L_s + L_t + L_d \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`L_d`: the cross-entropy of a discriminator of :math:`f \otimes g`, all
      products of a feature with a predicted probability, the mean over both domains. A
      row weighs :math:`1 + e^{-H(g)}`, the more the more certain its prediction is
      (CDAN+E). Behind the discriminator, the gradient is multiplied by
      :math:`-\lambda_p`;
      :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-\gamma p}) - 1\bigr)` rises with
      the progress :math:`p` of the training.

    Neither :math:`g` nor the weights have a gradient, and the weights of either domain
    have a mean of one.

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
    entropy_weighting
        Whether rows weigh by how certain their predictions are: CDAN+E, else CDAN.
    n_random
        Number of random products :math:`(R_f f) \odot (R_g g)` that the discriminator
        sees instead of all, for many features or classes; 1024 in the public code.
    discriminator_layer_sizes
        Widths of the hidden layers of the discriminator.
    dropout
        Fraction of its hidden units to drop in training.
    discriminator_batch_norm
        Whether its hidden layers have a batch norm.

    See Also
    --------
    DANN : Its discriminator sees the features alone.

    Notes
    -----
    :meth:`published` has the settings of the authors' successor library (TLlib) for
    Office-31. Nowhere does :math:`g` have a gradient in the discriminator. In the first
    public code the weights have one, which is reversed, and a mean of one in either
    domain; in TLlib they have none, and their mean is one over both domains together.

    References
    ----------
    .. [1] M. Long et al., "Conditional Adversarial Domain Adaptation", NeurIPS 2018.
       arXiv:1705.10667.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import CDAN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = CDAN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    gamma: Positive = 10.0
    entropy_weighting: bool = True
    n_random: Count | None = None
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
        return CDANObjective(
            self.lambda0, gamma=self.gamma, entropy_weighting=self.entropy_weighting
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return CDANModule(
            **layout,
            n_random=self.n_random,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
            discriminator_batch_norm=self.discriminator_batch_norm,
        )
