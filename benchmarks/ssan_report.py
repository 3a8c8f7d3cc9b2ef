"""The tables and figures of SSAN's paper, for ``papers.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from benchmarks._cells import Cell, find, key_of, read
from benchmarks._pages import Part, Picture, heading
from benchmarks._tables import Table
from benchmarks.ssan import (
    ABLATION,
    ALONE,
    BOTH,
    CALTECH_DSLR,
    ENGLISH,
    LANGUAGES,
    MAIN,
    PARTS,
    RANKED,
    SWEEPS,
    TABLE_2,
    TABLE_3,
    TARGET_METHODS,
    changed,
)
from benchmarks.unsupervised_report import cell as spell_cell
from skda.inspection import CriticalDifferenceDisplay, SensitivityDisplay

__all__ = ["ssan_parts"]

COLUMNS = {
    "amazon_surf:dslr_decaf6": "A → D",
    "amazon_surf:webcam_decaf6": "A → W",
    CALTECH_DSLR: "C → D",
    "caltech_surf:webcam_decaf6": "C → W",
    "webcam_surf:dslr_decaf6": "W → D",
    "webcam_surf:webcam_decaf6": "SURF → DeCAF6",
    "webcam_decaf6:webcam_surf": "DeCAF6 → SURF",
    ENGLISH: "Reuters 0 → 4",
}
#: What the paper prints: the best of all epochs on the test labels.
PRINTED_3 = {
    "SVMt": (92.60, 89.34, 92.60, 89.34, 92.60),
    "NNt": (92.99, 91.13, 92.99, 91.13, 92.99),
    "STN": (96.42, 96.68, 96.06, 96.38, 96.38),
    "SSAN": (97.00, 96.31, 97.44, 95.87, 97.64),
}
PRINTED_2 = {
    "SVMt": (89.32, 55.28),
    "NNt": (91.42, 60.87),
    "STN": (95.43, 64.71),
    "SSAN": (96.66, 69.81),
}
PRINTED_5 = {
    "alpha = 0": (96.22, 66.91),
    "beta = 0": (96.09, 64.39),
    "gamma = 0": (96.30, 71.98),
    "T = 1": (96.14, 65.48),
    "no geometric check": (96.30, 69.11),
    "all": (97.44, 73.68),
}
SYMBOLS = {"temperature": "T", "n_components": "d"}
FIG_6 = (
    "Its Fig. 6, {}: the mean prediction of every class, in the source and on the "
    "unlabeled target, with the soft labels (alpha = 0.1) and without (alpha = 0):"
)
FIG_7 = (
    "Its Fig. 7, {}: the pseudo-labels over the training, held against the labels that "
    "were hidden from it:"
)
LINES = {
    "agreement": "both agree (share of rows)",
    "kept": "right, where both agree",
    "network": "right, by the network",
    "prototype": "right, by the nearest prototype",
}

Found = Mapping[str, dict[str, Any]]


def ssan_parts() -> list[Part]:
    """List what there is to show."""
    found = read("ssan")
    parts: list[Part] = []
    for make in (_tables, _ablation, _labels, _ranks, _sensitivity, _inside):
        parts += make(found)
    if not parts:
        return []
    intro = (
        "Three labels per class unless it says otherwise; accuracy in percent on the "
        "target rows whose label was hidden, after the last iteration: mean ± standard "
        "deviation (number of splits). The methods have their defaults here, which are "
        "not the paper's settings; rows in italics are what the paper prints, which is "
        "the best test accuracy over the epochs, on other splits and samples."
    )
    return [heading("SSAN"), intro, *parts]


def _values(found: Found, cell: Cell) -> list[float]:
    line = found.get(key_of(cell))
    return line["values"] if line else []


def _tables(found: Found) -> list[Part]:
    """Make Tables 3 and 2, of what has DeCAF6 features."""
    parts: list[Part] = []
    for title, tasks, printed in (
        ("Its Table 3, SURF → DeCAF6 features:", TABLE_3, PRINTED_3),
        ("Its Table 2, webcam, two features of the same images:", TABLE_2, PRINTED_2),
    ):
        rows = []
        for method in [*MAIN, "SSAN.published()", "STN.published()"]:
            each = [_values(found, Cell(task, method, {})) for task in tasks]
            if any(each):
                rows.append([method, *map(_spell, each), _mean(each)])
        if rows:
            rows += [
                [
                    f"*{name}, printed*",
                    *(f"{v:.1f}" for v in row),
                    f"{np.mean(row):.1f}",
                ]
                for name, row in printed.items()
            ]
            header = ["Method", *(COLUMNS[task] for task in tasks), "mean"]
            parts += [title, Table(header, rows)]
    return parts


def _ablation(found: Found) -> list[Part]:
    """Make Table 5."""
    rows = []
    for method in ("SSAN", "SSAN.published()"):
        for label, params in ABLATION.items():
            each = [_values(found, Cell(task, method, params)) for task in BOTH]
            if any(each):
                printed = [f"{value:.1f}" for value in PRINTED_5[label]]
                rows.append([f"{method}, {label}", *map(_spell, each), *printed])
    if not rows:
        return []
    header = ["What is left out", *(COLUMNS[task] for task in BOTH)]
    header += [f"*printed, {task}*" for task in ("C → D", "EN → SP")]
    return ["Its Table 5, one part left out at a time:", Table(header, rows)]


def _labels(found: Found) -> list[Part]:
    """Draw Fig. 3: accuracy over the number of labels."""
    numbers = sorted({cell.n_per_class for cell in PARTS["fig3"]})
    rows = []
    for n in numbers:
        for method in dict.fromkeys(cell.method for cell in PARTS["fig3"]):
            alone = method in TARGET_METHODS or method.endswith(ALONE)
            tasks = [ENGLISH] if alone else LANGUAGES
            each = [_values(found, Cell(t, method, {}, n, 5)) for t in tasks]
            if all(each):
                scores = 100 * np.mean(_even(each), axis=0)
                rows.append({"labels": n, "method": method, "accuracy": scores})
    if len({row["labels"] for row in rows}) < 2:
        return []

    def make() -> Any:
        return SensitivityDisplay.from_results(
            rows,
            "labels",
            score="accuracy",
            by="method",
            score_name="Accuracy in %",
            name="Reuters, mean of four languages → the fifth",
        ).figure_

    alt = "Accuracy over the number of labels per class, a line for every method"
    text = (
        "Its Fig. 3, Reuters, over the number of labels per class; the mean of four "
        "languages as the source, and its standard deviation over the splits:"
    )
    return [text, Picture("papers_ssan_fig3", alt, make)]


def _ranks(found: Found) -> list[Part]:
    """Draw Fig. 4: do the methods differ over all tasks."""
    scores = []
    for task in [*TABLE_3, *TABLE_2, *LANGUAGES]:
        n = 5 if task in LANGUAGES else 3
        line = []
        for method in RANKED:
            there = ENGLISH if method in TARGET_METHODS and n == 5 else task
            values = _values(found, Cell(there, method, {}, n, 5))
            line.append(100 * np.mean(values) if values else np.nan)
        if not np.isnan(line).any():
            scores.append(line)
    if len(scores) < 3:
        return []

    def make() -> Any:
        return CriticalDifferenceDisplay.from_scores(scores, names=RANKED).figure_

    alt = "Mean ranks of the methods, with bars over those that do not differ"
    text = (
        f"Its Fig. 4, a test of the methods over the tasks: mean ranks on "
        f"{len(scores)} tasks (those of Tables 3 and 2, and the languages of Reuters "
        f"with five labels per class), Friedman's test and Nemenyi's. Tasks share "
        f"targets, so the test is optimistic:"
    )
    return [text, Picture("papers_ssan_fig4", alt, make)]


def _sensitivity(found: Found) -> list[Part]:
    """Draw Fig. 5: a panel for every hyper-parameter."""
    rows = [
        {name: value, "task": COLUMNS[task], "accuracy": 100 * np.array(values)}
        for name, choices in SWEEPS.items()
        for value in choices
        for task in BOTH
        if (
            values := _values(
                found, Cell(task, "SSAN", changed(name, value), n_splits=3)
            )[:3]
        )
    ]
    # The defaults, and what an ablation leaves out, are no curves yet.
    if len(rows) < 3 * len(SWEEPS) * len(BOTH):
        return []
    controls = {
        f"SVMt, {COLUMNS[task]}": 100 * float(np.mean(values[:3]))
        for task in BOTH
        if (values := _values(found, Cell(task, "SVMt", {})))
    }

    def make() -> Any:
        names = [name for name in SWEEPS if any(name in row for row in rows)]
        figure, grid = plt.subplots(
            2, 3, figsize=(11, 6.4), layout="constrained", sharey=True
        )
        for axes, name in zip(grid.flat, names, strict=False):
            SensitivityDisplay.from_results(
                [row for row in rows if name in row],
                name,
                score="accuracy",
                by="task",
                score_name="Accuracy in %",
                reference=controls,
                ax=axes,
            )
            axes.set_xlabel(SYMBOLS.get(name, name))
            handles = axes.get_legend_handles_labels()
            axes.get_legend().remove()
        for axes in grid.flat[len(names) :]:
            axes.set_axis_off()
        grid.flat[-1].legend(*handles, frameon=False, loc="center left")
        return figure

    alt = "Accuracy over alpha, beta, gamma, T and d, a line for every task"
    text = "Its Fig. 5, one hyper-parameter at a time, the others at their defaults:"
    return [text, Picture("papers_ssan_fig5", alt, make)]


def _inside(found: Found) -> list[Part]:
    """Draw Fig. 6 and Fig. 7, from the trainings that were watched."""
    watched = {
        (cell.task, not cell.params): line["watched"]
        for cell, line in find(found, PARTS["fig6_7"])
    }
    parts: list[Part] = []
    for task in BOTH:
        if (task, True) in watched and (task, False) in watched:
            pair = watched[task, True], watched[task, False]
            parts += [
                FIG_6.format(COLUMNS[task]),
                Picture(
                    f"papers_ssan_fig6_{_slug(task)}",
                    "Mean probability of every class, by the true class",
                    lambda pair=pair: _draw_means(*pair),
                ),
            ]
    for task in BOTH:
        if (task, True) in watched:
            parts += [
                FIG_7.format(COLUMNS[task]),
                Picture(
                    f"papers_ssan_fig7_{_slug(task)}",
                    "Agreement and accuracy of the pseudo-labels over the epochs",
                    lambda seen=watched[task, True]: _draw_agreement(seen),
                ),
            ]
    return parts


def _draw_means(soft: dict[str, Any], hard: dict[str, Any]) -> Any:
    figure, grid = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    for row, (seen, name) in zip(
        grid, ((soft, "soft labels"), (hard, "no soft labels")), strict=True
    ):
        for axes, domain in zip(row, ("source", "target"), strict=True):
            means = np.array(seen[domain])
            cells = [
                {"predicted class": j, "true class": i, "probability": means[i, j]}
                for i in range(len(means))
                for j in range(len(means))
            ]
            SensitivityDisplay.from_results(
                cells,
                ("predicted class", "true class"),
                score="probability",
                score_name="Mean probability",
                name=f"{domain}, {name}",
                ax=axes,
                vmin=0,
                vmax=1,
            )
            for text in axes.texts:  # hundreds of small numbers say nothing
                text.set_visible(float(text.get_text()) >= 0.1)
                text.set_text(f"{float(text.get_text()):.2f}")
    return figure


def _draw_agreement(seen: dict[str, Any]) -> Any:
    rows = [
        {"epoch": epoch, "line": label, "share": 100 * np.array(seen[name])[:, i]}
        for name, label in LINES.items()
        for i, epoch in enumerate(seen["epoch"])
    ]
    axes = plt.subplots(figsize=(8.4, 3.6), layout="constrained")[1]
    return SensitivityDisplay.from_results(
        rows, "epoch", score="share", by="line", score_name="%", ax=axes, markersize=0
    ).figure_


def _even(values: list[list[float]]) -> list[list[float]]:
    """Cut to the splits that all have."""
    n = min(map(len, values))
    return [each[:n] for each in values]


def _spell(values: list[float]) -> str:
    return spell_cell(values) if values else ""


def _mean(values: list[list[float]]) -> str:
    return spell_cell(np.mean(_even(values), axis=0).tolist()) if all(values) else ""


def _slug(task: str) -> str:
    return "reuters" if task == ENGLISH else "office"
