"""Classes of which no target row is labeled: who names them, and how many rightly.

In every split three labels of each class are drawn, and those of some classes drawn at
random are hidden again. Measured are the accuracies on the unlabeled rows of these
classes and on those of the others, and the harmonic mean of both. A renamed source is
the control: whoever names the classes as well by it does not learn that from the
source. Where ``lacking`` is true, the target has no rows of these classes at all, and
the accuracy on the others is what counts. Each cell is a line of
``results/unlabeled.jsonl``.

Settings were chosen on tasks of the parts "main" and "many", and on three of "same";
those of the part "confirm" were not looked at.

    python -m benchmarks.unlabeled [--parts P,P] [--tasks T,T] [--methods "M;M"]
        [--splits N] [--again]
"""

from __future__ import annotations

import hashlib
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from benchmarks._cells import Cell, key_of, read, run
from benchmarks._pages import Part, Picture, heading
from benchmarks._tables import Table
from skda.auto import AutoAdapter
from skda.comparison._engine import seeded_clone
from skda.comparison._splits import label_splits
from skda.datasets import load_task, noise_source
from skda.datasets._digits import _orientation_histograms
from skda.heterogeneous import SSAN, STN, GeoST
from skda.inspection import SensitivityDisplay

__all__ = ["METHODS", "PARTS", "measure", "unlabeled_parts"]

#: What stands behind the name of a method for what it is given instead of the source.
ALONE, RENAMED = ", no source", ", renamed source"
METHODS: dict[str, Any] = {
    "STN": STN(),
    "SSAN": SSAN(),
    "GeoST": GeoST(),
    "GeoST, infer": GeoST(unlabeled_classes="infer"),
    "AutoAdapter": AutoAdapter(),
    "AutoAdapter, ignore": AutoAdapter(unlabeled_classes="ignore"),
}
QUICK = [
    f"GeoST{ALONE}",
    "GeoST",
    "GeoST, infer",
    f"GeoST, infer{RENAMED}",
    "AutoAdapter, ignore",
    "AutoAdapter",
    f"AutoAdapter{RENAMED}",
]
ALL = ["STN", f"STN{RENAMED}", "SSAN", f"SSAN{RENAMED}", *QUICK]
LACKING = ["AutoAdapter, ignore", "AutoAdapter"]
#: The second domain of COIL by the orientations of its edges.
HISTOGRAMS = "coil1:coil2_histograms"
MAIN = [
    "amazon_surf:webcam_decaf6",
    "caltech_surf:dslr_decaf6",
    "webcam_decaf6:amazon_squeezenet",
    "caltech_squeezenet:amazon_googlenet",
    "amazon_googlenet:caltech_squeezenet",
    "amazon_squeezenet:amazon_surf",
    "dslr_surf:webcam_squeezenet",
    "mfeat_fac:mfeat_kar",
    "mfeat_pix:mfeat_fou",
    "reuters_0:reuters_4",
    "wikipedia_text:wikipedia_image",
    "digits",
]
SAME = [
    "caltech_squeezenet:webcam_squeezenet",
    "pacs_photo:pacs_art_painting",
    "amazon_surf:webcam_surf",
    "coil1:coil2",
]
CONFIRM = [
    "dslr_decaf6:amazon_googlenet",
    "webcam_googlenet:caltech_squeezenet",
    "amazon_surf:dslr_squeezenet",
    "caltech_surf:webcam_googlenet",
    "webcam_squeezenet:caltech_surf",
    "mfeat_zer:mfeat_kar",
    "mfeat_kar:mfeat_pix",
    "mfeat_fou:mfeat_fac",
    "reuters_1:reuters_3",
    "bbcsport_view0:bbcsport_view1",
    "msrc_hog:msrc_gist",
    "mnist:usps",
    "pacs_cartoon:pacs_art_painting",
]
#: Classes of data sets that do not have ten.
N_CLASSES = {"reuters": 6, "pacs": 7, "bbcsport": 5, "msrc": 7, "coil": 20}


