"""Residual transfer network."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, estimator
from skda.losses import cross_entropy, kernel_mmd, prediction_entropy
from skda.modules import OneStreamClassifier, multilayer_perceptron
from skda.training import Batch, Objective, inverse_decay, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["RTN"]


class RTNModule(OneStreamClassifier):
    """A classifier of the target, and how that of the source differs from it."""

    def __init__(
        self, extractor: nn.Module, n_components: int, n_classes: int, **layout: Any
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        self.residual = multilayer_perceptron([n_classes] * 3)

    def classify_source(self, v: Tensor) -> Tensor:
        """Map logits of the target's classifier to those of the source's."""
        return v + self.residual(v).to(v.dtype)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to logits, of shape (n, c)."""
        v = super().forward(X, domain)
        return self.classify_source(v) if domain == "source" else v


class RTNObjective(OneStreamObjective):
    """Equation 1 of :class:`RTN`."""

    def __init__(self, lambda0: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.entropy_weight = entropy_weight

    def forward(
        self, module: RTNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risk of either classifier, the entropy and the discrepancy."""
        source, target = self.pass_both(module, batch)
        v_s = module.classify_source(source.logits)
        terms = {"source_risk": cross_entropy(v_s, source.labels)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(target.logits, target.labels)
        ramp = sigmoid_ramp(progress)
        entropy = prediction_entropy(target.logits).mean()
        fused = (
            torch.bmm(d.features[:, :, None], d.logits[:, None, :]).flatten(start_dim=1)
            for d in (source, target)
        )
        return terms | {
            "entropy": self.entropy_weight * ramp * entropy,
            "discrepancy": self.lambda0 * ramp * kernel_mmd(*fused),
        }


@estimator
class RTN(BaseOneStreamClassifier):
    r"""Residual transfer network.

    Learns features that are alike in both domains, and lets the classifiers of the
    domains differ by a residual [1]_. The network minimizes

    .. math:: L = L_s + L_t + \gamma_p H + \lambda_p L_{MMD} \tag{1}

    * :math:`L_s`: the cross-entropy of the labeled rows of the source, by the logits
      :math:`v + \Delta(v)`, with the logits :math:`v` of the target's classifier and
      a network :math:`\Delta` of one hidden layer, as wide as there are classes.
    * :math:`L_t`: that of the labeled rows of the target, if there are any, by
      :math:`v`.
    * :math:`H`: the mean entropy of the predictions of target rows.
    * :math:`L_{MMD}`: the unbiased maximum mean discrepancy of :math:`f \otimes v`, all
      products of a feature and a logit, under the mean of five Gaussian kernels, see
      :func:`skda.losses.kernel_mmd`.
    * :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` and
      :math:`\gamma_p` rise with the progress :math:`p` of the training.

    ``predict`` takes :math:`v`, of source rows :math:`v + \Delta(v)`.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the discrepancy, at the end of the training. The
        paper has 0.3 for the sum of its kernels.
    entropy_weight
        Weight :math:`\gamma` of the entropy, at the end of the training; 0.3 in the
        paper.

    See Also
    --------
    DAN : Compares the features alone, under one classifier.
    JAN : Multiplies the kernels of features and predictions.

    Notes
    -----
    A step looks at all pairs of rows of a batch. :meth:`published` has the
    settings of the public code, which sums the kernels, gives the discrepancy its
    weight from the start and the entropy within 2,000 steps, and compares the maxima
    over squares of two by two products.

    References
    ----------
    .. [1] M. Long et al., "Unsupervised Domain Adaptation with Residual Transfer
       Networks", NeurIPS 2016. arXiv:1602.04433.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import RTN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = RTN(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 1.0
    entropy_weight: NonNegative = 0.1

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 5.0,
        "n_components": 128,
        "max_steps": 20_000,
        "weight_decay": 0.0,
        "lr_schedule": partial(inverse_decay, alpha=20.0),
    }

    uses_unlabeled_source: ClassVar[bool] = True

    def make_objective(self) -> Objective:
        return RTNObjective(self.lambda0, self.entropy_weight)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return RTNModule(**layout)
