"""DMTL's curves, convergence and sensitivity, and the tables and figures of its paper.

Half of the categories are known, the others new, as in ``retrieval.py``, whose results
are used as well. Each cell is a line of ``results/dmtl.jsonl``, from which
``papers.py`` makes tables and draws.

    python -m benchmarks.dmtl [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from benchmarks._cells import Cell, find, key_of, read, run
from benchmarks._pages import Part, Picture, heading
from benchmarks._results import load
from benchmarks._tables import Table, latest
from benchmarks.retrieval import METHODS, TASKS
from benchmarks.retrieval_report import COLUMNS, SETTINGS
from benchmarks.unsupervised_report import cell as spell_cell
from skda.comparison._retrieval import Retrieval, retrieval_row
from skda.comparison._splits import category_splits
from skda.datasets import load_pairs
from skda.inspection import RetrievalDisplay, SensitivityDisplay, TermsDisplay
from skda.inspection._retrieval import RetrievalCurve

__all__ = ["PARTS", "dmtl_parts"]

DEEP = "wikipedia_deep"
#: Who has a precision-recall curve, in which setting.
CURVES = [
    ("GMLDA", "source"),
    ("MvDA", "source"),
    ("DMTL", "source"),
    ("MCCA, unweighted", "pairs"),
    ("PLS", "pairs"),
    ("DCCA", "pairs"),
    ("DMTL", "source + new"),
]
WEIGHTS = [0.0, 0.5, 1.0, 1.5, 3.0]
#: What stands between the name of a method and its setting.
IN = " | "
FULL = f"DMTL{IN}source + new"
PARTS = {
    "curves": [Cell(DEEP, IN.join(key), {}, 0, 5) for key in CURVES],
    "convergence": [
        Cell(DEEP, f"DMTL{IN}{setting}", {}, 0, 3, watch=True)
        for setting in ("source", "source + new")
    ],
    "fig7": [
        Cell(DEEP, FULL, {"lambda1": a, "lambda2": b}, 0, 3)
        for a in WEIGHTS
        for b in WEIGHTS
    ],
    "published": [
        Cell(DEEP, f"DMTL.published(){IN}{setting}", {}, 0, 5)
        for setting in ("source", "source + new")
    ],
}
#: Rows of Table VI, as ``retrieval.py`` calls them.
ABLATION = {
    "L_m alone": "DMTL, L_m alone",
    "L_s alone": "DMTL, L_s alone",
    "without L_t": "DMTL without L_t",
    "all": "DMTL",
}
#: What the paper prints of Wikipedia: image to text, text to image.
PRINTED = {
    "L_m alone": (47.3, 49.1),
    "L_s alone": (30.6, 29.8),
    "without L_t": (48.7, 53.7),
    "all": (49.9, 55.7),
}


def measure(cell: Cell) -> dict[str, Any]:
    """Measure a method in one setting on every split of a task."""
    name, setting = cell.method.split(IN)
    estimator = clone(METHODS[name].estimator)
    estimator.set_params(**TASKS[cell.task], **cell.params)
    pairs = load_pairs(cell.task)
    experiment = Retrieval(pairs.views, pairs.y)
    row = retrieval_row(name, setting, estimator)
    runs, histories, seconds = [], [], []
    for split in category_splits(pairs.y, cell.n_splits, test=pairs.test):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            if cell.watch:
                fitted = experiment.fit(row, split)
                histories.append(fitted.history_)
                runs.append(experiment.judge(experiment.apply(fitted, split), split))
            else:
                outcome = experiment.evaluate(row, split)
                runs.append((outcome.scores, outcome.curves))
                seconds.append(outcome.seconds)
    scores = {key: [run[0][key] for run in runs] for key in runs[0][0]}
    print(f"{cell.task} {cell.method} {cell.params} {np.mean(scores['mAP']):.3f}")
    return {
        "params": estimator.get_params(),
        "metric": "mAP over the full ranking, test rows of the new categories",
        "scores": scores,
        "values": scores["mAP"],
        "seconds": seconds,
        "curves": {
            key: np.mean([run[1][key] for run in runs], axis=0).round(4).tolist()
            for key in runs[0][1]
        },
        "history": average(histories),
    }


def average(histories: list[dict[str, Any]]) -> dict[str, list[Any]] | None:
    """Average the terms of several trainings of the same length."""
    if not histories:
        return None
    return {
        name: np.mean([history[name] for history in histories], axis=0)
        .round(5)
        .tolist()
        if np.asarray(column).dtype.kind == "f"
        else np.asarray(column).tolist()
        for name, column in histories[0].items()
    }


def dmtl_parts() -> list[Part]:
    """List what there is to show."""
    found = read("dmtl")
    parts = [*_directions(found), *_curves(found), *_training(found), *_weights(found)]
    if not parts:
        return []
    intro = (
        "Mean average precision in percent over the full ranking, test rows of the new "
        "categories; the network of 512 and 512 units with 128 components."
    )
    return [heading("DMTL"), intro, *parts]


def _directions(found: dict[str, dict[str, Any]]) -> list[Part]:
    """Make Table VI, and the same of every method, both directions apart."""
    lines = latest(load("retrieval"), "task", "method", "setting")
    rows = []
    for task, title in COLUMNS.items():
        keys = {label: (task, m, "source + new") for label, m in ABLATION.items()}
        there = {label: lines[key] for label, key in keys.items() if key in lines}
        n_splits = min((len(line["values"]) for line in there.values()), default=0)
        for label, line in there.items():  # on the same splits
            cells = [spell_cell(line["scores"][d][:n_splits]) for d in _ways(line)]
            rows.append([f"{title}, {label}", *cells])
    for label, values in PRINTED.items():
        mean = f"{np.mean(values):.1f}"
        rows.append([f"*Wikipedia, {label}, printed*", *map(str, values), mean])
    header = ["Data and loss", "first → second view", "second → first", "mean"]
    parts: list[Part] = [
        "Its Table VI, parts of the loss, known and new categories:",
        Table(header, rows),
    ]
    rows = []
    for (task, method, setting), line in lines.items():
        if task == DEEP and "(" not in method and method not in ABLATION.values():
            cells = [spell_cell(line["scores"][d]) for d in _ways(line)]
            rows.append([f"{method}, {SETTINGS[setting]}", *cells])
    for cell, line in find(found, PARTS["published"]):
        cells = [spell_cell(line["scores"][d]) for d in _ways(line)]
        method, setting = cell.method.split(IN)
        rows.append([f"{method}, {SETTINGS[setting]}", *cells])
    header = ["Method and setting", "image → text", "text → image", "mean"]
    title = f"Its Table III, {COLUMNS[DEEP]}, both directions apart:"
    return [*parts, title, Table(header, rows)]


def _ways(line: dict[str, Any]) -> list[str]:
    """Name the scores of both directions, and their mean."""
    return [*(name for name in line["scores"] if "->" in name), "mAP"]


def _curves(found: dict[str, dict[str, Any]]) -> list[Part]:
    """Draw the precision over the recall."""
    there = find(found, PARTS["curves"])
    if not there:
        return []
    panels: dict[str, dict[str, RetrievalCurve]] = {}
    for cell, line in there:
        method, setting = cell.method.split(IN)
        for direction, precision in line["curves"].items():
            recall = np.linspace(0, 1, len(precision))
            mean = float(np.mean(line["scores"][direction]))
            curve = RetrievalCurve(np.array(precision), recall, mean)
            title = direction.replace("_deep", "").replace("->", "→")
            panels.setdefault(title, {})[f"{method}, {SETTINGS[setting]}"] = curve
    chance = float(np.mean(there[0][1]["scores"]["chance"]))

    def make() -> Any:
        figure, grid = plt.subplots(1, 2, figsize=(11, 6), layout="constrained")
        RetrievalDisplay(panels, chance=chance).plot(ax=grid)
        for axes in grid:  # so many names hide the curves
            axes.get_legend().set(loc="upper center", bbox_to_anchor=(0.5, -0.12))
        return figure

    n = len(there[0][1]["values"])
    title = f"Precision over recall, {COLUMNS[DEEP]}, mean of {n} splits:"
    return [title, Picture("papers_dmtl_curves", "Precision-recall curves", make)]


def _training(found: dict[str, dict[str, Any]]) -> list[Part]:
    """Draw the terms of the loss over the training."""
    parts: list[Part] = []
    for cell, line in find(found, PARTS["convergence"]):
        setting = cell.method.split(IN)[1]
        parts.append(
            Picture(
                f"papers_dmtl_convergence_{'both' if '+' in setting else 'source'}",
                f"Terms of the loss over the epochs, {SETTINGS[setting]}",
                lambda history=line["history"], setting=setting: (
                    TermsDisplay(history, estimator_name=f"DMTL, {SETTINGS[setting]}")
                    .plot()
                    .figure_
                ),
            )
        )
    return ["Its Fig. 4 and 5, convergence:", *parts] if parts else []


def _weights(found: dict[str, dict[str, Any]]) -> list[Part]:
    """Draw Fig. 7, the map over both weights."""
    rows = [
        {
            "lambda1": cell.params["lambda1"],
            "lambda2": cell.params["lambda2"],
            "mAP": 100 * np.array(line["values"]),
        }
        for cell, line in find(found, PARTS["fig7"])
    ]
    if not rows:
        return []
    known = found.get(key_of(Cell(DEEP, f"MCCA, unweighted{IN}pairs", {}, 0)))
    reference = {"MCCA": 100 * float(np.mean(known["values"][:3]))} if known else None

    def make() -> Any:
        return SensitivityDisplay.from_results(
            rows,
            ("lambda1", "lambda2"),
            score="mAP",
            score_name="mAP in %",
            reference=reference,
            name=COLUMNS[DEEP],
        ).figure_

    alt = "Mean average precision over lambda1 and lambda2"
    text = (
        "Its Fig. 7, the weights of both classifying terms, known and new categories:"
    )
    return [text, Picture("papers_dmtl_fig7", alt, make)]


if __name__ == "__main__":
    run("dmtl", PARTS, measure, str(__doc__).splitlines()[0])
