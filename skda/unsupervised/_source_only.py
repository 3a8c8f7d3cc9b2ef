"""No adaptation at all, the reference of every method."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from torch import Tensor

from skda.base import (
    BaseOneStreamClassifier,
    DomainName,
    OneStreamObjective,
    Pass,
    Rows,
    estimator,
)
from skda.losses import prediction_entropy
from skda.training import Objective, sigmoid_ramp
from skda.utils._sklearn import HasMethods
from skda.utils.ranges import NonNegative
from skda.utils.scaling import normalize_rows

__all__ = ["SourceOnly"]


class SourceOnlyObjective(OneStreamObjective):
    """The risk of the labeled rows, and the entropy of the target's predictions."""

    def __init__(self, entropy_weight: float) -> None:
        super().__init__()
        self.entropy_weight = entropy_weight

    def adapt(
        self, module: Any, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the entropy, which trains the features alone, if it has a weight."""
        if not self.entropy_weight:
            return {}
        weight = self.entropy_weight * sigmoid_ramp(progress)
        entropy = prediction_entropy(module.classify_fixed(target.features)).mean()
        return {"entropy": weight * entropy}


@estimator
class SourceOnly(BaseOneStreamClassifier, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    r"""Classifier of the labeled rows alone, the control of every method that adapts.

    Without an ``estimator``, the network of the other methods here minimizes

    .. math:: L = L_s + L_t + \lambda_p \mu H \tag{1}

    * :math:`L_s` and :math:`L_t`: the cross-entropy of the labeled rows of the source
      and, if there are any, of the target.
    * :math:`H`: the mean entropy of the predictions of target rows, which is all that
      sees an unlabeled one, and trains the features alone; off, unless
      ``entropy_weight`` is set.
    * :math:`\lambda_p = 2 / (1 + e^{-10 p}) - 1`, which rises with the progress
      :math:`p`.

    With an ``estimator``, a clone of it is fitted to the labeled rows of both domains.

    Inputs may be rows of features, images or a ``Dataset``; see :meth:`fit`, and
    :class:`skda.base.BaseOneStreamClassifier` for images.
    Labeled target rows, if there are any, add their mean cross-entropy. The steps of a
    pipeline before this one see the target only: pass ``shared_transformer`` instead.

    Parameters
    ----------
    estimator : estimator object
        Classifier to fit instead of a network, such as a logistic regression.
    normalize : {"auto"} or bool
        What rows a network gets, as of the other methods. An ``estimator`` gets rows of
        unit length if it is True, and else, as by "auto", the rows as they are.
    entropy_weight
        Weight :math:`\mu` of the entropy, at the end of the training. As 1 it is the
        row "+ Em" in the tables of [1]_.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted estimator, if one was given. There is no network then, and no
        ``transform``.

    See Also
    --------
    skda.baselines.TunedClassifier : The classifier to hold against any method.
    skda.baselines.TargetOnly : Any classifier on the labeled target rows alone.

    Notes
    -----
    The control to beat is ``SourceOnly(TunedClassifier())``, the best of 27 plain
    classifiers by folds of the source. The row "logistic regression" of the benchmarks
    is ``SourceOnly(LogisticRegression(C=10, max_iter=1000), normalize=True)``; for
    counts, take their square root first. An estimator without ``predict_proba`` is
    taken to be certain of what it predicts.

    References
    ----------
    .. [1] Y. Zhang et al., "Domain-Symmetric Networks for Adversarial Domain
       Adaptation", CVPR 2019. arXiv:1904.04663.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SourceOnly
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SourceOnly(max_epochs=10, random_state=0)
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).predict(X[:100]).shape
    (100,)
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict"]), None] = field(
        default=None, kw_only=False
    )
    entropy_weight: NonNegative = 0.0
    lambda0 = field(default=0.0, init=False)

    @property
    def _dtype(self) -> type:  # type: ignore[override]
        return np.float32 if self.estimator is None else np.float64

    def make_objective(self) -> Objective:
        return SourceOnlyObjective(self.entropy_weight)

    def _normalizes(self) -> bool:
        return self.estimator is None and super()._normalizes()

    def _rows(self, X: NDArray[Any]) -> NDArray[Any]:
        """Scale the rows of an estimator, if that is asked for."""
        return normalize_rows(X) if self.normalize not in {False, "auto"} else X

    def fit_rows(self, source: Rows, target: Rows) -> None:
        if self.estimator is None:
            super().fit_rows(source, target)
            return
        labeled = [rows.labeled() for rows in (source, target)]
        seen = [rows for rows in labeled if len(rows.X)]
        self.estimator_ = clone(self.estimator).fit(
            self._rows(np.concatenate([rows.X for rows in seen])),
            np.concatenate([rows.labels.values for rows in seen]),
        )

    def _has_network(self) -> bool:
        if self.estimator is None:
            return True
        raise AttributeError(
            f"This SourceOnly has a {type(self.estimator).__name__}, which makes no "
            f"features: for transform, leave the estimator out."
        )

    @available_if(_has_network)
    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Map samples to the features that the network makes of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Features. There are none if there is an ``estimator``.
        """
        return super().transform(X, domain=domain)

    @available_if(_has_network)
    def fit_transform(
        self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any
    ) -> NDArray[np.float32]:
        """Fit, then map the target samples to features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels, as in :meth:`fit`.
        **fit_params : dict
            Passed to :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_target, n_components)
            Features. There are none if there is an ``estimator``.
        """
        return super().fit_transform(X, y, **fit_params)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if self.estimator is None:
            return super().predict_proba_rows(X, domain)
        X = self._rows(X)
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(X)
        predicted = self.estimator_.predict(X)
        return (predicted[:, None] == self.classes_).astype(np.float64)
