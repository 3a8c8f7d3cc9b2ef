"""The protocol of all comparisons: who is fitted to what, and where it is judged."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import sklearn
import torch
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skda.datasets import label_few
from skda.utils.labels import check_labels
from skda.utils.validation import final_estimator
from skda.utils.warnings import NoSourceWarning

__all__ = [
    "Outcome",
    "Row",
    "Split",
    "draw_splits",
    "evaluate_all",
    "label_of",
    "learns_from_source",
    "run_all",
    "seeded_clone",
    "taken_by_fit",
]


T = TypeVar("T")


class Split(NamedTuple):
    """What the methods may see of the labels, and where they are tested.

    Parameters
    ----------
    seed : int
        Seed of the draw, and of every method fitted to it.
    y : ndarray of shape (n_target,)
        Labels, all hidden but a few.
    hidden : ndarray of shape (n_target,)
        Rows whose label was hidden.
    y_hidden : ndarray of shape (n_hidden,)
        Their true labels.
    """

    seed: int
    y: NDArray[Any]
    hidden: NDArray[np.bool_]
    y_hidden: NDArray[Any]


class Row(NamedTuple):
    """A line of the table.

    Parameters
    ----------
    method : str
        Name of the method.
    source : str
        What it has for a source; "none" marks a control on purpose.
    estimator : object
        The unfitted estimator.
    fit_params : dict
        What it is fitted with, beside the target.
    """

    method: str
    source: str
    estimator: Any
    fit_params: dict[str, Any]


class Outcome(NamedTuple):
    """What came of one fit.

    Parameters
    ----------
    accuracy : float
        Accuracy on the rows whose label was hidden.
    seconds : float
        Time to fit and predict.
    """

    accuracy: float
    seconds: float


def label_of(method: str, source: str) -> str:
    """Name a row; a method without the source that it could use is marked."""
    return f"{method}, no source" if source == "none" else method


def draw_splits(
    X: Any,
    y: ArrayLike,
    n_splits: int,
    n_per_class: int,
    random_state: int | np.random.RandomState | None,
) -> list[Split]:
    """Draw the labels that are left, once per split."""
    if n_splits < 1:
        raise ValueError(f"Expected n_splits to be at least 1, got {n_splits}.")
    truth = check_labels(y, X)
    rng = check_random_state(random_state)
    splits = []
    for seed in rng.randint(np.iinfo(np.int32).max, size=n_splits).tolist():
        y_few = label_few(y, n_per_class, random_state=seed)
        hidden = truth.known & ~check_labels(y_few, X).known
        if not hidden.any():
            raise ValueError(
                f"Expected labels to hide and judge by, but n_per_class={n_per_class} "
                f"leaves them all: lower it."
            )
        splits.append(Split(seed, y_few, hidden, truth.values[hidden[truth.known]]))
    return splits


def taken_by_fit(estimator: Any, names: set[str]) -> set[str]:
    """Tell which fit parameters an estimator takes, for itself or for one inside."""
    own = names & inspect.signature(estimator.fit).parameters.keys()
    if own:
        return own
    try:
        return get_routing_for_object(estimator).consumes("fit", names)
    except NotImplementedError:  # by meta-estimators that hand on nothing
        return set()


def learns_from_source(estimator: Any) -> bool:
    """Tell whether a source makes a difference to an estimator."""
    if not taken_by_fit(estimator, {"source"}):
        return False
    parts = [estimator, *estimator.get_params().values()]
    return all(getattr(part, "uses_source", True) for part in parts)


def evaluate_all(
    tasks: Iterable[tuple[Row, Split]],
    X: Any,
    names: list[str],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[Outcome]:
    """Measure every method on its split.

    Parameters
    ----------
    tasks : iterable of (Row, Split)
        What to fit; taken one by one, as it may be large.
    X : {array-like, sparse matrix} of shape (n_target, n_features)
        Target samples.
    names : list of str
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
    calls = ((row, X, split) for row, split in tasks)
    return run_all(_evaluate, calls, names, n_jobs=n_jobs, verbose=verbose)


def run_all(
    function: Callable[..., T],
    calls: Iterable[tuple[Any, ...]],
    names: list[str],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[T]:
    """Call a function many times, see :func:`evaluate_all`.

    Parameters
    ----------
    function : callable
        What to call.
    calls : iterable of tuple
        Its arguments.
    names : list of str
        What to show while each call runs.
    n_jobs : int, default=None
        Processes.
    verbose : int, default=0
        Whether to show the progress.

    Returns
    -------
    list
        What it returned, in order.
    """
    results = _results(function, calls, n_jobs)
    collected = []
    with tqdm(total=len(names), disable=not verbose, leave=False) as bar:
        for name in names:
            bar.set_description(name)
            collected.append(next(results))
            bar.update()
    return collected


def _results(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], n_jobs: int | None
) -> Iterator[T]:
    """Give the results in order, as they come."""
    if effective_n_jobs(n_jobs) == 1:
        return (function(*call) for call in calls)
    # scikit-learn's Parallel takes its settings, and the filters of warnings, along.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    return iter(parallel(delayed(_alone)(function, *call) for call in calls))


def _alone(function: Callable[..., T], *arguments: Any) -> T:
    """Call on one thread, as the other cores have work of their own."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return function(*arguments)
    finally:
        torch.set_num_threads(n_threads)


def _evaluate(row: Row, X: Any, split: Split) -> Outcome:
    """Measure the accuracy and the seconds of a method on a split."""
    estimator = seeded_clone(row.estimator, split.seed)
    # Only routing takes a source through pipelines and searches; None leaves it be.
    routing = sklearn.config_context(
        enable_metadata_routing=bool(row.fit_params) or None
    )
    start = time.perf_counter()
    with routing, warnings.catch_warnings():
        if row.source == "none":
            warnings.simplefilter("ignore", NoSourceWarning)
        try:
            y_pred = _transduced(estimator.fit(X, split.y, **row.fit_params), X)
        except Exception as error:
            error.add_note(f"While comparing {label_of(row.method, row.source)}.")
            raise
    seconds = time.perf_counter() - start
    accuracy = accuracy_score(split.y_hidden, np.asarray(y_pred)[split.hidden])
    return Outcome(accuracy, seconds)


def _transduced(estimator: Any, X: Any) -> Any:
    """Label the rows that the estimator was fitted to.

    A method with a graph knows more of them than of the same rows seen anew.
    """
    final = final_estimator(estimator)
    if hasattr(final, "transduction_"):
        return final.transduction_
    return estimator.predict(X)


def seeded_clone(estimator: Any, seed: int) -> Any:
    """Clone an estimator, and seed what has no seed, in it or inside."""
    copy = clone(estimator)
    unset = {
        name: seed
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return copy.set_params(**unset)
