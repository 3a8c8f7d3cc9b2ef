"""Stepwise adaptive feature norm."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import OneStreamObjective, Pass, estimator
from skda.modules import ByteDropout, OneStreamClassifier
from skda.partial._base import BasePartialClassifier, entropy_term
from skda.training import Objective
from skda.utils.ranges import Fraction, NonNegative

__all__ = ["SAFN"]


class SAFNModule(OneStreamClassifier):
    """A network that drops features in training, and keeps their norm."""

    def __init__(self, *, dropout: float, **layout: Any) -> None:
        super().__init__(**layout)
        self.dropout = ByteDropout(dropout)

    def encode(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples, of shape (n, ...), to features, of shape (n, d)."""
        f = super().encode(X, domain)
        if not self.training:
            return f
        return self.dropout(f) * (1 - self.dropout.p) ** 0.5


class SAFNObjective(OneStreamObjective):
    """Equation 1 of :class:`SAFN`."""

    def __init__(self, lambda0: float, *, delta: float, entropy_weight: float) -> None:
        super().__init__(lambda0)
        self.delta = delta
        self.entropy_weight = entropy_weight

    def adapt(
        self,
        module: Any,
        source: Pass,
        target: Pass,
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate how far the norms of the features are from the next step."""
        step_s = norm_step(source.features, self.delta)
        step_t = norm_step(target.features, self.delta)
        terms = {"norm": self.lambda0 * (step_s + step_t)}
        return terms | entropy_term(self.entropy_weight, target.logits)


def norm_step(f: Tensor, delta: float) -> Tensor:
    """Evaluate the squared distance of norms from what they are plus a step."""
    norms = torch.linalg.vector_norm(f, dim=1)  # (n,)
    return (norms - norms.detach() - delta).square().mean()


@estimator
class SAFN(BasePartialClassifier):
    r"""Stepwise adaptive feature norm.

    Makes the features of both domains larger and larger, because features that transfer
    well are found to be large [1]_. There is no adversary and no class weight. The
    network minimizes

    .. math::

        L = L_s + L_t + \lambda_0 \sum_{d \in \{s, t\}} \frac{1}{n_d} \sum_i
        \bigl( \lVert f^d_i \rVert - \lVert \bar f^d_i \rVert - \Delta_r \bigr)^2
        + \lambda_H H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`\lVert f_i \rVert`: the norm of the features of a row, after dropout that
      keeps its mean square; :math:`\bar f_i` are the same without a gradient, so that
      every step pushes all norms alike.
    * :math:`H`: the mean entropy of the predictions of target rows.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for further fitted
    attributes. Labeled target rows, if there are any, add their mean cross-entropy; a
    label that the source lacks is an error. The steps of a pipeline before this one
    see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the norms; 0.05 in the public code, which has a
        batch norm before the features.
    delta
        Step :math:`\Delta_r` by which the norms shall grow.
    entropy_weight
        Weight :math:`\lambda_H` of the entropy of the target's predictions; 0.1 for
        Office-31 in the public code, 0 otherwise.
    dropout
        Fraction of the features to drop in training; 0.5 in the public code.

    See Also
    --------
    SHOT : Better on precomputed features.
    skda.unsupervised.SourceOnly : Without the norms.

    Notes
    -----
    :meth:`published` has the settings of the authors' and of TLlib's public code for
    Office-Home, 15,000 steps as in the latter. A pretrained ``module`` has the same
    learning rate there, but no momentum, which it has here.

    References
    ----------
    .. [1] R. Xu et al., "Larger Norm More Transferable: An Adaptive Feature Norm
       Approach for Unsupervised Domain Adaptation", ICCV 2019. arXiv:1811.07456.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import SAFN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SAFN(max_epochs=10, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf.fit(X_target, source=(X[100:], y[100:])).class_weights_.shape
    (3,)
    """

    lambda0 = 0.005
    delta: NonNegative = 1.0
    entropy_weight: NonNegative = 0.1
    dropout: Fraction = 0.0

    published_params: ClassVar[dict[str, Any]] = {
        "lambda0": 0.05,
        "entropy_weight": 0.0,
        "dropout": 0.5,
        "n_components": 1000,
        "batch_norm": True,
        "batch_size": 32,
        "max_steps": 15_000,
        "lr": 0.001,
        "weight_decay": 0.0005,
        "lr_schedule": "constant",
    }
    published_module_params: ClassVar[dict[str, Any]] = {}

    def make_objective(self) -> Objective:
        return SAFNObjective(
            self.lambda0, delta=self.delta, entropy_weight=self.entropy_weight
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return SAFNModule(**layout, dropout=self.dropout)
