"""The tables of partial adaptation, for ``report.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks._pages import Part, Picture, heading
from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest
from benchmarks.unsupervised_report import (
    Found,
    cell,
    column,
    control_first,
    mean_over,
    means_table,
    tails_table,
    tasks_of,
)
from skda.inspection import SensitivityDisplay

__all__ = ["isra_parts", "partial_tables"]

#: The first five classes of Office-Caltech, in the order of their labels.
CLASSES = ["backpack", "bike", "calculator", "headphones", "keyboard"]
#: What to show the means of.
GROUPS = {
    "main": "Office-Caltech, 10 → 5 classes (12)",
    "coil": "COIL, 20 → 10 classes (2)",
    "pacs": "PACS, 7 → 4 classes (12)",
}
#: What to show of a target cut to a long tail, beside the one that it is cut from.
TAILS = {
    "7 → 4 classes": ("pacs", "values"),
    "10 : 1": ("pacs_tail", "values"),
    "10 : 1, mean over classes": ("pacs_tail", "class_accuracies"),
}
#: Groups of Office-Caltech with the same target, the one to look into first.
SAME_DATA = ("main", "others")
#: What ISRA extends by default.
SHARP = "BA3US with entropy"
BACKBONES = {
    "ISRA": SHARP,
    "ISRA, receptor": SHARP,
    "ISRA, random": SHARP,
    "ISRA, uniform": SHARP,
    "ISRA, encoder, beta=1": SHARP,
    "ISRA, uniform, beta=1": SHARP,
    "ISRA, receptors as published": SHARP,
    "ISRA, auto-encoder alone": SHARP,
    "ISRA on SHOT": "SHOT",
    "ISRA on PADA": "PADA",
    "ISRA on DANN": "DANN",
    "ISRA on A2KTStyle": "A2KTStyle",
}
#: Backbones of Figure 2 of ISRA's paper.
FIGURE_2 = {"ISRA on A2KTStyle": "A2KTStyle", "ISRA on SHOT": "SHOT"}
#: Whose accuracy is shown class by class.
BY_CLASS = [
    "logistic regression",
    "PADA",
    "SHOT",
    "BA3US",
    SHARP,
    "ISRA",
    "AutoAdapter",
    "PruneClasses(SPL())",
]


def results() -> Found:
    """Read the latest line of every combination."""
    return latest(load("partial"), "group", "task", "method")


def runs_of(
    found: Found, method: str, tasks: list[str], group: str = "main"
) -> list[dict[str, Any]]:
    """Collect what is known of a method on some tasks of a group."""
    groups = [group, *SAME_DATA] if group in (*SAME_DATA, "isra") else [group]
    runs = (
        next((run for g in groups if (run := found.get((g, task, method)))), None)
        for task in tasks
    )
    return [run for run in runs if run]


def averages(runs: list[dict[str, Any]], name: str = "values") -> list[float]:
    """Average a quantity over tasks, seed by seed."""
    means: list[float] = np.mean([run[name] for run in runs], axis=0).tolist()
    return means


def task_table(found: Found, group: str) -> Table:
    """Show every method on every task of a group, with the mean."""
    tasks = tasks_of(found, group)
    rows = []
    for method in dict.fromkeys(m for g, _, m in found if g in (group, "main")):
        runs = runs_of(found, method, tasks, group)
        if runs and len(runs) == len(tasks):
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
    gains = means["ISRA"] - means[SHARP]
    rows.append([f"ISRA less {SHARP}", *(f"{gain:+.1f}" for gain in gains)])
    return Table(["Method", *CLASSES], rows)


def topic_table(found: Found) -> Table:
    """Show what ISRA adds to its backbones, and whether its receptors learn."""
    tasks = tasks_of(found, "isra")
    rows = []
    for method, backbone in BACKBONES.items():
        runs = runs_of(found, method, tasks, "isra")
        others = runs_of(found, backbone, tasks, "isra")
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
    return Table(["Form", "loop / skda", "aim"], rows, has_best=False)


def groups_table() -> Table:
    """Show the mean of the groups that have all methods."""
    found = results()
    methods = control_first(m for g, _, m in found if g == "main")
    groups = {g: title for g, title in GROUPS.items() if tasks_of(found, g)}
    return means_table(found, methods, groups)


def isra_parts() -> list[Part]:
    """List the figures of ISRA's paper that there are results for."""
    found = results()
    parts: list[Part] = []
    tasks = tasks_of(found, "isra")
    for method, backbone in FIGURE_2.items():
        both = {
            name: runs_of(found, name, tasks, "isra") for name in (backbone, method)
        }
        if tasks and all(len(runs) == len(tasks) for runs in both.values()):
            parts.append(
                Picture(
                    f"papers_isra_fig2_{backbone.lower()}",
                    f"Accuracy of {backbone} on four pairs, with ISRA and without",
                    lambda both=both: _draw_backbone(both, list(map(column, tasks))),
                )
            )
    if found_in(found, "isra_weights"):
        parts.append(
            Picture(
                "papers_isra_fig6_weights",
                "Accuracy of ISRA on BA3US over alpha and beta",
                lambda: _draw_weights(found),
            )
        )
    if found_in(found, "isra_topics"):
        parts.append(
            Picture(
                "papers_isra_fig6_topics",
                "Accuracy of ISRA on BA3US over the number of topics",
                lambda: _draw_topics(found),
            )
        )
    if not parts:
        return []
    intro = (
        "Its Fig. 2, what it adds to other backbones: four pairs of Office-Caltech, "
        "5 of 10 classes, SqueezeNet features, mean and standard deviation over three "
        "seeds (A2KTStyle is after an abstract, and not the A2KT of the paper). Its "
        "Fig. 6, on BA3US with entropy: alpha and beta, and the number of topics; the "
        "mean of the first two of these pairs, one seed."
    )
    return [heading("ISRA"), intro, *parts]


