"""The tables of partial adaptation, for ``report.py``."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest
from benchmarks.unsupervised_report import (
    Found,
    cell,
    column,
    control_first,
    mean_over,
    means_table,
    tasks_of,
)

__all__ = ["partial_tables", "readme_partial_table"]

#: The first five classes of Office-Caltech, in the order of their labels.
CLASSES = ["backpack", "bike", "calculator", "headphones", "keyboard"]
#: What a reader of README.md should see of every group.
README = {
    "main": "Office-Caltech, 10 → 5 classes (12)",
    "coil": "COIL, 20 → 10 classes (2)",
}
BACKBONES = {
    "ISRA": "BA3US",
    "ISRA, receptor": "BA3US",
    "ISRA, random": "BA3US",
    "ISRA, uniform": "BA3US",
    "ISRA, encoder, beta=1": "BA3US",
    "ISRA, uniform, beta=1": "BA3US",
    "ISRA, receptors as published": "BA3US",
    "ISRA, auto-encoder alone": "BA3US",
    "ISRA on SHOT": "SHOT",
    "ISRA on PADA": "PADA",
    "ISRA on DANN": "DANN",
}
#: Whose accuracy is shown class by class.
BY_CLASS = [
    "logistic regression",
    "PADA",
    "SHOT",
    "BA3US",
    "ISRA",
    "AutoAdapter",
    "PruneClasses(SPL())",
]


def results() -> Found:
    """Read the latest line of every combination."""
    return latest(load("partial"), "group", "task", "method")


def runs_of(found: Found, method: str, tasks: list[str]) -> list[dict[str, Any]]:
    """Collect what is known of a method on some tasks, whatever the group."""
    by_task = {task: run for (_, task, m), run in found.items() if m == method}
    return [by_task[task] for task in tasks if task in by_task]


def averages(runs: list[dict[str, Any]], name: str = "values") -> list[float]:
    """Average a quantity over tasks, seed by seed."""
    means: list[float] = np.mean([run[name] for run in runs], axis=0).tolist()
    return means


def task_table(found: Found, group: str) -> Table:
    """Show every method on every task of a group, with the mean."""
    tasks = tasks_of(found, group)
    rows = []
    for method in dict.fromkeys(m for g, _, m in found if g in (group, "main")):
        runs = runs_of(found, method, tasks)
        if len(runs) == len(tasks):
            cells = [cell(run["values"]) for run in runs]
            rows.append([method, *cells, mean_over([r["values"] for r in runs])])
    return Table(["Method", *map(column, tasks), "mean"], rows)


def summary_table(found: Found) -> Table:
    """Show the means of the first group, and what lies behind them."""
    tasks = tasks_of(found, "main")
    rows = []
    for method in dict.fromkeys(m for g, _, m in found if g == "main"):
        runs = runs_of(found, method, tasks)
        chosen = cell(averages(runs, "selected")) if "selected" in runs[0] else ""
        rows.append(
            [
                method,
                cell(averages(runs)),
                chosen,
                f"{100 * np.mean([run['inside'] for run in runs]):.1f}",
                f"{np.mean([run['n_kept'] for run in runs]):.1f}",
                f"{np.mean([run['seconds'] for run in runs]):.1f}",
            ]
        )
    header = ["last iterate", "least entropy", "in shared", "kept", "seconds"]
    return Table(["Method", *header], rows)


def class_table(found: Found) -> Table:
    """Show the accuracy of every class, over the tasks of the first group."""
    tasks = tasks_of(found, "main")
    means = {
        method: 100
        * np.mean(
            [run["class_accuracies"] for run in runs_of(found, method, tasks)],
            axis=(0, 1),
        )
        for method in BY_CLASS
        if runs_of(found, method, tasks)
    }
    rows = [[name, *(f"{mean:.1f}" for mean in row)] for name, row in means.items()]
    gains = means["ISRA"] - means["BA3US"]
    rows.append(["ISRA less BA3US", *(f"{gain:+.1f}" for gain in gains)])
    return Table(["Method", *CLASSES], rows)


def topic_table(found: Found) -> Table:
    """Show what ISRA adds to its backbones, and whether its receptors learn."""
    tasks = tasks_of(found, "isra")
    rows = []
    for method, backbone in BACKBONES.items():
        runs = runs_of(found, method, tasks)
        others = runs_of(found, backbone, tasks)
        if len(runs) == len(tasks) == len(others):
            values, control = averages(runs), averages(others)
            r2 = [run["receptor_r2"] for run in runs if "receptor" in method]
            rows.append(
                [
                    method,
                    cell(values),
                    f"{cell(control)}, {backbone}",
                    difference(values, control),
                    f"{np.median(r2):.2f}" if r2 else "",
                ]
            )
    header = ["with it", "backbone alone", "difference", "median R²"]
    return Table(["Method", *header], rows)


def speed_table() -> Table:
    """Show what the loop over the topics costs."""
    rows = [
        [f"{r['attention']}, threads: {r['threads']}", interval(r), f"≥ {r['aim']}"]
        for r in latest(load("speed_receptors"), "attention", "threads").values()
    ]
    return Table(["Form", "loop / skda", "aim"], rows)


def readme_partial_table() -> Table:
    """Show the mean of the groups that have all methods."""
    found = results()
    methods = control_first(m for g, _, m in found if g == "main")
    return means_table(found, methods, README)


def partial_tables() -> dict[str, Table]:
    """Make every table of partial adaptation, by the name of its file."""
    found = results()
    groups = ("main", "coil", "others")
    return {f"partial_{group}": task_table(found, group) for group in groups} | {
        "partial_summary": summary_table(found),
        "partial_classes": class_table(found),
        "partial_isra": topic_table(found),
        "receptors": speed_table(),
    }
