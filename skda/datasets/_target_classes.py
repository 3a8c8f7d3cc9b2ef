"""Targets that lack classes of the source, or have them in other shares."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np
from numpy.random import RandomState
from sklearn.utils import Bunch, check_random_state, check_scalar

from skda.utils._sklearn import safe_indexing
from skda.utils.labels import check_labels, union_of_classes

__all__ = ["cut_to_long_tail", "keep_classes"]


def keep_classes(data: Bunch, n_classes: int, name: str) -> Bunch:
    """Leave the first classes of the source in the target, and all in the source.

    Parameters
    ----------
    data : Bunch
        With ``X``, ``y`` and ``source``.
    n_classes : int
        How many classes to keep, in the order of their names.
    name : str
        What the parameter that says how many is called, for errors.

    Returns
    -------
    Bunch
        The same with fewer target rows. Rows without a label are left out.

    Raises
    ------
    ValueError
        If there is no source, if there are pairs, or if not fewer classes are left.
    """
    if data.source is None:
        raise ValueError(
            f"Expected source=(X_source, y_source) beside {name}, got none: pass it, "
            f"or leave {name} out."
        )
    if data.get("pairs") is not None:
        raise ValueError(f"Expected either pairs or {name}, got both: leave one out.")
    X_source, y_source = data.source
    labels = check_labels(y_source, X_source)
    classes = union_of_classes(labels, labels)
    check_scalar(n_classes, name, Integral, min_val=1)
    if n_classes >= len(classes):
        raise ValueError(
            f"Expected {name} below the {len(classes)} classes of the source, got "
            f"{n_classes}: lower it, or leave it out."
        )
    truth = check_labels(data.y, data.X)
    kept = np.flatnonzero(truth.known)[np.isin(truth.values, classes[:n_classes])]
    if not len(kept):
        raise ValueError(
            f"Expected target rows of the classes {classes[:n_classes].tolist()}, got "
            f"none: raise {name}."
        )
    X, y = (safe_indexing(rows, kept) for rows in (data.X, data.y))
    return Bunch(**{**data, "X": X, "y": y})


def cut_to_long_tail(
    data: Bunch, long_tail: float, random_state: int | RandomState | None
) -> Bunch:
    """Leave target rows whose class shares fall geometrically; the source stays.

    Parameters
    ----------
    data : Bunch
        With ``X`` and ``y``, all of it labeled.
    long_tail : float
        How many times as frequent the most frequent class is as the rarest.
    random_state : int, RandomState instance or None
        Seed of the order of the classes, and of the rows that stay.

    Returns
    -------
    Bunch
        The same with as many target rows as these shares allow, in their order, and one
        of every class at least.

    Raises
    ------
    ValueError
        If the ratio is not a number from 1 on.
    """
    check_scalar(long_tail, "long_tail", Real)
    if not 1 <= long_tail < math.inf:
        raise ValueError(
            f"Expected long_tail to be a number from 1 on, how many times as frequent "
            f"the most frequent class is as the rarest, got {long_tail}."
        )
    rng = check_random_state(random_state)
    _, codes, sizes = np.unique(data.y, return_inverse=True, return_counts=True)
    ranks = rng.permutation(len(sizes))
    shares = float(long_tail) ** (-ranks / max(len(sizes) - 1, 1))
    wanted = shares * (sizes / shares).min()
    n_kept = np.maximum(np.round(wanted), 1).astype(int)  # no rounding is above sizes
    kept = [
        rng.choice(np.flatnonzero(codes == k), n, replace=False)
        for k, n in enumerate(n_kept)
    ]
    rows = np.sort(np.concatenate(kept))
    return Bunch(**{**data, "X": data.X[rows], "y": data.y[rows]})
