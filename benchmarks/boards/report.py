"""Tables and pictures of the boards, from what :mod:`benchmarks.boards.run` wrote.

python -m benchmarks.boards.report [--group few] [--side choosing] [--folder DIR]
    [--pictures DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import FOLDER
from benchmarks._tables import Table
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import GROUPS, KINDS, REGIMES, SIDES, Task, all_tasks, side
from skda.inspection import CriticalDifferenceDisplay

__all__ = ["ORACLE", "Board", "main", "rank", "read", "show_kind", "show_missing"]

#: Name of the row of the best plain baseline of every task, which nobody can choose.
ORACLE = "oracle's baseline"
#: Points below the chosen baseline that count as a loss.
MARGIN = 1.5
#: A method is ranked if it finished this share of the tasks.
ENOUGH = 0.9
HEADER = (
    "Method",
    "Mean",
    "Rank",
    "Worst regret",
    f"> {MARGIN} below, %",
    "Balanced",
    "New rows",
    "Seconds",
)


class Board(NamedTuple):
    """What was measured on the tasks of a group.

    Parameters
    ----------
    tasks : tuple of Task
        Tasks with a figure.
    fits : dict of (str, str) to dict
        Records of finished fits, by task and method; the oracle's among them.
    unfinished : dict of (str, str) to str
        Why fits have no figure.
    not_run : dict of str to str
        Why tasks were not run.
    """

    tasks: tuple[Task, ...]
    fits: dict[tuple[str, str], dict[str, Any]]
    unfinished: dict[tuple[str, str], str]
    not_run: dict[str, str]

    def methods(self) -> list[str]:
        """List the methods, in the order in which they were run."""
        return list(dict.fromkeys(method for _, method in self.fits))

    def common(self, tasks: Sequence[Task]) -> tuple[list[str], list[Task]]:
        """Find the methods to rank, and the tasks that all of them finished.

        Parameters
        ----------
        tasks : sequence of Task
            The tasks to look at.

        Returns
        -------
        methods : list of str
            Those that finished nearly all tasks.
        tasks : list of Task
            Tasks with a figure of each of these.
        """
        ranked = [
            method
            for method in self.methods()
            if sum((task.name, method) in self.fits for task in tasks)
            >= max(1, ENOUGH * len(tasks))
        ]
        return ranked, [
            task
            for task in tasks
            if all((task.name, method) in self.fits for method in ranked)
        ]

    def values(
        self, methods: Sequence[str], tasks: Sequence[Task], field: str
    ) -> NDArray[np.float64]:
        """Tabulate a field of the records.

        Parameters
        ----------
        methods : sequence of str
            Columns.
        tasks : sequence of Task
            Rows.
        field : str
            The field.

        Returns
        -------
        ndarray of shape (n_tasks, n_methods)
            Its values; NaN where there is none.
        """
        return np.array(
            [
                [self.fits[task.name, method].get(field) for method in methods]
                for task in tasks
            ],
            dtype=np.float64,
        )


def read(lines: Iterable[str], tasks: Sequence[Task]) -> Board:
    """Read the results of some tasks, of every fit the last one.

    Parameters
    ----------
    lines : iterable of str
        Lines of a file.
    tasks : sequence of Task
        The tasks to keep.

    Returns
    -------
    Board
        What was measured.
    """
    names = {task.name for task in tasks}
    records = [each for each in _latest(lines) if each.get("task") in names]
    # Parameters that have changed since have another fingerprint: the last one counts.
    last = {
        (record["task"], record["method"]): record
        for record in records
        if "method" in record
    }
    fits = {place: record for place, record in last.items() if "score" in record}
    unfinished = {
        place: _reason(record) for place, record in last.items() if place not in fits
    }
    for task, method in list(fits):
        if method == BASELINE:
            fits[task, ORACLE] = _oracle(fits[task, method])
    done = {task for task, _ in fits}
    return Board(
        tuple(task for task in tasks if task.name in done),
        fits,
        unfinished,
        {
            record["task"]: record["not_run"]
            for record in records
            if "not_run" in record and record["task"] not in done
        },
    )


def show_kind(board: Board, tasks: Sequence[Task]) -> Table:
    """Tabulate all methods that finished nearly all of some tasks.

    Parameters
    ----------
    board : Board
        What was measured.
    tasks : sequence of Task
        Tasks of a group or of a kind.

    Returns
    -------
    Table
        For every method, the best mean first: mean score in percent; mean rank; worst
        regret, which is its score minus that of the oracle's baseline; share of tasks
        on which it is more than 1.5 points below the chosen baseline; balanced
        accuracy; score on rows that no fit saw; seconds of the processor. All are of
        the tasks that all of these methods finished.
    """
    methods, tasks = board.common(tasks)
    if not tasks or BASELINE not in methods:
        return Table(list(HEADER), [])
    scores = 100 * board.values(methods, tasks, "score")
    balanced = 100 * board.values(methods, tasks, "balanced")
    new = 100 * board.values(methods, tasks, "new_score")
    seconds = board.values(methods, tasks, "seconds")
    display = rank(board, tasks)
    ranks = (
        {}
        if display is None
        else dict(zip(display.names_, display.ranks_, strict=True))
    )
    chosen = scores[:, [methods.index(BASELINE)]]
    oracle = scores[:, [methods.index(ORACLE)]]
    below = 100 * (scores < chosen - MARGIN - 1e-9).mean(axis=0)
    worst = (scores - oracle).min(axis=0)
    rows = [
        [
            method,
            f"{scores[:, i].mean():.1f}",
            f"{ranks[method]:.2f}" if method in ranks else "",
            f"{worst[i]:+.1f}",
            f"{below[i]:.0f}",
            _cell(balanced[:, i]),
            _cell(new[:, i]),
            "" if method == ORACLE else f"{seconds[:, i].mean():.2f}",
        ]
        for i, method in enumerate(methods)
    ]
    rows.sort(key=lambda row: -float(row[1]))
    return Table(list(HEADER), rows)


def show_missing(board: Board) -> list[str]:
    """List what has no figure, with the reason.

    Parameters
    ----------
    board : Board
        What was measured.

    Returns
    -------
    list of str
        A line for every task that was not run, and for every method with every reason
        for which it has no figure on some.
    """
    lines = [
        f"{task}: not run, {reason}" for task, reason in sorted(board.not_run.items())
    ]
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (task, method), reason in board.unfinished.items():
        reasons[method, reason].append(task)
    return lines + [
        f"{method}: {reason} ({len(tasks)}, such as {tasks[0]})"
        for (method, reason), tasks in sorted(reasons.items())
    ]


def rank(board: Board, tasks: Sequence[Task]) -> CriticalDifferenceDisplay | None:
    """Rank the methods over data, of which several regimes are one by their mean.

    Parameters
    ----------
    board : Board
        What was measured.
    tasks : sequence of Task
        Tasks of a group or of a kind.

    Returns
    -------
    CriticalDifferenceDisplay or None
        The ranks, not drawn yet; None if there are too few data or methods. The oracle,
        which is no method, is left out.
    """
    methods, tasks = board.common(tasks)
    methods = [method for method in methods if method != ORACLE]
    if len(methods) < 2:
        return None
    scores = board.values(methods, tasks, "score") if tasks else np.empty((0, 2))
    data = [task.data for task in tasks]
    means = np.array(
        [
            scores[[name == each for each in data]].mean(axis=0)
            for name in dict.fromkeys(data)
        ]
    )
    if len(means) < 2:
        return None
    return CriticalDifferenceDisplay(means, names=methods)


def _latest(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Read the last line of every fingerprint, in the order of these lines."""
    latest: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # torn when a run was ended
            continue
        latest.pop(record["fit"], None)
        latest[record["fit"]] = record
    return list(latest.values())


