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
        One of `SHIFTS`.
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
    """
    rng = RandomState(seed)
    in_target = _PARTITIONS.get(name, _at_random)(X, y, rng)
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


def _at_random(X: Rows, y: NDArray[Any], rng: RandomState) -> NDArray[np.bool_]:
    """Draw half of every class."""
    return _draw(y, rng, lambda k: 0.5)


def _class_shares(X: Rows, y: NDArray[Any], rng: RandomState) -> NDArray[np.bool_]:
    """Let the share of the rows that go to the target rise from class to class."""
    classes = np.unique(y)
    chances = dict(
        zip(rng.permutation(classes), np.linspace(0.15, 0.85, len(classes)), strict=True)
    )
    return _draw(y, rng, chances.__getitem__)


def _draw(
    y: NDArray[Any], rng: RandomState, chance: Callable[[Any], float]
) -> NDArray[np.bool_]:
    """Draw a share of every class, at least a row and not all."""
    drawn = np.zeros(len(y), dtype=bool)
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        n_drawn = int(np.clip(round(chance(k) * len(rows)), 1, max(len(rows) - 1, 1)))
        drawn[rng.choice(rows, n_drawn, replace=False)] = True
    return drawn


def _along(axis: int) -> Callable[..., NDArray[np.bool_]]:
    """Make a split by which rows far along a principal axis are mostly target."""

    def split(X: Rows, y: NDArray[Any], rng: RandomState) -> NDArray[np.bool_]:
        scale = X.std(axis=0)
        Z = (X - X.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
        # The sign that comes of the decomposition is arbitrary.
        _, _, axes = np.linalg.svd(Z, full_matrices=False)
        direction = axes[min(axis, len(axes) - 1)]
        t = Z @ direction * np.sign(direction[np.abs(direction).argmax()])
        ranks = t.argsort(kind="stable").argsort() / len(t) - 0.5
        return rng.random_sample(len(t)) < 1 / (1 + np.exp(-8 * ranks))

    return split


_CHANGES: dict[str, Change] = {
    "scaled": _scale,
    "rotated": _rotate,
    "noised": _noise,
    "warped": _warp,
    "lost": _lose,
}
_PARTITIONS: dict[str, Callable[..., NDArray[np.bool_]]] = {
    "axis1": _along(0),
    "shares": _class_shares,
    "axis2": _along(1),
}
#: Shifts that were made for the confirming side.
NEW = ("warped", "lost", "axis2")
SHIFTS = (*_CHANGES, *_PARTITIONS)
