"""The tables of adaptation by co-occurring pairs, for ``report.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks._pages import Part, Picture, heading
from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest, percent
from benchmarks.paired import METHODS, SWEEPS, SWEPT, TASKS
from skda.inspection import SensitivityDisplay

__all__ = ["datn_parts", "paired_tables"]

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


#: Figures of the paper: what changes, and what is drawn.
FIGURES = {
    "fig3": ("n_source", "source_values", "labels of the source, for the source"),
    "fig3_target": ("n_source", "values", "labels of the source"),
    "fig4": ("n_pairs", "values", "co-occurring pairs"),
    "fig5": ("n_unlabeled_source", "values", "unlabeled rows of the source"),
    "fig6_alpha": ("alpha", "values", "alpha"),
    "fig6_beta": ("beta", "values", "beta"),
}


def datn_parts() -> list[Part]:
    """List the figures of DATN's paper that there are results for."""
    found = results()
    parts: list[Part] = []
    for name, (sweep, score, label) in FIGURES.items():
        rows = [
            {sweep: value, "method": method, "accuracy": 100 * np.array(run[score])}
            for method in SWEEPS[sweep][1]
            for (_, m, s, value), run in found.items()
            if (m, s) == (method, sweep) and np.isfinite(run[score]).all()
        ]
        if rows:
            parts.append(
                Picture(
                    f"papers_datn_{name}",
                    f"Accuracy over the number or the size of: {label}",
                    lambda rows=rows, sweep=sweep, label=label: _draw(
                        found, rows, sweep, label
                    ),
                )
            )
    if not parts:
        return []
    intro = (
        f"Its Fig. 3 to 6 on {SWEPT}: one size or one parameter at a time, three "
        f"splits. The first shows the accuracy of the source's own classifier, the "
        f"others that on the target. Dashed and dotted: what knows the target alone."
    )
    return [heading("DATN"), intro, *parts]


def _draw(found: Found, rows: list[dict[str, Any]], sweep: str, label: str) -> Any:
    """Draw the accuracies over what changes."""
    alone = {
        method: 100 * float(np.mean(run["values"][:3]))
        for method in ("SVM", "DNN", "SSDAE")
        if method not in SWEEPS[sweep][1]
        and (run := found.get((SWEPT, method, None, None)))
    }
    of_source = label.endswith("for the source")
    display = SensitivityDisplay.from_results(
        rows,
        sweep,
        score="accuracy",
        by="method",
        score_name=f"Accuracy on the {'source' if of_source else 'target'}, in %",
        reference=None if of_source else alone,
    )
    display.ax_.set_xlabel(label.partition(",")[0].capitalize())
    return display.figure_


def speed_table() -> Table:
    """Show what the engine costs, and how the cost grows."""
    rows = []
    for (scale, batch), r in latest(
        load("speed_paired"), "scale", "batch_size"
    ).items():
        size = f"{scale} x {'all rows' if batch == -1 else batch}"
        epoch = f"{r['ms_per_epoch']:.1f}"
        rows.append([size, epoch, interval(r), f"≤ {r['aim']}"])
    return Table(
        ["Rows x batch", "ms per epoch", "engine / bare loop", "aim"],
        rows,
        has_best=False,
    )


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
