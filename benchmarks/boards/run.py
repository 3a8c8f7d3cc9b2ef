"""Run the boards: every method at its defaults on every task of a group.

Each fit is a line of ``results/boards_<group>.jsonl``, written when it is finished;
what has one already is left out, so that a run which was ended goes on where it was.
Tasks whose file is missing or damaged, or that lack rows, are listed as not run, and so
are methods that failed, or missed the budget for a fit.

    python -m benchmarks.boards.run [--group few] [--side choosing] [--quick]
        [--tasks T,T] [--methods "M;M"] [--jobs 2] [--budget 60] [--again]
        [--folder DIR]

The quick form, a fixed part of all groups, takes at most ten minutes:

    python -m benchmarks.boards.run --quick --jobs 2
    python -m benchmarks.boards.report --folder build/boards
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from benchmarks._results import FOLDER, circumstances
from benchmarks.boards.problems import NOT_LOADED, Objects, Problem, load_problem
from benchmarks.boards.rows import (
    BASELINE,
    Retriever,
    measure,
    measure_baseline,
    methods,
)
from benchmarks.boards.tasks import GROUPS, QUICK, SIDES, Task, all_tasks, side
from skda.comparison._journal import Journal, append_line, fingerprint
from skda.comparison._parallel import on_one_thread

__all__ = ["OverBudgetError", "main", "run", "within"]

#: Seconds of processor time for a fit, and in the quick form.
BUDGET, QUICK_BUDGET = 60.0, 10.0
#: Where the quick form goes, which is no complete run.
QUICK_FOLDER = Path(__file__).parents[2] / "build" / "boards"


class OverBudgetError(BaseException):
    """A fit takes longer than it may; no `except Exception` keeps it."""


class Log:
    """The file of a group, in which every line names its run.

    Parameters
    ----------
    path : Path
        The file.
    started : tuple (key, record)
        The line of the run, which comes before the first other one.
    """

    def __init__(self, path: Path, started: tuple[str, Mapping[str, Any]]) -> None:
        self.journal = Journal(path)
        self._started = started
        self._is_new = self.journal.find(started[0]) is None

    def append(self, key: str, record: Mapping[str, Any]) -> None:
        """Write a line."""
        if self._is_new:
            append_line(self.journal.path, *self._started)
            self._is_new = False
        run = {"run": self._started[0]}
        append_line(self.journal.path, key, run | dict(record))


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
        Whether to fit what is finished once more, as after a change of a method; but
        for the plain baselines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = circumstances() | {"threads": 1, "command": sys.argv[1:]}
    started = f"run-{fingerprint(said, time.time())[:12]}", said
    for group in sorted({task.group for task in tasks}):
        _write_params(folder / f"boards_{group}.jsonl", rows[group])
    call = partial(_run_task, started=started, budget=budget, again=again)
    Parallel(n_jobs=n_jobs)(
        delayed(on_one_thread)(
            call, task, rows[task.group], folder / f"boards_{task.group}.jsonl"
        )
        for task in tasks
    )


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what takes more of the processor than a budget.

    Parameters
    ----------
    seconds : float
        The budget, of the time of all threads, so that what else runs on the machine
        does not count. Only the main thread can be ended.

    Raises
    ------
    OverBudgetError
        When it is over.
    """

    def end(*_: Any) -> None:
        raise OverBudgetError

    before = signal.signal(signal.SIGPROF, end)
    # Again after a while, in case a destructor has ignored the first one.
    signal.setitimer(signal.ITIMER_PROF, seconds, max(seconds, 5))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _is_done(journal: Journal, key: str, budget: float) -> bool:
    """Tell whether a fit is finished, or would miss the budget again."""
    record = journal.find(key)
    return record is not None and record.get("missed", budget) >= budget


def _write_params(path: Path, rows: Mapping[str, Any]) -> None:
    """Write down the parameters of every method once."""
    journal = Journal(path)
    for name, method in {BASELINE: None, **rows}.items():
        key = _params_key(name, method)
        if journal.find(key) is None:
            append_line(path, key, _describe(name, method))


def _params_key(name: str, method: Any) -> str:
    return f"params-{fingerprint(name, method)[:12]}"


def _describe(name: str, method: Any) -> dict[str, Any]:
    """Say what a method is, with all its parameters."""
    setting = {}
    if isinstance(method, Retriever):
        method, setting = method.estimator, {"setting": method.setting}
    params = {} if method is None else method.get_params()
    said = {name: _plain(value) for name, value in params.items()}
    return {"method": name, "params": said} | setting


def _plain(value: Any) -> Any:
    """Say a parameter in JSON, or as Python spells it."""
    try:
        json.dumps(value)
    except TypeError:
        return repr(value)
    return value


def _run_task(
    task: Task,
    rows: Mapping[str, Any],
    path: Path,
    *,
    started: tuple[str, Mapping[str, Any]],
    budget: float,
    again: bool,
) -> None:
    """Load a task, and fit the methods that have no line for these very data."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "The budget of a fit needs the main thread of a process, and workers of "
            "Dask compute in others: pass --jobs."
        )
    log = Log(path, started)
    try:
        problem = load_problem(task)
    except NOT_LOADED as error:
        reason = f"{type(error).__name__}: {error}"
        key = f"task-{fingerprint(task, reason)[:12]}"
        if log.journal.find(key) is None:
            log.append(key, {"task": task.name, "not_run": reason})
        print(f"{task.name}: not run, {reason}", flush=True)
        return
    data = fingerprint(task, problem)
    for name, method in {BASELINE: None, **rows}.items():
        params = _params_key(name, method)
        key = fingerprint(data, params)
        # The plain baselines are none of skda's, and do not change with it.
        anew = again and name != BASELINE
        if not anew and _is_done(log.journal, key, budget):
            continue
        found = _fit(method, problem, budget)
        log.append(key, {"task": task.name, "method": name, "params": params} | found)
        shown = found.get("score", "failed" if "failed" in found else "missed")
        print(f"{task.name:60} {name:30} {shown}", flush=True)


def _fit(method: Any, problem: Problem | Objects, budget: float) -> dict[str, Any]:
    """Measure a method, None being the plain baselines, or say why there is nothing."""
    try:
        if method is None:
            return measure_baseline(problem)
        with within(budget):
            return measure(method, problem)
    except OverBudgetError:
        return {"missed": budget}
    except Exception as error:  # noqa: BLE001 (whatever a method raises is listed)
        return {"failed": f"{type(error).__name__}: {error}"[:300]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for.

    Parameters
    ----------
    arguments : sequence of str, default=None
        The command line; None is that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", choices=("all", *GROUPS), default="all")
    parser.add_argument("--side", choices=SIDES, default=SIDES[0])
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
