"""The plain classifier that a user would tune, without any adaptation."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skda.base import estimator
from skda.utils._sklearn import BaseEstimator, ClassifierMixin, fit_context
from skda.utils.labels import UNLABELED
from skda.utils.operations import softmax, validate_data
from skda.utils.ranges import Count
from skda.utils.validation import check_magnitude

__all__ = ["DEFAULT", "REPRESENTATIONS", "TunedClassifier", "candidates_for"]

#: How rows are shown to a classifier; the first is taken of equally good ones.
REPRESENTATIONS = {
    "standardized": StandardScaler(),
    "unit": Normalizer(),
    "raw": FunctionTransformer(),
}
_CLASSIFIERS = {
    "logistic regression C=1": LogisticRegression(max_iter=1000),
    "logistic regression C=10": LogisticRegression(C=10, max_iter=1000),
    # The limit ends fits to raw rows of very different units, which take hours else.
    "linear SVM C=0.1": SVC(kernel="linear", C=0.1, max_iter=50_000),
    "linear SVM C=1": SVC(kernel="linear", max_iter=50_000),
    "RBF SVM C=1": SVC(),
    "RBF SVM C=10": SVC(C=10),
    "LDA": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "1-NN": KNeighborsClassifier(1),
    "5-NN": KNeighborsClassifier(5),
}
#: All candidates by name: a representation and a classifier.
CANDIDATES = {
    f"{name}, {rows}": (rows, classifier)
    for rows in REPRESENTATIONS
    for name, classifier in _CLASSIFIERS.items()
}
#: With more features the matrix that discriminant analysis inverts takes minutes.
MOST_FEATURES = 2000
#: What is taken where labels are too few for folds.
DEFAULT = "logistic regression C=1, standardized"

Array = NDArray[Any]


def candidates_for(n_features: int) -> dict[str, tuple[str, Any]]:
    """Leave out of the candidates what would take minutes.

    Parameters
    ----------
    n_features : int
        Number of features.

    Returns
    -------
    dict of str to (str, estimator)
        Representation and classifier by name.
    """
    return {
        name: candidate
        for name, candidate in CANDIDATES.items()
        if n_features <= MOST_FEATURES or not name.startswith("LDA")
    }


@estimator
class TunedClassifier(ClassifierMixin, BaseEstimator):
    """The best of the plain classifiers that a user would try, chosen by folds.

    Logistic regression (``C`` of 1 and 10), linear (0.1 and 1) and RBF (1 and 10)
    support vector machines, linear discriminant analysis (up to 2,000 features) and 1
    and 5 nearest neighbors, each on standardized rows, on rows of unit length and on
    rows as they are. Of these 27, the one with the best mean accuracy over stratified
    folds of the labeled rows is fitted to all of them; the first one of equals. With
    fewer labels of some class than there are folds, it is the logistic regression with
    ``C=1`` on standardized rows.

    It is an ordinary classifier and adapts nothing: what any adaptation has to beat, as
    ``TargetOnly(TunedClassifier(), unlabeled="keep")`` where the target has labels and
    as ``SourceOnly(TunedClassifier())`` where it has none.

    Parameters
    ----------
    n_folds
        Number of folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    best_ : str
        Name of the chosen classifier and of its rows.
    best_score_ : float
        Its mean accuracy over the folds; NaN where labels were too few for them.
    scores_ : dict of str to float
        This accuracy of all that could be fitted, by name; empty without folds.
    estimator_ : estimator object
        The chosen classifier, fitted.
    transformer_ : transformer
        What makes its rows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if ``X`` had names that are strings.

    See Also
    --------
    TargetOnly : Puts a classifier in the place of an adaptation method.
    skda.unsupervised.SourceOnly : The same, fitted to the source.

    Notes
    -----
    Integer labels of -1 are those of unlabeled rows, which standardization takes into
    account.

    The probabilities of a support vector machine are the softmax of its decision
    values, which is not calibrated.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skda.baselines import TunedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = TunedClassifier().fit(X, y)
    >>> clf.best_
    '1-NN, unit'
    >>> round(clf.best_score_, 2)
    0.98
    """

    n_folds: Count = 3

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Choose a classifier, and fit it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Labels; the integer -1 is an unlabeled row.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If there are fewer than two classes.
        """
        rows: Any
        labels: Any
        rows, labels = validate_data(self, X, y, dtype=np.float64, accept_sparse="csr")
        X_all = _dense(rows)
        check_magnitude(X_all, "the samples of TunedClassifier", power=2)
        check_classification_targets(labels)
        is_number = labels.dtype.kind in "iuf"
        known = labels != UNLABELED if is_number else np.ones(len(labels), dtype=bool)
        self.classes_, codes = np.unique(labels[known], return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"TunedClassifier expects two classes or more, got one class or none, "
                f"{self.classes_.tolist()}: add rows of other classes."
            )
        self.scores_ = self._score_candidates(X_all, X_all[known], codes)
        self.best_ = max(self.scores_, key=self.scores_.__getitem__, default=DEFAULT)
        self.best_score_ = self.scores_.get(self.best_, float("nan"))
        rows, classifier = CANDIDATES[self.best_]
        self.transformer_ = clone(REPRESENTATIONS[rows]).fit(X_all)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rounds that were not enough
            Z = self.transformer_.transform(X_all[known])
            self.estimator_ = clone(classifier).fit(Z, codes)
        return self

    def _score_candidates(
        self, X_all: Array, X: Array, codes: Array
    ) -> dict[str, float]:
        """Measure the mean accuracy over folds of all that can be fitted."""
        if np.bincount(codes).min() < max(self.n_folds, 2):
            return {}
        folds = StratifiedKFold(self.n_folds, shuffle=True, random_state=0)
        splits = list(folds.split(X, codes))
        scores = {}
        for rows, transformer in REPRESENTATIONS.items():
            Z = clone(transformer).fit(X_all).transform(X)
            for name, (needed, classifier) in candidates_for(Z.shape[1]).items():
                if needed != rows:
                    continue
                parts = [_accuracy(classifier, Z, codes, *split) for split in splits]
                if None not in parts:
                    scores[name] = float(np.mean(np.array(parts, dtype=float)))
        return scores

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Estimate class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        Z = self._transform(X)
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(Z)
        values = self.estimator_.decision_function(Z)
        if values.ndim == 1:
            values = np.column_stack([np.zeros_like(values), values])
        return softmax(values, axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted labels.
        """
        Z = self._transform(X)
        return self.classes_[self.estimator_.predict(Z)]

    def _transform(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        rows: Any = validate_data(
            self, X, dtype=np.float64, accept_sparse="csr", reset=False
        )
        return self.transformer_.transform(_dense(rows))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(X: Any) -> NDArray[np.float64]:
    dense: Any = X.toarray() if issparse(X) else X  # type: ignore[attr-defined]
    return dense


def _accuracy(
    classifier: Any, Z: Array, codes: Array, train: Array, test: Array
) -> float | None:
    """Measure a classifier on a fold; None where it cannot be fitted."""
    with warnings.catch_warnings():
        # Of rounds that were not enough, and of classes with a single row.
        warnings.simplefilter("ignore")
        try:
            fitted = clone(classifier).fit(Z[train], codes[train])
            return float(np.mean(fitted.predict(Z[test]) == codes[test]))
        except (ValueError, np.linalg.LinAlgError):
            return None
