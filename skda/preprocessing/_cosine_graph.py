"""The graph of nearest neighbors under the cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from skda.utils.neighbors import BaseNeighbors, fit_neighbors
from skda.utils.operations import normalize, recordable
from skda.utils.scaling import rescale_rows

__all__ = [
    "cosine_graph",
    "index_and_graph",
    "neighbor_similarities",
    "symmetric_normalization",
]

#: Rows at most whose neighbors are found without all that scikit-learn checks.
FEW_ROWS = 16


def cosine_graph(
    X: NDArray[Any], n_neighbors: int = 10, neighbors: Any = None
) -> csr_matrix:
    r"""Build the graph of the nearest neighbors under cosine similarity.

    Row :math:`i` is connected to its nearest neighbors by the weight
    :math:`\max(\cos(x_i, x_j), 0)`; the larger of two directions counts for both.

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

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import cosine_graph
    >>> X = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> cosine_graph(X, n_neighbors=1).toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """
    n_neighbors = min(n_neighbors, len(X) - 1)
    if n_neighbors < 1:
        return csr_matrix((len(X), len(X)), dtype=X.dtype)
    index = fit_neighbors(
        rescale_rows(X), n_neighbors, cosine=True, transformer=neighbors
    )
    return _symmetric_graph(index, X.dtype)


def index_and_graph(
    X: NDArray[Any], n_neighbors: int, neighbors: Any = None
) -> tuple[Any, csr_matrix]:
    """Index rows under the cosine for new rows, and build their own graph.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    n_neighbors : int
        Number of neighbors of every row; at most ``n`` for new rows, and ``n - 1`` for
        those of the index.
    neighbors : transformer, default=None
        What searches, see :func:`cosine_graph`.

    Returns
    -------
    index : NearestNeighbors or BaseNeighbors
        The index.
    graph : csr_matrix of shape (n, n)
        :func:`cosine_graph`.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing._cosine_graph import index_and_graph
    >>> index, graph = index_and_graph(np.array([[1.0, 0.0], [2.0, 0.0]]), 1)
    >>> graph.toarray()
    array([[0., 1.],
           [1., 0.]])
    """
    n_others = len(X) - 1
    if neighbors is not None and n_others:
        wanted = min(n_neighbors, n_others)
        index = fit_neighbors(X, wanted, cosine=True, transformer=neighbors)
    else:
        index = fit_neighbors(X, min(n_neighbors, len(X)), cosine=True)
    if isinstance(index, BaseNeighbors):
        return index, _symmetric_graph(index, X.dtype)
    return index, cosine_graph(X, n_neighbors)


def _symmetric_graph(index: Any, dtype: Any) -> csr_matrix:
    """Weight the neighbors of the rows of an index, in either direction."""
    graph = neighbor_similarities(index, None, dtype)
    return graph.maximum(graph.T).tocsr()


@recordable
def neighbor_similarities(
    neighbors: NearestNeighbors | BaseNeighbors, X: NDArray[Any] | None, dtype: Any
) -> csr_matrix:
    """Weight the nearest neighbors of rows in an index by their similarity.

    Parameters
    ----------
    neighbors : NearestNeighbors or BaseNeighbors
        Index under the cosine metric.
    X : ndarray of shape (n, p) or None
        Rows; None takes every row of the index, with the others for neighbors.
    dtype : dtype
        Type of the weights.

    Returns
    -------
    csr_matrix of shape (n, n_indexed)
        Cosines, zero where negative.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import NearestNeighbors
    >>> from skda.preprocessing import neighbor_similarities
    >>> index = NearestNeighbors(n_neighbors=1, metric="cosine").fit(np.eye(2))
    >>> neighbor_similarities(index, np.array([[3.0, 4.0]]), float).toarray()
    array([[0. , 0.8]])
    """
    rows = None if X is None else rescale_rows(X)
    if rows is not None and _is_quick(neighbors, rows):
        graph = _quick_graph(neighbors, rows)
    else:
        # By default scikit-learn takes up to a gibibyte for the distances.
        with config_context(working_memory=64):
            graph = neighbors.kneighbors_graph(rows, mode="distance").tocsr()
    # Distances become similarities entry by entry: a stored zero is a weight of one.
    graph.data = np.clip(1 - graph.data, 0, None).astype(dtype)
    return graph


def _is_quick(neighbors: NearestNeighbors | BaseNeighbors, rows: NDArray[Any]) -> bool:
    """Say whether scikit-learn would take longer to look at rows than to search."""
    if isinstance(neighbors, BaseNeighbors):
        return False
    indexed = neighbors._fit_X
    return (
        neighbors._fit_method == "brute"
        and neighbors.effective_metric_ == "cosine"
        and isinstance(indexed, np.ndarray)
        and indexed.dtype == rows.dtype
        and indexed.shape[1:] == rows.shape[1:]
        and 0 < len(rows) <= FEW_ROWS
    )


def _quick_graph(neighbors: NearestNeighbors, rows: NDArray[Any]) -> csr_matrix:
    """Find the same neighbors as scikit-learn does, at the same distances."""
    distances = 1 - normalize(rows) @ normalize(neighbors._fit_X).T
    distances = distances.clip(0, 2)
    n, k = len(rows), neighbors.n_neighbors
    nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(distances, nearest, axis=1)
    order = np.argsort(found, axis=1)
    data, places = (np.take_along_axis(a, order, axis=1) for a in (found, nearest))
    starts = np.arange(0, n * k + 1, k)
    return csr_matrix((data.ravel(), places.ravel(), starts), distances.shape)


def symmetric_normalization(graph: csr_matrix) -> csr_matrix:
    r"""Divide every weight by the roots of both degrees, :math:`D^{-1/2} W D^{-1/2}`.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, non-negative weights.

    Returns
    -------
    csr_matrix of shape (n, n)
        The weights, with eigenvalues from -1 to 1; a row without neighbors is zero.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> from skda.preprocessing import symmetric_normalization
    >>> symmetric_normalization(csr_matrix([[0.0, 4.0], [4.0, 0.0]])).toarray()
    array([[0., 1.],
           [1., 0.]])
    """
    degree = np.asarray(graph.sum(axis=1)).ravel()
    scale = diags_array(np.divide(1, np.sqrt(degree), where=degree > 0, out=0 * degree))
    return (scale @ graph @ scale).tocsr()
