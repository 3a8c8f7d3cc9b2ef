"""Reports of comparisons: their tables, with what the numbers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skda.comparison._adaptation import row_label
from skda.comparison._layout import (
    Lines,
    Report,
    environment,
    make_report,
    records_of,
)
from skda.comparison._lineups import describe_settings, reference_method
from skda.comparison._retrieval import CHANCE, SETTINGS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AdaptationSettings",
    "RetrievalSettings",
    "fullest_setting",
    "report_adaptation",
    "report_retrieval",
]

HEADER = ("method", "accuracy in %", "splits", "seconds")
#: Columns of the table of retrieval, and the settings whose numbers stand there.
COLUMNS = {
    "source only": ("source",),
    "source + new": ("source + new", "pairs"),
    "new alone": ("new",),
}
#: Settings by how much a method is shown.
FULLEST = ("source + new", "pairs", "source", "new")
METRIC = "mean average precision over the full ranking by cosine, last iterate"


class AdaptationSettings(NamedTuple):
    """What classifiers were compared on, and how.

    Parameters
    ----------
    task : str
        Name of the data.
    files : dict of str to str
        The user's own files, by role; empty for a task.
    n_splits : int
        How many times the labels were drawn.
    n_per_class : int
        How many labels of each class were left.
    seed : int
        Seed of everything.
    quick_epochs : int or None
        Epochs of a run that is no result; None if it is one.
    n_pairs : int, default=None
        How many pairs there were, None if none.
    target_classes : int, default=None
        How many classes the target kept, None if all.
    preparation : sequence of str, default=()
        What was done to the files.
    """

    task: str
    files: dict[str, str]
    n_splits: int
    n_per_class: int
    seed: int
    quick_epochs: int | None
    n_pairs: int | None = None
    target_classes: int | None = None
    preparation: Sequence[str] = ()


class RetrievalSettings(NamedTuple):
    """What retrievers were compared on, and how.

    Parameters
    ----------
    task : str
        Name of the data.
    files : dict of str to str
        The user's own files, by view, and that of the labels; empty for a task.
    views : dict of str to int
        Features of every view.
    n_splits : int
        How many times the categories were drawn.
    has_test : bool
        Whether the data set says which rows are for tests.
    seed : int
        Seed of everything.
    quick_epochs : int or None
        Epochs of a run that is no result; None if it is one.
    """

    task: str
    files: dict[str, str]
    views: dict[str, int]
    n_splits: int
    has_test: bool
    seed: int
    quick_epochs: int | None


def report_adaptation(table: pd.DataFrame, settings: AdaptationSettings) -> Report:
    """Write the table of a comparison of classifiers in all forms."""
    fields = settings._asdict()
    for option in ("target_classes", "preparation"):
        if not fields[option]:
            del fields[option]
    record = {
        **fields,
        "quick": settings.quick_epochs is not None,
        "metric": "transductive accuracy, last iterate",
        **{str(name): value for name, value in table.attrs.items()},
        "records": records_of(table),
        **environment(),
    }
    return make_report(
        settings.task,
        record,
        lambda sign: _cells(table, sign),
        lambda sign: _legend(table, settings, sign),
        _verdict(table, settings.quick_epochs),
    )


def report_retrieval(table: pd.DataFrame, settings: RetrievalSettings) -> Report:
    """Write the table of a comparison of retrievers in all forms."""
    reference = reference_method(len(settings.views))
    record = {
        "task": settings.task,
        "files": settings.files,
        "views": settings.views,
        "n_splits": settings.n_splits,
        "test": (
            "rows of the data set"
            if settings.has_test
            else "a quarter of every category"
        ),
        "seed": settings.seed,
        "quick_epochs": settings.quick_epochs,
        "quick": settings.quick_epochs is not None,
        "metric": METRIC,
        "reference": reference,
        "settings": SETTINGS,
        **{str(name): value for name, value in table.attrs.items()},
        "records": records_of(table),
        **environment(),
    }
    return make_report(
        settings.task,
        record,
        lambda sign: _retrieval_cells(table, reference, sign),
        lambda sign: _retrieval_legend(table, record, sign),
        _verdict(table, settings.quick_epochs),
    )


def fullest_setting(settings: set[str]) -> str:
    """Find the setting in which a method is shown most."""
    return next(setting for setting in FULLEST if setting in settings)


def _cells(table: pd.DataFrame, plus_minus: str) -> Lines:
    """Write all numbers out, below the names of the columns."""
    skewed = table.attrs.get("skewed", False)
    lines: Lines = [(*HEADER[:2], *["balanced"] * skewed, *HEADER[2:])]
    for row in table.to_dict("records"):
        many = row["n_splits"] > 1
        spread = f" {plus_minus} {100 * row['std']:4.1f}" if many else ""
        balanced = [f"{100 * row['balanced_accuracy']:.1f}"] if skewed else []
        lines.append(
            (
                row_label(row["method"], row["source"]),
                f"{100 * row['accuracy']:.1f}{spread}",
                *balanced,
                str(row["n_splits"]),
                f"{row['seconds']:.2f}",
            )
        )
    return lines


def _legend(
    table: pd.DataFrame, settings: AdaptationSettings, plus_minus: str
) -> list[str]:
    what = "Transductive accuracy on the unlabeled target rows, last iterate"
    over = "splits" if settings.n_per_class else "seeds"
    spread = f", mean {plus_minus} standard deviation over the {over}"
    spread = spread if settings.n_splits > 1 else ""
    legend = [f"{what}, {_labels_left(settings)}{spread}."]
    if table.attrs.get("skewed"):
        legend.append(
            "Classes are skewed; balanced is the mean of the accuracies in the classes."
        )
    legend += describe_settings(table["method"])
    if {"real", "none"} <= set(table["source"]):
        legend.append(
            '"no source": the same method fitted to the same target rows and labels '
            "alone; the difference is what the source is worth."
        )
    if settings.n_pairs is not None:
        learners = table.loc[table["pairs"], "method"].unique()
        legend.append(
            f"Fitted with {settings.n_pairs} pairs beside the source, and without any "
            f"where there is none: {', '.join(learners)}."
        )
    return [*legend, *settings.preparation]


def _labels_left(settings: AdaptationSettings) -> str:
    """Say what was left of the target's labels and classes."""
    left = f"{settings.n_per_class} labels per class"
    left = left if settings.n_per_class else "no label of the target"
    if settings.target_classes is None:
        return left
    return f"{left}, of which {settings.target_classes} classes are kept"


