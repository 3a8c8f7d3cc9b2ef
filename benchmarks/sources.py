"""Several sources: who is used, and what that is worth.

PACS, three domains to the fourth, and Office-Caltech, sources of different features to
one target. A split draws the rows of every domain, and the labels of the target. One
fit with a list of sources also tells what each source alone, all of them without a
selection, and none of them are worth: all are among its parts. Each cell is a line of
``results/sources.jsonl``, from which ``papers.py`` makes the tables.

    python -m benchmarks.sources [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from benchmarks._cells import Cell, key_of, read, run
from benchmarks._homogeneous import FILES
from benchmarks._pages import Part, heading
from benchmarks._results import sha256
from benchmarks._tables import Table
from benchmarks.heterogeneous import path
from benchmarks.unsupervised_report import cell as spell_cell
from skda.auto import AutoAdapter
from skda.comparison._splits import label_splits
from skda.datasets import load_task, noise_source
from skda.heterogeneous import GeoST
from skda.utils.labels import check_labels

__all__ = ["METHODS", "PARTS", "sources_parts"]

Pair = tuple[NDArray[Any], NDArray[Any]]

METHODS = {"AutoAdapter": AutoAdapter(), "GeoST": GeoST()}
#: Ends of the names of cells: one more source, the last with its classes renamed; and
#: all sources as one, which must have the same features.
RENAMED, POOLED = ", and a renamed source", ", pooled"
#: Rows of a domain that a split draws.
N_ROWS = 400
PACS = ["photo", "art_painting", "cartoon", "sketch"]
#: Sources by target.
TASKS = {
    f"pacs_{target}": [f"pacs_{name}" for name in PACS if name != target]
    for target in PACS
} | {
    "webcam_squeezenet": ["amazon_surf", "dslr_decaf6"],
    "amazon_squeezenet": ["caltech_surf", "webcam_decaf6"],
}
TITLES = {
    "pacs_photo": "photo",
    "pacs_art_painting": "art",
    "pacs_cartoon": "cartoon",
    "pacs_sketch": "sketch",
    "webcam_squeezenet": "A SURF, D DeCAF6 → W SqueezeNet",
    "amazon_squeezenet": "C SURF, W DeCAF6 → A SqueezeNet",
}
INTRO = f"""\
Accuracy in % on target rows whose label was hidden: mean ± standard deviation (number
of splits). A split draws at most {N_ROWS} rows of every domain and the labels. "The
best single source" is chosen by these accuracies, which no user can do; "no selection"
is the plain mean of the fits with each source. The renamed source is a copy of the last
one, its classes permuted: to take it for what it is, is what a selection is for. The
rule was chosen on PACS without labels (one split) and on scikit-learn's digits, so that
these tables are optimistic there."""


def cells(
    tasks: list[str], method: str, n_labels: list[int], ends: list[str]
) -> list[Cell]:
    """List the cells of a method."""
    return [
        Cell(task, method + end, {}, n, 5)
        for n in n_labels
        for end in ends
        for task in tasks
    ]


_PACS, _OFFICE = list(TASKS)[:4], list(TASKS)[4:]
PARTS = {
    "unlabeled": cells(_PACS, "AutoAdapter", [0], ["", RENAMED, POOLED]),
    "few": cells(_PACS, "AutoAdapter", [1, 3], ["", RENAMED, POOLED]),
    "features": [
        cell
        for method in METHODS
        for cell in cells(_OFFICE, method, [1, 3], ["", RENAMED])
    ],
}


def domains(task: str, seed: int) -> list[Pair]:
    """Draw rows of the target and of every source."""
    names = [*TASKS[task], task]
    loaded = [load_task(f"{names[0]}:{name}") for name in names[1:]]
    pairs = [loaded[-1].source, *((each.X, each.y) for each in loaded)]
    drawn = []
    for place, (X, y) in enumerate(pairs):
        rows = np.random.RandomState(seed + place).permutation(len(X))[:N_ROWS]
        drawn.append((np.asarray(X)[rows], np.asarray(y)[rows]))
    return [drawn[-1], *drawn[:-1]]


def measure(cell: Cell) -> dict[str, Any]:
    """Measure a cell on every split."""
    name = cell.method.removesuffix(RENAMED).removesuffix(POOLED)
    found: dict[str, Any] = {"values": [], "seconds": [], "weights": []}
    found |= {"unselected": [], "singles": [], "alone": []}
    for seed in range(cell.n_splits):
        (X, y), *sources = domains(cell.task, seed)
        (split,) = label_splits(X, y, 1, cell.n_per_class, seed)
        source: Any = sources
        if cell.method.endswith(RENAMED):
            source = [
                *sources,
                noise_source(*sources[-1], "renamed", random_state=seed),
            ]
        if cell.method.endswith(POOLED):
            source = tuple(map(np.concatenate, zip(*sources, strict=True)))
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            fitted = clone(METHODS[name]).set_params(**cell.params)
            fitted.fit(X, split.y if cell.n_per_class else None, source=source)
        found["seconds"].append(time.perf_counter() - start)
        right = fitted.transduction_[split.hidden] == split.y_hidden
        found["values"].append(float(right.mean()))
        found["weights"].append(fitted.source_weights_.tolist())
        if isinstance(source, list):
            _ask_the_parts(fitted, X, split, found)
    print(
        f"{cell.task:20} {cell.method:36} {cell.n_per_class} "
        f"{100 * np.mean(found['values']):5.1f} ({cell.n_splits}) "
        f"{np.mean(found['seconds']):.1f} s {np.round(found['weights'][-1], 2)}",
        flush=True,
    )
    files = [*TASKS[cell.task], cell.task]
    return found | {
        "data": {file: sha256(path(FILES.get(file, file))) for file in files},
        "metric": "transductive accuracy",
        "n_rows": N_ROWS,
        "random_state": 0,
    }


def _ask_the_parts(fitted: Any, X: Any, split: Any, found: dict[str, Any]) -> None:
    """Tell how accurate each source alone, their plain mean and none of them are."""
    parts = fitted.source_estimators_
    said = [fitted._opinion(part, part.label_distributions_)[0] for part in parts]
    mean = fitted.classes_[np.mean(said, axis=0).argmax(axis=1)]
    singles = [part.transduction_ for part in parts]
    found["unselected"].append(_accuracy(mean, split))
    found["singles"].append([_accuracy(each, split) for each in singles])
    labels = check_labels(split.y, split.y)
    if labels.known.any():
        alone = fitted._without_source(X, labels)
        found["alone"].append(_accuracy(alone.transduction_, split))


def _accuracy(predicted: NDArray[Any], split: Any) -> float:
    return float(np.mean(predicted[split.hidden] == split.y_hidden))


def sources_parts() -> list[Part]:
    """List the tables of what has results."""
    found = read("sources")
    tables = [
        ("PACS, no label", _PACS, "AutoAdapter", 0),
        ("PACS, one label per class", _PACS, "AutoAdapter", 1),
        ("PACS, three labels per class", _PACS, "AutoAdapter", 3),
        *(
            (
                f"Different features, {method}, {n} label(s) per class",
                _OFFICE,
                method,
                n,
            )
            for method in METHODS
            for n in (1, 3)
        ),
    ]
    parts: list[Part] = []
    for title, tasks, method, n in tables:
        parts += _table(found, title, tasks, method, n)
    return [heading("Several sources"), INTRO, *parts] if parts else []


def _table(
    found: dict[str, Any], title: str, tasks: list[str], method: str, n: int
) -> list[Part]:
    """Show what a list of sources is worth beside every other use of them."""
    lines = {
        end: [found.get(key_of(Cell(task, method + end, {}, n)), {}) for task in tasks]
        for end in ("", RENAMED, POOLED)
    }
    several, renamed, pooled = lines.values()
    rows = {
        "several sources": [line.get("values") for line in several],
        "several sources, no selection": [line.get("unselected") for line in several],
        "with a renamed one": [line.get("values") for line in renamed],
        "with a renamed one, no selection": [
            line.get("unselected") for line in renamed
        ],
        "all pooled": [line.get("values") for line in pooled],
        "best single source (oracle)": [_best(line) for line in several],
        "mean of single sources": [_mean(line) for line in several],
        "no source": [line.get("alone") for line in several],
    }
    shown = []
    for name, values in rows.items():
        if any(values):
            means = [100 * np.mean(each) for each in values if each]
            mean = f"{np.mean(means):.1f}" if all(values) else ""
            shown.append([name, *(spell_cell(v) if v else "" for v in values), mean])
    if not shown:
        return []
    return [
        f"{title}:",
        Table(["Sources", *(TITLES[task] for task in tasks), "mean"], shown),
    ]


def _best(line: dict[str, Any]) -> list[float] | None:
    if "singles" not in line:
        return None
    singles = np.array(line["singles"])
    return singles[:, singles.mean(axis=0).argmax()].tolist()


def _mean(line: dict[str, Any]) -> list[float] | None:
    return np.mean(line["singles"], axis=1).tolist() if "singles" in line else None


if __name__ == "__main__":
    run("sources", PARTS, measure, __doc__.splitlines()[0])
