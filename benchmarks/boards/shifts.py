"""Made shifts of tables: a source and a target out of the rows of one table.

Each is a function of the rows, their classes and a seed. The first ones are for
choosing, the ones under `NEW` were never chosen on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.linalg import expm

__all__ = ["NEW", "SHIFTS", "Domains", "shift"]

Rows = NDArray[np.float64]
#: Makes target rows of standardized rows.
Change = Callable[[Rows, RandomState], Rows]


class Domains(NamedTuple):
    """A source and a target with the same features and classes.

    Parameters
    ----------
    X_source, y_source : ndarray
        Rows and classes of the source.
    X, y : ndarray
        Those of the target.
    """

    X_source: NDArray[Any]
    y_source: NDArray[Any]
    X: NDArray[Any]
    y: NDArray[Any]


def shift(name: str, X: NDArray[Any], y: NDArray[Any], seed: int) -> Domains:
    """Make two domains of a table.

    Parameters
    ----------
    name : str
        One of `SHIFTS`: "scaled", "rotated", "noised", "warped" (a monotone function
        of every feature) and "lost" (a fifth of them) change the target; by "axis1"
        and "axis2", rows far along a principal axis are mostly target; by "shares" the
        classes have other shares there.
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Their classes.
    seed : int
        Seed of all that is drawn.

    Returns
    -------
    Domains
        No row is in both. Features are on the scale of `X`, but for what is changed.

    Raises
    ------
    ValueError
        If there is no such shift.
    """
    if name not in SHIFTS:
        raise ValueError(f"Expected one of {', '.join(SHIFTS)}, got {name!r}.")
    rng = RandomState(seed)
    in_target = _draw_target(name, X, y, rng)
    X_target = X[in_target]
    if name in _CHANGES:
        mean, scale = X.mean(axis=0), X.std(axis=0)
        scale[scale == 0] = 1.0
        X_target = _CHANGES[name]((X_target - mean) / scale, rng) * scale + mean
    return Domains(X[~in_target], y[~in_target], X_target, y[in_target])


def _scale(Z: Rows, rng: RandomState) -> Rows:
    """Measure every feature in another unit, from another zero."""
    n_features = Z.shape[1]
    return Z * np.exp(rng.normal(0, 0.5, n_features)) + rng.normal(0, 0.5, n_features)


def _rotate(Z: Rows, rng: RandomState) -> Rows:
    """Turn all rows by angles of about 30 degrees in planes drawn at random."""
    A = rng.normal(size=(Z.shape[1],) * 2)
    skew = A - A.T
    largest = np.abs(np.linalg.eigvals(skew)).max(initial=1e-12)
    return Z @ expm(np.pi / 6 * skew / largest)


def _noise(Z: Rows, rng: RandomState) -> Rows:
    """Add normal noise of half the standard deviation."""
    return Z + rng.normal(0, 0.5, Z.shape)


def _warp(Z: Rows, rng: RandomState) -> Rows:
    """Bend every feature, without changing the order of its values."""
    return np.sign(Z) * np.abs(Z) ** np.exp(rng.uniform(-0.6, 0.6, Z.shape[1]))


def _lose(Z: Rows, rng: RandomState) -> Rows:
    """Lose a fifth of the features, which are their means from then on."""
    n_features = Z.shape[1]
    lost = rng.choice(n_features, max(1, n_features // 5), replace=False)
    kept = np.ones(n_features)
    kept[lost] = 0
    return Z * kept


def _draw_target(
    name: str, X: Rows, y: NDArray[Any], rng: RandomState
) -> NDArray[np.bool_]:
    """Draw the rows that are the target, at random or by the shift."""
    if name in _AXES:
        return _far_along(X, _AXES[name], rng)
    classes = np.unique(y)
    shares = np.full(len(classes), 0.5)
    if name == "shares":
        shares = rng.permutation(np.linspace(0.15, 0.85, len(classes)))
    drawn = np.zeros(len(y), dtype=bool)
    for k, share in zip(classes, shares, strict=True):
        rows = np.flatnonzero(y == k)
        # At least a row of each class, and not all.
        n_drawn = int(np.clip(round(share * len(rows)), 1, max(len(rows) - 1, 1)))
        drawn[rng.choice(rows, n_drawn, replace=False)] = True
    return drawn


def _far_along(X: Rows, axis: int, rng: RandomState) -> NDArray[np.bool_]:
    """Draw mostly rows that are far along a principal axis."""
    scale = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    _, _, axes = np.linalg.svd(Z, full_matrices=False)
    direction = axes[min(axis, len(axes) - 1)]
    # The sign that comes of the decomposition is arbitrary.
    t = Z @ direction * np.sign(direction[np.abs(direction).argmax()])
    ranks = t.argsort(kind="stable").argsort() / len(t) - 0.5
    return rng.random_sample(len(t)) < 1 / (1 + np.exp(-8 * ranks))


_CHANGES: dict[str, Change] = {
    "scaled": _scale,
    "rotated": _rotate,
    "noised": _noise,
    "warped": _warp,
    "lost": _lose,
}
#: Principal axes along which source and target are split.
_AXES = {"axis1": 0, "axis2": 1}
#: Shifts that were made for the confirming side.
NEW = ("warped", "lost", "axis2")
SHIFTS = (*_CHANGES, *_AXES, "shares")
