"""The nearest neighbors of rows: exact, approximate, or by the user's transformer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches

from skda.utils.many_rows import is_large
from skda.utils.warnings import warn_user

__all__ = [
    "ApproximateNeighbors",
    "BaseNeighbors",
    "TransformerNeighbors",
    "fit_neighbors",
]

#: Links of a row in the index of faiss, and how many rows it looks at when it links a
#: row and when it searches: some 97 of 100 neighbors are found, and others as near.
LINKS, LOOK_AT_TO_LINK, LOOK_AT = 16, 24, 24
#: How many it looks at for rows whose search does not lead to themselves.
LOOK_AT_AGAIN = 512
#: Numbers in a block of rows beside their neighbors.
BLOCK = 2**22

Rows = NDArray[Any]
Places = NDArray[np.intp]


def fit_neighbors(
    X: Rows, n_neighbors: int, *, cosine: bool = False, transformer: Any = None
) -> Any:
    """Index rows for the search of their nearest neighbors.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    n_neighbors : int
        Number of neighbors that will be asked for.
    cosine : bool, default=False
        Whether the distance is one minus the cosine, and not the Euclidean one.
    transformer : transformer or None, default=None
        What searches, after scikit-learn's ``KNeighborsTransformer``. None searches
        exactly up to 10,000 rows (:func:`skda.utils.many_rows.is_large`), beyond by an
        approximate index of faiss; without faiss exactly, with a warning.

    Returns
    -------
    NearestNeighbors or BaseNeighbors
        With the methods ``kneighbors`` and ``kneighbors_graph``, where None as rows are
        those of the index, of which none is its own neighbor.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.neighbors import fit_neighbors
    >>> index = fit_neighbors(np.array([[0.0], [1.0], [3.0]]), 1)
    >>> index.kneighbors(return_distance=False).ravel()
    array([1, 0, 1])
    """
    if transformer is not None:
        return TransformerNeighbors(transformer, n_neighbors, cosine=cosine).fit(X)
    if is_large(len(X)):
        if find_spec("faiss") is not None:
            return ApproximateNeighbors(n_neighbors, cosine=cosine).fit(X)
        warn_user(
            f"The nearest neighbors of {len(X)} rows are searched exactly, which takes "
            f"four times as long for twice the rows: run pip install 'skda[faiss]' for "
            f"an approximate search, or pass a transformer as neighbors."
        )
    metric = "cosine" if cosine else "minkowski"
    return NearestNeighbors(n_neighbors=n_neighbors, metric=metric).fit(X)


class BaseNeighbors(ABC):
    """Search that says which rows are near; their distances are computed here.

    Parameters
    ----------
    n_neighbors : int
        Number of neighbors.
    cosine : bool, default=False
        Whether the distance is one minus the cosine, and not the Euclidean one.
    """

    n_samples_fit_: int

    def __init__(self, n_neighbors: int, *, cosine: bool = False) -> None:
        self.n_neighbors = n_neighbors
        self.cosine = cosine

    @abstractmethod
    def _prepare(self, X: Rows) -> Rows:
        """Bring rows to the form in which they are indexed."""

    @abstractmethod
    def _indexed(self) -> Rows:
        """Show the rows of the index, in that form."""

    @abstractmethod
    def _find(self, points: Rows | None) -> Places:
        """Find the neighbors of every row; None are the rows of the index."""

    def kneighbors(self, X: Rows | None = None, *, return_distance: bool = True) -> Any:
        """Find the nearest neighbors, as ``NearestNeighbors`` does.

        Parameters
        ----------
        X : ndarray of shape (n, p) or None, default=None
            Rows; None are those of the index, with the others for neighbors.
        return_distance : bool, default=True
            Whether the distances are wanted.

        Returns
        -------
        distances, indices : ndarray of shape (n, n_neighbors)
            The nearest first; the indices alone without ``return_distance``.
        """
        points = None if X is None else self._prepare(X)
        places = self._find(points)
        indexed = self._indexed()
        distances = self._measure(indexed if points is None else points, places)
        order = np.argsort(distances, axis=1, kind="stable")
        places = np.take_along_axis(places, order, axis=1)
        if not return_distance:
            return places
        return np.take_along_axis(distances, order, axis=1), places

    def kneighbors_graph(
        self, X: Rows | None = None, *, mode: str = "connectivity"
    ) -> csr_matrix:
        """Connect rows to their nearest neighbors, as ``NearestNeighbors`` does.

        Parameters
        ----------
        X : ndarray of shape (n, p) or None, default=None
            Rows; None are those of the index, with the others for neighbors.
        mode : {"connectivity", "distance"}, default="connectivity"
            Whether the entries are ones or distances.

        Returns
        -------
        csr_matrix of shape (n, n_samples_fit)
            As many entries in every row as there are neighbors.
        """
        distances, places = self.kneighbors(X)
        if mode == "connectivity":
            distances = np.ones_like(distances)
        starts = np.arange(0, places.size + 1, self.n_neighbors)
        shape = len(places), self.n_samples_fit_
        return csr_matrix((distances.ravel(), places.ravel(), starts), shape=shape)

    def _measure(self, points: Rows, places: Places) -> NDArray[np.float64]:
        """Compute the distances of rows to some rows of the index each."""
        indexed = self._indexed()
        distances = np.empty(places.shape)
        n_numbers = places.shape[1] * points.shape[1]
        for batch in gen_batches(len(points), max(1, BLOCK // n_numbers)):
            near, own = indexed[places[batch]], points[batch, None]
            if self.cosine:
                distances[batch] = 1 - np.einsum("nkp,nup->nk", near, own)
            else:
                near -= own
                distances[batch] = np.sqrt(np.einsum("nkp,nkp->nk", near, near))
        return distances


class ApproximateNeighbors(BaseNeighbors):
    """Approximate search by a hierarchical graph of faiss (HNSW).

    The graph is built on one thread, which makes it the same on any machine; searches
    use all. Rows are kept in single precision, the mean of all taken from them before.
    A row of the index whose search does not end at itself is searched for anew, among
    more rows and at last among all: what is wrong with the graph stays an exception.

    Parameters
    ----------
    n_neighbors : int
        Number of neighbors.
    cosine : bool, default=False
        Whether the distance is one minus the cosine, and not the Euclidean one.
    """

    def fit(self, X: Rows) -> Self:
        """Index rows.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.

        Returns
        -------
        self : object
            The index.
        """
        self.n_samples_fit_ = len(X)
        if not self.cosine:
            self._center = X.mean(axis=0)
            self._exponent = np.frexp(np.abs(X - self._center).max())[1]
        self._index = _faiss().IndexHNSWFlat(X.shape[1], LINKS)
        self._index.hnsw.efConstruction = LOOK_AT_TO_LINK
        with _one_thread():
            for batch in gen_batches(len(X), max(1, BLOCK // X.shape[1])):
                self._index.add(self._prepare(X[batch]))
        return self

    def _prepare(self, X: Rows) -> Rows:
        if self.cosine:
            return np.ascontiguousarray(normalize(X), dtype=np.float32)
        scaled = np.ldexp(X - self._center, -self._exponent)
        return np.ascontiguousarray(scaled, dtype=np.float32)

    def _indexed(self) -> Rows:
        faiss = _faiss()
        vectors = faiss.downcast_index(self._index.storage)
        size = vectors.ntotal * vectors.d
        return faiss.rev_swig_ptr(vectors.get_xb(), size).reshape(-1, vectors.d)

    def _measure(self, points: Rows, places: Places) -> NDArray[np.float64]:
        distances = super()._measure(points, places)
        return distances if self.cosine else np.ldexp(distances, self._exponent)

    def _find(self, points: Rows | None) -> Places:
        queries = self._indexed() if points is None else points
        n_wanted = self.n_neighbors + (points is None)
        squares, places = self._search(queries, n_wanted, LOOK_AT)
        astray = _astray(squares, places, among=points is None)
        if len(astray):
            near = queries[astray]
            squares, found = self._search(near, n_wanted, LOOK_AT_AGAIN)
            lost = _astray(squares, found, among=points is None)
            if len(lost):
                found[lost] = self._search_all(near[lost], n_wanted)
            places[astray] = found
        return places if points is not None else _leave_out_own(places)

    def _search(
        self, points: Rows, n_wanted: int, look_at: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        width = max(look_at, 2 * n_wanted)
        parameters = _faiss().SearchParametersHNSW(efSearch=width)
        squares, places = self._index.search(points, n_wanted, params=parameters)
        return squares, places

    def _search_all(self, points: Rows, n_wanted: int) -> NDArray[np.int64]:
        return np.asarray(_faiss().knn(points, self._indexed(), n_wanted)[1])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_index": _faiss().serialize_index(self._index)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        index = _faiss().deserialize_index(state["_index"])
        vars(self).update(state | {"_index": index})


class TransformerNeighbors(BaseNeighbors):
    """Search by a transformer after scikit-learn's ``KNeighborsTransformer``.

    The transformer says which rows are near, by the Euclidean distance; for cosines it
    gets rows of unit length. It is cloned, and asked for as many neighbors as it takes
    if it has the parameter ``n_neighbors``.

    Parameters
    ----------
    transformer : transformer
        Makes a sparse matrix of the neighbors of every row, in ``fit_transform`` of
        those that it is fitted on, in ``transform`` of new ones.
    n_neighbors : int
        Number of neighbors.
    cosine : bool, default=False
        Whether the distance is one minus the cosine, and not the Euclidean one.
    """

    def __init__(
        self, transformer: Any, n_neighbors: int, *, cosine: bool = False
    ) -> None:
        super().__init__(n_neighbors, cosine=cosine)
        self.transformer = transformer

    def fit(self, X: Rows) -> Self:
        """Index rows.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.

        Returns
        -------
        self : object
            The index.
        """
        self.n_samples_fit_ = len(X)
        self._points = self._prepare(X)
        self.transformer_ = clone(self.transformer)
        offered = self.transformer_.get_params(deep=False).get("n_neighbors")
        if offered is not None:
            # It may count a row as the first of its own neighbors.
            wanted = min(max(offered, self.n_neighbors + 1), len(X) - 1)
            self.transformer_.set_params(n_neighbors=wanted)
        graph = self.transformer_.fit_transform(self._points)
        self._own_places = self._pick(graph, self._points, leave_out_own=True)
        return self

    def _prepare(self, X: Rows) -> Rows:
        return np.asarray(normalize(X)) if self.cosine else X

    def _indexed(self) -> Rows:
        return self._points

    def _find(self, points: Rows | None) -> Places:
        if points is None:
            return self._own_places
        return self._pick(self.transformer_.transform(points), points)

    def _pick(self, graph: Any, points: Rows, *, leave_out_own: bool = False) -> Places:
        """Take the nearest of the neighbors that the transformer found."""
        found = graph.tocsr()
        rows = np.repeat(np.arange(len(points)), np.diff(found.indptr))
        places = found.indices.astype(np.intp)
        if leave_out_own:
            others = rows != places
            rows, places = rows[others], places[others]
        counts = np.bincount(rows, minlength=len(points))
        if len(points) and counts.min() < self.n_neighbors:
            raise ValueError(
                f"neighbors={self.transformer!r} was to find {self.n_neighbors} other "
                f"rows near every row, got {counts.min()} for one of them: set its "
                f"number of neighbors higher."
            )
        distances = np.empty(len(rows))
        for batch in gen_batches(len(rows), max(1, BLOCK // points.shape[1])):
            distances[batch] = self._measure(
                points[rows[batch]], places[batch, None]
            ).ravel()
        order = np.lexsort((distances, rows))
        rank = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
        near = order[rank < self.n_neighbors]
        return places[near].reshape(len(points), self.n_neighbors)


def _astray(
    squares: NDArray[np.float32], places: NDArray[np.int64], *, among: bool
) -> Places:
    """Name the rows that lack neighbors or, being among these, were not found."""
    astray = places.min(axis=1) < 0
    return np.flatnonzero(astray | (squares[:, 0] > 0) if among else astray)


def _leave_out_own(places: NDArray[np.int64]) -> Places:
    """Leave out every row from the neighbors of itself, else the last of them."""
    others = places != np.arange(len(places))[:, None]
    others[others.all(axis=1), -1] = False
    return places[others].reshape(len(places), -1)


def _faiss() -> Any:
    import faiss  # noqa: PLC0415 (optional)

    return faiss


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run faiss on one thread inside the block."""
    faiss = _faiss()
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(n_threads)
