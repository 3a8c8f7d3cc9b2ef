"""The engine of all comparisons: every method fitted to every split, then judged."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import sklearn
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from tqdm.auto import tqdm

from skda import __version__
from skda.comparison._journal import Journal, append_line, fingerprint
from skda.comparison._parallel import Shared, Sharing, run_calls, size_of
from skda.comparison._warnings import listening
from skda.utils.warnings import NoSourceWarning, warn_user

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
    warnings : tuple of str, default=()
        What it warned of.
    """

    scores: dict[str, float]
    curves: dict[str, NDArray[np.float64]]
    seconds: float
    warnings: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Write it in what JSON can say."""
        curves = {name: curve.tolist() for name, curve in self.curves.items()}
        record = {"scores": self.scores, "curves": curves, "seconds": self.seconds}
        return record | ({"warnings": list(self.warnings)} if self.warnings else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote.

        Parameters
        ----------
        record : mapping of str to object
            What was written.

        Returns
        -------
        Outcome
            The same, digit by digit.
        """
        curves = {name: np.array(curve) for name, curve in record["curves"].items()}
        said = tuple(record.get("warnings", ()))
        return cls(dict(record["scores"]), curves, record["seconds"], said)


class Finished(NamedTuple):
    """A fit that is finished.

    Parameters
    ----------
    place : int
        Which of the tasks it was.
    outcome : Outcome
        What came of it.
    key : str or None
        Its fingerprint, if it is to be written down.
    about : dict of str to object
        What to write down beside the outcome.
    """

    place: int
    outcome: Outcome
    key: str | None
    about: dict[str, Any]


class Experiment(ABC):
    """What is shown to a method of the data, and how it is judged."""

    @property
    @abstractmethod
    def data(self) -> tuple[Any, ...]:
        """All data, of which the results depend."""

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
            # Whether a method does harm is what the comparison tells.
            warnings.filterwarnings("ignore", "The data contradict what")
            if shown.is_control:
                warnings.simplefilter("ignore", NoSourceWarning)
            estimator = seeded_clone(row.estimator, split.seed)
            return estimator.fit(shown.X, shown.y, **shown.fit_params)

    def evaluate(self, row: Row, split: Any) -> Outcome:
        """Fit a method to a split, and measure scores, curves and seconds."""
        start = time.perf_counter()
        try:
            with listening() as heard:
                output = self.apply(self.fit(row, split), split)
        except Exception as error:
            error.add_note(f"While comparing {row.label}.")
            raise
        seconds = time.perf_counter() - start
        return Outcome(*self.judge(output, split), seconds, tuple(heard))


def evaluate_rows(
    experiment: Experiment,
    rows: Sequence[Row],
    splits: Sequence[Split],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: Journal | None = None,
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
    journal : Journal, default=None
        Where finished fits are found and kept.

    Returns
    -------
    list of list of Outcome
        For every row, one per split.
    """
    tasks = ((row, split) for row in rows for split in splits)
    labels = [row.label for row in rows for _ in splits]
    flat = evaluate_all(
        experiment, tasks, labels, n_jobs=n_jobs, verbose=verbose, journal=journal
    )
    n = len(splits)
    return [flat[i * n : (i + 1) * n] for i in range(len(rows))]


def evaluate_all(
    experiment: Experiment,
    tasks: Iterable[tuple[Row, Split]],
    labels: list[str],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: Journal | None = None,
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
    journal : Journal, default=None
        Where finished fits are found, instead of being done again, and kept.

    Returns
    -------
    list of Outcome
        One per task, in order.
    """
    finished = run_calls(_calls(experiment, tasks, journal), n_jobs)
    collected: dict[int, Outcome] = {}
    problem = None
    with tqdm(total=len(labels), disable=not verbose, leave=False) as bar:
        for _ in labels:
            bar.set_description(next(_missing(labels, collected)))
            fit = _next(finished)
            collected[fit.place] = fit.outcome
            problem = problem or _write_down(fit, journal)
            bar.update()
    if problem is not None:
        warn_user(f"Not all finished fits could be kept: {problem}.")
    return [collected[place] for place in range(len(labels))]


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


def _missing(labels: list[str], collected: Mapping[int, Outcome]) -> Iterator[str]:
    """Name the tasks that are not finished."""
    return (label for i, label in enumerate(labels) if i not in collected)


def _calls(
    experiment: Experiment,
    tasks: Iterable[tuple[Row, Split]],
    journal: Journal | None,
) -> Iterator[tuple[Callable[..., Finished], tuple[Any, ...]]]:
    """Say what to call for every task: a fit, or what hands over its result."""
    versions = __version__, torch.__version__, sklearn.__version__
    common, last, of_row = "", None, ""
    if journal is not None:
        common = fingerprint(versions, type(experiment), experiment.data)
    sharing, shared = Sharing(), Shared(experiment, size_of(experiment.data))
    for place, (row, split) in enumerate(tasks):
        key = None
        if journal is not None:
            if row is not last:  # its data may be large
                last = row
                of_row = fingerprint(row.setting, row.estimator, row.fit_params)
            key = fingerprint(common, of_row, split)
            record = journal.find(key)
            if record is not None:
                outcome = Outcome.from_record(record)
                yield Finished, (place, outcome, None, {})
                continue
        params = sharing.share(row.fit_params)
        bare = row._replace(fit_params={})
        yield _evaluate, ((place, key), shared, bare, params, split)


def _evaluate(
    task: tuple[int, str | None], shared: Shared, row: Row, params: Shared, split: Split
) -> Finished:
    """Fit a method to a split of the data that all processes have."""
    place, key = task
    outcome = shared.value.evaluate(row._replace(fit_params=params.value), split)
    return Finished(place, outcome, key, {"label": row.label, "seed": split.seed})


def _write_down(fit: Finished, journal: Journal | None) -> str | None:
    """Write down a fit before anything else can happen, or say why it cannot be."""
    if journal is None or fit.key is None:
        return None
    try:
        append_line(journal.path, fit.key, fit.about | fit.outcome.to_record())
    except OSError as error:
        return f"{journal.path}: {error.strerror or error}"
    return None


def _next(finished: Iterator[T]) -> T:
    """Wait for the next result, and explain the end of a process."""
    try:
        return next(finished)
    except BrokenProcessPool as error:
        error.add_note(
            "A process that fitted has ended, maybe for lack of memory: run fewer at "
            "the same time. What is finished is in the journal, if there is one."
        )
        raise