def _retrieval_cells(table: pd.DataFrame, reference: str, sign: str) -> Lines:
    """Write the numbers out, a line for each method."""
    lines: Lines = [("method", *COLUMNS, f"- {reference}, new", "seconds")]
    for method in table["method"].unique():
        of_method = table[table["method"] == method].to_dict("records")
        rows = {row["setting"]: row for row in of_method}
        if method == CHANCE:
            chance = _number(of_method[0]["mAP"], of_method[0]["std"], sign)
            lines.append((CHANCE, *[chance] * len(COLUMNS), "-", "-"))
            continue
        cells = []
        for settings in COLUMNS.values():
            shown = [rows[s] for s in settings if s in rows]
            cells += [_number(row["mAP"], row["std"], sign) for row in shown] or ["-"]
        best = rows[fullest_setting(set(rows))]
        difference = _number(
            best["difference"], best["standard_error"], sign, signed=True
        )
        seconds = sum(row["seconds"] for row in of_method)
        lines.append((method, *cells, difference, f"{seconds:.2f}"))
    return lines


def _number(value: float, spread: float, sign: str, *, signed: bool = False) -> str:
    shown = f"{value:+.3f}" if signed else f"{value:.3f}"
    return shown if np.isnan(spread) else f"{shown} {sign} {spread:.3f}"


def _retrieval_legend(
    table: pd.DataFrame, record: Mapping[str, Any], sign: str
) -> list[str]:
    many = record["n_splits"] > 1
    spread = f", mean {sign} standard deviation" if many else ""
    what = (
        f"Mean average precision over the full ranking by cosine, averaged over the "
        f"directions between {', '.join(record['views'])}{spread}, over "
        f"{record['n_splits']} random halves of the categories. Test pairs of the new "
        f"categories ({record['test']}) search each other. Seconds to fit and embed "
        f"are those of all settings of one split."
    )
    settings = (
        "source only: labeled pairs of the known categories. source + new: also the "
        "unlabeled pairs of the new ones. new alone: these only, the control without a "
        "source; what source + new has more is what the source is worth."
    )
    legend = [what, settings, *describe_settings(table["method"])]
    unsupervised = table.loc[table["setting"] == "pairs", "method"]
    if len(unsupervised):
        legend.append(
            f"{', '.join(unsupervised)}: without labels; source + new is all pairs."
        )
    error = f", {sign} standard error" if many else ""
    legend.append(
        f"The difference is that of source + new, or of source only where that is all, "
        f"to {record['reference']} fitted to the new pairs alone, on the same "
        f"splits{error}."
    )
    return legend


def _verdict(table: pd.DataFrame, quick_epochs: int | None) -> str:
    """Say what to take, or that nothing can be said."""
    if quick_epochs is None:
        return str(table.attrs.get("advice", ""))
    return f"--quick trained for {quick_epochs} epochs: this is no result."
