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

import numpy as np

from benchmarks._results import FOLDER
from benchmarks._tables import Table
from benchmarks.boards.report import Board, rank, read, show_kind, show_missing
from benchmarks.boards.tasks import GROUPS, KINDS, SIDES, Task, all_tasks, side

__all__ = ["DOCS", "main", "render", "show_means"]

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"


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


def _text(board: Board, name: str, n_tasks: int) -> str:
    """Write the tables of one side, and refer to its picture."""
    n_common = len(board.common(board.tasks)[1])
    if not n_common:
        return f"None of the {n_tasks} tasks has been run yet.\n"
    parts = [f"{n_common} of {n_tasks} tasks."]
    if rank(board, board.tasks) is not None:
        parts.append(
            f".. image:: benchmarks/{name}.svg\n   :alt: Mean ranks of the methods, "
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
    for name, text in render(given.folder, all_tasks(), given.docs).items():
        (given.docs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
