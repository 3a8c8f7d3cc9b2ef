"""Run the boards: every method at its defaults on every task of a group.

Each fit is a line of ``results/boards_<group>.jsonl``, written when it is finished;
what has one already is left out, so that a run which was ended goes on where it was.
Tasks whose file is missing or damaged, or that lack rows, are listed as not run, and so
are methods that failed, or missed the budget for a fit.

    python -m benchmarks.boards.run [--group few] [--side choosing] [--quick]
        [--tasks T,T] [--methods "M;M"] [--jobs 2] [--budget 60] [--again]
        [--folder DIR]

The quick form, a fixed part of all groups, takes ten minutes of two cores:

    python -m benchmarks.boards.run --quick --jobs 2
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from joblib import Parallel, delayed

from benchmarks._results import FOLDER, circumstances
from benchmarks.boards.problems import NOT_LOADED, load_problem
from benchmarks.boards.rows import (
    BASELINE,
    Retriever,
    measure,
    measure_baseline,
    methods,
)
from benchmarks.boards.tasks import GROUPS, QUICK, Task, all_tasks, side
from skda.comparison._engine import _on_one_thread
from skda.comparison._journal import Journal, append_line, fingerprint

__all__ = ["OverBudgetError", "main", "run", "within"]

#: Seconds of processor time for a fit, and in the quick form.
BUDGET, QUICK_BUDGET = 60.0, 10.0
#: Where the quick form goes, which is no complete run.
QUICK_FOLDER = Path(__file__).parents[2] / "build" / "boards"


class OverBudgetError(BaseException):
    """A fit takes longer than it may; no `except Exception` keeps it."""


class Fit(NamedTuple):
    """A method on a task.

    Parameters
    ----------
    key : str
        Its fingerprint, by which the journal knows it.
    method : str
        Name of the method.
    estimator : estimator, Retriever or None
        The method; None is the plain baselines.
    params : str
        Key of the line with its parameters.
    """

    key: str
    method: str
    estimator: Any
    params: str


def run(
    tasks: Sequence[Task],
    rows: dict[str, dict[str, Any]],
    folder: Path,
    *,
    budget: float = BUDGET,
    n_jobs: int = 1,
    again: bool = False,
) -> None:
    """Fit what is not finished yet.

    Parameters
    ----------
    tasks : sequence of Task
        What to fit to.
    rows : dict of str to dict
        Methods by name, for every group; the plain baselines come in addition.
    folder : Path
        Where the files are.
    budget : float, default=60.0
        Most seconds of processor time of a fit, but for the plain baselines.
    n_jobs : int, default=1
        Processes, of one thread each.
    again : bool, default=False
        Whether to fit what is finished once more, as after a change of a method.
    """
    folder.mkdir(parents=True, exist_ok=True)
    calls, started = [], {}
    for group in GROUPS:
        here = [task for task in tasks if task.group == group]
        if not here:
            continue
        path = folder / f"boards_{group}.jsonl"
        journal = Journal(path)
        written = {fit.params for fit in _fits(here[0], rows[group])}
        written = {key for key in written if journal.find(key) is not None}
        for task in here:
            fits = _fits(task, rows[group])
            todo = [f for f in fits if again or not _is_done(journal, f.key, budget)]
            if not todo:
                continue
            if group not in started:
                started[group] = _start(path)
            written |= _write_params(path, todo, written)
            calls.append((task, todo, path, started[group], budget))
    Parallel(n_jobs=n_jobs)(
        delayed(_on_one_thread)(_run_task, *arguments) for arguments in calls
    )


@contextlib.contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """End what takes more of the processor than a budget.

    Parameters
    ----------
    seconds : float or None
        The budget, of the time of all threads, so that what else runs on the machine
        does not count; None is none. Only the main thread can be ended.

    Raises
    ------
    OverBudgetError
        When it is over.
    """

    def end(*_: Any) -> None:
        raise OverBudgetError

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _fits(task: Task, rows: dict[str, Any]) -> list[Fit]:
    """List the fits of a task."""
    found = []
    for method, estimator in {BASELINE: None, **rows}.items():
        params = f"params-{fingerprint(method, estimator)[:12]}"
        found.append(Fit(fingerprint(task, params), method, estimator, params))
    return found


def _is_done(journal: Journal, key: str, budget: float) -> bool:
    """Tell whether a fit is finished, or would miss the budget again."""
    record = journal.find(key)
    return record is not None and record.get("missed", budget) >= budget


def _start(path: Path) -> str:
    """Write down once what all figures of this run depend on."""
    said = circumstances() | {"threads": 1}
    key = f"run-{fingerprint(said, time.time())[:12]}"
    append_line(path, key, said)
    return key


def _write_params(path: Path, fits: Sequence[Fit], written: set[str]) -> set[str]:
    """Write down the parameters of every method once; which ones those were."""
    new = [fit for fit in fits if fit.params not in written]
    for fit in new:
        inner, setting = fit.estimator, {}
        if isinstance(inner, Retriever):
            inner, setting = inner.estimator, {"setting": inner.setting}
        params = {} if inner is None else inner.get_params()
        said = {name: _plain(value) for name, value in params.items()}
        append_line(path, fit.params, {"method": fit.method, "params": said} | setting)
    return {fit.params for fit in new}


def _plain(value: Any) -> Any:
    """Say a parameter in JSON, or as Python spells it."""
    try:
        json.dumps(value)
    except TypeError:
        return repr(value)
    return value


def _run_task(
    task: Task, fits: Sequence[Fit], path: Path, started: str, budget: float
) -> None:
    """Load a task, and fit methods to it."""
    common = {"task": task.name, "run": started}
    try:
        problem = load_problem(task)
    except NOT_LOADED as error:
        reason = f"{type(error).__name__}: {error}"
        key = f"task-{fingerprint(task)[:12]}"
        append_line(path, key, common | {"not_run": reason})
        print(f"{task.name}: not run, {reason}", flush=True)
        return
    for fit in fits:
        is_plain = fit.estimator is None
        try:
            with within(None if is_plain else budget):
                if is_plain:
                    found = measure_baseline(problem)
                else:
                    found = measure(fit.estimator, problem)
        except OverBudgetError:
            found = {"missed": budget}
        except Exception as error:  # noqa: BLE001 (whatever a method raises is listed)
            found = {"failed": f"{type(error).__name__}: {error}"[:300]}
        record = {"method": fit.method, "params": fit.params}
        append_line(path, fit.key, common | record | found)
        shown = found.get("score", "failed" if "failed" in found else "missed")
        print(f"{task.name:60} {fit.method:30} {shown}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for.

    Parameters
    ----------
    arguments : sequence of str, default=None
        The command line; None is that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", choices=("all", *GROUPS), default="all")
    parser.add_argument(
        "--side", choices=("choosing", "confirming"), default="choosing"
    )
    parser.add_argument("--quick", action="store_true", help="a fixed part of choosing")
    parser.add_argument("--tasks", help="only these; GROUP/DATA/REGIME,...")
    parser.add_argument("--methods", help="only these; M;M")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--budget", type=float, help="processor seconds of a fit")
    parser.add_argument("--again", action="store_true", help="what is finished as well")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args(arguments)
    if given.quick and given.side == "confirming":
        parser.error("the quick form is of the choosing side: leave out one of them")
    rows = {group: methods(group) for group in GROUPS}
    asked = _known(parser, given.tasks, ",", {task.name for task in all_tasks()})
    names = _known(
        parser, given.methods, ";", {name for r in rows.values() for name in r}
    )
    tasks = [
        task
        for task in all_tasks()
        if given.group in ("all", task.group)
        and side(task) == given.side
        and (not given.quick or task.name in QUICK)
        and (asked is None or task.name in asked)
    ]
    if names is not None:
        rows = {
            group: {name: each[name] for name in names if name in each}
            for group, each in rows.items()
        }
    run(
        tasks,
        rows,
        given.folder or (QUICK_FOLDER if given.quick else FOLDER),
        budget=given.budget or (QUICK_BUDGET if given.quick else BUDGET),
        n_jobs=given.jobs,
        again=given.again,
    )


def _known(
    parser: argparse.ArgumentParser, given: str | None, separator: str, known: set[str]
) -> list[str] | None:
    """Split what was asked for, and refuse what is not there; None is everything."""
    if given is None:
        return None
    names = given.split(separator)
    unknown = sorted(set(names) - known)
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {sorted(known)}")
    return names


if __name__ == "__main__":
    main(sys.argv[1:])