def _reason(record: dict[str, Any]) -> str:
    """Say why a fit has no figure."""
    if "missed" in record:
        return f"took more than {record['missed']:g} s"
    return str(record["failed"])


def _oracle(record: dict[str, Any]) -> dict[str, Any]:
    """Make a record of the best plain baseline."""
    score, balanced, new_score, new_balanced = record["candidates"][record["oracle"]]
    return {
        "score": score,
        "balanced": balanced,
        "new_score": new_score,
        "new_balanced": new_balanced,
    }


def _cell(values: NDArray[np.float64]) -> str:
    """Write a mean, or nothing of what was not measured."""
    return "" if np.isnan(values).any() else f"{values.mean():.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables of a group and its kinds, and draw the ranks.

    Parameters
    ----------
    arguments : sequence of str, default=None
        The command line; None is that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", choices=("all", *GROUPS), default="all")
    parser.add_argument("--side", choices=SIDES, default=SIDES[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--pictures", type=Path, help="where to draw the ranks")
    given = parser.parse_args(arguments)
    for group in GROUPS if given.group == "all" else (given.group,):
        path = given.folder / f"boards_{group}.jsonl"
        if not path.exists():
            print(f"{group}: no results in {path}.\n")
            continue
        tasks = [t for t in all_tasks() if t.group == group and side(t) == given.side]
        with path.open(encoding="utf-8") as lines:
            board = read(lines, tasks)
        _print(board, f"{group}, {given.side}")
        display = rank(board, board.tasks)
        if given.pictures is not None and display is not None:
            given.pictures.mkdir(parents=True, exist_ok=True)
            figure = display.plot().figure_
            figure.savefig(given.pictures / f"boards_{group}_{given.side}.svg")


def _print(board: Board, title: str) -> None:
    """Print the tables of all tasks and of each kind, and what is missing."""
    parts = {"all kinds": list(board.tasks)}
    parts |= {kind: [t for t in board.tasks if t.kind == kind] for kind in KINDS}
    parts |= {
        f"{regime} labels": [t for t in board.tasks if t.regime == regime]
        for regime in REGIMES
    }
    for kind, tasks in parts.items():
        if tasks:
            n_common = len(board.common(tasks)[1])
            print(f"{title}, {kind}, {n_common} of {len(tasks)} tasks\n")
            print(show_kind(board, tasks).markdown())
    missing = show_missing(board)
    if missing:
        print("Without a figure:\n\n- " + "\n- ".join(missing) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
