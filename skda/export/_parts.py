"""How the parts that scikit-learn brings are written, one function for each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

from skda.export._graph import NotExportable
from skda.export._operations import smallest_of_rows, squares_of_distances
from skda.export._prepared import call, write
from skda.export._recorded import Recorded
from skda.utils.operations import expit, softmax, take_rows


def _only(method: str, *methods: str) -> None:
    """Refuse methods that nobody has said how to write."""
    if method not in methods:
        raise NotExportable(f"nobody has said how to write its {method}")


@write.register
def _(part: StandardScaler, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    rows: Any = X.copy()
    if part.with_mean:
        rows = rows - part.mean_.astype(X.dtype)
    return rows / part.scale_.astype(X.dtype) if part.with_std else rows


@write.register
def _(part: PowerTransformer, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    if part.method == "box-cox":
        rows = _power(X, part.lambdas_)
    else:
        up, down = np.maximum(X, 0) + 1, 1 - np.minimum(X, 0)
        left = _power(down, 2 - part.lambdas_)
        rows = np.where(X >= 0, _power(up, part.lambdas_), -left)
    return call(part._scaler, "transform", rows) if part.standardize else rows


def _power(X: Any, powers: Any) -> Any:
    """Take powers, less one and divided by themselves; logarithms if they are zero."""
    zero = np.abs(powers) < np.finfo(np.float64).eps
    safe = np.where(zero, 1.0, powers)
    return np.where(zero, np.log(X), (X**safe - 1) / safe)


@write.register
def _(part: PCA, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    # In this order: the rows' own mean must not lose digits to a large offset.
    rows = (X - part.mean_) @ part.components_.T
    if part.whiten:
        rows = rows / np.sqrt(part.explained_variance_)
    return rows


@write.register
def _(part: FunctionTransformer, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    if part.func is None:
        return X.copy()
    return part.func(X, **(part.kw_args or {}))


@write.register
def _(part: Pipeline, method: str, X: Recorded) -> Any:
    for _, step in part.steps[:-1]:
        X = call(step, "transform", X)
    return call(part.steps[-1][1], method, X)


@write.register
def _(part: GridSearchCV | RandomizedSearchCV, method: str, X: Recorded) -> Any:
    return call(part.best_estimator_, method, X)


@write.register
def _(part: FeatureUnion, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    weights = part.transformer_weights or {}
    columns = [
        call(each, "transform", X) * weights.get(name, 1.0)
        for name, each in part.transformer_list
        if not isinstance(each, str) or each != "drop"
    ]
    return np.hstack(columns)


@write.register
def _(part: ColumnTransformer, method: str, X: Recorded) -> Any:
    _only(method, "transform")
    weights = part.transformer_weights or {}
    blocks = []
    for name, each, columns in part.transformers_:
        places = _places(part, columns)
        if len(places) and not (isinstance(each, str) and each == "drop"):
            block = call(each, "transform", X[:, places])
            blocks.append(block * weights[name] if name in weights else block)
    return np.hstack(blocks)


def _places(part: ColumnTransformer, columns: Any) -> Any:
    """List the places of the columns that a part of a column transformer takes."""
    if isinstance(columns, str) or (
        isinstance(columns, list) and columns and isinstance(columns[0], str)
    ):
        names = list(part.feature_names_in_)
        return np.array([names.index(c) for c in np.atleast_1d(columns)])
    return np.atleast_1d(np.arange(part.n_features_in_)[columns])


@write.register
def _(part: str, method: str, X: Recorded) -> Any:
    """Pass columns through."""
    return X


@write.register
def _(part: Ridge, method: str, X: Recorded) -> Any:
    _only(method, "predict")
    return _decide(part.coef_, part.intercept_, X)


def _decide(coef: Any, intercept: Any, X: Recorded) -> Any:
    """Evaluate a linear function; one of one output makes a vector, if so given."""
    return X @ np.asarray(coef).T + intercept


@write.register
def _(part: LogisticRegression, method: str, X: Recorded) -> Any:
    scores = _decide(part.coef_, part.intercept_, X)
    if method == "predict_proba":
        if scores.shape[1] > 1:
            return softmax(scores, axis=1)
        return np.hstack([1 - expit(scores), expit(scores)])
    return _of_scores(part, method, scores)


@write.register
def _(part: LinearSVC, method: str, X: Recorded) -> Any:
    return _of_scores(part, method, _decide(part.coef_, part.intercept_, X))


def _of_scores(part: Any, method: str, scores: Recorded) -> Any:
    """Decide by scores, one for each class, or one for the second of two."""
    _only(method, "decision_function", "predict")
    if method == "decision_function":
        return scores[:, 0] if scores.shape[1] == 1 else scores
    if scores.shape[1] == 1:
        places = (scores[:, 0] > 0).astype(np.int64)
    else:
        places = scores.argmax(axis=1)
    return _named(part, places)


def _named(part: Any, places: Recorded) -> Any:
    """Look up labels, which inside of an estimator are numbers."""
    return take_rows(places, part.classes_)


def _nearest(part: Any, X: Recorded, n_neighbors: int) -> Recorded:
    """Find the places of the nearest rows."""
    if part.effective_metric_ != "euclidean":
        raise NotExportable(f"it measures {part.effective_metric_} distances")
    rows = np.asarray(part._fit_X)
    return smallest_of_rows(squares_of_distances(X, rows), n_neighbors)


@write.register
def _(part: NearestNeighbors, method: str, X: Recorded) -> Any:
    _only(method, "kneighbors")
    return _nearest(part, X, part.n_neighbors)


@write.register
def _(part: KNeighborsClassifier, method: str, X: Recorded) -> Any:
    if part.weights != "uniform" or method not in ("predict", "predict_proba"):
        return write.dispatch(object)(part, method, X)
    one_hot = np.eye(len(part.classes_))[part._y]
    nearest = _nearest(part, X, part.n_neighbors)
    shares = np.mean(take_rows(nearest, one_hot), axis=1)
    return shares if method == "predict_proba" else _named(part, shares.argmax(axis=1))


@write.register
def _(part: DummyClassifier, method: str, X: Recorded) -> Any:
    _only(method, "predict_proba", "predict")
    value = getattr(part, method)(X.value)
    return Recorded(X.graph, value, X.graph.repeat(value[:1], X.name))


@write.register
def _(part: SVC | NuSVC, method: str, X: Recorded) -> Any:
    if method == "predict_proba" or part.kernel not in ("linear", "rbf"):
        return write.dispatch(object)(part, method, X)
    _only(method, "decision_function", "predict")
    if part.kernel == "linear":
        kernel: Any = X @ part.support_vectors_.T
    else:
        squares = squares_of_distances(X, part.support_vectors_)
        kernel = np.exp(-part._gamma * squares)
    weights, signs = _pairs_of_classes(part)
    decided = kernel @ weights + part.intercept_
    if len(part.classes_) == 2:
        return _of_scores(part, method, decided)
    if part.decision_function_shape == "ovo" or method == "predict":
        raise NotExportable(f"its {method} counts the votes of pairs of classes")
    # What scikit-learn makes of the pairs: votes, and their sums to break ties.
    votes = np.where(decided > 0, 1.0, 0.0) @ np.maximum(signs, 0)
    votes = votes + np.where(decided > 0, 0.0, 1.0) @ np.maximum(-signs, 0)
    sums = decided @ signs
    return votes + sums / (3 * (np.abs(sums) + 1))


def _pairs_of_classes(part: Any) -> tuple[Any, Any]:
    """Give the weight of every support vector for every pair of classes.

    With it come the signs of the classes in every pair.
    """
    n_classes = len(part.classes_)
    ends = np.cumsum(part.n_support_)
    of_class = [
        slice(end - n, end) for end, n in zip(ends, part.n_support_, strict=True)
    ]
    pairs = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
    weights = np.zeros((len(part.support_vectors_), len(pairs)))
    signs = np.zeros((len(pairs), n_classes))
    for k, (i, j) in enumerate(pairs):
        weights[of_class[i], k] = part.dual_coef_[j - 1, of_class[i]]
        weights[of_class[j], k] = part.dual_coef_[i, of_class[j]]
        signs[k, i], signs[k, j] = 1, -1
    return weights, signs
