"""Powers and unit lengths of rows, and means with their neighbors."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import identity
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from skda.preprocessing._cosine_graph import (
    index_and_graph,
    neighbor_similarities,
    symmetric_normalization,
)
from skda.utils._sklearn import BaseEstimator, TransformerMixin, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.operations import row_sums, validate_data
from skda.utils.ranges import Count, Power, Transformer
from skda.utils.scaling import normalize_rows, rescale_rows

__all__ = ["GraphSmoother", "RowScaler"]

FLOATS = (np.float64, np.float32)


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
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).

    Attributes
    ----------
    neighbors_ : NearestNeighbors or its like
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
    neighbors: Transformer = None

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
        self.neighbors_, graph = index_and_graph(
            rescale_rows(rows), self.n_neighbors, self.neighbors
        )
        graph = (graph + identity(len(rows), dtype=rows.dtype)).tocsr()
        self.degree_ = np.asarray(graph.sum(axis=1)).ravel()
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
