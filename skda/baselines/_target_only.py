"""Any classifier as a target-only control."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.svm import SVC
from sklearn.utils import indexable

from skda.base import estimator
from skda.baselines._delegation import TargetDelegator, check_rows
from skda.utils._sklearn import HasMethods, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.labels import UNLABELED, check_labels, union_of_classes

__all__ = ["TargetOnly"]


@estimator
class TargetOnly(TargetDelegator):
    """Target-only control: any classifier in the place of an adaptation method.

    It is called as an adaptation method is, ``fit(X, y, source=...)``, takes the same
    labels, and ignores the source: what remains is what the labeled target alone can
    teach. ``TargetOnly()`` is the SVMt of the heterogeneous literature. (A bare ``SVC``
    would refuse ``source`` and learn -1 as one more class.)

    Parameters
    ----------
    estimator : estimator object
        Classifier to fit, on labels encoded as 0 to n_classes - 1. None is
        ``SVC(kernel="linear")``; pass a classifier to set or tune its parameters.
    unlabeled
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

    estimator: Annotated[Any, HasMethods(["fit", "predict"]), None] = field(
        default=None, kw_only=False
    )
    unlabeled: Literal["drop", "keep"] = "drop"

    uses_source: ClassVar[bool] = False
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}

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
            Target samples, which reach the classifier as they are, but tensors as
            arrays.
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
        check_rows(X)
        X = to_numpy(X)
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
        self.transduction_ = classes[self._complete_labels(X, codes)]
        return self

    def _unfitted(self) -> Any:
        return SVC(kernel="linear") if self.estimator is None else self.estimator

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

    def _complete_labels(
        self, X: ArrayLike, codes: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Complete the labels of the rows that the classifier was fitted to."""
        if self.unlabeled == "keep":
            # To predict anew may be much worse: label spreading would lose its graph.
            inferred = getattr(self.estimator_, "transduction_", codes)
            codes = np.where(codes == UNLABELED, inferred, codes)
        unlabeled = codes == UNLABELED
        if unlabeled.any():
            codes[unlabeled] = self.estimator_.predict(_take_rows(X, unlabeled))
        return codes


def _take_rows(X: Any, mask: NDArray[np.bool_]) -> Any:
    """Take rows of anything that a scikit-learn estimator may be fitted to."""
    (rows,) = indexable(X)  # makes CSR of sparse formats that have no rows
    if hasattr(rows, "iloc"):
        return rows.iloc[mask]
    if not hasattr(rows, "shape"):
        rows = np.asarray(rows)
    return rows[np.flatnonzero(mask)]
