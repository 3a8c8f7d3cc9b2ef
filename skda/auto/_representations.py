"""Representations of rows, and the graph of their nearest neighbors."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.utils.extmath import randomized_svd

from skda.preprocessing import (
    NormalScoreTransformer,
    RowScaler,
    symmetric_normalization,
)
from skda.utils.neighbors import fit_neighbors
from skda.utils.scaling import normalize_rows

__all__ = ["KINDS", "Representation", "kinds_for", "neighbor_graph", "rescale"]

Array = NDArray[np.float64]

#: Powers then unit rows; z-scores; z-scores then unit rows; normal scores of ranks.
KINDS = ("power", "standard", "unit", "ranks")
#: Those for text: its features are mostly zero, which makes z-scores long where words
#: are rare, and ranks a matter of how often a word is missing.
TEXT_KINDS = ("power", "unit")
#: Share of zeros above which rows are taken for text.
SHARE_OF_ZEROS = 0.9
#: Wider rows are rotated into the space they span, or to `MOST_COMPONENTS` of it.
MOST_FEATURES = 1000
MOST_COMPONENTS = 500
#: Below this share of the largest eigenvalue, a direction of the rows is rounding.
ROUNDING = 1e-8
#: Least distance, of rows that are equal.
LEAST_DISTANCE = 1e-12


def kinds_for(X: Array) -> tuple[str, ...]:
    """Name the representations that suit rows of shape (n, p)."""
    return TEXT_KINDS if np.mean(X == 0) > SHARE_OF_ZEROS else KINDS


class Representation:
    """One way to look at rows: learned on some, applied to any.

    The rows of the fit come out centered, with a mean squared length of one, so that a
    regularization means the same in all representations. Constant features are dropped.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit(self, X: Array) -> Self:
        """Learn the representation; ``rows_`` are the given ones in it."""
        self.kept_ = np.flatnonzero(np.ptp(X, axis=0) > 0)
        kept = X[:, self.kept_]
        self._scaler: Any = None
        if self.kind in ("power", "ranks") and len(self.kept_):
            power = self.kind == "power"
            self._scaler = (RowScaler() if power else NormalScoreTransformer()).fit(
                kept
            )
        elif len(self.kept_):
            self.mean_, scale = kept.mean(axis=0), kept.std(axis=0)
            self.scale_ = np.where(scale > 0, scale, 1.0)
        rows = self._represent(X)
        self.center_ = rows.mean(axis=0)
        rows = rows - self.center_
        self.length_ = _root_mean_square(rows)
        rows = rows / self.length_
        self.rotation_ = _rotation(rows)
        self.rows_: Array = rows if self.rotation_ is None else rows @ self.rotation_
        return self

    def transform(self, X: Array) -> Array:
        """Represent rows."""
        rows = (self._represent(X) - self.center_) / self.length_
        return rows if self.rotation_ is None else rows @ self.rotation_

    def _represent(self, X: Array) -> Array:
        if not len(self.kept_):  # all rows are equal
            return np.zeros((len(X), 1))
        kept = X[:, self.kept_]
        if self.kind in ("power", "ranks"):
            return self._scaler.transform(kept).astype(np.float64)
        rows = (kept - self.mean_) / self.scale_
        return rows if self.kind == "standard" else normalize_rows(rows)


def rescale(rows: Array) -> Array:
    """Center rows, and divide all by the root of their mean squared length."""
    centered = rows - rows.mean(axis=0)
    return centered / _root_mean_square(centered)


def neighbor_graph(rows: Array, n_neighbors: int, neighbors: Any = None) -> csr_matrix:
    r"""Connect rows to their nearest neighbors, and normalize the weights.

    The weight is :math:`\exp(-d_{ij}^2 / (s_i s_j))`, where :math:`s_i` is the distance
    of row :math:`i` to the last one of its neighbors, so that dense regions are not
    connected more than sparse ones; the larger of two directions counts for both.

    Parameters
    ----------
    rows : ndarray of shape (n, p)
        Rows.
    n_neighbors : int
        Number of neighbors, itself not counted; at most ``n - 1``.
    neighbors : transformer or None, default=None
        What searches for them; see :func:`skda.utils.neighbors.fit_neighbors`.

    Returns
    -------
    csr_matrix of shape (n, n)
        :math:`D^{-1/2} W D^{-1/2}`.
    """
    n = len(rows)
    k = min(n_neighbors, n - 1)
    if k < 1:
        return csr_matrix((n, n))
    # By default scikit-learn takes up to a gibibyte for the distances.
    with config_context(working_memory=64):
        distances, neighbors = fit_neighbors(
            rows, k, transformer=neighbors
        ).kneighbors()
    reach = np.maximum(distances[:, -1], LEAST_DISTANCE)
    weights = np.exp(-(distances**2) / (reach[:, None] * reach[neighbors]))
    places = (np.repeat(np.arange(n), k), neighbors.ravel())
    graph = csr_matrix((weights.ravel(), places), shape=(n, n))
    return symmetric_normalization(graph.maximum(graph.T).tocsr())


def _root_mean_square(rows: Array) -> float:
    """Take the root of the mean squared length; one if all rows are zero."""
    return float(np.sqrt(np.sum(rows**2) / len(rows))) or 1.0


def _rotation(rows: Array) -> Array | None:
    """Find the axes of the space that wide rows span, None if they are not wide."""
    n, p = rows.shape
    if min(n, p) > MOST_FEATURES:
        _, _, axes = randomized_svd(rows, MOST_COMPONENTS, random_state=0)
        return np.asarray(axes.T)
    if p <= n:
        return None
    squares, vectors = np.linalg.eigh(rows @ rows.T)
    real = squares > ROUNDING * squares[-1]
    return np.asarray(rows.T @ (vectors[:, real] / np.sqrt(squares[real])))