def numbers(task: str) -> tuple[int, ...]:
    """List how many classes of a task go without labels."""
    n_classes = next((n for name, n in N_CLASSES.items() if task.startswith(name)), 10)
    return (
        (2, 5, 10) if n_classes == 20 else (1, 2, 3, 5)[: 4 if n_classes == 10 else 3]
    )


def cells(tasks: list[str], methods: list[str], *, lacking: bool = False) -> list[Cell]:
    """List every method on every task, with every number of classes without labels."""
    return [
        Cell(task, method, {"n_unlabeled": n, "lacking": lacking}, 3, 5)
        for task in tasks
        for n in numbers(task)
        for method in methods
    ]


PARTS = {
    "main": cells(MAIN, ALL),
    "same": cells(SAME, QUICK),
    "many": cells([HISTOGRAMS], ALL),
    "lacking": cells([*MAIN, *SAME], LACKING, lacking=True),
    "confirm": [
        *cells(CONFIRM, ALL),
        *cells(CONFIRM, LACKING, lacking=True),
    ],
}
TITLES = {
    "main": "Other features, tasks on which settings were chosen",
    "same": "The same features",
    "many": "Twenty classes",
    "confirm": "Tasks that were not looked at",
}
INTRO = """\
The target has three labels of some classes and none of the others, of which the source
has labels. Accuracy in % on the unlabeled rows of classes without labels / of classes
with labels, and the harmonic mean of both: means over tasks and splits. A renamed
source cannot name anything, but with a single class without labels, nobody has to: what
is new must be of that class."""


def load(task: str) -> Bunch:
    """Load a task."""
    if task != HISTOGRAMS:
        return load_task(task)
    data = load_task("coil1:coil2")
    images = np.asarray(data.X, dtype=np.float64).reshape(-1, 32, 32)
    data.X = _orientation_histograms(images, n_cells=4)
    return data


def measure(cell: Cell) -> dict[str, Any]:
    """Measure a cell on every split."""
    data = load(cell.task)
    truth = np.asarray(data.y)
    name = cell.method.removesuffix(ALONE).removesuffix(RENAMED)
    found: dict[str, list[Any]] = {
        "unlabeled": [],
        "labeled": [],
        "values": [],
        "seconds": [],
        "said": [],
    }
    for split in label_splits(data.X, truth, cell.n_splits, cell.n_per_class, 0):
        y, hidden = _hide(split.y, cell.params["n_unlabeled"], split.seed)
        is_hidden = np.isin(truth, hidden)
        rows = ~is_hidden if cell.params["lacking"] else np.ones(len(y), dtype=bool)
        fit_params = _given(cell.method, data.source, split.seed)
        clf = seeded_clone(METHODS[name], split.seed)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of missing classes
            clf.fit(data.X[rows], y[rows], **fit_params)
        found["seconds"].append(time.perf_counter() - start)
        said = np.full(len(y), -1)
        said[rows] = clf.transduction_
        right, tested = said == truth, rows & (y == -1)
        scores = [
            float(right[tested & which].mean()) if (tested & which).any() else 0.0
            for which in (is_hidden, ~is_hidden)
        ]
        found["unlabeled"].append(scores[0])
        found["labeled"].append(scores[1])
        found["values"].append(harmonic(*scores))
        found["said"].append(_evidence(clf))
    means = [100 * np.mean(found[key]) for key in ("unlabeled", "labeled", "values")]
    print(
        f"{cell.task:36} {cell.method:28} {cell.params['n_unlabeled']:2} "
        f"{'lacking' if cell.params['lacking'] else '':7} "
        f"{means[0]:5.1f} {means[1]:5.1f} {means[2]:5.1f} ({cell.n_splits}) "
        f"{np.mean(found['seconds']):.2f} s",
        flush=True,
    )
    return {
        "data": hashlib.sha256(np.ascontiguousarray(data.X)).hexdigest()[:16],
        "params": METHODS[name].get_params(),
        "metric": "harmonic mean of transductive accuracies, last iterate",
        **found,
        "random_state": 0,
    }


