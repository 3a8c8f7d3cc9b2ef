"""Nearest neighbors by cosine, in a gallery that may be large."""

from __future__ import annotations

from importlib.util import find_spec
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from skda.utils._sklearn import BaseEstimator, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.operations import recordable
from skda.utils.ranges import Count

__all__ = ["GalleryIndex"]

#: Number of extra candidates, which tell whether a tie was cut.
N_EXTRA = 8
#: Error of the backends' squared distances and inner products.
TOLERANCE = 1e-5
#: A batch's candidates take the working memory divided by this.
MEMORY_DIVISOR = 8
#: Decimals to which similarities are compared, so that equal rows tie.
DECIMALS = 12


@estimator
class GalleryIndex(BaseEstimator):
    """Find the rows of a gallery that have the greatest cosine with each query.

    The search is exact: a backend proposes candidates, whose similarities are computed
    again and sorted, equal ones by their index. So all backends find the same.

    Parameters
    ----------
    backend
        What searches: :class:`sklearn.neighbors.NearestNeighbors` or the flat index of
        faiss. "auto" is faiss where it is installed (``pip install 'skda[faiss]'``).
    n_neighbors
        How many rows to find for each query, unless :meth:`search` is told otherwise.

    Attributes
    ----------
    n_samples_fit_ : int
        Number of rows of the gallery.
    n_features_in_ : int
        Width of the embeddings.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if those of the gallery are all strings.
    backend_ : {"sklearn", "faiss"}
        What searches.

    Notes
    -----
    The gallery is kept with rows of unit length, as float32 if it comes as float32.
    Similarities are rounded to twelve decimals, so that equal rows tie; a row of zeros
    has similarity 0 to everything. Queries come in chunks that respect the
    `working_memory` of :func:`sklearn.set_config`.

    Examples
    --------
    >>> from skda.retrieval import GalleryIndex
    >>> images = [[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]
    >>> index = GalleryIndex(n_neighbors=2).fit(images)
    >>> index.search([[0.0, 1.0]])
    (array([[1, 2]]), array([[1.   , 0.707]]))
    """

    backend: Literal["auto", "sklearn", "faiss"] = "auto"
    n_neighbors: Count = 10

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store the gallery.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Embeddings of the gallery.
        y : object, default=None
            Ignored.

        Returns
        -------
        GalleryIndex
            The index itself.

        Raises
        ------
        ModuleNotFoundError
            If faiss is asked for and not installed.
        """
        rows: Any = validate_data(self, to_numpy(X), dtype=[np.float64, np.float32])
        self.backend_ = _resolve_backend(self.backend)
        # A row of zeros gets a direction at right angles to all queries: in a Euclidean
        # metric, the origin would be closer to them than most rows are.
        self._points = _unit_points(rows)
        self._points[:, -1] = ~rows.any(axis=1)
        self.n_samples_fit_ = len(rows)
        self._neighbors: Any
        if self.backend_ == "faiss":
            self._neighbors = _FlatIndex(self._points)
        else:
            self._neighbors = NearestNeighbors(algorithm="brute").fit(self._points)
        return self

    @recordable
    def search(
        self, queries: ArrayLike, n_neighbors: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        """Find the most similar rows of the gallery.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_components)
            Embeddings of the queries.
        n_neighbors : int, default=None
            How many rows to find; None is the parameter of the index.

        Returns
        -------
        indices : ndarray of shape (n_queries, n_neighbors)
            Rows of the gallery, the most similar first, equal ones by their index.
        similarities : ndarray of shape (n_queries, n_neighbors)
            Their cosines.

        Raises
        ------
        ValueError
            If `n_neighbors` is not positive or more than the gallery has, or the widths
            of queries and gallery differ.
        """
        points = self._query_points(queries)
        return self._search(points, self._check_n_neighbors(n_neighbors))

    def expand(self, queries: ArrayLike, n_expansions: int) -> NDArray[np.floating]:
        """Add to each query the mean of its first hits, to search again with.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_components)
            Embeddings of the queries.
        n_expansions : int
            How many hits to add; 0 leaves the queries as they are.

        Returns
        -------
        ndarray of shape (n_queries, n_components)
            The query plus the mean of its hits, all of unit length, as is the result.

        Raises
        ------
        ValueError
            If `n_expansions` is negative or more than the gallery has, or the widths of
            queries and gallery differ.

        Examples
        --------
        >>> from skda.retrieval import GalleryIndex
        >>> index = GalleryIndex().fit([[1.0, 0.0], [0.0, 1.0]])
        >>> index.expand([[0.8, 0.6]], n_expansions=1).round(3)
        array([[0.949, 0.316]])
        """
        points = self._query_points(queries)
        if n_expansions == 0:
            return points[:, :-1]
        hits, _ = self._search(points, self._check_n_neighbors(n_expansions))
        parts = [
            points[batch] + self._points[hits[batch]].mean(axis=1)
            for batch in self._batches(len(points), n_expansions * points.shape[1])
        ]
        expanded: NDArray[np.floating] = normalize(np.concatenate(parts)[:, :-1])
        return expanded

    def _query_points(self, queries: ArrayLike) -> NDArray[np.floating]:
        check_is_fitted(self)
        rows: Any = validate_data(
            self, to_numpy(queries), dtype=self._points.dtype, reset=False
        )
        return _unit_points(rows)

    def _check_n_neighbors(self, n_neighbors: int | None) -> int:
        n_wanted = self.n_neighbors if n_neighbors is None else n_neighbors
        is_whole = isinstance(n_wanted, Integral)
        if not is_whole or not 1 <= n_wanted <= self.n_samples_fit_:
            raise ValueError(
                f"Expected from 1 to {self.n_samples_fit_} neighbors, as many as the "
                f"gallery has rows, got {n_wanted}."
            )
        return n_wanted

    def _search(
        self, points: NDArray[np.floating], n_wanted: int
    ) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        n_found = min(n_wanted + N_EXTRA, self.n_samples_fit_)
        _, candidates = self._neighbors.kneighbors(points, n_found)
        candidates.sort(axis=1)
        indices = np.empty((len(points), n_wanted), dtype=np.int64)
        similarities = np.empty((len(points), n_wanted), dtype=points.dtype)
        unsure = np.zeros(len(points), dtype=bool)
        for batch in self._batches(len(points), n_found * points.shape[1]):
            near = self._points[candidates[batch]].astype(np.float64, copy=False)
            scores = np.matmul(near, points[batch, :, None])[:, :, 0]
            best, similarities[batch] = _top_columns(scores, n_wanted)
            indices[batch] = np.take_along_axis(candidates[batch], best, axis=1)
            last = similarities[batch, -1]
            unsure[batch] = scores.min(axis=1) > last - TOLERANCE
        if n_found < self.n_samples_fit_ and unsure.any():
            # Rows that were not proposed may be as similar: look at all of them.
            self._search_all(points, np.flatnonzero(unsure), indices, similarities)
        return indices, similarities

    def _search_all(
        self,
        points: NDArray[np.floating],
        rows: NDArray[np.int64],
        indices: NDArray[np.int64],
        similarities: NDArray[np.floating],
    ) -> None:
        """Search the whole gallery for some of the queries, without a backend."""
        gallery = self._points.astype(np.float64, copy=False)
        for batch in self._batches(len(rows), 4 * self.n_samples_fit_):
            batch_rows = rows[batch]
            scores = points[batch_rows] @ gallery.T
            found = _top_columns(scores, indices.shape[1])
            indices[batch_rows], similarities[batch_rows] = found

    def _batches(self, n_rows: int, n_numbers: int) -> list[slice]:
        """Cut rows of so many numbers each into batches that fit into memory."""
        megabytes = max(1, n_numbers * self._points.itemsize) / 2**20
        n_fitting = int(get_config()["working_memory"] / MEMORY_DIVISOR / megabytes)
        return list(gen_batches(n_rows, max(1, n_fitting)))


class _FlatIndex:
    """The flat index of faiss, called like NearestNeighbors, that can be stored."""

    def __init__(self, points: NDArray[np.floating]) -> None:
        import faiss  # noqa: PLC0415 (optional)

        self.points = points
        self.index = faiss.IndexFlatIP(points.shape[1])
        self.index.add(points.astype(np.float32, copy=False))

    def kneighbors(
        self, queries: NDArray[np.floating], n_neighbors: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search, as NearestNeighbors does."""
        found = self.index.search(queries.astype(np.float32, copy=False), n_neighbors)
        similarities, indices = found
        return similarities, indices

    def __getstate__(self) -> dict[str, Any]:
        return {"points": self.points}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["points"])  # type: ignore[misc]


