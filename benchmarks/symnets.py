"""SymNets' two classifiers over the training, and the figures of them.

The accuracy of either classifier on the target rows of the fit, after every epoch. Each
cell is a line of ``results/symnets.jsonl``, from which ``papers.py`` draws.

    python -m benchmarks.symnets [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from sklearn.base import clone
from skorch.callbacks import Callback

from benchmarks._cells import Cell, find, read, run
from benchmarks._pages import Part, Picture, heading
from benchmarks._results import data_file, sha256
from benchmarks.unsupervised_report import column
from skda.comparison._engine import seeded_clone
from skda.datasets import load_npz
from skda.inspection import SensitivityDisplay
from skda.preprocessing import RowScaler
from skda.unsupervised import SymNets

__all__ = ["METHODS", "PARTS", "symnets_parts"]

TASKS = [
    "amazon_squeezenet:webcam_squeezenet",
    "dslr_squeezenet:amazon_squeezenet",
]
METHODS = {
    "SymNets": SymNets(),
    "SymNets w/o E_t": SymNets(cross_domain=False),
    "SymNets w/o category confusion": SymNets(confusion="domain"),
}
PARTS = {
    name: [Cell(task, m, {}, 0, 3, watch=True) for task in TASKS for m in methods]
    for name, methods in {"fig3": ["SymNets"], "fig4": [*METHODS][1:]}.items()
}
TITLES = {
    "SymNets": "with all losses",
    "SymNets w/o E_t": "without cross-domain training",
    "SymNets w/o category confusion": "without category confusion",
}


class Halves(Callback):  # type: ignore[misc]
    """Look at both classifiers after every epoch.

    Parameters
    ----------
    X : ndarray of shape (n_target, n_features)
        Target rows, as the network sees them.
    codes : ndarray of shape (n_target,)
        Their true classes, which the training does not see.
    """

    def __init__(self, X: NDArray[Any], codes: NDArray[Any]) -> None:
        self.X = X
        self.codes = codes

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        self.source: list[float] = []
        self.target: list[float] = []

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Evaluate both."""
        v = net.evaluate(
            lambda X: net.module_.classify(net.module_.encode(X, "target")),
            self.X.astype("float32"),
        )
        halves = np.split(v, 2, axis=1)
        for name, half in zip(("source", "target"), halves, strict=True):
            right = np.mean(half.argmax(axis=1) == self.codes)
            getattr(self, name).append(round(float(right), 4))


def measure(cell: Cell) -> dict[str, Any]:
    """Train with every seed, and keep the curves."""
    files = [f"office_caltech_{end}" for end in cell.task.split(":")]
    (X_s, y_s), (X, y) = ((d.X, d.y) for d in map(load_npz, files))
    X_s, X = (RowScaler(1.0).fit_transform(rows) for rows in (X_s, X))
    codes = np.unique(y, return_inverse=True)[1]
    found: dict[str, list[Any]] = {"values": [], "seconds": []}
    curves: dict[str, list[list[float]]] = {"source": [], "target": []}
    for seed in range(cell.n_splits):
        estimator = seeded_clone(METHODS[cell.method], seed)
        estimator.set_params(callbacks=[Halves(X, codes)], **cell.params)
        start = time.perf_counter()
        estimator.fit(X, source=(X_s, y_s))
        found["seconds"].append(time.perf_counter() - start)
        found["values"].append(float(np.mean(estimator.transduction_ == y)))
        seen = [c for _, c in estimator.net_.callbacks_ if isinstance(c, Halves)]
        for name, all_curves in curves.items():
            all_curves.append(getattr(seen[0], name))
    print(f"{cell.task} {cell.method} {100 * np.mean(found['values']):.1f}", flush=True)
    return {
        "data": {file: sha256(data_file(file)) for file in files},
        "params": clone(METHODS[cell.method]).set_params(**cell.params).get_params(),
        "metric": "transductive accuracy over the epochs",
        **found,
        "curves": curves,
        "seeds": list(range(cell.n_splits)),
    }


def symnets_parts() -> list[Part]:
    """List what there is to show."""
    found = read("symnets")
    parts: list[Part] = []
    for part, cells in PARTS.items():
        for task in TASKS:
            there = find(found, [cell for cell in cells if cell.task == task])
            curves = {TITLES[cell.method]: line["curves"] for cell, line in there}
            if curves:
                slug = "_".join(end.partition("_")[0] for end in task.split(":"))
                parts.append(
                    Picture(
                        f"papers_symnets_{part}_{slug}",
                        f"Accuracy of both classifiers over the epochs, {column(task)}",
                        lambda curves=curves, task=task: _draw(curves, column(task)),
                    )
                )
    if not parts:
        return []
    intro = (
        "Its Fig. 3 and 4: the accuracy of the source's classifier and of the "
        "target's, on the target, after every epoch; SqueezeNet features, mean and "
        "standard deviation over three seeds. Predictions are those of the target's "
        "classifier; without cross-domain training it has learned nothing."
    )
    return [heading("SymNets"), intro, *parts]


def _draw(curves: dict[str, dict[str, list[list[float]]]], task: str) -> Any:
    """Draw a line for every classifier of every form."""
    rows = []
    for title, halves in curves.items():
        for domain, values in halves.items():
            name = f"{domain}'s classifier"
            label = name if len(curves) == 1 else f"{name}, {title}"
            accuracies = 100 * np.array(values)  # (seeds, epochs)
            rows += [
                {"Epoch": i + 1, "line": label, "accuracy": accuracies[:, i]}
                for i in range(accuracies.shape[1])
            ]
    axes = plt.subplots(figsize=(9, 3.6), layout="constrained")[1]
    return SensitivityDisplay.from_results(
        rows,
        "Epoch",
        score="accuracy",
        by="line",
        score_name="Accuracy on the target, in %",
        name=task,
        ax=axes,
        markersize=0,
    ).figure_


if __name__ == "__main__":
    run("symnets", PARTS, measure, str(__doc__).splitlines()[0])
