"""Graphs that join the rows of a class, and their Laplacians."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_matrices"]


def class_matrices(
    X: NDArray[Any], memberships: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Evaluate :math:`X^\top D X` and :math:`X^\top L X` of the graph of the classes.

    The graph has :math:`W_{ij} = 1` where two rows are of one class, a row and itself
    included, else 0; :math:`D` are its row sums, and :math:`L = D - W`. Neither is ever
    built.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    memberships : ndarray of shape (n, K)
        One-hot rows; one of zeros for a row outside the graph.

    Returns
    -------
    total, scatter : ndarray of shape (p, p)
        The two matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_graph import class_matrices
    >>> class_matrices(np.array([[1.0], [3.0], [5.0]]), np.eye(2)[[0, 0, 1]])
    (array([[45.]]), array([[4.]]))
    """
    counts = memberships.sum(axis=0)
    means = memberships.T @ X / np.maximum(counts, 1)[:, None]
    # As a sum of squares the second cannot lose its sign to rounding.
    weights = np.sqrt(memberships @ counts)[:, None]
    rows, deviations = weights * X, weights * (X - memberships @ means)
    return rows.T @ rows, deviations.T @ deviations
