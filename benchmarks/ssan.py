"""The tables and figures of SSAN's paper that the data allow.

Accuracy on the rows whose label was hidden, last iterate; the splits are those of
:func:`skda.compare`. Each cell is a line of ``results/ssan.jsonl``, from which
``papers.py`` makes the tables and draws the figures.

    python -m benchmarks.ssan [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from skorch.callbacks import Callback
from torch import Tensor

from benchmarks._cells import Cell, run
from benchmarks._results import sha256
from benchmarks.heterogeneous import path
from skda.comparison._adaptation import Adaptation, learns_from_source
from skda.comparison._engine import seeded_clone
from skda.comparison._lineups import default_estimators
from skda.comparison._splits import label_splits
from skda.datasets import load_task
from skda.heterogeneous import SSAN, STN
from skda.losses import class_centroids, pooled_centroids
from skda.modules import unit_length

__all__ = [
    "ABLATION",
    "ALONE",
    "CALTECH_DSLR",
    "ENGLISH",
    "LANGUAGES",
    "METHODS",
    "PARTS",
    "RANKED",
    "SWEEPS",
    "TABLE_2",
    "TABLE_3",
    "cells",
    "measure",
]

CALTECH_DSLR = "caltech_surf:dslr_decaf6"
TABLE_3 = [
    "amazon_surf:dslr_decaf6",
    "amazon_surf:webcam_decaf6",
    CALTECH_DSLR,
    "caltech_surf:webcam_decaf6",
    "webcam_surf:dslr_decaf6",
]
TABLE_2 = ["webcam_surf:webcam_decaf6", "webcam_decaf6:webcam_surf"]
LANGUAGES = [f"reuters_{i}:reuters_4" for i in range(4)]
ENGLISH = LANGUAGES[0]
#: What stands behind the name of a method that is fitted to the target alone.
ALONE = ", no source"
USUAL = default_estimators()
METHODS = {
    name: USUAL[name] for name in ("SVMt", "TargetNet", "STN", "SSAN", "GeoST")
} | {"STN.published()": STN.published(), "SSAN.published()": SSAN.published()}
TARGET_METHODS = ["SVMt", "TargetNet"]
MAIN = ["SVMt", "TargetNet", "STN", f"STN{ALONE}", "SSAN", f"SSAN{ALONE}", "GeoST"]
#: Who is ranked, on every task and every language.
RANKED = ["SVMt", "TargetNet", "STN", "SSAN", "GeoST"]
#: Rows of Table 5.
ABLATION: dict[str, dict[str, Any]] = {
    "alpha = 0": {"alpha": 0.0},
    "beta = 0": {"beta": 0.0},
    "gamma = 0": {"gamma": 0.0},
    "T = 1": {"temperature": 1.0},
    "no geometric check": {"geometric_check": False},
    "all": {},
}
#: Panels of Fig. 5, around the defaults.
SWEEPS: dict[str, list[Any]] = {
    "alpha": [0.0, 0.05, 0.1, 0.2, 0.5, 0.9],
    "beta": [0.0, 0.0004, 0.004, 0.04, 0.4],
    "gamma": [0.0, 0.01, 0.1, 1.0],
    "temperature": [1.0, 2.0, 5.0, 10.0, 20.0],
    "n_components": [32, 64, 128, 256, 512],
}
BOTH = [CALTECH_DSLR, ENGLISH]
#: Files that hold both domains of a task.
SEVERAL_VIEWS = {
    "reuters": "reuters_multilingual_1200",
    "mfeat": "mfeat_digits",
    "wikipedia": "wikipedia",
}


def cells(
    tasks: list[str], methods: list[str], n_per_class: int = 3, n_splits: int = 10
) -> list[Cell]:
    """List every method on every task."""
    return [Cell(t, m, {}, n_per_class, n_splits) for t in tasks for m in methods]


def changed(name: str, value: Any) -> dict[str, Any]:
    """Say what a value changes; a default changes nothing."""
    return {} if METHODS["SSAN"].get_params()[name] == value else {name: value}


PARTS = {
    "table3": cells(TABLE_3, MAIN),
    "table2": cells(TABLE_2, MAIN),
    "table5": [Cell(t, "SSAN", p) for t in BOTH for p in ABLATION.values()],
    "fig3": [
        cell
        for n in (5, 10, 15, 20)
        for cell in [
            *cells([ENGLISH], ["SVMt", f"SSAN{ALONE}"], n, 5),
            *cells(LANGUAGES, ["STN", "SSAN", "GeoST"], n, 5),
        ]
    ],
    "fig4": [
        *cells(LANGUAGES, ["STN", "SSAN", "GeoST"], 5, 5),
        *cells([ENGLISH], ["SVMt", "TargetNet"], 5, 5),
    ],
    "fig5": [
        *cells(BOTH, ["SVMt"]),
        *(
            Cell(t, "SSAN", changed(name, value), n_splits=3)
            for t in BOTH
            for name, values in SWEEPS.items()
            for value in values
        ),
    ],
    "fig6_7": [
        Cell(task, "SSAN", ABLATION[row], n_splits=3, watch=True)
        for task in BOTH
        for row in ("all", "alpha = 0")
    ],
    "published": cells(BOTH, ["SSAN.published()", "STN.published()"]),
    "table5_published": [
        Cell(t, "SSAN.published()", p, n_splits=3)
        for t in BOTH
        for p in ABLATION.values()
    ],
}


class Watch(Callback):  # type: ignore[misc]
    """Hold the pseudo-labels of a training against the hidden labels.

    Parameters
    ----------
    codes : Tensor of shape (n_target,)
        True classes of all target rows.
    every : int, default=10
        Look after so many epochs.
    """

    def __init__(self, codes: Tensor, every: int = 10) -> None:
        self.codes = codes
        self.every = every

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        names = ("epoch", "kept", "network", "prototype")
        self.curves: dict[str, list[Any]] = {name: [] for name in names}

    @torch.no_grad()
    def on_epoch_end(self, net: Any, dataset_train: Any, **kwargs: Any) -> None:
        """Look at the rows that have no label in this fit."""
        epoch = len(net.history)
        if epoch != 1 and epoch % self.every:
            return
        source, target, _ = dataset_train.whole
        f_s = net.module_.encode(source.X, "source")
        f_t = net.module_.encode(target.X, "target")
        prototypes = pooled_centroids(
            class_centroids(f_s, source.labels), class_centroids(f_t, target.labels)
        )
        hidden = target.labels.sum(dim=1) == 0
        said = net.module_.classify(f_t).argmax(dim=1)[hidden]
        nearest = (f_t @ unit_length(prototypes.mean).T).argmax(dim=1)[hidden]
        truth = self.codes[hidden]
        kept = (said == truth)[said == nearest]
        found = {
            "epoch": epoch,
            "kept": kept.float().mean().item() if len(kept) else float("nan"),
            "network": (said == truth).float().mean().item(),
            "prototype": (nearest == truth).float().mean().item(),
        }
        for name, value in found.items():
            self.curves[name].append(value)

    @torch.no_grad()
    def on_train_end(self, net: Any, X: Any, **kwargs: Any) -> None:
        """Average the predictions of every class."""
        source, target, _ = X.whole
        hidden = target.labels.sum(dim=1) == 0
        one_hot = torch.eye(target.labels.shape[1])[self.codes[hidden]]
        p_t = net.module_(target.X, "target").softmax(dim=1)[hidden]
        p_s = net.module_(source.X, "source").softmax(dim=1)
        self.class_means = {
            "source": class_centroids(p_s, source.labels).mean.numpy(),
            "target": class_centroids(p_t, one_hot).mean.numpy(),
        }


def measure(cell: Cell, methods: Mapping[str, Any] = METHODS) -> dict[str, Any]:
    """Measure a cell on every split."""
    data = load_task(cell.task)
    name = cell.method.removesuffix(ALONE)
    estimator = clone(methods[name]).set_params(**cell.params)
    knows_target_only = name != cell.method or not learns_from_source(estimator)
    fit_params = {} if knows_target_only else {"source": data.source}
    if cell.watch:
        codes = np.unique(data.y, return_inverse=True)[1]
        estimator.set_params(callbacks=[Watch(torch.from_numpy(codes))])
    found: dict[str, list[Any]] = {"values": [], "seconds": [], "agreement": []}
    watches = []
    for split in label_splits(data.X, data.y, cell.n_splits, cell.n_per_class, 0):
        fitted = seeded_clone(estimator, split.seed)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the control has no source
            fitted.fit(data.X, split.y, **fit_params)
        said = Adaptation(data.X).apply(fitted, split)[split.hidden]
        found["seconds"].append(time.perf_counter() - start)
        found["values"].append(float(np.mean(said == split.y_hidden)))
        agreement = getattr(fitted, "agreement_history_", [float("nan")])
        found["agreement"].append(float(agreement[-1]))
        if cell.watch:
            seen = [c for _, c in fitted.net_.callbacks_ if isinstance(c, Watch)]
            watches += [(agreement, seen[0])]
    print(
        f"{cell.task:28} {cell.method:18} {cell.params!s:28} {cell.n_per_class:3} "
        f"{100 * np.mean(found['values']):5.1f} ± {100 * np.std(found['values']):4.1f} "
        f"({cell.n_splits}) {np.mean(found['seconds']):.2f} s",
        flush=True,
    )
    return {
        "data": {file: sha256(path(file)) for file in files_of(cell.task)},
        "params": estimator.set_params(callbacks=None).get_params()
        if cell.watch
        else estimator.get_params(),
        "metric": "transductive accuracy, last iterate",
        **found,
        "watched": summarize(watches) if cell.watch else None,
        "random_state": 0,
    }


def files_of(task: str) -> list[str]:
    """Name the data files of a task."""
    for start, file in SEVERAL_VIEWS.items():
        if task.startswith(start):
            return [file]
    return task.split(":")


def summarize(watches: list[tuple[NDArray[Any], Watch]]) -> dict[str, Any]:
    """Round what was seen, of every split; class means over the splits."""
    epochs = watches[0][1].curves["epoch"]
    found: dict[str, Any] = {"epoch": epochs}
    for name in ("kept", "network", "prototype"):
        found[name] = [np.round(watch.curves[name], 4).tolist() for _, watch in watches]
    found["agreement"] = [
        np.round(history[np.array(epochs) - 1], 4).tolist() for history, _ in watches
    ]
    for domain in ("source", "target"):
        means = np.mean([watch.class_means[domain] for _, watch in watches], axis=0)
        found[domain] = np.round(means, 4).tolist()
    return found


if __name__ == "__main__":
    run("ssan", PARTS, measure, str(__doc__).splitlines()[0])