def _hide(y: NDArray[Any], n: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Hide the labels of classes drawn at random."""
    classes = np.unique(y[y != -1])
    hidden = np.random.RandomState(seed).permutation(classes)[:n]
    return np.where(np.isin(y, hidden), -1, y), hidden


def _given(method: str, source: tuple[Any, Any], seed: int) -> dict[str, Any]:
    """Choose the source by what stands behind the name of the method."""
    if method.endswith(ALONE):
        return {}
    if method.endswith(RENAMED):
        source = noise_source(*source, "renamed", random_state=seed)
    return {"source": source}


def _evidence(clf: Any) -> Any:
    """Keep what a method says of its own inference."""
    if isinstance(clf, AutoAdapter):
        return clf.report_["assumptions"][-1]
    return getattr(clf, "inference_score_", None)


def harmonic(first: float, second: float) -> float:
    """Take the harmonic mean of two shares."""
    return 2 * first * second / (first + second) if first + second else 0.0


def unlabeled_parts() -> list[Part]:
    """List the tables of what has results."""
    found = read("unlabeled")
    parts: list[Part] = []
    for part, title in TITLES.items():
        here = [cell for cell in PARTS[part] if not cell.params["lacking"]]
        if table := _table(found, here):
            parts += [f"{title}:", table, _picture(found, part, here)]
    lacking = [c for cells_ in PARTS.values() for c in cells_ if c.params["lacking"]]
    if table := _table(found, lacking):
        said = "Accuracy on the others where the target has no rows of these classes:"
        parts += [said, table]
    if not parts:
        return []
    return [heading("Classes without labeled target rows"), INTRO, *parts]


def _table(found: dict[str, Any], cells_: list[Cell]) -> Table | None:
    """Show the means over the tasks on which all methods have been measured."""
    ns = sorted({cell.params["n_unlabeled"] for cell in cells_})
    methods = list(dict.fromkeys(cell.method for cell in cells_))
    tasks = {n: _complete(found, cells_, n) for n in ns}
    ns = [n for n in ns if tasks[n]]
    if not ns:
        return None
    rows = []
    for method in methods:
        row = [method]
        for n in ns:
            lines = [
                found[key_of(cell)]
                for cell in cells_
                if cell.method == method
                and cell.params["n_unlabeled"] == n
                and cell.task in tasks[n]
            ]
            means = [
                100 * np.mean([line[key] for line in lines])
                for key in ("unlabeled", "labeled", "values")
            ]
            lacking = cells_[0].params["lacking"]
            row.append(
                f"{means[1]:.0f}"
                if lacking
                else f"{means[0]:.0f} / {means[1]:.0f}, {means[2]:.0f}"
            )
        rows.append(row)
    header = ["Method", *(f"{n} ({len(tasks[n])} tasks)" for n in ns)]
    return Table(header, rows)


def _picture(found: dict[str, Any], part: str, cells_: list[Cell]) -> Picture:
    """Draw the harmonic means over the number of classes without labels."""
    results = [
        {
            "classes without labels": cell.params["n_unlabeled"],
            "method": cell.method,
            "score": found[key_of(cell)]["values"],
        }
        for cell in cells_
        if cell.task in _complete(found, cells_, cell.params["n_unlabeled"])
    ]

    def make() -> Any:
        return SensitivityDisplay.from_results(
            results,
            "classes without labels",
            by="method",
            score_name="Harmonic mean of accuracies",
        ).figure_

    alt = "Harmonic means of the methods by the number of classes without labels"
    return Picture(f"papers_unlabeled_{part}", alt, make)


def _complete(found: dict[str, Any], cells_: list[Cell], n: int) -> list[str]:
    """List the tasks on which every method has been measured."""
    here = [cell for cell in cells_ if cell.params["n_unlabeled"] == n]
    missing = {cell.task for cell in here if key_of(cell) not in found}
    return [t for t in dict.fromkeys(cell.task for cell in here) if t not in missing]


if __name__ == "__main__":
    run("unlabeled", PARTS, measure, str(__doc__).splitlines()[0])
