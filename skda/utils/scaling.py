"""Rows of unit length, whatever the units of their features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

__all__ = ["normalize_rows", "rescale_rows"]


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
