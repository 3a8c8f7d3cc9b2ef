"""The tables of adaptation by co-occurring pairs, for ``report.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest, percent
from benchmarks.paired import METHODS, SWEEPS, TASKS

__all__ = ["paired_tables", "readme_paired_table"]

#: The categories of Wikipedia, in the order of their labels.
CATEGORIES = [
    "art",
    "biology",
    "geography",
    "history",
    "literature",
    "media",
    "music",
    "royalty",
    "sport",
    "warfare",
]
#: What a reader of README.md should see.
README_TASKS = [
    "mfeat fac → zer",
    "mfeat kar → fou",
    "Wikipedia deep text → image",
    "Reuters 0 → 1",
]
README_METHODS = [
    "SVM",
    "DNN",
    "SSDAE",
    "TTI",
    "WSDTN",
    "DATN (eq. 4)",
    "DATN",
    "PairedRidgeTransfer, source labels",
    "PairedRidgeTransfer",
    "HHTL",
]
CONTROL = "PairedRidgeTransfer"

Found = dict[tuple[Any, ...], dict[str, Any]]


def results() -> Found:
    """Read the latest line of every combination."""
    return latest(load("paired"), "task", "method", "sweep", "value")


def accuracy_table(
    found: Found,
    tasks: list[str],
    name: str = "values",
    methods: Iterable[str] = METHODS,
) -> Table:
    """Show every method on every task."""
    rows = []
    for method in methods:
        runs = [found.get((task, method, None, None)) for task in tasks]
        cells = [percent(run[name]) if run else "" for run in runs]
        if any(cell and "nan" not in cell for cell in cells):
            rows.append([method, *cells])
    return Table(["Method", *tasks], rows)


def gap_table(found: Found) -> Table:
    """Show the paired differences to the control of two lines."""
    rows = []
    for method in METHODS:
        cells = []
        for task in TASKS:
            pair = [found.get((task, m, None, None)) for m in (method, CONTROL)]
            both = [run["values"] for run in pair if run]
            cells.append(difference(*both) if len(both) == 2 else "")
        if method != CONTROL and any(cells):
            rows.append([method, *cells])
    return Table([f"Method, less {CONTROL}", *TASKS], rows)


def class_table(found: Found, task: str) -> Table:
    """Show the accuracy of every class."""
    rows = []
    for method in METHODS:
        run = found.get((task, method, None, None))
        if run and "(" not in method and "no source" not in method:
            means = 100 * np.mean(run["class_accuracies"], axis=0)
            rows.append([method, *(f"{mean:.1f}" for mean in means)])
    return Table(["Method", *CATEGORIES], rows)


def sweep_table(found: Found, sweep: str) -> Table:
    """Show what one size or one parameter does, for the target and the source."""
    values, methods = SWEEPS[sweep]
    rows = []
    for method in methods:
        runs = [
            run
            for value in values
            for (_, m, s, v), run in found.items()
            if (m, s, v) == (method, sweep, value)
        ]
        for name, label in (("values", "target"), ("source_values", "source")):
            cells = [percent(run[name]) for run in runs]
            if len(cells) == len(values) and "nan" not in cells[0]:
                rows.append([f"{method}, {label}", *cells])
    return Table([sweep, *(f"{value:g}" for value in values)], rows)


def speed_table() -> Table:
    """Show what the engine costs, and how the cost grows."""
    rows = []
    for (scale, batch), r in latest(
        load("speed_paired"), "scale", "batch_size"
    ).items():
        size = f"{scale} x {'all rows' if batch == -1 else batch}"
        epoch = f"{r['ms_per_epoch']:.1f}"
        rows.append([size, epoch, interval(r), f"≤ {r['aim']}"])
    return Table(["Rows x batch", "ms per epoch", "engine / bare loop", "aim"], rows)


def readme_paired_table() -> Table:
    """Show some of the tasks."""
    return accuracy_table(results(), README_TASKS, methods=README_METHODS)


def paired_tables() -> dict[str, Table]:
    """Make every table of adaptation by pairs, by the name of its file."""
    found = results()
    tasks = list(TASKS)
    return {f"paired_{sweep}": sweep_table(found, sweep) for sweep in SWEEPS} | {
        "paired_accuracy": accuracy_table(found, tasks),
        "paired_source": accuracy_table(found, tasks, "source_values"),
        "paired_gap": gap_table(found),
        "paired_classes": class_table(found, "Wikipedia text → image"),
        "paired_step": speed_table(),
    }
