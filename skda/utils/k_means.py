"""Clusters that start from given centers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

__all__ = ["k_means"]


def k_means(
    X: NDArray[Any], centers: NDArray[Any], max_iter: int = 100
) -> NDArray[np.float64]:
    """Run Lloyd's algorithm from the given centers; an empty cluster keeps its own.

    scikit-learn's moves such a center far away, and takes no fewer rows than centers.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    centers : ndarray of shape (K, p)
        Where to start.
    max_iter : int, default=100
        Most iterations.

    Returns
    -------
    ndarray of shape (K, p)
        The centers of the clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.k_means import k_means
    >>> k_means(np.array([[0.0], [1.0], [9.0]]), np.array([[2.0], [7.0]]))
    array([[0.5],
           [9. ]])
    """
    for _ in range(max_iter):
        nearest = cdist(X, centers, "sqeuclidean").argmin(axis=1)
        memberships = np.eye(len(centers))[nearest]
        counts = memberships.sum(axis=0)[:, None]
        means = memberships.T @ X / np.maximum(counts, 1)
        before, centers = centers, np.where(counts > 0, means, centers)
        if np.array_equal(before, centers):
            break
    return centers
