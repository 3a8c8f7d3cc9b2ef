"""The methods of a classifier that stands in the place of an adaptation method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from skda.utils.arrays import to_numpy
from skda.utils.labels import labeled_accuracy

__all__ = ["TargetDelegator", "check_rows"]


def _estimator_has(method: str) -> Callable[[TargetDelegator], bool]:
    def check(meta: TargetDelegator) -> bool:
        getattr(meta._delegate(), method)  # raises in the estimator's own words
        return True

    return check


class TargetDelegator(ClassifierMixin, MetaEstimatorMixin, BaseEstimator, ABC):
    """Predict as ``estimator_`` does, by the calls of an adaptation method.

    A subclass sets ``estimator_`` and ``classes_`` in ``fit``.
    """

    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}
    estimator_: Any
    classes_: NDArray[Any]

    @abstractmethod
    def _unfitted(self) -> Any:
        """Return the classifier to fit."""

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Number of features seen in ``fit``."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features seen in ``fit``."""
        return self.estimator_.feature_names_in_

    def predict(
        self, X: ArrayLike, *, domain: Literal["target"] = "target"
    ) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Target samples.
        domain : {"target"}, default="target"
            Domain they come from; the classifier knows no other.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted labels.
        """
        codes = self._call("predict", X, domain)
        return self.classes_[codes]

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(
        self, X: ArrayLike, *, domain: Literal["target"] = "target"
    ) -> NDArray[np.floating]:
        """Estimate class probabilities, if the classifier does.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Target samples.
        domain : {"target"}, default="target"
            Domain they come from; the classifier knows no other.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return self._call("predict_proba", X, domain)

    @available_if(_estimator_has("decision_function"))
    def decision_function(
        self, X: ArrayLike, *, domain: Literal["target"] = "target"
    ) -> NDArray[np.floating]:
        """Evaluate the decision function, if the classifier has one.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Target samples.
        domain : {"target"}, default="target"
            Domain they come from; the classifier knows no other.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Confidence in the greater of two classes, or in each of several.
        """
        return self._call("decision_function", X, domain)

    @available_if(_estimator_has("transform"))
    def transform(self, X: ArrayLike, *, domain: Literal["target"] = "target") -> Any:
        """Transform samples, if the classifier does.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Target samples.
        domain : {"target"}, default="target"
            Domain they come from; the classifier knows no other.

        Returns
        -------
        {ndarray, sparse matrix, dataframe} of shape (n_samples, n_components)
            What the classifier makes of them.
        """
        return self._call("transform", X, domain)

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        domain: Literal["target"] = "target",
    ) -> float:
        """Measure the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Target samples.
        y : array-like of shape (n_samples,)
            True labels; a sample whose label is missing does not count.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A pipeline with metadata routing insists on the name.
        domain : {"target"}, default="target"
            Domain they come from; the classifier knows no other.

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        return labeled_accuracy(y, self.predict(X, domain=domain), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        its = get_tags(self._unfitted())
        tags.input_tags = its.input_tags
        tags.transformer_tags = its.transformer_tags
        tags.non_deterministic = its.non_deterministic
        return tags

    def _delegate(self) -> Any:
        return getattr(self, "estimator_", self._unfitted())

    def _call(self, method: str, X: ArrayLike, domain: str) -> Any:
        """Call a method of the classifier on rows of the target."""
        check_is_fitted(self)
        if domain != "target":
            raise ValueError(
                f"Expected domain='target', the only domain that {type(self).__name__} "
                f"has learned, got {domain!r}: pass target samples."
            )
        check_rows(X)
        return getattr(self.estimator_, method)(to_numpy(X))


def check_rows(X: Any) -> None:
    """Refuse what is no table of samples, and what classifiers take for numbers.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Samples, which a pipeline of the user may make numbers of.
    """
    if X is None or np.isscalar(X):
        raise ValueError(
            f"Expected a table of samples, with a row for each, got {X!r}."
        )
    if isinstance(X, (list, tuple)):
        lengths = {len(row) for row in X if isinstance(row, (list, tuple))}
        if len(lengths) > 1:
            raise ValueError(
                f"Expected rows of one length, got rows of {min(lengths)} to "
                f"{max(lengths)} features: fill in what is missing."
            )
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind in ("m", "M"):
        raise ValueError(
            f"Expected features that are numbers, got dates or times ({X.dtype}): make "
            f"numbers of them, such as the year, or pass a table for a pipeline to do "
            f"it."
        )