def _resolve_backend(backend: str) -> str:
    """Choose the backend, and check that it is installed."""
    installed = find_spec("faiss") is not None
    if backend == "faiss" and not installed:
        raise ModuleNotFoundError(
            "GalleryIndex(backend='faiss') searches with faiss, and faiss is not "
            "installed: run pip install 'skda[faiss]', or use backend='sklearn'.",
            name="faiss",
        )
    return {"auto": "faiss" if installed else "sklearn"}.get(backend, backend)


def _unit_points(X: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scale rows to unit length, and add a coordinate that is zero."""
    points: NDArray[np.floating] = np.zeros((len(X), X.shape[1] + 1), dtype=X.dtype)
    # The greatest entry first, lest squares overflow or scikit-learn take it for zero.
    greatest = np.abs(X).max(axis=1, keepdims=True)
    np.divide(X, greatest, out=points[:, :-1], where=greatest > 0)
    return np.asarray(normalize(points, copy=False))


def _top_columns(
    scores: NDArray[np.floating], n_wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Find the columns of the greatest scores, in order, equal ones as they come."""
    rounded = np.round(scores, DECIMALS)
    best = np.argsort(-rounded, axis=1, kind="stable")[:, :n_wanted]
    return best, np.take_along_axis(rounded, best, axis=1)
