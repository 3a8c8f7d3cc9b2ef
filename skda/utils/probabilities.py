"""Probabilities of classes that somebody else has estimated."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.utils.arrays import to_numpy
from skda.utils.labels import Labels, check_labels, union_of_classes

__all__ = ["Columns", "check_probabilities", "find_columns"]

#: How far the sum of a row may be from one: what single precision leaves, and two
#: digits in a file of few classes.
TOLERANCE = 0.01

_WHAT = (
    "probabilities, one row for every row of X and one column for every one of classes"
)


class Columns(NamedTuple):
    """Which column of given probabilities belongs to which class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted classes.
    order : ndarray of shape (n_classes,)
        Column of each.
    """

    classes: NDArray[Any]
    order: NDArray[np.intp]


def find_columns(
    classes: ArrayLike | None, source: Labels, target: Labels, owner: str
) -> Columns:
    """Find the classes that the columns of given probabilities belong to.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or None
        The user's; None for the sorted labels of both domains.
    source, target : Labels
        Labels of the domains.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    Columns
        The classes, sorted, and their columns.

    Raises
    ------
    ValueError
        If there are neither classes nor labels, or if a label is none of the classes.
    """
    labeled = source.known.any() or target.known.any()
    if classes is None:
        if not labeled:
            raise ValueError(
                f"{owner} expects the names of the classes where it has probabilities "
                f"but no label, got neither: pass classes, in the order of the columns "
                f"of probabilities."
            )
        found = union_of_classes(source, target)
        return Columns(found, np.arange(len(found)))
    names = np.asarray(to_numpy(classes), dtype=object).ravel()
    given = check_labels(names, names)
    if not given.known.all():
        raise ValueError(
            f"Expected the name of a class in every entry of classes, got a mark of "
            f"unlabeled samples among {names.tolist()}: name the class otherwise."
        )
    found, order = np.unique(given.values, return_index=True)
    if len(found) < len(names):
        raise ValueError(
            f"Expected every class once in classes, got {names.tolist()}: leave out "
            f"repetitions, and add up their columns of probabilities."
        )
    if labeled:
        seen = [labels.values for labels in (source, target) if labels.known.any()]
        named = set(found.tolist())
        unknown = [
            c for c in np.unique(np.concatenate(seen)).tolist() if c not in named
        ]
        if unknown:
            raise ValueError(
                f"Expected every label to be one of classes, got "
                f"{', '.join(map(repr, unknown))} beside {found.tolist()}: add it to "
                f"classes, and a column to probabilities."
            )
    return Columns(found, order)


def check_probabilities(
    probabilities: Any, n_rows: int, columns: Columns
) -> NDArray[np.float64]:
    """Check given probabilities, and sort their columns like the classes.

    Parameters
    ----------
    probabilities : array-like of shape (n_rows, n_classes)
        The user's.
    n_rows : int
        Number of samples.
    columns : Columns
        Which column belongs to which class.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Finite, not negative, with a sum of one in every row.

    Raises
    ------
    ValueError
        If they are anything else by more than rounding.
    """
    try:
        P: NDArray[np.float64] = np.array(to_numpy(probabilities), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected {_WHAT}, got no array of numbers.") from error
    shape = n_rows, len(columns.classes)
    if P.shape != shape:
        raise ValueError(
            f"Expected {_WHAT}, of shape {shape} for the classes "
            f"{columns.classes.tolist()}, got shape {P.shape}."
        )
    wrong = ~np.isfinite(P).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"Expected finite probabilities, got NaN or infinity in {wrong.sum()} "
            f"rows, row {wrong.argmax()} the first: give equal ones to a row of which "
            f"nothing is known."
        )
    if P.min(initial=0) < 0:
        row, column = (int(places[0]) for places in (P < 0).nonzero())
        raise ValueError(
            f"Expected probabilities, which are not negative, got {P[row, column]:.3g} "
            f"in row {row}, column {column}: of logits, take the softmax."
        )
    sums = P.sum(axis=1, keepdims=True)
    wrong = np.abs(sums[:, 0] - 1) > TOLERANCE
    if wrong.any():
        raise ValueError(
            f"Expected probabilities whose rows sum to one, got a sum of "
            f"{sums[wrong.argmax(), 0]:.3g} in row {wrong.argmax()}, and {wrong.sum()} "
            f"such rows: of scores, take the softmax; of shares, divide by their sum."
        )
    return P[:, columns.order] / sums
