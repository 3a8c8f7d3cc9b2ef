"""The tables of unsupervised adaptation, for ``report.py``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmarks._pages import Part, Picture
from benchmarks._results import load
from benchmarks._tables import Table, interval, latest
from skda.inspection import CriticalDifferenceDisplay

__all__ = [
    "Found",
    "cell",
    "column",
    "control_first",
    "mean_over",
    "means_table",
    "summary_parts",
    "tails_table",
    "tasks_of",
    "unsupervised_tables",
]

LETTERS = {"amazon": "A", "caltech": "C", "webcam": "W", "dslr": "D"}
DATA_SETS = {
    "digits_mnist256": "MNIST",
    "digits_usps256": "USPS",
    "coil20_coil1": "COIL 1",
    "coil20_coil2": "COIL 2",
    "reviews_books": "books",
    "reviews_dvd": "DVD",
    "reviews_elec": "electronics",
    "reviews_kitchen": "kitchen",
    "pacs_photo": "photo",
    "pacs_art_painting": "art",
    "pacs_cartoon": "cartoon",
    "pacs_sketch": "sketch",
}
#: Groups whose target is cut to a long tail, beside those that they are cut from, and
#: what to show of each: accuracies, or those of the classes, whose mean is shown.
TAILS = {
    "reviews": ("reviews", "values"),
    "4 : 1": ("reviews_tail", "values"),
    "4 : 1, mean over classes": ("reviews_tail", "class_accuracies"),
    "PACS": ("pacs", "values"),
    "10 : 1": ("pacs_tail", "values"),
    "10 : 1, mean over classes": ("pacs_tail", "class_accuracies"),
}
#: Rows of SymNets' ablation, in the order of its Table 4.
ABLATION = {
    "SourceOnly": "SourceOnly",
    "SourceOnly + entropy": "SourceOnly + entropy",
    "DomainConfusion": "DomainConfusion",
    "DomainConfusion + entropy": "DomainConfusion + entropy",
    "SymNets w/o E_t": "SymNets without cross-domain training",
    "SymNets w/o M": "SymNets without entropy",
    "SymNets w/o confusion": "SymNets without confusion",
    "SymNets w/o category confusion": "SymNets without category confusion",
    "SymNets": "SymNets",
}
#: What to show the means of.
GROUPS = {
    "squeezenet": "Office-Caltech, SqueezeNet (12)",
    "surf": "Office-Caltech, SURF (4)",
    "digits": "MNIST ↔ USPS (2)",
    "reviews": "Amazon reviews (12)",
    "pacs": "PACS (12)",
}

#: What any method has to beat.
CONTROL = "plain classifier"

Found = dict[tuple[str, str, str], dict[str, Any]]


def results() -> Found:
    """Read the latest line of every combination."""
    return latest(load("unsupervised"), "group", "task", "method")


def column(task: str) -> str:
    """Spell a task."""
    ends = [
        DATA_SETS.get(end) or LETTERS[end.partition("_")[0]] for end in task.split(":")
    ]
    return " → ".join(ends)


def cell(values: list[float]) -> str:
    """Write mean, standard deviation and number of seeds."""
    mean = f"{100 * np.mean(values):.1f}"
    if len(values) == 1:
        return mean
    return f"{mean} ± {100 * np.std(values, ddof=1):.1f} ({len(values)})"


def mean_over(runs: list[list[float]]) -> str:
    """Write the mean over tasks, and its deviation over seeds."""
    n = min(map(len, runs))  # what all tasks have
    return cell(np.mean([run[:n] for run in runs], axis=0).tolist())


def tasks_of(found: Found, group: str) -> list[str]:
    """List the tasks of a group, in the usual order of the domains."""
    order = [*LETTERS, *DATA_SETS]

    def places(task: str) -> list[int]:
        ends = task.split(":")
        return [
            order.index(end if end in DATA_SETS else end.split("_")[0]) for end in ends
        ]

    return sorted({task for g, task, _ in found if g == group}, key=places)


def control_first(methods: Iterable[str]) -> list[str]:
    """List methods once, in the order of the results, the control of all first."""
    return sorted(dict.fromkeys(methods), key=lambda method: method != CONTROL)


def group_table(found: Found, group: str) -> Table:
    """Show every method on every task of a group, with the mean."""
    tasks = tasks_of(found, group)
    rows = []
    for method in control_first(m for g, _, m in found if g == group):
        runs = [found.get((group, task, method)) for task in tasks]
        values = [run["values"] if run else [] for run in runs]
        mean = mean_over(values) if all(runs) else ""
        rows.append([method, *(cell(v) if v else "" for v in values), mean])
    return Table(["Method", *map(column, tasks), "mean"], rows)


def ranked_table(found: Found, group: str) -> Table:
    """Show the mean rank beside all that is known of a group."""
    table = group_table(found, group)
    ranks = mean_ranks(found, group)
    ranked = [[*row, ranks.get(row[0], "")] for row in table.rows]
    return Table([*table.header, "mean rank"], ranked)


def mean_ranks(found: Found, group: str) -> dict[str, str]:
    """Rank the methods that have all tasks of a group, the best first; ties share."""
    tasks = tasks_of(found, group)
    methods = [
        method
        for method in dict.fromkeys(m for g, _, m in found if g == group)
        if all((group, task, method) in found for task in tasks)
    ]
    if not methods:
        return {}
    scores = [
        [-np.mean(found[group, task, method]["values"]) for method in methods]
        for task in tasks
    ]
    ranks = rankdata(scores, axis=1).mean(axis=0)
    return {m: f"{rank:.1f}" for m, rank in zip(methods, ranks, strict=True)}


def ablation_table(found: Found) -> Table:
    """Show what every part of SymNets adds, as its Table 4, all rows treated alike."""
    tasks = tasks_of(found, "ablation")
    rows = []
    for method, name in ABLATION.items():
        cells = [
            mean_of_groups(found, groups, tasks, method)
            for groups in (["ablation", "squeezenet"], ["ablation_swapped"])
        ]
        if method.startswith("SymNets"):
            cells.reverse()
        rows.append([name, *cells])
    return Table(["Method", "rates of the other networks", "rates of SymNets"], rows)


def mean_of_groups(
    found: Found, groups: list[str], tasks: list[str], method: str
) -> str:
    """Write the mean over tasks of a method, which is in one of the groups."""
    for group in groups:
        runs = [found.get((group, task, method)) for task in tasks]
        if runs and all(runs):
            return mean_over([run["values"] for run in runs if run])
    return ""


def summary_parts() -> list[Part]:
    """Show the mean of every group, and the ranks over all of their tasks."""
    found = results()
    methods = control_first(
        m for g, _, m in found if g == "squeezenet" and "(" not in m
    )
    groups = {g: title for g, title in GROUPS.items() if tasks_of(found, g)}
    tasks = [(g, t) for g in groups for t in tasks_of(found, g)]
    complete = [m for m in methods if all((*task, m) in found for task in tasks)]
    scores = [
        [float(np.mean(found[*task, m]["values"])) for m in complete] for task in tasks
    ]

    def make() -> Any:
        return CriticalDifferenceDisplay.from_scores(scores, names=complete).figure_

    text = (
        f"Mean ranks over these {len(tasks)} pairs of the {len(complete)} methods that "
        f"have all of them, with Nemenyi's test. Pairs share domains, so the test is "
        f"optimistic:"
    )
    alt = "Mean ranks of the methods, with bars over those that do not differ"
    picture = Picture("papers_unsupervised", alt, make)
    return [means_table(found, methods, groups), text, picture]


def means_table(
    found: Found, methods: Iterable[str], groups: Mapping[str, str]
) -> Table:
    """Show the means of some methods over the tasks of some groups, by their titles."""
    rows = []
    for method in methods:
        cells = []
        for group in groups:
            runs = [found.get((group, t, method)) for t in tasks_of(found, group)]
            full = runs and all(runs)
            cells.append(mean_over([r["values"] for r in runs if r]) if full else "")
        rows.append([method, *cells])
    return Table(["Method", *groups.values()], rows)


def tails_table(
    found: Found, tails: Mapping[str, tuple[str, str]] | None = None
) -> Table:
    """Show what other class shares cost, by accuracy and by its mean over classes."""
    tails = TAILS if tails is None else tails
    groups = {group for group, _ in tails.values()}
    rows = []
    for method in dict.fromkeys(m for g, _, m in found if g in groups):
        cells = []
        for group, field in tails.values():
            runs = [found.get((group, t, method)) for t in tasks_of(found, group)]
            full = runs and all(runs)
            # Of every seed one number, or one for each class.
            values = [[float(np.mean(v)) for v in run[field]] for run in runs if run]
            cells.append(mean_over(values) if full else "")
        cut = [group.endswith("_tail") for group, _ in tails.values()]
        if any(cell for cell, is_cut in zip(cells, cut, strict=True) if is_cut):
            rows.append([method, *cells])
    return Table(["Method", *tails], rows)


def pretrained_table(found: Found) -> Table:
    """Show what follows a pretrained network as it is, then what trains it further."""
    both = {
        ("both", task, method + suffix): run
        for group, suffix in {"pretrained": "", "fine_tuned": ", fine-tuned"}.items()
        for (g, task, method), run in found.items()
        if g == group
    }
    return group_table(both, "both")


def speed_table() -> Table:
    """Show what an epoch costs elsewhere."""
    rows = [
        [
            ", ".join(
                [r["name"], " x ".join(map(str, r["discriminator_layer_sizes"]))]
            ).removesuffix(", "),
            str(r["batch_size"]),
            interval(r),
            f"≥ {r['aim']}",
        ]
        for r in latest(load("speed_skada"), "name", "batch_size", "dropout").values()
    ]
    return Table(
        ["Method and discriminator", "Batch", "skada / skda", "aim"],
        rows,
        has_best=False,
    )


def passes_table() -> Table:
    """Show what steps with several passes cost."""
    rows = [
        [
            r["name"],
            str(r["batch_size"]),
            f"{r['milliseconds']:.1f}",
            interval(r),
            f"≤ {r['n_passes']}",
        ]
        for r in latest(load("speed_passes"), "name", "batch_size").values()
    ]
    return Table(
        ["Methods", "Batch", "ms a step", "ratio", "aim"], rows, has_best=False
    )


def unsupervised_tables() -> dict[str, Table]:
    """Make every table of unsupervised adaptation, by the name of its file."""
    found = results()
    groups = ("squeezenet", "surf", "digits", "reviews", "pacs", "images64")
    return {f"unsupervised_{g}": ranked_table(found, g) for g in groups} | {
        "unsupervised_ablation": ablation_table(found),
        "unsupervised_tails": tails_table(found),
        "pretrained": pretrained_table(found),
        "skada": speed_table(),
        "passes": passes_table(),
    }
