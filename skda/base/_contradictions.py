"""A warning where the data contradict what methods of target clusters expect."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from skda.base._rows import Rows
from skda.utils.warnings import warn_user

__all__ = ["warn_of_contradictions"]

Codes = NDArray[np.int64]

#: By how much neighbors may be more accurate than planes in the source. It is a rounded
#: number, chosen on every other data set of the choosing side of the boards.
MAX_LEAD = 0.05
#: Rows, in all and per class, below which shares are too uncertain to be judged.
MIN_ROWS, MIN_ROWS_PER_CLASS = 50, 5
#: Rows of the source that are looked at, at most.
MAX_ROWS = 1000


def warn_of_contradictions(
    name: str,
    source: Rows,
    transduction: NDArray[Any],
    classes: NDArray[Any],
    max_distance: float,
) -> None:
    """Warn where classes have other shares in the target, or are no clusters.

    Parameters
    ----------
    name : str
        The method.
    source : Rows
        Source samples, as the method saw them, and their labels.
    transduction : ndarray of shape (n_target,)
        Classes that the method finds in the target.
    classes : ndarray of shape (n_classes,)
        All classes, sorted.
    max_distance : float
        Share of the rows for which the shares may differ.
    """
    source = source.labeled()
    codes = source.labels.codes(classes)
    found = np.searchsorted(classes, transduction)
    least = max(MIN_ROWS, MIN_ROWS_PER_CLASS * len(classes))
    if min(len(codes), len(found)) < least:
        return
    said = []
    distance = _share_distance(codes, found, len(classes))
    if distance > max_distance:
        said.append(
            f"the shares of the classes that it finds in the target differ from those "
            f"in the source for {distance:.0%} of the rows"
        )
    neighbors, planes = _held_out_accuracies(source.X, codes)
    if neighbors - planes > MAX_LEAD:
        said.append(
            f"in the source, five nearest neighbors classify {neighbors:.0%} of "
            f"held-out rows and a linear classifier only {planes:.0%}, so classes are "
            f"no clusters there"
        )
    if said:
        warn_user(
            f"The data contradict what {name} expects: {', and '.join(said)}. The "
            f"target may have other class shares, or a shift that {name} cannot undo. "
            f"Try AutoAdapter, and compare both with SourceOnly(TunedClassifier()) on "
            f"some labeled rows."
        )


def _share_distance(source: Codes, target: Codes, n_classes: int) -> float:
    """Find the share of rows that other classes would have to take."""
    shares = [np.bincount(c, minlength=n_classes) / len(c) for c in (source, target)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _held_out_accuracies(X: NDArray[Any], codes: Codes) -> tuple[float, float]:
    """Measure neighbors and planes, trained on one half of the rows, on the other."""
    rows = np.linspace(0, len(X) - 1, min(len(X), MAX_ROWS)).astype(int)
    rows = rows[np.argsort(codes[rows], kind="stable")]  # to halve every class
    halves = rows[::2], rows[1::2]
    right = np.zeros(2)
    for train, test in (halves, halves[::-1]):
        if len(np.unique(codes[train])) < 2:
            return 0.0, 0.0
        for i, model in enumerate((KNeighborsClassifier(5), RidgeClassifier())):
            predicted = model.fit(X[train], codes[train]).predict(X[test])
            right[i] += np.sum(predicted == codes[test])
    return float(right[0] / len(rows)), float(right[1] / len(rows))
