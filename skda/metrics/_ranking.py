"""Rankings of a gallery by the queries that count, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils import check_array
from sklearn.utils.multiclass import unique_labels

from skda.utils.arrays import to_numpy
from skda.utils.labels import check_labels
from skda.utils.warnings import warn_user

__all__ = [
    "Codes",
    "average_precisions",
    "check_codes",
    "check_k",
    "measured",
    "precisions_at_relevant",
]

#: Cosines are compared to so many decimals: equal rows tie, however they are rounded.
DECIMALS = 12
#: Most memory, in MiB, that the rankings of a chunk may take: a larger working_memory
#: of scikit-learn makes nothing faster.
MOST_MEMORY = 128
#: Arrays of the size of the similarities that the ranks of a chunk take.
WORKSPACES = 7

#: From relevance and similarities of some queries to a row, or a number, for each.
Measure = Callable[[NDArray[np.bool_], NDArray[np.float64]], NDArray[np.float64]]


def average_precisions(
    relevant: ArrayLike, similarities: ArrayLike, *, k: int | None = None
) -> NDArray[np.float64]:
    r"""Average precision of the ranking that each query gives to a gallery.

    With :math:`R` relevant items, whose ranks are :math:`r_1 \le \dots \le r_R`,

    .. math:: \mathrm{AP} = \frac{1}{R} \sum_{i=1}^{R} \frac{i}{r_i},
        \qquad
        \mathrm{AP@}k = \frac{1}{\min(R, k)} \sum_{i:\, r_i \le k} \frac{i}{r_i}.

    Items of equal similarity all have the worst of their ranks, as in
    :func:`sklearn.metrics.label_ranking_average_precision_score`. So the order of the
    gallery does not matter, and a ranking of ties only is worth the share of relevant
    items, not whatever a sort makes of it.

    Parameters
    ----------
    relevant : array-like of shape (n_queries, n_items)
        Whether each item is relevant to each query.
    similarities : array-like of shape (n_queries, n_items)
        The more similar an item is, the lower is its rank.
    k : int, default=None
        How many ranks count; None is all of them.

    Returns
    -------
    ndarray of shape (n_queries,)
        Average precisions; NaN for a query without relevant items.

    Raises
    ------
    ValueError
        If the shapes differ, a similarity is NaN or infinite, or `k` is not positive.

    See Also
    --------
    mean_average_precision_score : Their mean, from embeddings and labels.

    Examples
    --------
    >>> from skda.metrics import average_precisions
    >>> average_precisions([[1, 0, 1, 0]], [[0.9, 0.8, 0.7, 0.6]])  # (1/1 + 2/3) / 2
    array([0.833])
    >>> average_precisions([[1, 0, 1, 0]], [[0.5, 0.5, 0.5, 0.5]])
    array([0.5])
    """
    scores = check_array(
        to_numpy(similarities), dtype=np.float64, input_name="similarities"
    )
    is_relevant = np.asarray(relevant, dtype=bool)
    if is_relevant.shape != scores.shape:
        raise ValueError(
            f"Expected relevant and similarities of one shape (n_queries, n_items), "
            f"got {is_relevant.shape} and {scores.shape}."
        )
    depth = scores.shape[1] if k is None else check_k(k)
    precisions, ranks = precisions_at_relevant(is_relevant, scores)
    best = np.minimum(is_relevant.sum(axis=1), depth)
    total = np.where(ranks <= depth, precisions, 0.0).sum(axis=1)
    return np.divide(total, best, out=np.full(len(best), np.nan), where=best > 0)


class Codes(NamedTuple):
    """Labels of the queries and items that count, as numbers.

    Parameters
    ----------
    query : ndarray of shape (n_counting_queries,)
        Labels of the queries that have a relevant item.
    gallery : ndarray of shape (n_labeled_items,)
        Labels of the labeled items.
    query_rows : ndarray of shape (n_counting_queries,)
        Which queries these are.
    gallery_rows : ndarray of shape (n_labeled_items,)
        Which items these are.
    """

    query: NDArray[np.int64]
    gallery: NDArray[np.int64]
    query_rows: NDArray[np.int64]
    gallery_rows: NDArray[np.int64]


def check_codes(y_query: ArrayLike, y_gallery: ArrayLike) -> Codes:
    """Keep the queries that have a relevant item; an error if there is none.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries; one that is missing does not count.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery; one that is missing does not count.

    Returns
    -------
    Codes
        The labels that count.
    """
    query, gallery = check_labels(y_query, y_query), check_labels(y_gallery, y_gallery)
    rows, gallery_rows = np.flatnonzero(query.known), np.flatnonzero(gallery.known)
    classes, shared = [], np.zeros(len(rows), dtype=bool)
    if rows.size and gallery_rows.size:
        classes = unique_labels(query.values, gallery.values)
        shared = np.isin(query.values, gallery.values)
    if not shared.any():
        raise ValueError(
            f"Expected a label on both sides, but no query has a relevant item: of "
            f"{len(query.known)} queries and {len(gallery.known)} items, {len(rows)} "
            f"and {len(gallery_rows)} are labeled."
        )
    if not shared.all():
        warn_user(
            f"{np.count_nonzero(~shared)} of {len(shared)} queries have no relevant "
            f"item in the gallery: they are left out."
        )
    return Codes(
        np.searchsorted(classes, query.values[shared]),
        np.searchsorted(classes, gallery.values),
        rows[shared],
        gallery_rows,
    )


def measured(
    y_query: ArrayLike,
    y_gallery: ArrayLike,
    query: ArrayLike,
    gallery: ArrayLike,
    measure: Measure,
) -> NDArray[np.float64]:
    """Measure the rankings of the queries that count, chunk by chunk.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery.
    query : array-like of shape (n_queries, n_components)
        Embeddings of the queries.
    gallery : array-like of shape (n_items, n_components)
        Embeddings of the gallery.
    measure : callable
        From relevance and similarities, both of shape (n_chunk, n_items), to an array
        with a row, or a number, for each query.

    Returns
    -------
    ndarray of shape (n_counting_queries, ...)
        What was measured.
    """
    queries = _prepare_rows(query, y_query, "query")
    items = _prepare_rows(gallery, y_gallery, "gallery")
    if queries.shape[1] != items.shape[1]:
        raise ValueError(
            f"Expected query and gallery in one space, got embeddings of shapes "
            f"{queries.shape} and {items.shape}."
        )
    codes = check_codes(y_query, y_gallery)

    def reduce(distances: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        of_chunk = codes.query[start : start + len(distances), None]
        return measure(of_chunk == codes.gallery, np.round(1 - distances, DECIMALS))

    parts = pairwise_distances_chunked(
        queries[codes.query_rows],
        items[codes.gallery_rows],
        metric="cosine",
        reduce_func=reduce,
        working_memory=min(get_config()["working_memory"], MOST_MEMORY) / WORKSPACES,
    )
    return np.concatenate(list(parts))


def precisions_at_relevant(
    relevant: NDArray[np.bool_], similarities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the precision at the rank of every relevant item.

    Parameters
    ----------
    relevant : ndarray of shape (n_queries, n_items)
        Whether each item is relevant to each query.
    similarities : ndarray of shape (n_queries, n_items)
        The more similar an item is, the lower is its rank.

    Returns
    -------
    precisions : ndarray of shape (n_queries, n_most_relevant)
        Precisions at the relevant items of each query, in the order of their ranks, and
        0 where another query has more of them.
    ranks : ndarray of shape (n_queries, n_most_relevant)
        Their ranks from 1 on, the worst one for items of equal similarity, and infinity
        where another query has more of them.
    """
    counts = relevant.sum(axis=1)
    shape = len(counts), counts.max(initial=0)
    precisions, ranks = np.zeros(shape), np.full(shape, np.inf)
    # One sort tells of any similarity how many items have at least as much.
    ascending = np.sort(similarities, axis=1)
    for row, count in enumerate(counts):
        hits = np.sort(similarities[row, relevant[row]])
        ranks[row, :count] = _n_as_similar(ascending[row], hits)[::-1]
        precisions[row, :count] = _n_as_similar(hits, hits)[::-1] / ranks[row, :count]
    return precisions, ranks


def _n_as_similar(
    ascending: NDArray[np.float64], similarities: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count the entries of a sorted array that are not below each similarity."""
    below: NDArray[np.int64] = np.searchsorted(ascending, similarities)
    return len(ascending) - below


def _prepare_rows(X: ArrayLike, y: ArrayLike, role: str) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = check_array(
        to_numpy(X), dtype=np.float64, input_name=role
    )
    n_labels = len(np.atleast_1d(np.asarray(y, dtype=object)))
    if n_labels != len(rows):
        raise ValueError(
            f"Expected a label for each of the {len(rows)} rows of {role}, got "
            f"{n_labels}: row i of {role} must belong to label i of y_{role}."
        )
    return rows


def check_k(k: int) -> int:
    """Check a number of ranks.

    Parameters
    ----------
    k : int
        Number of ranks.

    Returns
    -------
    int
        The same.
    """
    if not isinstance(k, Integral) or k < 1:
        raise ValueError(f"Expected k to be a positive number of ranks, got {k!r}.")
    return int(k)