def found_in(found: Found, group: str) -> list[dict[str, Any]]:
    """List what has been measured of a group."""
    return [run for (g, _, _), run in found.items() if g == group]


def mean_by_params(
    found: Found, group: str, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Average accuracies over the tasks at every value of some parameters."""
    values: dict[tuple[Any, ...], list[float]] = {}
    for run in found_in(found, group):
        key = tuple(run["params"][name] for name in names)
        values.setdefault(key, []).append(100 * float(np.mean(run["values"])))
    return [
        dict(zip(names, key, strict=True)) | {"accuracy": float(np.mean(each))}
        for key, each in values.items()
    ]


def backbone_alone(found: Found, group: str) -> dict[str, float]:
    """Average the accuracy of ISRA's backbone over a group, if it is known."""
    tasks = tasks_of(found, group)
    runs = runs_of(found, SHARP, tasks)
    if len(runs) < len(tasks):
        return {}
    # The first seed alone, as of what it stands beside.
    return {SHARP: 100 * float(np.mean([run["values"][0] for run in runs]))}


def _draw_backbone(both: dict[str, list[dict[str, Any]]], columns: list[str]) -> Any:
    """Draw the accuracies of a backbone on every pair as bars, and those with ISRA."""
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    places, width = np.arange(len(columns)), 0.38
    for shift, (method, runs) in zip((-0.5, 0.5), both.items(), strict=True):
        accuracies = 100 * np.array([run["values"] for run in runs])  # (pairs, seeds)
        means, deviations = accuracies.mean(axis=1), accuracies.std(axis=1, ddof=1)
        at = places + shift * width
        axes.bar(at, means, width, yerr=deviations, capsize=3, label=method)
    lowest = min(min(run["values"]) for runs in both.values() for run in runs)
    axes.set(ylabel="Accuracy, in %", ylim=(max(0, 100 * lowest - 10), 100))
    axes.set_xticks(places, columns)
    axes.spines[["right", "top"]].set_visible(False)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def _draw_weights(found: Found) -> Any:
    """Draw the accuracies over both weights."""
    rows = mean_by_params(found, "isra_weights", ("alpha", "beta"))
    reference = backbone_alone(found, "isra_weights")
    shown = [*(row["accuracy"] for row in rows), *reference.values()]
    return SensitivityDisplay.from_results(
        rows,
        ("alpha", "beta"),
        score="accuracy",
        score_name="Accuracy, in %",
        reference=reference,
        vmin=min(shown) - 0.5,  # so that a line at either end is seen
        vmax=max(shown) + 0.5,
    ).figure_


def _draw_topics(found: Found) -> Any:
    """Draw the accuracies over the number of topics, by what makes the attention."""
    display = SensitivityDisplay.from_results(
        mean_by_params(found, "isra_topics", ("n_topics", "attention")),
        "n_topics",
        score="accuracy",
        by="attention",
        score_name="Accuracy, in %",
        reference=backbone_alone(found, "isra_topics"),
    )
    display.ax_.set_xlabel("Number of topics")
    return display.figure_


def partial_tables() -> dict[str, Table]:
    """Make every table of partial adaptation, by the name of its file."""
    found = results()
    groups = ("main", "coil", "pacs", "others")
    return {f"partial_{group}": task_table(found, group) for group in groups} | {
        "partial_groups": groups_table(),
        "partial_summary": summary_table(found),
        "partial_classes": class_table(found),
        "partial_isra": topic_table(found),
        "partial_tails": tails_table(found, TAILS),
        "receptors": speed_table(),
    }
