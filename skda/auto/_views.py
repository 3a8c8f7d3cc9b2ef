"""A target in several representations, smoothed over one graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from skda.auto._representations import (
    Representation,
    kinds_for,
    neighbor_graph,
    rescale,
)
from skda.heterogeneous._geost_solvers import smooth_over_graph

__all__ = ["View", "look"]

Array = NDArray[np.float64]

#: What the error of smoothed rows may be; it is far below their noise.
TOLERANCE = 1e-4


class View(NamedTuple):
    """The rows of a target in one representation.

    Parameters
    ----------
    kind : str
        One of :data:`skda.auto._representations.KINDS`.
    map : Representation
        How rows are represented.
    rows : ndarray of shape (n, p)
        The rows.
    smooth : ndarray of shape (n, p)
        The rows, moved towards their neighbors.
    components : ndarray of shape (n, q)
        Principal components of these.
    axes : ndarray of shape (p, q)
        Principal axes of the rows as they are.
    """

    kind: str
    map: Representation
    rows: Array
    smooth: Array
    components: Array
    axes: Array


def look(
    X: Array,
    alpha: float,
    n_neighbors: int,
    n_components: int,
    neighbors: Any = None,
) -> list[View]:
    """Represent rows in every way that suits them, and smooth them.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    alpha : float
        Weight of the neighbors.
    n_neighbors : int
        Number of neighbors in the graph of every representation. The mean of the graphs
        is the one that rows are smoothed over.
    n_components : int
        Most principal components.
    neighbors : transformer or None, default=None
        What searches for neighbors; see :func:`skda.utils.neighbors.fit_neighbors`.

    Returns
    -------
    list of View
        The views.
    """
    maps = [Representation(kind).fit(X) for kind in kinds_for(X)]
    total = csr_matrix((len(X), len(X)))
    for each in maps:
        total = total + neighbor_graph(each.rows_, n_neighbors, neighbors)
    graph = csr_matrix(total / len(maps))
    views = []
    for each in maps:
        rows = each.rows_
        smooth = rescale(smooth_over_graph(graph, rows, alpha, tol=TOLERANCE))
        components = smooth @ _principal_axes(smooth, n_components)
        axes = _principal_axes(rows, n_components)
        views.append(View(each.kind, each, rows, smooth, components, axes))
    return views


def _principal_axes(rows: Array, n_components: int) -> Array:
    """Find the principal axes of centered rows, one in every column."""
    width = min(n_components, *rows.shape)
    _, _, axes = randomized_svd(rows, width, random_state=0)
    return np.asarray(axes.T)
