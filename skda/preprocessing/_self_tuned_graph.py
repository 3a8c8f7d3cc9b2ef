"""The graph of nearest neighbors, with Euclidean weights that suit the density."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from skda.utils.neighbors import fit_neighbors

__all__ = ["self_tuned_graph"]

#: Least distance to the last neighbor, of rows whose largest entry is near one: what
#: rounding makes of the distance of equal rows is less.
MIN_SCALE = 1e-6


def self_tuned_graph(
    X: NDArray[Any], n_neighbors: int = 10, neighbors: Any = None
) -> csr_matrix:
    r"""Build the graph of the nearest neighbors at weights that suit the density.

    Row :math:`i` is connected to its nearest neighbors by the weight [1]_

    .. math:: w_{ij} = \exp(-d_{ij}^2 / (s_i s_j)),

    where :math:`d` is the Euclidean distance and :math:`s_i` the one from row :math:`i`
    to the last of its neighbors; either direction counts for both.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    n_neighbors : int, default=10
        Number of neighbors of every row, itself not counted; at most ``n - 1``.
    neighbors : transformer, default=None
        What searches, after :class:`sklearn.neighbors.KNeighborsTransformer`. None
        searches exactly up to 10,000 rows, beyond by an approximate index of faiss.

    Returns
    -------
    csr_matrix of shape (n, n)
        Symmetric, non-negative weights with a zero diagonal.

    References
    ----------
    .. [1] L. Zelnik-Manor and P. Perona, "Self-tuning spectral clustering", NeurIPS
       2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import self_tuned_graph
    >>> graph = self_tuned_graph(np.array([[0.0], [1.0], [5.0]]), n_neighbors=1)
    >>> graph.toarray().round(3)
    array([[0.   , 0.368, 0.   ],
           [0.368, 0.   , 0.018],
           [0.   , 0.018, 0.   ]])
    """
    n_neighbors = min(n_neighbors, len(X) - 1)
    if n_neighbors < 1:
        return csr_matrix((len(X), len(X)), dtype=X.dtype)
    rows = np.ldexp(X, -np.frexp(np.abs(X).max())[1])
    index = fit_neighbors(rows, n_neighbors, transformer=neighbors)
    graph = index.kneighbors_graph(mode="distance").tocsr()
    distances = graph.data.reshape(len(X), n_neighbors)
    scales = np.maximum(distances.max(axis=1), MIN_SCALE)
    products = scales[:, None] * scales[graph.indices].reshape(distances.shape)
    graph.data = np.exp(-(distances**2) / products).ravel().astype(X.dtype)
    return graph.maximum(graph.T).tocsr()
