"""Problems: what a method is shown of a task, and what it is judged by."""

from __future__ import annotations

from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from benchmarks.boards.domains import load_domain, load_domains, load_objects
from benchmarks.boards.shifts import shift
from benchmarks.boards.tasks import Task
from skda.comparison._splits import CategorySplit, category_splits
from skda.datasets import label_few, load_pairs
from skda.datasets._pairs import is_paired_task
from skda.datasets._target_classes import cut_to_long_tail, keep_classes
from skda.utils.labels import UNLABELED

__all__ = ["NOT_LOADED", "Objects", "Problem", "load_problem"]

#: What a task that cannot be run raises, with the reason.
NOT_LOADED = (ValueError, OSError, ModuleNotFoundError)
#: Most rows of a fit, and of a domain without target labels.
MOST_FEW, MOST = 500, 1000
#: With fewer, a row is worth more than most methods differ by.
FEWEST_JUDGED = 20
#: A target is skewed by itself if a class is so many times as frequent as another.
SKEWED = 5
_HELD_OUT = 0.3

Rows = tuple[NDArray[Any], NDArray[Any]]


class Problem(NamedTuple):
    """A target, maybe with a source, split into what is fitted and what is new.

    Parameters
    ----------
    X : ndarray of shape (n_target, n_features)
        Target rows of the fit.
    y : ndarray of shape (n_target,)
        Their classes as a method sees them, -1 where hidden.
    truth : ndarray of shape (n_target,)
        Their classes.
    X_new : ndarray of shape (n_new, n_features)
        Target rows that no fit sees.
    y_new : ndarray of shape (n_new,)
        Their classes.
    source : tuple (X, y) or None
        Rows and classes of the source.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    truth: NDArray[Any]
    X_new: NDArray[Any]
    y_new: NDArray[Any]
    source: Rows | None


class Objects(NamedTuple):
    """Paired views, and which of their categories are known.

    Parameters
    ----------
    views : dict of str to ndarray of shape (n_samples, n_features)
        Standardized rows of every view.
    y : ndarray of shape (n_samples,)
        Categories.
    split : CategorySplit
        Rows of known and of new categories, and test rows of the new ones.
    """

    views: dict[str, Any]
    y: NDArray[Any]
    split: CategorySplit


def load_problem(task: Task) -> Problem | Objects:
    """Load a task and draw all that is drawn, by a seed of its data.

    Parameters
    ----------
    task : Task
        A task.

    Returns
    -------
    Problem or Objects
        What to fit; Objects of retrieval.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ModuleNotFoundError
        If the package of a table is not installed.
    ValueError
        If a file is damaged, or if the task has not enough rows.
    """
    if task.group == "retrieval":
        return _objects(task)
    seed = crc32(task.data.encode())
    source, X, y = _domains(task, seed)
    rng = RandomState(seed)
    _, y_codes = np.unique(y, return_inverse=True)
    fit, new = _hold_out(y_codes, rng, MOST_FEW if task.group == "few" else MOST)
    X_fit, truth = X[fit], y[fit]
    sizes = np.bincount(y_codes[fit])
    if (
        task.long_tail is not None
        and task.group == "few"
        and sizes.max() < SKEWED * sizes.min()
    ):
        kept = cut_to_long_tail(Bunch(X=X_fit, y=truth), task.long_tail, seed)
        X_fit, truth = kept.X, kept.y
    shown = _show(truth, task.regime, rng)
    n_judged = int((shown == UNLABELED).sum())
    if n_judged < FEWEST_JUDGED:
        raise ValueError(
            f"Expected at least {FEWEST_JUDGED} rows whose class is hidden, got "
            f"{n_judged} of {len(truth)}."
        )
    if source is not None:
        rows = _stratified(source[1], MOST, rng)
        source = source[0][rows], source[1][rows]
    return Problem(X_fit, shown, truth, X[new], y[new], source)


def _domains(task: Task, seed: int) -> tuple[Rows | None, NDArray[Any], NDArray[Any]]:
    """Load the source and the target, with the classes and shares of the task."""
    source: Rows | None = None
    if task.shift is not None:
        made = shift(task.shift, *load_domain(task.target), seed)
        source, target = made[:2], made[2:]
    elif task.published and task.source is not None:
        source, target = load_domains(task.source, task.target)
    else:
        target = load_domain(task.target)
        source = load_domain(task.source) if task.source is not None else None
    if source is not None and task.group != "few":
        _check_widths(task, source[0], target[0])
    data = Bunch(X=target[0], y=target[1], source=source)
    if task.n_target_classes is not None:
        data = keep_classes(data, task.n_target_classes, "n_target_classes")
    # A skewed target of few labels is cut after it has lost the rows held out.
    if task.long_tail is not None and task.group != "few":
        data = cut_to_long_tail(data, task.long_tail, seed)
    return data.source, data.X, data.y


def _check_widths(task: Task, X_source: NDArray[Any], X: NDArray[Any]) -> None:
    if X_source.shape[1] != X.shape[1]:
        raise ValueError(
            f"Expected as many features in {task.source} and {task.target}, got "
            f"{X_source.shape[1]} and {X.shape[1]}."
        )


def _hold_out(
    y: NDArray[np.intp], rng: RandomState, most: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the rows of the fit, and new ones, both with the shares of the classes."""
    in_new = np.zeros(len(y), dtype=bool)
    for k in range(y.max() + 1):
        rows = rng.permutation(np.flatnonzero(y == k))
        in_new[rows[: int(_HELD_OUT * len(rows))]] = True
    parts = []
    for part in (~in_new, in_new):
        rows = np.flatnonzero(part)
        parts.append(rows[_stratified(y[rows], most, rng)])
    return parts[0], parts[1]


def _stratified(y: NDArray[Any], most: int, rng: RandomState) -> NDArray[np.intp]:
    """Draw at most so many rows, of every class its share and at least one."""
    if len(y) <= most:
        return np.arange(len(y))
    drawn = []
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        n_drawn = max(1, int(most * len(rows) / len(y)))
        drawn.append(rng.choice(rows, n_drawn, replace=False))
    return np.sort(np.concatenate(drawn))


def _show(truth: NDArray[Any], regime: str, rng: RandomState) -> NDArray[Any]:
    """Hide all classes but those that the regime leaves."""
    shown = np.full(len(truth), UNLABELED)
    if regime == "0":
        return shown
    if regime != "r":
        return label_few(truth, int(regime), random_state=rng)
    n_shown = 8 * len(np.unique(truth))
    if len(truth) < n_shown + FEWEST_JUDGED:
        raise ValueError(
            f"Expected at least {n_shown + FEWEST_JUDGED} rows for {n_shown} labels at "
            f"random, got {len(truth)}."
        )
    rows = rng.permutation(len(truth))[:n_shown]
    while len(np.unique(truth[rows])) < 2:  # one class alone can be learned by nobody
        rows = rng.permutation(len(truth))[:n_shown]
    shown[rows] = truth[rows]
    return shown


def _objects(task: Task) -> Objects:
    """Load paired views."""
    if is_paired_task(task.target):
        pairs = load_pairs(task.target)
        views, y, test = pairs.views, pairs.y, pairs.test
    else:
        (views, y), test = load_objects(task.target), None
    rows = _stratified(y, 2 * MOST, RandomState(0)) if test is None else slice(None)
    scaled = {
        name: StandardScaler().fit_transform(np.asarray(X, dtype=np.float64)[rows])
        for name, X in views.items()
    }
    (split,) = category_splits(y[rows], 1, test=test)
    return Objects(scaled, y[rows], split)
