"""The engine of all comparisons: every method fitted to every split, then judged."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import sklearn
import torch
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skda.utils.warnings import NoSourceWarning

__all__ = [
    "Experiment",
    "Outcome",
    "Row",
    "Shown",
    "Split",
    "evaluate_all",
    "evaluate_rows",
    "seeded_clone",
    "spread",
]

T = TypeVar("T")


class Split(Protocol):
    """A draw of what the methods may see; every kind of comparison has its own."""

    @property
    def seed(self) -> int:
        """Seed of the draw, and of every method fitted to it."""


class Row(NamedTuple):
    """A line of the table.

    Parameters
    ----------
    method : str
        Name of the method.
    setting : str
        What it is fitted to, in the words of the comparison.
    label : str
        Name of the line, for the progress and for errors.
    estimator : object
        The unfitted estimator.
    fit_params : dict
        What it is fitted with, beside what the split shows.
    """

    method: str
    setting: str
    label: str
    estimator: Any
    fit_params: dict[str, Any]


class Shown(NamedTuple):
    """What a fit is shown of the data.

    Parameters
    ----------
    X : object
        Samples.
    y : array-like or None
        Their labels.
    fit_params : dict
        Other parameters of the fit.
    is_control : bool
        Whether a source is missing on purpose, so that no warning has to say so.
    """

    X: Any
    y: Any
    fit_params: dict[str, Any]
    is_control: bool


class Outcome(NamedTuple):
    """What came of one fit.

    Parameters
    ----------
    scores : dict of str to float
        What was measured, by name.
    curves : dict of str to ndarray
        Curves to draw, by name.
    seconds : float
        Time to fit and to apply.
    """

    scores: dict[str, float]
    curves: dict[str, NDArray[np.float64]]
    seconds: float


class Experiment(ABC):
    """What is shown to a method of the data, and how it is judged."""

    @abstractmethod
    def show(self, row: Row, split: Any) -> Shown:
        """Select what a row of the table is shown of a split."""

    @abstractmethod
    def apply(self, fitted: Any, split: Any) -> Any:
        """Apply a fitted method to what it is judged on."""

    @abstractmethod
    def judge(
        self, output: Any, split: Any
    ) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
        """Score what was applied: scores and curves by name."""

    def fit(self, row: Row, split: Any) -> Any:
        """Fit a seeded clone of the method to what it is shown."""
        shown = self.show(row, split)
        # Only routing takes a source through pipelines and searches; None leaves it be.
        routing = sklearn.config_context(
            enable_metadata_routing=bool(shown.fit_params) or None
        )
        with routing, warnings.catch_warnings():
            if shown.is_control:
                warnings.simplefilter("ignore", NoSourceWarning)
            estimator = seeded_clone(row.estimator, split.seed)
            return estimator.fit(shown.X, shown.y, **shown.fit_params)

    def evaluate(self, row: Row, split: Any) -> Outcome:
        """Fit a method to a split, and measure scores, curves and seconds."""
        start = time.perf_counter()
        try:
            output = self.apply(self.fit(row, split), split)
        except Exception as error:
            error.add_note(f"While comparing {row.label}.")
            raise
        seconds = time.perf_counter() - start
        return Outcome(*self.judge(output, split), seconds)


def evaluate_rows(
    experiment: Experiment,
    rows: Sequence[Row],
    splits: Sequence[Split],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[list[Outcome]]:
    """Measure every row of a table on all splits; see :func:`evaluate_all`.

    Parameters
    ----------
    experiment : Experiment
        What is shown, and how it is judged.
    rows : sequence of Row
        Rows of the table.
    splits : sequence of Split
        Splits, the same for all rows.
    n_jobs : int, default=None
        Processes.
    verbose : int, default=0
        Whether to show the progress.

    Returns
    -------
    list of list of Outcome
        For every row, one per split.
    """
    tasks = ((row, split) for row in rows for split in splits)
    labels = [row.label for row in rows for _ in splits]
    flat = evaluate_all(experiment, tasks, labels, n_jobs=n_jobs, verbose=verbose)
    n = len(splits)
    return [flat[i * n : (i + 1) * n] for i in range(len(rows))]


def evaluate_all(
    experiment: Experiment,
    tasks: Iterable[tuple[Row, Split]],
    labels: list[str],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[Outcome]:
    """Measure every method on its split.

    Parameters
    ----------
    experiment : Experiment
        What is shown, and how it is judged.
    tasks : iterable of (Row, Split)
        What to fit; taken one by one, as it may be large.
    labels : list of str
        What to show while each task runs; there are as many.
    n_jobs : int, default=None
        Processes, each with one thread. None is 1, unless joblib is told otherwise; 1
        leaves threads as they are.
    verbose : int, default=0
        Whether to show the progress, on the standard error stream.

    Returns
    -------
    list of Outcome
        One per task, in order.
    """
    outcomes = _outcomes(experiment.evaluate, tasks, n_jobs)
    collected = []
    with tqdm(total=len(labels), disable=not verbose, leave=False) as bar:
        for label in labels:
            bar.set_description(label)
            collected.append(next(outcomes))
            bar.update()
    return collected


def seeded_clone(estimator: Any, seed: int) -> Any:
    """Clone an estimator, and seed what has no seed, in it or inside."""
    copy = clone(estimator)
    unset = {
        name: seed
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return copy.set_params(**unset)


def spread(values: NDArray[np.float64] | Sequence[float]) -> float:
    """Measure the standard deviation over the splits; NaN of a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _outcomes(
    evaluate: Callable[..., T], tasks: Iterable[tuple[Any, ...]], n_jobs: int | None
) -> Iterator[T]:
    """Give the outcomes in order, as they come."""
    if effective_n_jobs(n_jobs) == 1:
        return (evaluate(*task) for task in tasks)
    # scikit-learn's Parallel takes its settings, and the filters of warnings, along.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    return iter(parallel(delayed(_on_one_thread)(evaluate, *task) for task in tasks))


def _on_one_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function on one thread, as the other cores have work of their own."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return function(*arguments)
    finally:
        torch.set_num_threads(n_threads)
