"""Any classifier as a target-only control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.svm import SVC
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import HasMethods, StrOptions, fit_context
from skda.utils.labels import (
    UNLABELED,
    check_labels,
    labeled_accuracy,
    union_of_classes,
)

__all__ = ["TargetOnly"]


def _estimator_has(method: str) -> Callable[[TargetOnly], bool]:
    def check(meta: TargetOnly) -> bool:
        getattr(meta._delegate(), method)  # raises in the estimator's own words
        return True

    return check


class TargetOnly(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Target-only control: any classifier in the place of an adaptation method.

    It is called as an adaptation method is, ``fit(X, y, source=...)``, takes the same
    labels, and ignores the source: what remains is what the labeled target alone can
    teach. ``TargetOnly()`` is the SVMt of the heterogeneous literature. (A bare ``SVC``
    would refuse ``source`` and learn -1 as one more class.)

    Parameters
    ----------
    estimator : estimator object, default=None
        Classifier to fit, on labels encoded as 0 to n_classes - 1. None is
        ``SVC(kernel="linear")``; pass a classifier to set or tune its parameters.
    unlabeled : {"drop", "keep"}, default="drop"
        What the classifier sees of the unlabeled rows: nothing, or the rows with -1
        for a label, which is meant for semi-supervised ones, such as
        :class:`~sklearn.semi_supervised.LabelSpreading`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels of the target.
    estimator_ : estimator object
        The fitted classifier.
    n_features_in_ : int
        Number of features, if the classifier counts them.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the classifier has seen any.
    transduction_ : ndarray of shape (n_target,)
        Label of every target sample seen in ``fit``: given, else what the classifier
        has inferred for that very row (its own ``transduction_``, if any), else
        predicted. (Scalers belong before this step, not into ``estimator``: a pipeline
        does not hand on what its last step has inferred.)

    See Also
    --------
    TargetNet : The same control by a network.
    sklearn.semi_supervised.LabelSpreading : A classifier for ``unlabeled="keep"``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skda.baselines import TargetOnly
    >>> X, y = load_iris(return_X_y=True)
    >>> y_few = y.copy()
    >>> y_few[5:50] = y_few[55:100] = y_few[105:] = -1
    >>> svm = TargetOnly().fit(X, y_few)
    >>> round(svm.score(X, y), 2)
    0.98
    >>> spread = TargetOnly(LabelSpreading("knn"), unlabeled="keep").fit(X, y_few)
    >>> round(spread.score(X, y), 2)
    0.97
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "unlabeled": [StrOptions({"drop", "keep"})],
    }
    uses_source: ClassVar[bool] = False
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__decision_function: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}

    def __init__(
        self,
        estimator: Any = None,
        *,
        unlabeled: Literal["drop", "keep"] = "drop",
    ) -> None:
        self.estimator = estimator
        self.unlabeled = unlabeled

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in ``fit``."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Names of the features seen in ``fit``."""
        return self.estimator_.feature_names_in_

    # The estimator may itself be a search or a pipeline, which validates its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        pairs: Any = None,
    ) -> Self:
        """Fit the classifier to the target.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_target, n_features)
            Target samples, which reach the classifier as they are.
        y : array-like of shape (n_target,)
            Target labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source), default=None
            Ignored, so that the call is the one of an adaptation method.
        pairs : tuple or array-like, default=None
            Ignored, too.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If no row is labeled, if -1 seems to be meant as a class, or if the
            classifier has taken it for one.
        """
        if y is None:
            raise ValueError(
                "TargetOnly requires y to be passed, but the target y is None: pass "
                "the labels, with -1 where they are unknown."
            )
        labels = check_labels(y, X)
        if not labels.known.any():
            raise ValueError(
                "Every target label is missing (-1, None or NaN), and TargetOnly does "
                "not learn from a source: label some target samples."
            )
        no_source = check_labels(None, np.empty((0, 0)))
        classes = union_of_classes(no_source, labels)
        codes = labels.codes(classes)
        estimator = self._fit_estimator(X, codes)
        self.estimator_, self.classes_ = estimator, classes
        self.transduction_ = classes[self.transduce(X, codes)]
        return self

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

    def _unfitted(self) -> Any:
        return SVC(kernel="linear") if self.estimator is None else self.estimator

    def _delegate(self) -> Any:
        return getattr(self, "estimator_", self._unfitted())

    def _fit_estimator(self, X: Any, codes: NDArray[np.int64]) -> Any:
        """Fit a clone to what it may see of the target."""
        known = codes != UNLABELED
        estimator = clone(self._unfitted())
        if self.unlabeled == "drop" and not known.all():
            return estimator.fit(_take_rows(X, known), codes[known])
        estimator.fit(X, codes)
        if UNLABELED in getattr(estimator, "classes_", ()):
            raise ValueError(
                f"Expected a semi-supervised estimator for unlabeled='keep', got "
                f"{type(estimator).__name__}, which takes -1 for a class: pass "
                f"unlabeled='drop'."
            )
        return estimator

    def transduce(self, X: ArrayLike, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Complete the labels of the rows that the classifier was fitted to."""
        if self.unlabeled == "keep":
            # To predict anew may be much worse: label spreading would lose its graph.
            inferred = getattr(self.estimator_, "transduction_", codes)
            codes = np.where(codes == UNLABELED, inferred, codes)
        left = codes == UNLABELED
        if left.any():
            codes[left] = self.estimator_.predict(_take_rows(X, left))
        return codes

    def _call(self, method: str, X: ArrayLike, domain: str) -> Any:
        """Call a method of the classifier on rows of the target."""
        check_is_fitted(self)
        if domain != "target":
            raise ValueError(
                f"Expected domain='target', the only domain that TargetOnly has "
                f"learned, got {domain!r}: pass target samples."
            )
        return getattr(self.estimator_, method)(X)


def _take_rows(X: Any, mask: NDArray[np.bool_]) -> Any:
    """Take rows of anything that a scikit-learn estimator may be fitted to."""
    (rows,) = indexable(X)  # makes CSR of sparse formats that have no rows
    if hasattr(rows, "iloc"):
        return rows.iloc[mask]
    if not hasattr(rows, "shape"):
        rows = np.asarray(rows)
    return rows[np.flatnonzero(mask)]
