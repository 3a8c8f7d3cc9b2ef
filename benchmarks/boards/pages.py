"""The boards in the documentation: a table and a picture of each group and side.

Files of results that are not there yet are said to be missing, so that the pages can
be built at any time. From the root of the repository:

    python -m benchmarks.boards.pages [--folder DIR] [--docs DIR]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks._results import FOLDER
from benchmarks._tables import Table
from benchmarks.boards.report import (
    MARGIN,
    ORACLE,
    Board,
    rank,
    read,
    show_kind,
    show_missing,
)
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import GROUPS, KINDS, SIDES, Task, all_tasks, side
from benchmarks.boards.trust import FAR_BELOW, METHOD, draw, judge, read_statements
from skda.auto._trust import Evidence, assess

__all__ = [
    "DOCS",
    "main",
    "read_side",
    "readme_table",
    "render",
    "show_means",
    "show_regrets",
    "show_warnings",
]

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
_SITUATIONS = {
    "few": "Few labels",
    "unsupervised": "No labels",
    "partial": "No labels, some of the classes",
}
_REGIMES = {
    "1": "Few labels: 1 per class",
    "3": "Few labels: 3 per class",
    "10": "Few labels: 10 per class",
    "r": "Few labels: at random, skewed",
}
_README_HEADER = (
    "What there is",
    "Tasks",
    METHOD,
    "Plain classifier, tuned",
    "Best plain one of each task",
    "Best other method",
    f"{METHOD} > {MARGIN} below, %",
)
_WARNING_HEADER = (
    "Method",
    "Tasks",
    "Warned where > 5 points below",
    "Warned where not below",
)
_REGRET_HEADER = (
    "Task",
    "Kind",
    METHOD,
    "Plain baseline",
    "Difference",
    "Which",
    "Warned",
)


def show_means(board: Board) -> Table:
    """Tabulate the mean score of every method on each kind of data.

    Parameters
    ----------
    board : Board
        What was measured.

    Returns
    -------
    Table
        Percent, the best mean over all tasks first; of the tasks that all of the
        methods finished.
    """
    methods, tasks = board.common(board.tasks)
    kinds = [kind for kind in KINDS if any(task.kind == kind for task in tasks)]
    header = ["Method", *(kind.capitalize() for kind in kinds)]
    if not tasks:
        return Table(header, [])
    scores = 100 * board.values(methods, tasks, "score")
    parts = [np.array([task.kind == kind for task in tasks]) for kind in kinds]
    order = np.argsort(-scores.mean(axis=0), kind="stable")
    rows = [
        [methods[i], *(f"{scores[part, i].mean():.1f}" for part in parts)]
        for i in order
    ]
    return Table(header, rows)


def render(
    folder: Path, tasks: Sequence[Task], pictures: Path | None = None
) -> dict[str, str]:
    """Make the text of every group and side.

    Parameters
    ----------
    folder : Path
        Where the results are.
    tasks : sequence of Task
        All tasks.
    pictures : Path, default=None
        Where to draw the ranks.

    Returns
    -------
    dict of str to str
        Text by the name of its file.
    """
    texts = {}
    for which in SIDES:
        told = read_statements(folder, which)
        parts = [judge(told), show_regrets(folder, which)] if told else []
        warned = show_warnings(folder, which)
        texts[f"boards_warnings_{which}.inc"] = (
            warned.rst() if warned.rows else "Not run yet.\n"
        )
        found = [table.rst() for table in parts if table.rows]
        texts[f"boards_trust_{which}.inc"] = "\n".join(found) or "Not run yet.\n"
        if told and pictures is not None:
            figure = draw(told)
            name = f"boards_trust_{which}.svg"
            figure.savefig(pictures / name, metadata={"Date": None})
    for group in GROUPS:
        path = folder / f"boards_{group}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for each in SIDES:
            of_side = [t for t in tasks if t.group == group and side(t) == each]
            board = read(lines, of_side)
            name = f"boards_{group}_{each}"
            texts[f"{name}.inc"] = _text(board, name, len(of_side))
            display = rank(board, board.tasks)
            if pictures is not None and display is not None:
                figure = display.plot().figure_
                figure.savefig(pictures / f"{name}.svg", metadata={"Date": None})
    return texts


def readme_table(folder: Path = FOLDER, *, regimes: bool = True) -> Table:
    """Tabulate the first choice beside the plain baselines, on the confirming side.

    Parameters
    ----------
    folder : Path
        Where the results are.
    regimes : bool
        Whether few labels have lines of their own for every number of them.

    Returns
    -------
    Table
        A line for every group of classifiers, and of few labels for every regime.
    """
    rows = []
    for group, label in _SITUATIONS.items():
        board = read_side(folder, group, SIDES[1])
        rows += _summarize(board, label, board.tasks)
        if group == "few" and regimes:
            for regime, what in _REGIMES.items():
                tasks = [task for task in board.tasks if task.regime == regime]
                rows += _summarize(board, what, tasks)
    return Table(list(_README_HEADER), rows, has_best=False)


def show_regrets(folder: Path, which: str) -> Table:
    """List the tasks on which the first choice is more than five points below.

    Parameters
    ----------
    folder : Path
        Where the results are.
    which : str
        The side.

    Returns
    -------
    Table
        The worst one first.
    """
    rows = []
    for group in _SITUATIONS:
        board = read_side(folder, group, which)
        for task in board.tasks:
            record = board.fits.get((task.name, METHOD))
            plain = board.fits.get((task.name, BASELINE))
            if record is None or plain is None:
                continue
            gain = 100 * (record["score"] - plain["score"])
            if gain < -100 * FAR_BELOW:
                situation = "few labels" if group == "few" else "no labels"
                evidence = Evidence(**record["evidence"])
                warned = assess(evidence, situation).warns
                rows.append(
                    [
                        f"``{task.name}``",
                        task.kind,
                        f"{100 * record['score']:.1f}",
                        f"{100 * plain['score']:.1f}",
                        f"{gain:+.1f}",
                        plain["chosen"],
                        "yes" if warned else "no",
                    ]
                )
    rows.sort(key=lambda row: float(row[4]))
    return Table(list(_REGRET_HEADER), rows, has_best=False)


def show_warnings(folder: Path, which: str) -> Table:
    """Count how often methods warned that the data contradict what they expect.

    Parameters
    ----------
    folder : Path
        Where the results are.
    which : str
        The side.

    Returns
    -------
    Table
        A line for every method of a group that has warned at all.
    """
    rows = []
    for group, situation in _SITUATIONS.items():
        board = read_side(folder, group, which)
        for method in board.methods():
            told = []
            for task in board.tasks:
                record = board.fits.get((task.name, method))
                plain = board.fits.get((task.name, BASELINE))
                if record is None or plain is None or method in (METHOD, BASELINE):
                    continue
                warned = any(map(_is_of_contradiction, record.get("warnings", [])))
                told.append((warned, record["score"] - plain["score"]))
            warned, gain = np.array(told).reshape(-1, 2).T
            if warned.any():
                far, fine = gain < -FAR_BELOW, gain >= 0
                rows.append(
                    [
                        f"{method}, {situation.lower()}",
                        str(len(told)),
                        f"{int(warned[far].sum())} of {far.sum()}",
                        f"{int(warned[fine].sum())} of {fine.sum()}",
                    ]
                )
    return Table(list(_WARNING_HEADER), rows, has_best=False)


def _is_of_contradiction(warning: str) -> bool:
    """Tell a warning of class shares or of a shift from any other."""
    said = ("The data contradict", "takes the classes to", "estimates the classes to")
    return any(words in warning for words in said)


def read_side(folder: Path, group: str, which: str) -> Board:
    """Read the results of a group on one side.

    Parameters
    ----------
    folder : Path
        Where the results are.
    group : str
        The group.
    which : str
        The side.

    Returns
    -------
    Board
        What was measured.
    """
    path = folder / f"boards_{group}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    tasks = [t for t in all_tasks() if t.group == group and side(t) == which]
    return read(lines, tasks)


def _summarize(board: Board, label: str, tasks: Sequence[Task]) -> list[list[str]]:
    """Hold the first choice against the plain baselines and the best other method."""
    methods, tasks = board.common(tasks)
    if not tasks or METHOD not in methods:
        return []
    scores = 100 * board.values(methods, tasks, "score")
    means = dict(zip(methods, scores.mean(axis=0), strict=True))
    others = [m for m in methods if m not in (METHOD, BASELINE, ORACLE)]
    best = max(others, key=lambda name: means[name])
    gain = scores[:, methods.index(METHOD)] - scores[:, methods.index(BASELINE)]
    return [
        [
            label,
            str(len(tasks)),
            *(f"{means[name]:.1f}" for name in (METHOD, BASELINE, ORACLE)),
            f"{means[best]:.1f} ({best})",
            f"{100 * np.mean(gain < -MARGIN - 1e-9):.0f}",
        ]
    ]


def _text(board: Board, name: str, n_tasks: int) -> str:
    """Write the tables of one side, and refer to its picture."""
    n_common = len(board.common(board.tasks)[1])
    if not n_common:
        return f"None of the {n_tasks} tasks has been run yet.\n"
    parts = [f"{n_common} of {n_tasks} tasks."]
    if rank(board, board.tasks) is not None:
        parts.append(
            f".. image:: /benchmarks/{name}.svg\n   :alt: Mean ranks of the methods, "
            "with bars over those that do not differ\n   :width: 100%"
        )
    tables = (show_kind(board, board.tasks), show_means(board))
    parts += [table.rst().rstrip() for table in tables if table.rows]
    missing = show_missing(board)
    if missing:
        listed = "\n".join(f"* ``{line}``" for line in missing)
        parts.append(f"Without a figure:\n\n{listed}")
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the tables of all groups and sides, and draw their pictures.

    Parameters
    ----------
    arguments : sequence of str, default=None
        The command line; None is that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--docs", type=Path, default=DOCS, help="where to write")
    given = parser.parse_args(arguments)
    given.docs.mkdir(parents=True, exist_ok=True)
    # The same results make the same file.
    with mpl.rc_context({"svg.hashsalt": "skda"}):
        texts = render(given.folder, all_tasks(), given.docs)
    for name, text in texts.items():
        (given.docs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
