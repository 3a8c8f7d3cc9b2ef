"""The picture at the head of every page of benchmarks, drawn from the results files.

Each row is a method; its dot is the mean over the tasks of the difference to what has
to be beaten on the same task, and its line the 95 % interval of that mean.
``report.py`` writes the pictures, and checks that they are up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from benchmarks._dots import Dot, dot_of, draw_dots
from benchmarks._results import FOLDER, load
from benchmarks._tables import latest
from benchmarks.boards.pages import read_side
from benchmarks.boards.report import ORACLE
from benchmarks.boards.rows import BASELINE
from benchmarks.boards.tasks import GROUPS
from benchmarks.paired_report import CONTROL as PAIRED_CONTROL
from benchmarks.retrieval_report import REFERENCE, SETTINGS
from benchmarks.unsupervised_report import CONTROL, GROUPS as UNSUPERVISED

__all__ = ["Overview", "overviews"]

#: A method is shown if it has at least so many tasks, and this share of them.
FEWEST, ENOUGH = 3, 0.5
FIRST = "AutoAdapter"
BY_SOURCE = {"real": "", "none": ", no source", "unused": ""}

#: Means of the splits by row and task.
Scores = dict[tuple[str, str], float]


class Overview(NamedTuple):
    """A picture and what it shows.

    Parameters
    ----------
    caption : str
        What is drawn.
    svg : str
        The drawing.
    """

    caption: str
    svg: str

    def rst(self, name: str) -> str:
        """Refer to the picture."""
        return (
            f".. figure:: /benchmarks/{name}.svg\n   :alt: {self.caption}\n"
            f"   :width: 100%\n   :class: dots dark-light\n\n   {self.caption}\n"
        )


def overviews() -> dict[str, Overview]:
    """Draw the pictures of all families that have results, by name."""
    made: dict[str, Callable[[], Overview | None]] = {
        "heterogeneous": _heterogeneous,
        "paired": _paired,
        "unsupervised": _unsupervised,
        "partial": _partial,
        "retrieval": _retrieval,
        "sources": _sources,
        "speed": _speed,
        **{f"boards_{g}": lambda g=g: _board(g) for g in GROUPS},  # type: ignore[misc]
    }
    drawn = {f"dots_{name}": make() for name, make in made.items()}
    return {name: each for name, each in drawn.items() if each is not None}


def _against(scores: Scores, control: str, what: str, tasks: str) -> Overview | None:
    """Draw the differences of all rows to a control, the best one first."""
    reference = {task: score for (row, task), score in scores.items() if row == control}
    gains: dict[str, list[float]] = {}
    for (row, task), score in scores.items():
        if row != control and task in reference:
            gains.setdefault(row, []).append(100 * (score - reference[task]))
    enough = max(FEWEST, ENOUGH * len(reference))
    dots = [
        dot_of(row, values, _kind(row))
        for row, values in gains.items()
        if len(values) >= enough
    ]
    if not dots:
        return None
    dots.sort(key=lambda dot: -dot.mean)
    counts = sorted({dot.n for dot in dots})
    n = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    the = "the " if control[0].islower() else ""
    caption = (
        f"{what} above or below {the}{control}, in points: mean over n = {n} "
        f"{tasks}, and its 95 % interval. To the right of the dashed line a method is "
        f"better."
    )
    return Overview(caption, draw_dots(dots, f"points above {control}"))


def _kind(row: str) -> str:
    if row == FIRST:
        return "main"
    plain = ("plain", "logistic", "SVM", "1-NN", "SourceOnly", "TargetNet", "LDA")
    alone = row.endswith((", no source", "new pairs alone"))
    return "control" if alone or row.startswith((*plain, "LabelSp")) else "other"


def _means(records: Iterable[tuple[str, str, Any]]) -> Scores:
    return {
        (row, task): float(np.mean(values))
        for row, task, values in records
        if "(" not in row and np.all(np.isfinite(values))
    }


def _heterogeneous() -> Overview | None:
    found = latest(load("heterogeneous"), "task", "method", "source")
    scores = _means(
        (method + BY_SOURCE[source], task, run["values"])
        for (task, method, source), run in found.items()
    )
    return _against(scores, CONTROL, "Accuracy with three labels per class", "tasks")


def _paired() -> Overview | None:
    found = latest(load("paired"), "task", "method", "sweep", "value")
    scores = _means(
        (method, task, run["values"])
        for (task, method, sweep, _), run in found.items()
        if sweep is None
    )
    return _against(scores, PAIRED_CONTROL, "Accuracy", "tasks")


def _unsupervised() -> Overview | None:
    found = latest(load("unsupervised"), "group", "task", "method")
    scores = _means(
        (method, f"{group} {task}", run["values"])
        for (group, task, method), run in found.items()
        if group in UNSUPERVISED
    )
    return _against(scores, CONTROL, "Accuracy", "pairs of domains")


def _partial() -> Overview | None:
    found = latest(load("partial"), "group", "task", "method")
    scores = _means(
        (method, f"{group} {task}", run["values"])
        for (group, task, method), run in found.items()
        if group in ("main", "coil", "pacs")
    )
    return _against(scores, CONTROL, "Accuracy", "pairs of domains")


def _retrieval() -> Overview | None:
    found = latest(load("retrieval"), "task", "method", "setting")
    scores = _means(
        (f"{method}, {SETTINGS[setting]}", task, run["values"])
        for (task, method, setting), run in found.items()
        if setting != "source"  # far below whatever sees the new pairs
    )
    control = f"{REFERENCE[0]}, {SETTINGS[REFERENCE[1]]}"
    return _against(scores, control, "Mean average precision", "data sets")


def _sources() -> Overview | None:
    """Draw what a source is worth, task by task, over the splits."""
    found = latest(load("source_gain"), "task", "method", "source")
    dots = []
    for task, method in dict.fromkeys(key[:2] for key in found):
        real, none = (found.get((task, method, kind)) for kind in ("real", "none"))
        if real and none:
            n = min(len(real["values"]), len(none["values"]))
            gains = np.subtract(real["values"][:n], none["values"][:n])
            name = f"{method}, {task.replace(':', ' → ')}"
            dots.append(dot_of(name, 100 * gains, "main"))
    if not dots:
        return None
    dots.sort(key=lambda dot: -dot.mean)
    counts = sorted({dot.n for dot in dots})
    caption = (
        f"What the source adds to the same method without one, in points: mean over "
        f"n = {' or '.join(map(str, counts))} splits, and its 95 % interval."
    )
    return Overview(caption, draw_dots(dots, "points above no source"))


def _board(group: str) -> Overview | None:
    """Draw all methods of a group against the plain baseline, the confirming side."""
    board = read_side(FOLDER, group, "confirming")
    scores = {
        (method, task): record["score"]
        for (task, method), record in board.fits.items()
        if method != ORACLE
    }
    what = "Mean average precision" if group == "retrieval" else "Accuracy"
    control = BASELINE if group != "retrieval" else "RidgeCCA, new"
    return _against(scores, control, what, "tasks of the confirming side")


def _speed() -> Overview | None:
    """Draw how much longer other ways take, with the range over the turns."""
    kinds = {
        "speed_skada": ("skada's {}, batch {}", ("name", "batch_size", "dropout")),
        "speed_ssan": ("SSAN sample by sample, {}", ("precision",)),
        "speed_receptors": ("ISRA, loop, {}, threads: {}", ("attention", "threads")),
    }
    dots: list[Dot] = []
    for file, (label, names) in kinds.items():
        if (FOLDER / f"{file}.jsonl").exists():
            for key, r in latest(load(file), *names).items():
                name = label.format(*key)
                layers = r.get("discriminator_layer_sizes")
                name += f", {len(layers)} layers" if layers and len(layers) > 1 else ""
                ends = r["lowest"], r["highest"]
                dots.append(Dot(name, r["ratio"], *ends, r["turns"]))
    if not dots:
        return None
    dots.sort(key=lambda dot: -dot.mean)
    counts = sorted({dot.n for dot in dots})
    caption = (
        f"How many times as long other ways to compute the same take: median of n = "
        f"{counts[0]} to {counts[-1]} turns, and their range. To the right of the "
        f"dashed line skda is faster."
    )
    return Overview(caption, draw_dots(dots, "times as long as skda", reference=1.0))
