"""Rows of the source, taken to the features of the target."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from skda.utils.validation import check_pair

__all__ = ["carry_over"]

Array = NDArray[np.float64]

RIDGES = np.logspace(-2, 4, 7)


def carry_over(
    source: Any, pairs: Any, X: Any
) -> tuple[Array | None, Literal["pairs", "source", "nothing"]]:
    """Take rows of the source to the features of the target.

    Pairs teach a ridge regression, whose held-out residuals, drawn by a fixed seed, are
    added: predicted rows alone are nearer to the mean than real ones. Without pairs,
    rows that have the features of the target stay as they are.

    Parameters
    ----------
    source : tuple (X_source, y_source)
        Source samples and labels.
    pairs : tuple, array-like or None
        Co-occurring samples, in either form of ``fit``.
    X : {array-like, sparse matrix} of shape (n_target, n_features)
        Target samples.

    Returns
    -------
    rows : ndarray of shape (n_source, n_features) or None
        The rows; None if there is no way.
    by : {"pairs", "source", "nothing"}
        What they were taken by.
    """
    X_s, _ = check_pair(source, "source=(X_source, y_source)")
    if pairs is None:
        if np.shape(X_s)[1:] != np.shape(X)[1:]:
            return None, "nothing"
        return _dense(X_s), "source"
    if isinstance(pairs, tuple):
        side, target_side = (_dense(each) for each in pairs)
    else:
        side = _dense(pairs, ensure_all_finite=False)
        paired = np.isfinite(side).all(axis=1)
        side, target_side = side[paired], _dense(X)[paired]
    n_folds = min(5, len(side))
    if n_folds < 2:
        return None, "nothing"
    ridge = make_pipeline(StandardScaler(), RidgeCV(RIDGES))
    residuals = target_side - cross_val_predict(ridge, side, target_side, cv=n_folds)
    mapped = ridge.fit(side, target_side).predict(_dense(X_s)).reshape(-1, X.shape[1])
    drawn = np.random.default_rng(0).integers(len(residuals), size=len(mapped))
    return mapped + residuals[drawn], "pairs"


def _dense(X: Any, **params: Any) -> Array:
    """Make an array of numbers."""
    rows = X.toarray() if issparse(X) else X  # type: ignore[attr-defined]
    return np.asarray(check_array(rows, dtype=np.float64, **params))
