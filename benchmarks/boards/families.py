"""Ask whether what can be measured on data tells which kind of method will be best.

The kinds are AutoAdapter, other methods without a network, networks, and plain
classifiers. Rules are learned from the choosing side of the boards alone, and judged on
data sets that they have not seen.

    python -m benchmarks.boards.families [--folder DIR]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.unsupervised
from benchmarks._results import FOLDER
from benchmarks._tables import Table
from benchmarks.boards.problems import NOT_LOADED, Problem, load_problem
from benchmarks.boards.report import ORACLE, Board, read
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import all_tasks, side

__all__ = ["family", "main", "measure", "winner"]

GROUPS = ("few", "unsupervised", "partial")
PACKAGES = (skda.baselines, skda.heterogeneous, skda.partial, skda.unsupervised)
RULES: dict[str, Any] = {
    "two questions": DecisionTreeClassifier(
        max_depth=2, min_samples_leaf=8, random_state=0
    ),
    "four questions": DecisionTreeClassifier(
        max_depth=4, min_samples_leaf=5, random_state=0
    ),
    "a forest": RandomForestClassifier(500, min_samples_leaf=2, random_state=0),
}
N_SINGULAR = 300  # rows that the spread is measured on
N_FOLDS = 10


def family(method: str) -> str:
    """Name the kind of a method.

    Parameters
    ----------
    method : str
        Its name on the boards.

    Returns
    -------
    str
        Its kind.
    """
    if method in {BASELINE, "SourceOnly"}:
        return "plain"
    found = [getattr(package, method, None) for package in PACKAGES]
    trains = [each and "optimizer" in each().get_params() for each in found]
    if any(trains) or method == "ISRA":  # a plug-in, of a network
        return "network"
    return method if method == "AutoAdapter" else "no network"


def winner(board: Board, task: str) -> str:
    """Name the kind of the best method of a task.

    Parameters
    ----------
    board : Board
        The results.
    task : str
        Name of the task.

    Returns
    -------
    str
        Its kind. A tie goes to the method that was run first.
    """
    scores = {
        method: record["score"]
        for (name, method), record in board.fits.items()
        if name == task and method != ORACLE
    }
    return family(max(scores, key=scores.__getitem__))


def measure(problem: Problem) -> list[float]:
    """Measure what a user could know before any fit.

    Parameters
    ----------
    problem : Problem
        The data.

    Returns
    -------
    list of float
        Rows, columns, rows per column, classes, labels per class, skew of the labels
        and of the source, share of zeros, whether there are signs, dimensions that the
        rows fill, rows of the source and its distance.
    """
    X = np.asarray(problem.X, dtype=np.float64)
    labels = problem.y[problem.y != -1]
    n, d = X.shape
    X_source, y_source = problem.source or (np.empty((0, 0)), labels)
    n_classes = max(len(np.unique(y_source)), 1)
    power = np.linalg.svd((X - X.mean(0))[:N_SINGULAR], compute_uv=False) ** 2
    distance = 0.0
    if X_source.shape[1] == d:
        shift = np.abs(np.asarray(X_source).mean(0) - X.mean(0))
        distance = float(np.mean(shift / np.maximum(X.std(0), 1e-6)))
    return [
        *(n, d, n / d, n_classes, len(labels) / n_classes),
        *(_skew(labels), _skew(y_source)),
        *(float(np.mean(X == 0)), float(np.any(X < 0))),
        float(power.sum() ** 2 / np.sum(power**2)),
        *(len(X_source), min(distance, 50.0)),
    ]


def _skew(y: NDArray[Any]) -> float:
    """Divide the size of the largest class by that of the smallest."""
    counts = np.unique(y, return_counts=True)[1]
    return float(counts.max() / counts.min()) if len(counts) else 1.0


def _percent(hits: NDArray[np.bool_]) -> str:
    """Show the share of hits."""
    return f"{100 * hits.mean():.0f}"


def _collect(
    folder: Path, group: str
) -> tuple[list[list[float]], list[str], list[str]]:
    """Measure the tasks of a group; name their winners and their data."""
    tasks = [t for t in all_tasks() if t.group == group and side(t) == "choosing"]
    text = (folder / f"boards_{group}.jsonl").read_text(encoding="utf-8")
    board = read(text.splitlines(), tasks)
    X, y, data = [], [], []
    for task in board.tasks:
        try:
            problem = load_problem(task)
        except NOT_LOADED:
            continue
        X.append(measure(problem))
        y.append(winner(board, task.name))
        data.append(task.families[0])
    return X, y, data


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the shares of tasks on which a rule names the kind of the winner.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Command line arguments; None takes those of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    hits: dict[str, list[NDArray[np.bool_]]] = {"AutoAdapter": []}
    for group in GROUPS:
        X, y, data = _collect(folder, group)
        truth = np.array(y)
        hits["AutoAdapter"].append(truth == "AutoAdapter")
        cv = GroupKFold(min(N_FOLDS, len(set(data))))
        for name, rule in RULES.items():
            named = cross_val_predict(rule, np.array(X), truth, groups=data, cv=cv)
            hits.setdefault(name, []).append(named == truth)
    rows = [[name, *map(_percent, parts)] for name, parts in hits.items()]
    for row, parts in zip(rows, hits.values(), strict=True):
        row.append(_percent(np.concatenate(parts)))
    sys.stdout.write(f"{Table(['Rule', *GROUPS, 'all'], rows).markdown()}\n")


if __name__ == "__main__":
    main()
