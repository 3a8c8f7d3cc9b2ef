"""Cells of tables and figures: each is measured once, and is a line of a results file.

A cell is a NamedTuple that says what is measured. What is there already, on as many
splits, is left out, so that a table can be made in parts and one cell serves several
figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from joblib import Parallel, delayed

from benchmarks._results import FOLDER, circumstances, load, write
from skda.comparison._parallel import on_one_thread

__all__ = ["Cell", "find", "key_of", "read", "run"]

Found = Mapping[str, dict[str, Any]]


class Cell(NamedTuple):
    """What is measured, on how many splits.

    Parameters
    ----------
    task : str
        The data.
    method : str
        Name of an estimator.
    params : dict
        What is set to another value than in the estimator of that name.
    n_per_class : int
        Labels of the target.
    n_splits : int
        How many times they are drawn.
    watch : bool
        Whether to keep what happens during the training.
    """

    task: str
    method: str
    params: dict[str, Any]
    n_per_class: int = 3
    n_splits: int = 10
    watch: bool = False


def key_of(cell: Cell | Mapping[str, Any]) -> str:
    """Name a cell, whatever the number of its splits."""
    fields = dict(cell._asdict() if isinstance(cell, Cell) else cell)
    fields.pop("n_splits")
    return json.dumps(fields, sort_keys=True)


def read(file: str) -> dict[str, dict[str, Any]]:
    """Read the line of every cell with the most splits, of these the latest."""
    found: dict[str, dict[str, Any]] = {}
    if (FOLDER / f"{file}.jsonl").exists():
        for line in load(file):
            key = key_of(line["cell"])
            before = found.get(key, line)["cell"]["n_splits"]
            if line["cell"]["n_splits"] >= before:
                found[key] = line
    return found


def find(found: Found, cells: Iterable[Cell]) -> list[tuple[Cell, dict[str, Any]]]:
    """List the cells that have been measured, with their lines."""
    pairs = ((cell, found.get(key_of(cell))) for cell in cells)
    return [(cell, line) for cell, line in pairs if line is not None]


def run(
    file: str,
    parts: Mapping[str, Sequence[Cell]],
    measure: Callable[[Cell], dict[str, Any]],
    title: str,
) -> None:
    """Measure what the command line asks for and is not there yet."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--parts", default=",".join(parts), help="P,P")
    parser.add_argument("--tasks", help="only these; T,T")
    parser.add_argument("--methods", help="only these; M;M")
    parser.add_argument("--splits", type=int, help="instead of the usual number")
    parser.add_argument("--jobs", type=int, help="processes, of one thread each")
    parser.add_argument("--again", action="store_true", help="what is there as well")
    given = parser.parse_args()
    done = {} if given.again else read(file)
    todo = []
    for part in given.parts.split(","):
        for usual in parts[part]:
            cell = usual._replace(n_splits=given.splits or usual.n_splits)
            there = done.get(key_of(cell), {"cell": {"n_splits": 0}})["cell"]
            if (
                cell.task in (given.tasks or cell.task).split(",")
                and cell.method in (given.methods or cell.method).split(";")
                and there["n_splits"] < cell.n_splits
            ):
                done[key_of(cell)] = {"cell": cell._asdict()}
                todo.append(cell)
    # Only this process writes: others may be on machines with disks of their own.
    parallel = Parallel(given.jobs, return_as="generator_unordered", batch_size=1)
    for line in parallel(delayed(on_one_thread)(_line, measure, c) for c in todo):
        write(file, line)


def _line(measure: Callable[[Cell], dict[str, Any]], cell: Cell) -> dict[str, Any]:
    """Measure a cell, and say where that was done."""
    line = {"cell": cell._asdict()} | measure(cell)
    return line | circumstances(line.get("device", "cpu"))
