"""Support vector machines as members of a committee that learns from few labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from skda.auto._representations import TEXT_KINDS, kinds_for
from skda.preprocessing import RowScaler
from skda.utils.many_rows import spread_out
from skda.utils.operations import softmax, spread_columns
from skda.utils.scaling import make_standard_scaler

__all__ = ["Margins", "Split", "share_of_margins"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Split = tuple[NDArray[np.intp], NDArray[np.intp]]

#: Machines by the first word of a member's name; the limit ends what does not converge.
_MACHINES: dict[str, Any] = {
    "linear": partial(SVC, kernel="linear", C=1.0, max_iter=50_000, random_state=0),
    "radial": partial(SVC, C=10.0, max_iter=50_000, random_state=0),
}
#: How rows are shown to them, by the last word.
_SCALERS: dict[str, Any] = {
    "standard": make_standard_scaler,
    "unit": partial(RowScaler, 1.0),
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


class Margins:
    """Linear and radial machines on standardized rows and on unit rows.

    Their probabilities are the softmax of their decision values, divided by a number
    under which the labels are least surprising in the folds. Of text (more than 90 %
    zeros) there are none: what its words have in common must be learned from all rows.

    Attributes
    ----------
    probabilities_ : dict of str to ndarray of shape (n, K)
        Probabilities of all rows; none of text, and none if a fold has a single class.
    held_out_ : dict of str to ndarray of shape (n_labeled, K)
        Those of the labeled rows by the folds that they are not in.
    """

    def fit(
        self,
        X: Array,
        labeled: NDArray[np.intp],
        labels: Codes,
        splits: Sequence[Split],
    ) -> Self:
        """Fit to the labeled rows.

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
        self : object
            Fitted machines.
        """
        self.n_classes_ = int(labels.max()) + 1
        self.held_out_: dict[str, Array] = {}
        self._fitted: dict[str, tuple[Any, _Machine, float]] = {}
        is_text = kinds_for(X) == TEXT_KINDS
        if not is_text and all(
            len(np.unique(labels[train])) > 1 for train, _ in splits
        ):
            for kind, make in _SCALERS.items():
                scaler = make()
                known = scaler.fit(X).transform(X[labeled])
                for word in _MACHINES:
                    self._fit_one(
                        f"{word} margin, {kind}", scaler, known, labels, splits
                    )
        self.probabilities_ = self.predict_proba(X)
        return self

    def _fit_one(
        self,
        name: str,
        scaler: Any,
        rows: Array,
        labels: Codes,
        splits: Sequence[Split],
    ) -> None:
        """Fit one of the machines, and find its temperature."""
        make = _MACHINES[name.split(maxsplit=1)[0]]
        scores = np.zeros((len(labels), self.n_classes_))
        for train, test in splits:
            part = _Machine(make()).fit(rows[train], labels[train])
            scores[test] = part.decide(rows[test], self.n_classes_)
        temperature = _choose_temperature(scores, labels)
        self.held_out_[name] = softmax(scores / temperature, axis=1)
        self._fitted[name] = scaler, _Machine(make()).fit(rows, labels), temperature

    def predict_proba(self, X: Array) -> dict[str, Array]:
        """Give the probabilities of the classes for rows, by every machine."""
        return {
            name: softmax(
                machine.decide(scaler.transform(X), self.n_classes_) / temperature,
                axis=1,
            )
            for name, (scaler, machine, temperature) in self._fitted.items()
        }


class _Machine:
    """A support vector machine of not too many rows, with a value for every class."""

    def __init__(self, machine: SVC) -> None:
        self.machine = machine

    def fit(self, rows: Array, labels: Codes) -> Self:
        drawn = spread_out(len(rows), _MAX_ROWS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.machine.fit(rows[drawn], labels[drawn])
        return self

    def decide(self, rows: Array, n_classes: int) -> Array:
        """Take the decision values, -inf for classes that were not seen."""
        values = self.machine.decision_function(rows)
        if values.ndim == 1:
            values = np.column_stack([np.zeros_like(values), values])
        return spread_columns(values, self.machine.classes_, n_classes, -np.inf)


def _choose_temperature(scores: Array, labels: Codes) -> float:
    """Choose the temperature under which the labels are least surprising."""
    places = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        truth = softmax(scores / temperature, axis=1)[places, labels]
        return -float(np.log(np.maximum(truth, _LEAST_PROBABILITY)).mean())

    return min(_TEMPERATURES, key=surprise)
