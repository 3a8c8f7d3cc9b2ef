"""How often prediction sets have the true class, and how large they are.

Each draw takes 600 rows of the target at most, of which the first 100 or one third are
labeled, and measures the sets of :class:`skda.model_selection.AdaptiveSets` on the
others, for three levels. "source" has no label of the target, and calibrates on rows of
the source as they are: the control that shows what no promise is worth. Each cell is a
line of ``results/sets.jsonl``.

    python -m benchmarks.sets [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import time
import warnings
from functools import lru_cache, partial
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from benchmarks._cells import Cell, key_of, read, run
from benchmarks._pages import Part, Picture, heading
from benchmarks._tables import Table
from benchmarks.opinions import TASKS
from skda.baselines import TargetOnly
from skda.datasets import load_task
from skda.model_selection import AdaptiveSets
from skda.unsupervised import SourceOnly, TargetCentroids

__all__ = ["METHODS", "PARTS", "sets_parts"]

N_ROWS, N_LABELED = 600, 100
LEVELS = (0.8, 0.9, 0.95)
PLAIN = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=50))
METHODS = {
    "target": AdaptiveSets(TargetOnly(PLAIN)),
    "target, split": AdaptiveSets(TargetOnly(PLAIN), calibration="split"),
    "target, aps": AdaptiveSets(TargetOnly(PLAIN), conformity="aps"),
    "TargetCentroids": AdaptiveSets(TargetCentroids(PLAIN)),
    "source": AdaptiveSets(SourceOnly(PLAIN)),
}
PARTS = {
    method.replace(", ", "_"): [Cell(task, method, {}, 0, 50) for task in TASKS]
    for method in METHODS
}


@lru_cache(maxsize=1)
def load(task: str) -> Bunch:
    """Load a task once for all draws."""
    return load_task(task)


def measure(cell: Cell) -> dict[str, Any]:
    """Measure the sets of one method on one task."""
    data = load(cell.task)
    coverage: dict[str, list[float]] = {str(level): [] for level in LEVELS}
    size: dict[str, list[float]] = {str(level): [] for level in LEVELS}
    start = time.perf_counter()
    for draw in range(cell.n_splits):
        rng = np.random.default_rng(draw)
        rows = rng.permutation(len(data.X))[:N_ROWS]
        X, truth = data.X[rows].astype(np.float64), data.y[rows]
        source_rows = rng.permutation(len(data.source[0]))[:N_ROWS]
        source = tuple(part[source_rows] for part in data.source)
        n_labeled = min(N_LABELED, len(rows) // 3)
        if cell.method == "source":
            n_labeled = 0
        y = np.where(np.arange(len(rows)) < n_labeled, truth, -1)
        needs = {} if cell.method.startswith("target") else {"source": source}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The level does not matter to the fit, but where to calibrate does.
            sets = METHODS[cell.method].set_params(alpha=0.2).fit(X, y, **needs)
        for level in LEVELS:
            found = sets.set_params(alpha=1 - level).predict_set(X[n_labeled:])
            # A class without a label is in no set: its rows are missed.
            own = truth[n_labeled:, None] == sets.classes_
            coverage[str(level)].append(float((found & own).any(axis=1).mean()))
            size[str(level)].append(float(found.sum(axis=1).mean()))
    means = {level: round(float(np.mean(v)), 3) for level, v in coverage.items()}
    print(cell.task, cell.method, means, flush=True)
    return {
        "metric": "coverage of unlabeled target rows",
        "coverage": coverage,
        "size": size,
        "n_classes": len(sets.classes_),
        "seconds": (time.perf_counter() - start) / cell.n_splits,
    }


INTRO = """\
Sets of :class:`skda.model_selection.AdaptiveSets` at three levels, calibrated on 100
random labeled rows of the target, or a third of them where it is small: mean coverage
in % over {n} draws / mean number of classes in a set. "target" is a logistic regression
of these rows, "TargetCentroids" adapts the source as well. "source" is the control: no
target label, sets calibrated on the source as it is, without pairs. It promises
nothing, and says so in a warning."""


def sets_parts() -> list[Part]:
    """List the table and the picture, if there are results."""
    found = read("sets")
    lines = {
        method: [found.get(key_of(Cell(task, method, {}, 0))) for task in TASKS]
        for method in METHODS
    }
    lines = {method: each for method, each in lines.items() if any(each)}
    if not lines:
        return []
    rows = [
        _row(method, str(level), each)
        for method, each in lines.items()
        for level in LEVELS
    ]
    n = min(line["cell"]["n_splits"] for line in found.values())
    table = Table(["Method, level", *TASKS.values(), "mean"], rows, has_best=False)
    alt = "Coverage of sets on every task, at three levels, beside the promise"
    return [
        heading("Prediction sets"),
        INTRO.format(n=n),
        table,
        Picture("papers_sets", alt, partial(_draw, lines)),
    ]


def _draw(lines: dict[str, list[dict[str, Any] | None]]) -> Any:
    """Draw the coverage on every task beside the promise."""
    figure, axes = plt.subplots(figsize=(6, 3.5))
    for j, level in enumerate(LEVELS):
        axes.axhline(100 * level, color=f"C{j}", linewidth=1, label=f"{level:.0%}")
        for i, each in enumerate(lines.values()):
            values = [
                100 * np.mean(line["coverage"][str(level)]) for line in each if line
            ]
            at = np.full(len(values), i + 0.2 * (j - 1))
            axes.plot(at, values, "o", color=f"C{j}", alpha=0.6)
    axes.set(xticks=range(len(lines)), ylabel="Coverage in %")
    axes.set_xticklabels(list(lines), rotation=15)
    axes.legend(title="Promise")
    return figure


def _row(method: str, level: str, lines: list[dict[str, Any] | None]) -> list[str]:
    """Spell the coverage and the size at one level."""
    pairs = [
        (100 * np.mean(line["coverage"][level]), np.mean(line["size"][level]))
        for line in lines
        if line
    ]
    texts = iter([f"{coverage:.1f} / {size:.1f}" for coverage, size in pairs])
    mean = np.mean(pairs, axis=0)
    return [
        f"{method}, {float(level):.0%}",
        *(next(texts) if line else "" for line in lines),
        f"{mean[0]:.1f} / {mean[1]:.1f}",
    ]


if __name__ == "__main__":
    run("sets", PARTS, measure, __doc__.splitlines()[0])
