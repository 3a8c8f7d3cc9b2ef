"""Powers and unit lengths of rows, and the graph of their nearest neighbors."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, diags_array, identity
from sklearn import config_context
from sklearn.base import OneToOneFeatureMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import BaseEstimator, TransformerMixin, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.operations import normalize, recordable, row_sums, validate_data
from skda.utils.ranges import Count, Power
from skda.utils.scaling import normalize_rows, rescale_rows

__all__ = [
    "GraphSmoother",
    "RowScaler",
    "cosine_graph",
    "neighbor_similarities",
    "symmetric_normalization",
]

FLOATS = (np.float64, np.float32)
#: Rows at most whose neighbors are found without all that scikit-learn checks.
FEW_ROWS = 16


def cosine_graph(X: NDArray[Any], n_neighbors: int = 10) -> csr_matrix:
    r"""Build the graph of the nearest neighbors under cosine similarity.

    Row :math:`i` is connected to its nearest neighbors by the weight
    :math:`\max(\cos(x_i, x_j), 0)`; the larger of two directions counts for both.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    n_neighbors : int, default=10
        Number of neighbors of every row, itself not counted; at most ``n - 1``.

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
    neighbors = NearestNeighbors(n_neighbors=n_neighbors, metric="cosine")
    graph = neighbor_similarities(neighbors.fit(rescale_rows(X)), None, X.dtype)
    return graph.maximum(graph.T).tocsr()


@recordable
def neighbor_similarities(
    neighbors: NearestNeighbors, X: NDArray[Any] | None, dtype: Any
) -> csr_matrix:
    """Weight the nearest neighbors of rows in an index by their similarity.

    Parameters
    ----------
    neighbors : NearestNeighbors
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


def _is_quick(neighbors: NearestNeighbors, rows: NDArray[Any]) -> bool:
    """Say whether scikit-learn would take longer to look at rows than to search."""
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


@estimator
class RowScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take a power of every feature, then scale every row to unit length.

    The root of bag-of-words counts, and of other features that are never negative,
    keeps a few large ones from deciding the direction of a row. ``RowScaler(0.5)``
    takes the root whatever the sign, and ``RowScaler(1.0)`` gives plain unit rows.

    **Not for** tables of few features, or of features in different units: there, the
    length of a row tells the classes apart, or one feature decides its direction.

    Parameters
    ----------
    power : float or "auto"
        Power of the absolute value, whose sign stays; "auto" is 0.5 if no feature seen
        in ``fit`` is negative, else 1.
    normalize
        Whether to scale the rows to unit length; a row of zeros stays one.

    Attributes
    ----------
    power_ : float
        The power taken.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from skda.preprocessing import RowScaler
    >>> RowScaler().fit_transform([[9.0, 16.0]])
    array([[0.6, 0.8]])
    """

    power: Power = field(default="auto", kw_only=False)
    normalize: bool = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Determine the power.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        rows = validate_data(self, to_numpy(X), dtype=FLOATS)
        automatic = 0.5 if rows.min() >= 0 else 1.0
        self.power_ = automatic if self.power == "auto" else float(self.power)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Scale samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Scaled samples.
        """
        check_is_fitted(self)
        rows = validate_data(self, to_numpy(X), dtype=FLOATS, reset=False)
        if self.power_ != 1:
            rows = np.sign(rows) * np.abs(rows) ** rows.dtype.type(self.power_)
        return normalize_rows(rows) if self.normalize else rows


@estimator
class GraphSmoother(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Move every row towards its nearest neighbors, then scale it to unit length.

    The rows in ``fit`` become those of :math:`S X` with
    :math:`S = D^{-1/2} (W + I) D^{-1/2}`, where :math:`W` is
    :func:`cosine_graph`. A new row is mixed with its neighbors among them by the same
    weights, so the training rows are kept. ``fit(X).transform(X)`` takes every row for
    a new one, whose nearest neighbor is its own double; ``fit_transform(X)`` does not.

    Parameters
    ----------
    n_neighbors
        Number of neighbors.

    Attributes
    ----------
    neighbors_ : NearestNeighbors
        Index of the training rows.
    degree_ : ndarray of shape (n_samples,)
        Degrees :math:`D` of the training rows.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import GraphSmoother
    >>> X = np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> GraphSmoother(n_neighbors=1).fit_transform(X).round(2)
    array([[0.94, 0.33],
           [0.83, 0.55]])
    """

    n_neighbors: Count = field(default=10, kw_only=False)

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Build the graph.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        self.fit_transform(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: ArrayLike, y: Any = None) -> NDArray[np.floating]:
        """Build the graph and smooth its own rows over it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Smoothed samples.
        """
        rows = validate_data(self, to_numpy(X), dtype=FLOATS)
        graph = cosine_graph(rows, self.n_neighbors)
        graph = (graph + identity(len(rows), dtype=rows.dtype)).tocsr()
        self.degree_ = np.asarray(graph.sum(axis=1)).ravel()
        self.neighbors_ = NearestNeighbors(
            n_neighbors=min(self.n_neighbors, len(rows)), metric="cosine"
        ).fit(rescale_rows(rows))
        self._shares = rows / np.sqrt(self.degree_)[:, None]
        return normalize_rows(symmetric_normalization(graph) @ rows)

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Mix new samples with their neighbors in the graph.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Smoothed samples.
        """
        check_is_fitted(self)
        rows = validate_data(self, to_numpy(X), dtype=FLOATS, reset=False)
        weights = neighbor_similarities(self.neighbors_, rows, rows.dtype)
        degree = 1 + row_sums(weights)  # (n, 1), its own weight included
        mixed = rows / degree + weights @ self._shares / np.sqrt(degree)
        return normalize_rows(mixed)
