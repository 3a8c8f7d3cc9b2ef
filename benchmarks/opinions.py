"""What is made of somebody else's probabilities, as they are and distorted.

Probabilities of a logistic regression of the source, in rows of unit length, which is
not to be had any more: as they are, sharpened (to the power of 4),
blurred (of 1/4), certain (zeros and ones), and those of 25 or 50 % of the rows
exchanged among these. Accuracy on the target, no label of which is known: of the
probabilities themselves, of :class:`skda.unsupervised.PriorTransduction` with them, and
of :class:`skda.AutoAdapter` with the source, which needs no opinion. A split draws up
to 600 rows of each domain. Each cell is a line of ``results/opinions.jsonl``.

    python -m benchmarks.opinions [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks._cells import Cell, key_of, read, run
from benchmarks._pages import Part, Picture, heading
from benchmarks._tables import Table
from skda.auto import AutoAdapter
from skda.datasets import load_task
from skda.preprocessing import RowScaler
from skda.unsupervised import PriorTransduction

__all__ = ["PARTS", "TASKS", "opinions_parts"]

Array = NDArray[np.float64]

TASKS = {
    "amazon_squeezenet:webcam_squeezenet": "A → W SqueezeNet",
    "webcam_squeezenet:caltech_squeezenet": "W → C SqueezeNet",
    "amazon_surf:webcam_surf": "A → W SURF",
    "caltech_surf:amazon_surf": "C → A SURF",
    "pacs_photo:pacs_art_painting": "photo → art",
    "pacs_art_painting:pacs_cartoon": "art → cartoon",
    "coil1:coil2": "COIL 1 → 2",
    "mnist:usps": "MNIST → USPS",
    "reviews_books:reviews_elec": "books → electronics",
    "reviews_kitchen:reviews_dvd": "kitchen → DVD",
}
N_ROWS = 600


class Degree(NamedTuple):
    """How an opinion is distorted: to a power, and by wrong rows."""

    power: float = 1.0
    wrong: float = 0.0


#: An infinite power leaves zeros and ones.
DEGREES = {
    "as is": Degree(),
    "sharpened": Degree(4.0),
    "certain": Degree(np.inf),
    "blurred": Degree(0.25),
    "25 % wrong": Degree(wrong=0.25),
    "50 % wrong": Degree(wrong=0.5),
}
ITSELF, CORRECTED, COMMITTEE = "the opinion itself", "PriorTransduction", "AutoAdapter"


class Draw(NamedTuple):
    """Rows of a split, and the opinion on them."""

    X: Array
    y: NDArray[Any]
    source: tuple[Array, NDArray[Any]]
    opinion: Array
    classes: NDArray[Any]


def cells() -> list[Cell]:
    """List every method at every degree; the committee has no opinion to distort."""
    return [
        Cell(task, method, {"degree": degree}, 0, 5)
        for task in TASKS
        for degree in DEGREES
        for method in (ITSELF, CORRECTED)
    ]


PARTS = {
    "opinions": cells(),
    "committee": [Cell(task, COMMITTEE, {"degree": "as is"}, 0, 5) for task in TASKS],
}


@lru_cache(maxsize=5)
def draw(task: str, split: int) -> Draw:
    """Draw rows, and let a plain classifier of the source say what it thinks."""
    data = load_task(task)
    rng = np.random.default_rng(split)
    rows, source_rows = (
        np.sort(rng.permutation(len(X))[:N_ROWS]) for X in (data.X, data.source[0])
    )
    X, X_s = (
        np.asarray(part, dtype=np.float64)
        for part in (data.X[rows], data.source[0][source_rows])
    )
    y_s = data.source[1][source_rows]
    plain = make_pipeline(RowScaler("auto"), LogisticRegression(C=10.0, max_iter=300))
    opinion = plain.fit(X_s, y_s).predict_proba(X)
    return Draw(X, data.y[rows], (X_s, y_s), opinion, plain.classes_)


def distort(opinion: Array, degree: Degree, seed: int) -> Array:
    """Sharpen or blur an opinion, and exchange some of its rows."""
    if np.isinf(degree.power):
        P = np.eye(opinion.shape[1])[opinion.argmax(axis=1)]
    else:
        P = np.maximum(opinion, 1e-12) ** degree.power
    P = P / P.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(P))[: round(degree.wrong * len(P))]
    P[rows] = P[rng.permutation(rows)]
    return P


def measure(cell: Cell) -> dict[str, Any]:
    """Measure one method at one degree."""
    values, seconds = [], []
    for split in range(cell.n_splits):
        data = draw(cell.task, split)
        P = distort(data.opinion, DEGREES[cell.params["degree"]], split)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels = METHODS[cell.method](data, P)
        seconds.append(time.perf_counter() - start)
        values.append(float(np.mean(labels == data.y)))
    print(cell.task, cell.method, cell.params, np.round(np.mean(values), 3), flush=True)
    return {
        "metric": "transductive accuracy",
        "values": values,
        "seconds": float(np.mean(seconds)),
    }


def _correct(data: Draw, P: Array) -> NDArray[Any]:
    clf = PriorTransduction().fit(data.X, probabilities=P, classes=data.classes)
    return clf.transduction_


def _adapt(data: Draw, P: Array) -> NDArray[Any]:  # noqa: ARG001 (it has no opinion)
    return AutoAdapter().fit(data.X, source=data.source).transduction_


METHODS: dict[str, Callable[[Draw, Array], NDArray[Any]]] = {
    ITSELF: lambda data, P: data.classes[P.argmax(axis=1)],
    CORRECTED: _correct,
    COMMITTEE: _adapt,
}

INTRO = """\
Probabilities of a logistic regression of the source, of which nothing else is known, as
they are and distorted, and what :class:`skda.unsupervised.PriorTransduction` makes of
them without labels and without the source; :class:`skda.AutoAdapter` has the source
instead. Accuracy in % on the target, mean over {n} splits. The smoothing was chosen on
the board, some of whose tasks are these."""


def _mean(found: dict[str, Any], task: str, method: str, degree: str) -> float:
    line = found.get(key_of(Cell(task, method, {"degree": degree}, 0)))
    return 100 * float(np.mean(line["values"])) if line else np.nan


def opinions_parts() -> list[Part]:
    """List the table and the picture, if there are results."""
    found = read("opinions")
    names = {(m, d): f"{d}: {m}" for d in DEGREES for m in (ITSELF, CORRECTED)}
    names[COMMITTEE, "as is"] = COMMITTEE
    means = {
        key: [_mean(found, task, *key) for task in TASKS]
        for key in names
        if any(np.isfinite(_mean(found, task, *key)) for task in TASKS)
    }
    if not means:
        return []
    n = min(len(line["values"]) for line in found.values())
    rows = [
        [
            names[key],
            *("" if np.isnan(v) else f"{v:.1f}" for v in values),
            "" if np.isnan(values).any() else f"{np.mean(values):.1f}",
        ]
        for key, values in means.items()
    ]
    table = Table(["Opinion: method", *TASKS.values(), "mean"], rows)

    def make() -> Any:
        figure, axes = plt.subplots(figsize=(6, 3))
        for i, degree in enumerate(DEGREES):
            gain = np.subtract(means[CORRECTED, degree], means[ITSELF, degree])
            axes.plot(gain, np.full(len(gain), i), "o", color="C0", alpha=0.6)
            axes.plot(gain.mean(), i, "|", color="black", markersize=16)
        axes.axvline(0, color="gray", linewidth=1)
        axes.set(yticks=range(len(DEGREES)), yticklabels=DEGREES)
        axes.set(xlabel="points above the opinion itself", ylabel="Opinion")
        axes.invert_yaxis()
        return figure

    title = heading("Outside opinions")
    parts: list[Part] = [title, INTRO.format(n=n), table]
    if all((m, d) in means for d in DEGREES for m in (ITSELF, CORRECTED)):
        alt = "What PriorTransduction gains over opinions of six degrees, per task"
        parts.append(Picture("papers_opinions", alt, make))
    return parts


if __name__ == "__main__":
    run("opinions", PARTS, measure, __doc__.splitlines()[0])
