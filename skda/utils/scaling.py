"""Rows of unit length, whatever the units of their features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from skda.utils._sklearn import BaseEstimator, TransformerMixin

__all__ = ["make_standard_scaler", "normalize_rows", "rescale_rows"]


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
