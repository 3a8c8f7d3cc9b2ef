"""How well queries find the items of a gallery that share their label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.metrics._ranking import (
    average_precisions,
    check_codes,
    check_k,
    measured,
    precisions_at_relevant,
)

__all__ = [
    "chance_average_precision",
    "mean_average_precision_score",
    "mean_over_directions",
    "recall_at_k_score",
    "retrieval_precision_recall_curve",
]

Metric = Callable[[ArrayLike, ArrayLike, NDArray[Any], NDArray[Any]], float]


def mean_average_precision_score(
    y_query: ArrayLike,
    y_gallery: ArrayLike,
    query: ArrayLike,
    gallery: ArrayLike,
    *,
    k: int | None = None,
) -> float:
    """Mean average precision (mAP) of queries that rank a gallery by cosine.

    An item is relevant if it has the label of the query. See
    :func:`average_precisions` for the formula and for ties, and
    :func:`chance_average_precision` for what a random ranking has.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries; one whose label is missing (-1, None, NaN or pandas.NA)
        does not count.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery; an item whose label is missing is not ranked.
    query : array-like of shape (n_queries, n_components)
        Embeddings of the queries. A row of zeros has cosine 0 with every item.
    gallery : array-like of shape (n_items, n_components)
        Embeddings of the gallery.
    k : int, default=None
        How many ranks count; None is all of them.

    Returns
    -------
    float
        The mean over the queries that have a relevant item. A warning tells how many
        have none and are left out.

    Raises
    ------
    ValueError
        If no query has a relevant item, or embeddings and labels do not match.

    Notes
    -----
    Queries come in chunks of 128 MiB at most, or of the `working_memory` of
    :func:`sklearn.set_config` if that is less. Cosines are compared to twelve decimals,
    so that equal rows tie.

    Examples
    --------
    >>> from skda.metrics import mean_average_precision_score
    >>> texts, images = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.1], [2.0, 1.0]]
    >>> mean_average_precision_score(["cat", "dog"], ["cat", "dog"], texts, images)
    1.0
    """
    measure = partial(average_precisions, k=None if k is None else check_k(k))
    return float(measured(y_query, y_gallery, query, gallery, measure).mean())


def recall_at_k_score(
    y_query: ArrayLike,
    y_gallery: ArrayLike,
    query: ArrayLike,
    gallery: ArrayLike,
    *,
    k: int = 10,
) -> float:
    """Share of the queries that find a relevant item among the first `k` (R@k).

    This is what work on cross-modal retrieval calls recall at k, and others the success
    or hit rate: one relevant item is enough. Items of equal cosine all have the worst
    of their ranks.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries; one whose label is missing (-1, None, NaN or pandas.NA)
        does not count.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery; an item whose label is missing is not ranked.
    query : array-like of shape (n_queries, n_components)
        Embeddings of the queries. A row of zeros has cosine 0 with every item.
    gallery : array-like of shape (n_items, n_components)
        Embeddings of the gallery.
    k : int, default=10
        How many items are looked at.

    Returns
    -------
    float
        The share, of the queries that have a relevant item. A warning tells how many
        have none and are left out.

    Raises
    ------
    ValueError
        If no query has a relevant item, or embeddings and labels do not match.

    Examples
    --------
    >>> from skda.metrics import recall_at_k_score
    >>> texts, images = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.1], [2.0, 1.0]]
    >>> recall_at_k_score(["cat", "dog"], ["dog", "cat"], texts, images, k=1)
    0.0
    """
    depth = check_k(k)

    def found(
        relevant: NDArray[np.bool_], similarities: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        best = np.where(relevant, similarities, -np.inf).max(axis=1, keepdims=True)
        first = (similarities >= best).sum(axis=1)
        return (first <= depth).astype(np.float64)

    return float(measured(y_query, y_gallery, query, gallery, found).mean())


def retrieval_precision_recall_curve(
    y_query: ArrayLike,
    y_gallery: ArrayLike,
    query: ArrayLike,
    gallery: ArrayLike,
    *,
    n_points: int = 101,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolated precision at evenly spaced recalls, averaged over the queries.

    The interpolated precision of a query at a recall is its best precision at that
    recall or a greater one.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries; one whose label is missing (-1, None, NaN or pandas.NA)
        does not count.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery; an item whose label is missing is not ranked.
    query : array-like of shape (n_queries, n_components)
        Embeddings of the queries. A row of zeros has cosine 0 with every item.
    gallery : array-like of shape (n_items, n_components)
        Embeddings of the gallery.
    n_points : int, default=101
        Number of recalls, from 0 to 1; at least two.

    Returns
    -------
    precision : ndarray of shape (n_points,)
        Mean over the queries that have a relevant item.
    recall : ndarray of shape (n_points,)
        The recalls.

    Raises
    ------
    ValueError
        If no query has a relevant item, embeddings and labels do not match, or
        `n_points` is less than two.

    Examples
    --------
    >>> from skda.metrics import retrieval_precision_recall_curve
    >>> texts, images = [[1.0, 0.0]], [[1.0, 0.1], [1.0, 0.5], [1.0, 2.0]]
    >>> retrieval_precision_recall_curve([0], [0, 1, 0], texts, images, n_points=3)
    (array([1.   , 1.   , 0.667]), array([0. , 0.5, 1. ]))
    """
    if n_points < 2:
        raise ValueError(f"Expected at least two points of recall, got {n_points}.")
    recall = np.linspace(0, 1, n_points)

    def interpolated(
        relevant: NDArray[np.bool_], similarities: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        precisions, _ = precisions_at_relevant(relevant, similarities)
        counts = relevant.sum(axis=1)
        best = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
        n_found = np.ceil(recall * counts[:, None] - 1e-9).astype(int)
        return np.take_along_axis(best, np.maximum(n_found, 1) - 1, axis=1)

    curves = measured(y_query, y_gallery, query, gallery, interpolated)
    return curves.mean(axis=0), recall


def chance_average_precision(y_query: ArrayLike, y_gallery: ArrayLike) -> float:
    r"""Mean average precision that is to be expected of a random ranking.

    For a query with :math:`R` relevant items among :math:`N`, all orders of which are
    equally likely,

    .. math:: \mathrm{E}[\mathrm{AP}] = \frac{1}{N} \Bigl(\frac{R - 1}{N - 1} (N - H_N)
        + H_N\Bigr), \qquad H_N = \sum_{i=1}^{N} \frac{1}{i}.

    Parameters
    ----------
    y_query : array-like of shape (n_queries,)
        Labels of the queries; missing ones (-1, None, NaN or pandas.NA) do not count.
    y_gallery : array-like of shape (n_items,)
        Labels of the gallery, the partner of a query included if it is in there;
        missing ones do not count.

    Returns
    -------
    float
        The mean over the queries that have a relevant item. A warning tells how many
        have none and are left out.

    Raises
    ------
    ValueError
        If no query has a relevant item.

    Examples
    --------
    >>> from skda.metrics import chance_average_precision
    >>> chance_average_precision(["cat"], ["cat", "dog"])  # first or second
    0.75
    """
    codes = check_codes(y_query, y_gallery)
    counts = np.bincount(codes.gallery, minlength=1 + codes.query.max())[codes.query]
    n_items = len(codes.gallery)
    harmonic = (1 / np.arange(1, n_items + 1)).sum()
    others = (counts - 1) / max(n_items - 1, 1)
    return float((others * (n_items - harmonic) + harmonic).mean() / n_items)


def mean_over_directions(
    embeddings: Mapping[str, NDArray[Any]], y: ArrayLike, metric: Metric
) -> float:
    """Average a metric over all directions, from every view to every other one.

    Parameters
    ----------
    embeddings : mapping of str to ndarray of shape (n_samples, n_components)
        Embeddings of paired samples, by view.
    y : array-like of shape (n_samples,)
        Labels of the samples.
    metric : callable
        Called as ``metric(y_query, y_gallery, query, gallery)``, such as
        :func:`mean_average_precision_score`.

    Returns
    -------
    float
        The mean.

    Raises
    ------
    ValueError
        If there is one view only.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.metrics import mean_average_precision_score, mean_over_directions
    >>> views = {"image": np.eye(2), "text": np.array([[2.0, 1.0], [1.0, 2.0]])}
    >>> mean_over_directions(views, ["cat", "dog"], mean_average_precision_score)
    1.0
    """
    if len(embeddings) < 2:
        raise ValueError(
            f"Expected embeddings of two views or more, got {list(embeddings)}: "
            f"retrieval is from one view to another."
        )
    pairs = permutations(embeddings.values(), 2)
    return float(np.mean([metric(y, y, query, gallery) for query, gallery in pairs]))
