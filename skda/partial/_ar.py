"""Adversarial reweighting of the source."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

from skda.base import Rows, estimator
from skda.partial._base import BasePartialClassifier
from skda.partial._reweighting import ARObjective, CriticizedClassifier
from skda.training import Objective
from skda.utils.ranges import Count, Fraction, LayerSizes, NonNegative

__all__ = ["AR"]


@estimator
class AR(BasePartialClassifier):
    r"""Adversarial reweighting: weigh the source so that it looks like the target.

    A critic :math:`d` of the features finds where the weighted source differs from the
    target, and weights :math:`w` of the source rows make it differ as little as they
    may [1]_:

    .. math:: \min_w \max_d \;
        \frac{1}{n_s} \sum_i w_i \, d(f(x^s_i)) - \frac{1}{n_t} \sum_j d(f(x^t_j))
        \quad\text{with}\quad w_i \ge 0, \quad
        \tfrac{1}{n_s} \sum_i w_i = 1, \quad
        \tfrac{1}{n_s} \sum_i (w_i - 1)^2 \le \rho \tag{1}

    Every layer of the critic is divided by its largest singular value, so that it
    measures a Wasserstein distance. It has no say in the features, which are never
    aligned: they and the classifier minimize

    .. math:: L = \frac{1}{n_s} \sum_i w_i \, \ell(x^s_i, y_i) + L_t
        + \frac{\lambda_p}{n_t} \sum_j H(x^t_j) \tag{2}

    with :math:`\ell` the cross-entropy with labels smoothed by :math:`\varepsilon`,
    :math:`L_t` the cross-entropy of the labeled rows of the target, if there are any,
    and :math:`H` the entropy of the predictions;
    :math:`\lambda_p = \lambda_0 \bigl(2 / (1 + e^{-10 p}) - 1\bigr)` rises with the
    progress :math:`p`. The critic learns at every step; from time to time, the weights
    are solved for.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images and for the fitted attributes.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda_0` of the entropy, at the end of the training.
    rho
        Bound :math:`\rho` of the weights; 0 lets every row weigh the same. The public
        code has 5.
    smoothing
        Share :math:`\varepsilon` of a label that all classes have in equal parts.
    n_refreshes
        Number of equal parts of the training; each but the first begins, at its first
        epoch, with new weights.
    critic_layer_sizes
        Widths of the hidden layers of the critic.

    Attributes
    ----------
    source_weights_ : ndarray of shape (n_source,)
        The weights :math:`w`.

    See Also
    --------
    BA3US : Weighs classes instead of rows.

    Notes
    -----
    Where it differs from the public code: there, features are scaled to one length and
    the classifier knows angles alone, the critic is trained apart, for thousands of
    steps at a time, and a solver finds the weights. Here, the critic learns along, and
    the weights have almost a closed form.

    References
    ----------
    .. [1] X. Gu, X. Yu, Y. Yang, J. Sun and Z. Xu, "Adversarial Reweighting for Partial
       Domain Adaptation", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import AR
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> X_target = X[:150][y[:150] < 2] + 1.0
    >>> clf = AR(max_epochs=10, random_state=0)
    >>> clf.fit(X_target, source=(X[150:], y[150:])).predict(X_target).shape
    (77,)
    """

    lambda0 = 0.1
    rho: NonNegative = 1.0
    smoothing: Fraction = 0.1
    n_refreshes: Count = 10
    critic_layer_sizes: LayerSizes = (256,)

    published_params: ClassVar[dict[str, Any]] = {"rho": 5.0}

    def make_objective(self) -> Objective:
        return ARObjective(
            self.lambda0,
            rho=self.rho,
            smoothing=self.smoothing,
            n_refreshes=self.n_refreshes,
        )

    def make_classifier(self, **layout: Any) -> nn.Module:
        return CriticizedClassifier(
            **layout, critic_layer_sizes=self.critic_layer_sizes
        )

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        super().set_fitted_attributes(source, target)
        objective = self._find_objective(ARObjective)
        if objective is not None:
            self.source_weights_ = objective.weights.cpu().numpy()
