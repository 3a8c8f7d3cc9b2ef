"""The sentence at the end of a comparison: what to take, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

__all__ = ["advise"]

CONFIDENCE = 0.95


class _Row(NamedTuple):
    """A row of the table, by what it is called and its accuracies."""

    label: str
    accuracies: Sequence[float]

    @property
    def mean(self) -> float:
        return float(np.mean(self.accuracies))


def advise(rows: Sequence[tuple[str, Sequence[float]]], plain: str, first: str) -> str:
    """Say which method to take on the data of a comparison.

    Parameters
    ----------
    rows : sequence of (str, sequence of float)
        What every row is called, and its accuracies, on the same splits for all.
    plain : str
        The row of the plain classifier, which adapts nothing.
    first : str
        The row of what is to be tried first.

    Returns
    -------
    str
        A sentence or two; empty without a plain row, or without another.
    """
    named = {label: _Row(label, accuracies) for label, accuracies in rows}
    if plain not in named or len(named) < 2:
        return ""
    reference = named[plain]
    best = max(named.values(), key=lambda row: row.mean)
    # Who is tried first needs no luck to be chosen: it is named if it is as good.
    if first in named and best.label != first:
        low, _ = _interval(best, named[first])
        best = best if low > 0 else named[first]
    if best.mean <= reference.mean:
        return (
            f"On these data take the {plain}: nothing is better than its "
            f"{100 * reference.mean:.1f} %."
        )
    gain = 100 * (best.mean - reference.mean)
    said = (
        f"{best.label} has {100 * best.mean:.1f} % where the {plain} has "
        f"{100 * reference.mean:.1f} %, {gain:+.1f} points"
    )
    n_splits = len(best.accuracies)
    if n_splits < 2:
        return f"{said}; with one split nobody can say how sure that is."
    low, high = (100 * bound for bound in _interval(best, reference))
    said += f" ({CONFIDENCE:.0%} interval {low:+.1f} to {high:+.1f})"
    if low > 0:
        return f"On these data take {best.label}: {said}."
    return f"{said}: with {n_splits} splits that is not certain."


def _interval(row: _Row, other: _Row) -> tuple[float, float]:
    """Bound the mean difference on the same splits, by Student's distribution."""
    gains: Any = np.subtract(row.accuracies, other.accuracies)
    if len(gains) < 2:
        return -np.inf, np.inf
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1) * error
    return float(gains.mean() - reach), float(gains.mean() + reach)
