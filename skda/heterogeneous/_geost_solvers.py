"""The linear algebra and the optimization of GeoST."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from skda.preprocessing import RowScaler, self_tuned_graph, symmetric_normalization
from skda.utils.class_prior import has_mostly_zeros
from skda.utils.many_rows import is_large, map_in_threads, spread_out
from skda.utils.operations import softmax
from skda.utils.scaling import make_standard_scaler

Array = NDArray[np.float64]
Restore = Callable[[Array], Array]

#: Relative error of Equation 1; that of many rows is far below their noise.
TOLERANCE, TOLERANCE_OF_MANY = 1e-8, 1e-4
#: Variance of the prior of the intercepts, which the labels alone are to decide.
INTERCEPT_VARIANCE = 1e4
#: Below this length, a difference of two rows of unit length is rounding in float32.
MIN_LENGTH = 1e-6


class View(NamedTuple):
    """What one representation shows of the rows.

    Parameters
    ----------
    Z : ndarray of shape (n, p + 1)
        Rows after Equation 1, and a column of ones.
    restore : callable
        Takes weights of the p columns to weights of the features.
    transformer : transformer
        The fitted representation.
    center : ndarray of shape (n_features,)
        Mean of the represented rows.
    scale : float
        What the centered rows are divided by.
    """

    Z: Array
    restore: Restore
    transformer: Any
    center: Array
    scale: float


def represent(
    X: Array,
    kind: str,
    power: Any,
    n_neighbors: int,
    alpha: float,
    *,
    neighbors: Any = None,
) -> dict[str, View]:
    """Represent the rows, and take each representation through Equation 1."""
    transformers = {"unit": RowScaler(power), "standardized": make_standard_scaler()}
    if kind == "auto":
        kind = "unit" if has_mostly_zeros(X) else "both"
    tol = TOLERANCE_OF_MANY if is_large(len(X)) else TOLERANCE

    def look(name: str) -> View:
        rows, center, length = center_and_scale(transformers[name].fit_transform(X))
        rows, restore = reduce_to_row_space(rows)
        graph = symmetric_normalization(self_tuned_graph(rows, n_neighbors, neighbors))
        Z, _, shrinkage = center_and_scale(smooth_over_graph(graph, rows, alpha, tol))
        Z = np.column_stack([Z, np.ones(len(Z))])
        return View(Z, restore, transformers[name], center, length * shrinkage)

    names = list(transformers) if kind == "both" else [kind]
    return dict(zip(names, map_in_threads(look, names, len(X)), strict=True))


def scale_rows(X: Array) -> Array:
    """Scale rows to unit length, but for those that are zero up to rounding."""
    length = np.linalg.norm(X, axis=1, keepdims=True)
    return np.divide(X, length, where=length > MIN_LENGTH, out=np.zeros_like(X))


def center_and_scale(X: Array) -> tuple[Array, Array, float]:
    """Center rows, and divide them by the root of their mean squared length.

    What comes back are the rows, their center and what they were divided by.
    """
    center = X.mean(axis=0)
    centered = X - center
    length = float(np.sqrt(np.mean(np.sum(centered**2, axis=1))))
    if length <= MIN_LENGTH:  # they are equal up to rounding
        return np.zeros_like(X), center, 1.0
    return centered / length, center, length


def reduce_to_row_space(X: Array) -> tuple[Array, Restore]:
    """Rotate rows, of shape (n, p), into the space they span, if that is much narrower.

    The second result takes weights of the rotated features, of shape (n, k), back to
    the features, so that ``rows @ weights`` and ``X @ restore(weights)`` are equal.
    """
    if 2 * len(X) > X.shape[1]:  # it would cost more than it saves
        return X, lambda weights: weights
    squares, vectors = np.linalg.eigh(X @ X.T)
    lengths = np.sqrt(np.maximum(squares, 0))
    inverse = np.zeros_like(lengths)
    np.divide(1, lengths, where=lengths > MIN_LENGTH, out=inverse)
    return vectors * lengths, lambda weights: X.T @ (vectors @ (inverse * weights.T).T)


def smooth_over_graph(
    S: csr_matrix, X: Array, alpha: float, tol: float = TOLERANCE
) -> Array:
    """Solve Equation 1 by Chebyshev's semi-iteration, to the relative error ``tol``."""
    before, now = np.zeros_like(X), (1 - alpha) * X
    if alpha == 0:
        return now
    start, omega = now, 2.0
    # The eigenvalues of alpha * S lie between -alpha and alpha.
    n_steps = math.ceil(math.log(2 / tol) / math.acosh(1 / alpha))
    for _ in range(n_steps):
        omega = 1 / (1 - alpha**2 * omega / 4)
        step = alpha * (S @ now) + start - before
        before, now = now, before + omega * step
    return now


def thin_out(labeled: NDArray[np.bool_], added: NDArray[np.bool_]) -> tuple[Any, Array]:
    """Name the rows that a fit learns from, and weigh them.

    Those are all the labeled ones, and the added ones; of more than 10,000 of these, as
    many stand for the others.
    """
    (places,) = np.nonzero(added)
    drawn = places[spread_out(len(places))]
    weights = labeled.astype(np.float64)
    weights[drawn] = len(places) / max(len(drawn), 1)
    (rows,) = np.nonzero(weights)
    return rows, weights[rows, None]


def symmetric_root(geometry: Array) -> Array:
    """Take the symmetric root of a matrix whose eigenvalues are not negative."""
    values, vectors = np.linalg.eigh(geometry)
    return vectors * np.sqrt(np.maximum(values, 1e-6)) @ vectors.T


def fit_weights(
    Z: Array, targets: Array, H: Array, V: Array, *, precision: Array, max_iter: int
) -> tuple[Array, int]:
    """Solve Equation 3 from ``V``, and count the iterations.

    The targets, of shape (n, K), are one-hot rows times the weights of their classes,
    and the precision, of shape (p, 1), is that of the prior of every row of ``V``.
    """
    weights = targets.sum(axis=1, keepdims=True)

    def objective(v: Array) -> tuple[float, Array]:
        V_now = v.reshape(V.shape)
        log_p = log_softmax(Z @ (V_now @ H), axis=1)
        residuals = weights * np.exp(log_p) - targets
        gradient = Z.T @ (residuals @ H) + precision * V_now
        penalty = np.sum(precision * V_now**2) / 2
        return float(penalty - np.sum(targets * log_p)), gradient.ravel()

    options: Any = {"maxiter": max_iter}
    found = minimize(objective, V.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(V.shape), found.nit


def fit_weights_and_intercept(
    Z: Array, targets: Array, H: Array, V: Array, *, C: float, max_iter: int
) -> tuple[Array, int]:
    """Solve Equation 3, the last column of whose rows are ones."""
    precision = np.full((Z.shape[1], 1), 1 / C)
    precision[-1] = 1 / INTERCEPT_VARIANCE
    return fit_weights(Z, targets, H, V, precision=precision, max_iter=max_iter)


def average_probabilities(views: list[View], weights: list[Array]) -> Array:
    """Average the probabilities that the weights of every view give its rows."""
    pairs = zip(views, weights, strict=True)
    return np.mean([softmax(view.Z @ W, axis=1) for view, W in pairs], axis=0)
