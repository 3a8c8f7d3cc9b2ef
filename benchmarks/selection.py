"""How well hyper-parameters are chosen where three labels per class are known.

Small networks, four candidates for one parameter at a time. For each candidate: what
the labeled folds say, what the scorers without labels say of the unlabeled rows, and
the accuracy there, which no choice may look at and only the oracle does. Each candidate
on each split appends a line to ``results/selection.jsonl``.

    python -m benchmarks.selection [--splits 5]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.utils import Bunch

from benchmarks._results import append, data_file, sha256
from skda.datasets import label_few, load_office_caltech
from skda.heterogeneous import SSAN, STN
from skda.model_selection import (
    LabeledFold,
    information_maximization_scorer,
    prediction_entropy_scorer,
    soft_neighborhood_density_scorer,
)

__all__ = ["selection_table"]

TASKS = ["amazon_surf:webcam_decaf6", "amazon_squeezenet:amazon_surf"]
SMALL = {"n_components": 64, "n_hidden": 64, "max_steps": 100}
METHODS = {"STN": STN(**SMALL), "SSAN": SSAN(**SMALL)}
#: Candidates, the default first: it wins a tie.
GRIDS = {
    "STN": {"beta": [0.001, 0.0, 0.004, 0.04], "lr": [0.001, 0.0003, 0.003, 0.01]},
    "SSAN": {"beta": [0.004, 0.0, 0.001, 0.04], "lr": [0.1, 0.01, 0.03, 0.3]},
}
N_PER_CLASS = 3
ORACLE = "oracle"
SCORERS = {
    "entropy": prediction_entropy_scorer,
    "information maximization": information_maximization_scorer,
    "neighborhood density": soft_neighborhood_density_scorer,
}


def main() -> None:
    """Measure every candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in TASKS:
        task = load(name)
        for seed in range(options.splits):
            y = label_few(task.y, N_PER_CLASS, random_state=seed)
            for method, parameter, value in candidates():
                estimator = clone(METHODS[method])
                estimator.set_params(random_state=seed, **{parameter: value})
                start = time.perf_counter()
                measured = measure(estimator, task, y)
                append(
                    "selection",
                    task=name,
                    data={
                        end: sha256(data_file(f"office_caltech_{end}"))
                        for end in name.split(":")
                    },
                    method=method,
                    parameter=parameter,
                    value=value,
                    params=estimator.get_params(),
                    n_per_class=N_PER_CLASS,
                    seed=seed,
                    metric="transductive accuracy, last iterate",
                    seconds=time.perf_counter() - start,
                    **measured,
                )
                print(name, seed, method, parameter, value, measured, flush=True)


def candidates() -> Iterator[tuple[str, str, float]]:
    """List every value of every parameter of every method."""
    for method, grid in GRIDS.items():
        for parameter, values in grid.items():
            for value in values:
                yield method, parameter, value


def load(name: str) -> Bunch:
    """Load a task, whose domains may well show the same images."""
    source, target = (
        load_office_caltech(*domain.split("_"), return_X_y=True)
        for domain in name.split(":")
    )
    return Bunch(X=target[0], y=target[1], source=source)


def measure(estimator: Any, task: Bunch, y: np.ndarray) -> dict[str, Any]:
    """Score a candidate by all criteria, and by the labels that were hidden."""
    hidden = y == -1
    folds = cross_val_score(
        estimator, task.X, y, cv=LabeledFold(3), params={"source": task.source}
    )
    estimator.fit(task.X, y, source=task.source)
    rows = task.X[hidden]
    scores = {name: scorer(estimator, rows) for name, scorer in SCORERS.items()}
    return {
        "accuracy": accuracy_score(task.y[hidden], estimator.predict(rows)),
        "scores": {"labeled folds": folds.mean()} | scores,
    }


def selection_table(records: Iterable[dict[str, Any]]) -> str:
    """Write a reStructuredText table of what every criterion chooses.

    Parameters
    ----------
    records : iterable of dict
        Lines of ``results/selection.jsonl``; of a candidate measured twice on a split,
        the later one counts.

    Returns
    -------
    str
        The table.
    """
    choices = _choices(records)
    criteria = list(next(iter(choices.values()))[0])
    lines = []
    for (task, method, parameter), splits in choices.items():
        means = [f"{np.mean([s[name] for s in splits]):.1%}" for name in criteria]
        lines.append([f"{method}, {parameter}", task.replace(":", " → "), *means])
    every = [split for splits in choices.values() for split in splits]
    losses = {name: [s[ORACLE] - s[name] for s in every] for name in criteria}
    lines += [
        ["**Lost, on average**", "", *(f"{np.mean(losses[c]):.1%}" for c in criteria)],
        ["**Lost, at worst**", "", *(f"{np.max(losses[c]):.1%}" for c in criteria)],
    ]
    n_splits = sorted({len(splits) for splits in choices.values()})
    caption = (
        f"Mean accuracy of the chosen candidate on the rows whose label was hidden, "
        f"{' to '.join(map(str, n_splits))} splits, {N_PER_CLASS} labels per class"
    )
    return _list_table(caption, ["Chosen", "Task", *criteria], lines)


def _choices(
    records: Iterable[dict[str, Any]],
) -> dict[tuple[str, str, str], list[dict[str, float]]]:
    """Tell the accuracy that every criterion arrives at, on every split."""
    latest = {
        (r["task"], r["method"], r["parameter"], r["seed"], r["value"]): r
        for r in records
    }
    splits: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for (*split, _), record in latest.items():
        splits.setdefault(tuple(split), []).append(record)
    choices: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for (*question, _), tried in splits.items():
        accuracies = [record["accuracy"] for record in tried]
        chosen = {"default": accuracies[0]}
        for criterion in tried[0]["scores"]:
            scores = [record["scores"][criterion] for record in tried]
            chosen[criterion] = accuracies[int(np.argmax(scores))]
        chosen[ORACLE] = max(accuracies)
        choices.setdefault(tuple(question), []).append(chosen)
    return choices


def _list_table(caption: str, header: list[str], lines: list[list[str]]) -> str:
    rows = [
        "\n".join(
            f"   {'* -' if i == 0 else '  -'} {cell}".rstrip()
            for i, cell in enumerate(cells)
        )
        for cells in (header, *lines)
    ]
    return f".. list-table:: {caption}\n   :header-rows: 1\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        main()
