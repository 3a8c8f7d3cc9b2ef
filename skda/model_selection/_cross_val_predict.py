"""Predict every labeled row by a model that has not seen its label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import cross_validate

from skda.model_selection._labeled_fold import LabeledFold
from skda.utils._sklearn import safe_indexing
from skda.utils.labels import UNLABELED, check_labels

__all__ = ["cross_val_predict"]

METHODS = ("predict", "predict_proba")


def cross_val_predict(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = 5,
    method: Literal["predict", "predict_proba"] = "predict",
    params: Mapping[str, Any] | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> NDArray[Any]:
    """Predict every labeled row by a model that has not seen its label.

    This is :func:`sklearn.model_selection.cross_val_predict` on the folds of
    :class:`LabeledFold`, which that one refuses, because unlabeled rows are in no test
    fold. They stay marked as such.

    Parameters
    ----------
    estimator : estimator object
        Classifier, such as an adaptation method.
    X : array-like of shape (n_samples, n_features)
        Target samples.
    y : array-like of shape (n_samples,)
        Labels; -1, None, NaN or pandas.NA where unknown.
    cv : int, cross-validation splitter or LabeledFold, default=5
        How to split the labeled rows, as in :class:`LabeledFold`.
    method : {"predict", "predict_proba"}, default="predict"
        What to predict: labels or probabilities.
    params : mapping of str to object, default=None
        Parameters of `fit`, such as ``{"source": (X_source, y_source)}``.
    groups : array-like of shape (n_samples,), default=None
        Groups that the splitter keeps together.
    n_jobs : int, default=None
        How many fits to run at once, as everywhere in scikit-learn.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_classes)
        Labels, as integers with -1 for rows that were in no test fold, or as objects
        with None for these; or probabilities, of all classes that are known to any of
        the models, sorted, with NaN for these rows.

    Raises
    ------
    ValueError
        If no row is labeled, or if a row is in several test folds.

    See Also
    --------
    LabeledFold : The folds.
    calibrate : Corrects probabilities on labeled rows.

    Examples
    --------
    >>> from skda.baselines import TargetOnly
    >>> from skda.model_selection import cross_val_predict
    >>> X, y = [[0.0], [0.1], [1.0], [1.1], [0.5]], [0, 0, 1, 1, -1]
    >>> cross_val_predict(TargetOnly(), X, y, cv=2)
    array([ 0,  0,  1,  1, -1])
    """
    if method not in METHODS:
        raise ValueError(f"Expected method to be one of {METHODS}, got {method!r}.")
    folds = cv if isinstance(cv, LabeledFold) else LabeledFold(cv)
    splits = list(folds.split(X, y, groups))
    rows = np.concatenate([test for _, test in splits])
    if len(np.unique(rows)) < len(rows):
        raise ValueError(
            f"Expected splits that test every row once at most, got some in several "
            f"test folds of {folds}: pass a splitter without repetitions."
        )
    fitted = cross_validate(
        estimator,
        X,
        y,
        cv=splits,
        scoring=_no_score,
        params=params,
        n_jobs=n_jobs,
        return_estimator=True,
        error_score="raise",
    )["estimator"]
    parts = [
        getattr(model, method)(safe_indexing(X, test))
        for model, (_, test) in zip(fitted, splits, strict=True)
    ]
    n_samples = len(check_labels(y, X).known)
    if method == "predict":
        return _marked_labels(np.concatenate(parts), rows, n_samples)
    classes = np.unique(np.concatenate([model.classes_ for model in fitted]))
    probabilities = np.full((n_samples, len(classes)), np.nan)
    for part, model, (_, test) in zip(parts, fitted, splits, strict=True):
        columns = np.searchsorted(classes, model.classes_)
        probabilities[test] = 0.0  # of a class that this model does not know
        probabilities[np.ix_(test, columns)] = part
    return probabilities


def _no_score(estimator: Any, X: Any, y: Any) -> float:  # noqa: ARG001 (see scorers)
    """Score nothing: it is the fitted models that are of interest."""
    return 0.0


def _marked_labels(
    labels: NDArray[Any], rows: NDArray[np.intp], n_samples: int
) -> NDArray[Any]:
    """Put the labels where their rows are, and a mark everywhere else."""
    marked: NDArray[Any]
    if labels.dtype.kind in "iu":
        marked = np.full(n_samples, UNLABELED, dtype=np.int64)
    else:
        marked = np.full(n_samples, None, dtype=object)
    marked[rows] = labels
    return marked
