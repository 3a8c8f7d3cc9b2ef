"""Rows of unit length, whatever the units of their features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.utils._sklearn import BaseEstimator, TransformerMixin
from skda.utils.operations import normalize, recordable

__all__ = [
    "effective_n_features",
    "feature_moments",
    "make_standard_scaler",
    "normalize_rows",
    "rescale_rows",
    "suits_unit_rows",
]

#: Effective number of features from which rows are best scaled to unit length.
MIN_EFFECTIVE_FEATURES = 16


class UnitScaler(TransformerMixin, BaseEstimator):
    """Divide all features by one power of two, near the largest value; it is exact."""

    def fit(self, X: NDArray[Any], y: Any = None) -> Self:
        """Find the power of two."""
        self.exponent_ = np.frexp(np.abs(X).max())[1]
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        """Divide by it."""
        return np.ldexp(X, -self.exponent_)


def make_standard_scaler() -> Pipeline:
    """Build a transformer that standardizes features, whatever their units.

    scikit-learn's leaves a constant feature its unit: what differs from the constant in
    new rows, or in pairs, then counts as much as the unit says.

    Returns
    -------
    Pipeline
        Unfitted.
    """
    return make_pipeline(UnitScaler(), StandardScaler())


def feature_moments(X: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Average every feature, and take what a standard scaler divides it by.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    mean, scale : ndarray of shape (p,)
        Means, and standard deviations; that of a constant feature is a power of two
        near the largest value of all.
    """
    unit, scaler = make_standard_scaler().fit(X)
    return np.ldexp(scaler.mean_, unit.exponent_), np.ldexp(
        scaler.scale_, unit.exponent_
    )


def effective_n_features(X: NDArray[Any]) -> float:
    r"""Count the features that make up the length of a row.

    With :math:`a_j` the mean absolute value of a feature, it is
    :math:`(\sum_j a_j)^2 / \sum_j a_j^2`: the number of features if all are of one
    size, and near one if one outweighs the others.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows, not all of them zero.

    Returns
    -------
    float
        From 1 to p.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.scaling import effective_n_features
    >>> effective_n_features(np.array([[3.0, -3.0, 3.0, 0.0]]))
    3.0
    """
    sizes = np.abs(X).mean(axis=0, dtype=np.float64)
    sizes /= sizes.max()
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def suits_unit_rows(X: NDArray[Any]) -> bool:
    """Say whether rows may be scaled to unit length without losing much.

    They may if many features make up their length, as in text, images and features of
    a network. In a table of few features, or of some whose units outweigh the others,
    it is one of the things that tell the classes apart, or the direction of a row is
    that of a feature or two; there, features are standardized instead.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows, not all of them zero.

    Returns
    -------
    bool
        Whether 16 features or more make up the length.
    """
    return effective_n_features(X) >= MIN_EFFECTIVE_FEATURES


@recordable
def rescale_rows(X: NDArray[Any]) -> NDArray[Any]:
    """Multiply every row by the power of two that brings its largest entry near one.

    It is exact, and keeps squares from overflow and underflow.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    ndarray of shape (n, p)
        Rows whose largest absolute entry is in [0.5, 1), but for rows of zeros.
    """
    exponents = np.frexp(np.abs(X).max(axis=1, keepdims=True))[1]
    return np.ldexp(X, -exponents)


def normalize_rows(X: NDArray[Any]) -> NDArray[Any]:
    """Scale rows to unit length.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows. scikit-learn's function takes one of length 1e-16 for a row of zeros.

    Returns
    -------
    ndarray of shape (n, p)
        Rows of unit length; a row of zeros stays one.
    """
    return normalize(rescale_rows(X))
