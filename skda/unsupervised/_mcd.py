"""Maximum classifier discrepancy."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, estimator
from skda.losses import classifier_discrepancy, cross_entropy
from skda.modules import OneStreamClassifier, reverse_gradient
from skda.training import Batch, Objective, sigmoid_ramp
from skda.utils.ranges import NonNegative

__all__ = ["MCD"]


class MCDModule(OneStreamClassifier):
    """A feature extractor, and two classifiers side by side."""

    def __init__(self, n_classes: int, **layout: Any) -> None:
        super().__init__(n_classes=2 * n_classes, **layout)

    def classify_twice(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """Map features, of shape (n, d), to logits of either classifier."""
        first, second = super().classify(f).chunk(2, dim=1)
        return first, second

    def classify(self, f: Tensor) -> Tensor:
        """Map features, of shape (n, d), to the mean of both logits."""
        first, second = self.classify_twice(f)
        return (first + second) / 2


class MCDObjective(OneStreamObjective):
    """Equation 1 of :class:`MCD`."""

    def forward(
        self, module: MCDModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risks of both classifiers, and how much they differ."""
        source, target, _ = batch
        f_s, f_t = module.encode_both(source.X, target.X)
        terms = {"source_risk": twice_cross_entropy(module, f_s, source.labels)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(module.classify(f_t), target.labels)
        weight = self.lambda0 * sigmoid_ramp(progress)
        opinions = module.classify_twice(reverse_gradient(f_t, weight))
        return terms | {"discrepancy": -classifier_discrepancy(*opinions)}


def twice_cross_entropy(module: MCDModule, f: Tensor, labels: Tensor) -> Tensor:
    """Add the risks of both classifiers."""
    first, second = module.classify_twice(f)
    return cross_entropy(first, labels) + cross_entropy(second, labels)


@estimator
class MCD(BaseOneStreamClassifier):
    r"""Maximum classifier discrepancy.

    Learns features on which two classifiers agree about the target, although they try
    to differ there [1]_. The network minimizes

    .. math:: L = L_s + L_t - \frac{1}{n K} \sum_{jk} |p_{jk} - q_{jk}| \tag{1}

    * :math:`L_s`: the cross-entropy of the labeled rows of the source, the sum over
      both classifiers.
    * :math:`L_t`: that of the labeled rows of the target, if there are any, by the mean
      of both logits, which classifies.
    * :math:`p, q`: what the classifiers predict for target rows. They maximize the
      difference. Behind them, the gradient is multiplied by :math:`-\lambda_p`, so that
      the features minimize it; :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p})
      - 1\bigr)` rises with the progress :math:`p` of the training.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the reversed gradient, at the end of the training.

    See Also
    --------
    MDD : The second classifier does not learn from the source's labels.

    Notes
    -----
    One step updates all of them, where the paper takes turns, with four steps of the
    features for each of the classifiers. The classifiers are linear.
    :meth:`published` has the settings of TLlib, where a hidden layer of each classifier
    comes after the features, their entropy on the target has a small weight, and the
    discrepancy one that grows with the number of classes, 10 for Office-31.

    References
    ----------
    .. [1] K. Saito et al., "Maximum Classifier Discrepancy for Unsupervised Domain
       Adaptation", CVPR 2018. arXiv:1712.02560.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import MCD
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = MCD(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    lambda0: NonNegative = 4.0

    published_params: ClassVar[dict[str, Any]] = {
        "n_components": 1024,
        "batch_norm": True,
        "batch_size": 32,
        "lr": 0.001,
        "lr_schedule": "constant",
        "weight_decay": 0.0005,
        "max_steps": 20_000,
    }
    # The public code has one learning rate for all layers.
    published_module_params: ClassVar[dict[str, Any]] = {}

    def make_objective(self) -> Objective:
        return MCDObjective(self.lambda0)

    def make_classifier(self, **layout: Any) -> nn.Module:
        return MCDModule(**layout)
