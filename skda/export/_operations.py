"""How the operations of :mod:`skda.utils.operations` and others are written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base import GalleryIndex
from skda.export._graph import NotExportable
from skda.export._numpy import gather, interpolate, top_of_rows
from skda.export._recorded import Recorded, records
from skda.preprocessing import neighbor_similarities
from skda.utils.arrays import channels_first
from skda.utils.neighbors import BaseNeighbors
from skda.utils.operations import (
    cdist,
    check_array,
    expit,
    interpolate_columns,
    rbf_kernel,
    row_sums,
    softmax,
    squared_distances,
    take_rows,
    validate_data,
    xlogy,
)
from skda.utils.scaling import rescale_rows
from skda.utils.validation import check_magnitude

__all__ = ["smallest_of_rows", "squares_of_distances"]


@records(take_rows)
def _take_rows(codes: Recorded, table: NDArray[Any]) -> Recorded:
    return gather(codes, table)


@records(softmax)
def _softmax(X: Recorded, axis: int) -> Recorded:
    return X.then(softmax(X.value, axis), "Softmax", [X.name], axis=axis)


@records(expit)
def _expit(X: Recorded) -> Recorded:
    return X.then(expit(X.value), "Sigmoid", [X.name])


@records(xlogy)
def _xlogy(factor: Any, Y: Recorded) -> Any:
    if not isinstance(factor, Recorded) and np.all(factor == 0):
        return Y * 0.0
    # A logarithm of zero is as small as it gets.
    return factor * np.log(np.maximum(Y, np.finfo(Y.dtype).tiny))


@records(squared_distances)
def squares_of_distances(X: Recorded, Y: NDArray[Any]) -> Any:
    """Measure the squared distances between rows and those of an array.

    Parameters
    ----------
    X : Recorded of shape (n, p)
        Rows.
    Y : ndarray of shape (m, p)
        Others.

    Returns
    -------
    Recorded of shape (n, m)
        Squared distances.
    """
    squares = np.sum(X * X, axis=1, keepdims=True) + (Y**2).sum(axis=1)
    return np.maximum(squares - 2 * (X @ Y.T), 0)


@records(cdist)
def _cdist(X: Recorded, Y: NDArray[Any], metric: str = "euclidean") -> Any:
    squares = squares_of_distances(X, Y)
    if metric == "sqeuclidean":
        return squares
    if metric == "euclidean":
        return np.sqrt(squares)
    raise NotExportable(f"its prediction measures {metric} distances")


@records(rbf_kernel)
def _rbf_kernel(X: Recorded, Y: NDArray[Any], gamma: float) -> Any:
    return np.exp(-gamma * squares_of_distances(X, Y))


@records(row_sums)
def _row_sums(weights: Recorded) -> Any:
    return np.sum(weights, axis=1, keepdims=True)


@records(interpolate_columns)
def _interpolate_columns(X: Recorded, curves: Any) -> Any:
    pairs = zip(X.T, curves, strict=True)
    return np.column_stack([interpolate(x, *curve) for x, curve in pairs]).astype(
        X.dtype
    )


@records(GalleryIndex.search)
def _search(
    index: Any, queries: Recorded, n_neighbors: int | None = None
) -> tuple[Recorded, Recorded]:
    k = index.n_neighbors if n_neighbors is None else n_neighbors
    rows = _unit(np.asarray(index._points[:, :-1], dtype=np.float64))
    similarities = _unit(queries.astype(np.float64)) @ rows.T
    return top_of_rows(similarities, k, largest=1)[::-1]


@records(neighbor_similarities)
def _neighbor_similarities(neighbors: Any, X: Recorded, dtype: Any) -> Any:
    # A model searches exactly; whether an approximate search agrees, its check tells.
    ours = isinstance(neighbors, BaseNeighbors)
    indexed = neighbors._indexed() if ours else neighbors._fit_X
    rows, k = _unit(np.asarray(indexed)), neighbors.n_neighbors
    similarities = _unit(X) @ rows.T
    values, places = top_of_rows(similarities, k, largest=1)
    value = np.zeros_like(similarities.value)
    np.put_along_axis(value, places.value, values.value, axis=1)
    graph = X.graph
    nothing = graph.repeat(np.zeros((1, len(rows)), value.dtype), X.name)
    inputs = [nothing, places.name, values.name]
    weights = X.then(value, "ScatterElements", inputs, axis=1)
    return np.maximum(weights, 0).astype(dtype)


def _unit(X: Any) -> Any:
    """Scale rows to unit length; a row of zeros stays one."""
    X = rescale_rows(X)
    lengths = np.sqrt(np.sum(X * X, axis=1, keepdims=True))
    return X / np.where(lengths == 0, lengths.dtype.type(1), lengths)


@records(rescale_rows)
def _rescale_rows(X: Recorded) -> Any:
    """Divide by the largest entry itself: what is to be scaled comes next."""
    largest = np.max(np.abs(X), axis=1, keepdims=True)
    return X / np.where(largest == 0, X.dtype.type(1), largest)


@records(channels_first)
def _channels_first(X: Recorded) -> Recorded:
    value = channels_first(X.value)
    if value.shape == X.shape:
        return X
    return X.then(value, "Transpose", [X.name], perm=[0, 3, 1, 2])


@records(validate_data)
def _validate_data(owner: Any, X: Recorded, **params: Any) -> Recorded:
    return _check_array(X, **params)


@records(check_array)
def _check_array(X: Recorded, **params: Any) -> Recorded:
    dtypes = params.get("dtype", X.dtype)
    dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes]
    return X if X.dtype in dtypes else X.astype(dtypes[0])


@records(check_magnitude)
def _check_magnitude(X: Recorded, where: str, **params: Any) -> None:
    """Check nothing: a model does not refuse rows."""


def smallest_of_rows(X: Recorded, k: int) -> Recorded:
    """Find the places of the smallest entries of every row.

    Parameters
    ----------
    X : Recorded of shape (n, p)
        Rows.
    k : int
        How many to find.

    Returns
    -------
    Recorded of shape (n, k)
        Their places, the smallest first.
    """
    return top_of_rows(X, k, largest=0)[1]
