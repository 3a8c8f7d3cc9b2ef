"""Rows of more features than there are rows, in the space that they span."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

__all__ = ["RowSpace", "row_space"]


class RowSpace(NamedTuple):
    """Rows, and where they lie among the features.

    Parameters
    ----------
    rows : ndarray of shape (n, k)
        The rows in coordinates of the space.
    basis : ndarray of shape (p, k) or None
        Orthonormal directions of the coordinates; None if these are the features.
    """

    rows: NDArray[np.float64]
    basis: NDArray[np.float64] | None

    def restore(self, weights: NDArray[Any]) -> NDArray[np.float64]:
        """Take weights of the coordinates, of shape (k, m), to those of the features.

        Parameters
        ----------
        weights : ndarray of shape (k, m)
            Weights of the coordinates.

        Returns
        -------
        ndarray of shape (p, m)
            Weights of the features, with which the rows have the same products.
        """
        return weights if self.basis is None else self.basis @ weights


def row_space(X: NDArray[Any]) -> RowSpace:
    """Rotate rows into the space they span, if they have more features than that.

    A penalty on the squared length of weights, or any that depends on their products
    with the rows, is the same in either: what solves a problem of this kind in the few
    coordinates solves it, restored, in all features, and the matrices of the problem
    have n rows and columns instead of p.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    RowSpace
        Rows of at most n coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.row_space import row_space
    >>> X = np.ones((2, 30))
    >>> space = row_space(X)
    >>> space.rows.shape, np.allclose(X @ space.restore(np.eye(2)), space.rows)
    ((2, 2), True)
    """
    if len(X) >= X.shape[1]:
        return RowSpace(X, None)
    basis, rows = qr(X.T, mode="economic")
    return RowSpace(rows.T, basis)
