"""Support vector machines as members of a committee that learns from few labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

from skda.auto._members import spread_out
from skda.utils.scaling import make_standard_scaler

__all__ = ["Split", "fit_margins", "share_of_margins"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Split = tuple[NDArray[np.intp], NDArray[np.intp]]

#: Machines by the first word of a member's name; the limit ends what does not converge.
_MACHINES: dict[str, Any] = {
    "linear": partial(SVC, kernel="linear", C=1.0, max_iter=50_000),
    "radial": partial(SVC, C=10.0, max_iter=50_000),
}
#: By what decision values may be divided before their softmax is taken.
_TEMPERATURES = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
#: Least probability of the true class that a temperature is judged by.
_LEAST_PROBABILITY = 1e-3
#: Labels per class that are worth as much to machines as to all other members.
_N_EQUAL = 10.0
#: Rows to learn from at most, as the time grows with their square.
_MAX_ROWS = 2000


def share_of_margins(n_per_class: float) -> float:
    r"""Weigh the machines against all other members, before any fold is looked at.

    What learns from labels alone is right where rows are nothing like clusters, and
    needs more labels.

    Parameters
    ----------
    n_per_class : float
        Labels per class, on average.

    Returns
    -------
    float
        :math:`m / (m + 10)` for :math:`m` labels per class.
    """
    return n_per_class / (n_per_class + _N_EQUAL)


def fit_margins(
    X: Array, labeled: NDArray[np.intp], labels: Codes, splits: Sequence[Split]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Fit linear and radial machines to standardized rows and to unit rows.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        All rows.
    labeled : ndarray of shape (n_labeled,)
        Which of them have labels.
    labels : ndarray of shape (n_labeled,)
        Classes of these, all of 0 to K - 1.
    splits : sequence of tuple
        Folds of the labeled rows, as places in `labels`.

    Returns
    -------
    fitted : dict of str to ndarray of shape (n, K)
        Probabilities of all rows; none if a fold has a single class to learn from.
    held_out : dict of str to ndarray of shape (n_labeled, K)
        Those of the labeled rows by the folds that they are not in.
    """
    n_classes = int(labels.max()) + 1
    if min(len(np.unique(labels[train])) for train, _ in splits) < 2:
        return {}, {}
    represented = {
        "standard": make_standard_scaler().fit_transform(X),
        "unit": normalize(X),
    }
    fitted, held_out = {}, {}
    for kind, rows in represented.items():
        known = rows[labeled]
        for word, make in _MACHINES.items():
            scores = np.zeros((len(labels), n_classes))
            for train, test in splits:
                scores[test] = _decide(make, known, labels, train, known[test])
            temperature = _choose_temperature(scores, labels)
            name = f"{word} margin, {kind}"
            held_out[name] = softmax(scores / temperature, axis=1)
            every = np.arange(len(labels))
            decided = _decide(make, known, labels, every, rows)
            fitted[name] = softmax(decided / temperature, axis=1)
    return fitted, held_out


def _decide(
    make: Any, known: Array, labels: Codes, train: NDArray[np.intp], rows: Array
) -> Array:
    """Take the decision values of some rows, -inf for classes that were not seen."""
    drawn = train[spread_out(len(train), _MAX_ROWS)]
    seen = np.unique(labels[drawn])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine = make().fit(known[drawn], labels[drawn])
    values = machine.decision_function(rows)
    if values.ndim == 1:
        values = np.column_stack([np.zeros_like(values), values])
    scores = np.full((len(rows), int(labels.max()) + 1), -np.inf)
    scores[:, seen] = values
    return scores


def _choose_temperature(scores: Array, labels: Codes) -> float:
    """Choose the temperature under which the labels are least surprising."""
    places = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        truth = softmax(scores / temperature, axis=1)[places, labels]
        return -float(np.log(np.maximum(truth, _LEAST_PROBABILITY)).mean())

    return min(_TEMPERATURES, key=surprise)
