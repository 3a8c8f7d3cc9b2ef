"""The command that compares retrieval on paired data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skda.cli._options import CompareOptions
from skda.cli._output import journal_of, write_all
from skda.comparison._data import check_views
from skda.comparison._journal import Journal
from skda.comparison._lineups import choose_retrievers, shorten
from skda.comparison._report import (
    RetrievalSettings,
    fullest_setting,
    report_retrieval,
)
from skda.comparison._retrieval import (
    Measured,
    Retrieval,
    measure,
    tabulate,
)
from skda.comparison._splits import category_splits
from skda.datasets import PairedTask, load_paired_files, load_pairs
from skda.inspection import RetrievalEmbeddingDisplay
from skda.inspection._retrieval import RetrievalCurve, RetrievalDisplay
from skda.utils.escaping import escape_mathtext

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["run_retrieval"]


def run_retrieval(options: CompareOptions) -> None:
    """Compare retrievers, write the tables and draw the figures."""
    if options.methods is not None:
        choose_retrievers(options.method_names, n_views=2)  # before the data are read
    pairs = _load(options)
    views = check_views(pairs.views, pairs.y)
    splits = category_splits(
        pairs.y, options.n_splits, test=pairs.test, random_state=options.seed
    )
    named = choose_retrievers(options.method_names, len(views))
    if options.quick_epochs is not None:
        shorten(named, options.quick_epochs)
    journal = journal_of(options)
    measured = measure(
        Retrieval(views, pairs.y),
        splits,
        named,
        n_jobs=options.jobs,
        verbose=1,
        journal=None if journal is None else Journal(journal),
    )
    table = tabulate(measured)
    settings = RetrievalSettings(
        task=options.title,
        files=options.files,
        views={name: X.shape[1] for name, X in views.items()},
        n_splits=options.n_splits,
        has_test=pairs.test is not None,
        seed=options.seed,
        quick_epochs=options.quick_epochs,
    )
    write_all(
        options,
        table,
        report_retrieval(table, settings),
        lambda file: _draw(measured, table, pairs.classes, file),
    )


def _load(options: CompareOptions) -> PairedTask:
    """Load a task, or the user's own files."""
    if not options.view:
        return load_pairs(str(options.task), data_home=options.data_home)
    return load_paired_files(options.view_files, str(options.labels), options.label)


def _fullest(measured: Measured) -> dict[str, int]:
    """Find the row of every method in which it is shown most."""
    places: dict[str, dict[str, int]] = {}
    for i, row in enumerate(measured.rows):
        places.setdefault(row.method, {})[row.setting] = i
    return {
        method: of_method[fullest_setting(set(of_method))]
        for method, of_method in places.items()
    }


def _draw(
    measured: Measured, table: pd.DataFrame, classes: tuple[str, ...] | None, file: Path
) -> dict[Path, Figure]:
    """Draw the curves, and beside them the space of the method with the best mean."""
    chosen = _fullest(measured)
    best = max(chosen.values(), key=lambda row: table["mAP"].iloc[row])
    return {
        file: _curves(measured, chosen).figure_,
        file.with_stem(f"{file.stem}-embedding"): _embedding(
            measured, best, classes
        ).figure_,
    }


def _curves(measured: Measured, chosen: Mapping[str, int]) -> RetrievalDisplay:
    """Average the curves over the splits."""
    curves: dict[str, dict[str, RetrievalCurve]] = {}
    for method, row in chosen.items():
        outcomes = measured.outcomes[row]
        for direction in outcomes[0].curves:
            precision = np.mean([o.curves[direction] for o in outcomes], axis=0)
            curve = RetrievalCurve(
                precision,
                np.linspace(0, 1, len(precision)),
                float(np.mean([o.scores[direction] for o in outcomes])),
            )
            curves.setdefault(direction.replace("->", "→"), {})[method] = curve
    chance = np.mean([o.scores["chance"] for o in measured.outcomes[0]])
    display = RetrievalDisplay(curves, chance=float(chance)).plot()
    for direction, axes in display.axes_.items():
        axes.set_title(f"{escape_mathtext(direction)}, mAP below", loc="left")
        axes.legend(  # where many names do not lie on the curves
            loc="upper center",
            bbox_to_anchor=(0.5, -0.16),
            ncols=2,
            frameon=False,
            fontsize="small",
        )
    return display


def _embedding(
    measured: Measured, row: int, classes: tuple[str, ...] | None
) -> RetrievalEmbeddingDisplay:
    """Draw the test pairs of the first split."""
    experiment, split = measured.experiment, measured.splits[0]
    fitted = experiment.fit(measured.rows[row], split)
    y = experiment.y if classes is None else np.array(classes)[experiment.y]
    return RetrievalEmbeddingDisplay.from_estimator(
        fitted,
        {name: X[split.test] for name, X in experiment.views.items()},
        y[split.test],
        name=measured.rows[row].method,
    )
