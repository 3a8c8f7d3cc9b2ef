"""The command line, where it compares retrieval on paired data."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from skda._cli_output import import_pyplot, write_all
from skda._compare_retrieval import CHANCE, Entry, measure, tabulate
from skda._report import environment, markdown_table, records_of, text_table
from skda._retrieval_lineup import default_methods, method_named, reference_method
from skda._retrieval_protocol import (
    SETTINGS,
    CategorySplit,
    Outcome,
    category_splits,
    check_views,
    fit_in_setting,
)
from skda.datasets import PairedTask, load_paired_files, load_pairs
from skda.inspection import RetrievalEmbeddingDisplay
from skda.inspection._retrieval import RetrievalCurve, RetrievalDisplay

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run"]

#: Columns of the table, and the settings whose numbers stand there.
COLUMNS = {
    "source only": ("source",),
    "source + new": ("source + new", "pairs"),
    "new alone": ("new",),
}
#: Settings by how much a method is shown.
FULLEST = ("source + new", "pairs", "source", "new")
METRIC = "mean average precision over the full ranking by cosine, last iterate"


class Comparison(NamedTuple):
    """All that came of a run.

    Parameters
    ----------
    pairs : PairedTask
        The data.
    splits : list of CategorySplit
        The splits.
    entries : list of Entry
        Lines of the table.
    outcomes : list of list of Outcome
        For every line, what came of each split.
    """

    pairs: PairedTask
    splits: list[CategorySplit]
    entries: list[Entry]
    outcomes: list[list[Outcome]]

    def fullest(self) -> dict[str, int]:
        """Find the line of every method in which it is shown most."""
        order = sorted(
            range(len(self.entries)),
            key=lambda i: FULLEST.index(self.entries[i].setting),
            reverse=True,
        )
        last = {self.entries[i].method: i for i in order}
        return {entry.method: last[entry.method] for entry in self.entries}


def run(args: argparse.Namespace, *, quick_epochs: int | None) -> None:
    """Compare methods on paired data, write the tables and draw the figures."""
    if args.labels_per_class is not None:
        raise ValueError(
            "Expected no --labels-per-class for paired data, in which all known "
            "categories are labeled and the new ones are not: leave it out."
        )
    methods = _methods(args.methods)
    pairs = _load(args)
    views = check_views(pairs.views, pairs.y)
    splits = category_splits(
        pairs.y, args.splits, test=pairs.test, random_state=args.seed
    )
    if methods is None:
        methods = default_methods(len(views))
    if quick_epochs is not None:
        for method in methods.values():
            if "max_epochs" in method.get_params():
                method.set_params(max_epochs=quick_epochs)
    with threadpool_limits(args.threads):
        done = measure(views, pairs.y, splits, methods, n_jobs=args.jobs, verbose=1)
    comparison = Comparison(pairs._replace(views=views), splits, *done)
    _report(comparison, args, quick_epochs)


def _methods(names: str | None) -> dict[str, Any] | None:
    """Build the methods by their names, in any case."""
    if names is None:
        return None
    built = [method_named(name.strip()) for name in names.split(",")]
    return {type(method).__name__: method for method in built}


def _load(args: argparse.Namespace) -> PairedTask:
    """Load a task, or the user's own files."""
    if not args.view:
        return load_pairs(args.task, data_home=args.data_home)
    return load_paired_files(_view_files(args), args.labels, args.label)


def _view_files(args: argparse.Namespace) -> dict[str, str]:
    """Tell names from files."""
    files: dict[str, str] = {}
    for view in args.view:
        name, _, file = view.partition("=")
        if not name or not file or name in files:
            raise ValueError(
                f"Expected --view NAME=FILE with a name of its own, such as "
                f"image=images.csv, got {view!r}."
            )
        files[name] = file
    return files


def _title(args: argparse.Namespace) -> str:
    if not args.view:
        return str(args.task)
    return ", ".join(Path(file).name for file in _view_files(args).values())


def _report(
    comparison: Comparison, args: argparse.Namespace, quick_epochs: int | None
) -> None:
    """Write all that was asked for."""
    table = tabulate(comparison.entries, comparison.outcomes)
    standard = comparison.pairs.test is not None
    record = {
        "task": _title(args),
        "files": _view_files(args) | {"labels": args.labels} if args.view else {},
        "views": {name: X.shape[1] for name, X in comparison.pairs.views.items()},
        "n_splits": args.splits,
        "test": "rows of the data set" if standard else "a quarter of every category",
        "seed": args.seed,
        "quick_epochs": quick_epochs,
        "quick": quick_epochs is not None,
        "metric": METRIC,
        "reference": reference_method(len(comparison.pairs.views)),
        "settings": SETTINGS,
        "records": records_of(table),
        **environment(),
    }

    def draw() -> None:
        _draw(comparison, table, Path(args.figure))

    texts = {}
    for layout, form, sign in (
        ("text", text_table, "+-"),
        ("markdown", markdown_table, "±"),
    ):
        legend = _legend(table, record, sign)
        texts[layout] = form(
            _title(args), _cells(table, record["reference"], sign), legend
        )
    write_all(args, record=record, **texts, draw=draw)


def _cells(table: pd.DataFrame, reference: str, sign: str) -> list[tuple[str, ...]]:
    """Write the numbers out, a line for each method."""
    lines = [("method", *COLUMNS, f"- {reference}, new", "seconds")]
    for method in table["method"].unique():
        of_method = table[table["method"] == method].to_dict("records")
        rows = {row["setting"]: row for row in of_method}
        if method == CHANCE:
            chance = _number(of_method[0]["mAP"], of_method[0]["std"], sign)
            lines.append((CHANCE, *[chance] * len(COLUMNS), "-", "-"))
            continue
        cells = []
        for settings in COLUMNS.values():
            there = [rows[s] for s in settings if s in rows]
            cells += [_number(row["mAP"], row["std"], sign) for row in there] or ["-"]
        best = rows[next(s for s in FULLEST if s in rows)]
        difference = _number(
            best["difference"], best["standard_error"], sign, signed=True
        )
        seconds = sum(row["seconds"] for row in of_method)
        lines.append((method, *cells, difference, f"{seconds:.2f}"))
    return lines


def _number(value: float, spread: float, sign: str, *, signed: bool = False) -> str:
    shown = f"{value:+.3f}" if signed else f"{value:.3f}"
    return shown if np.isnan(spread) else f"{shown} {sign} {spread:.3f}"


def _legend(table: pd.DataFrame, record: Mapping[str, Any], sign: str) -> list[str]:
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
    legend = [what, settings]
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
    if record["quick"]:
        legend.append(
            f"--quick trained for {record['quick_epochs']} epochs: this is no result."
        )
    return legend


def _draw(comparison: Comparison, table: pd.DataFrame, file: Path) -> None:
    """Draw the curves, and beside them the space of the method with the best mean."""
    pyplot = import_pyplot()
    chosen = comparison.fullest()
    best = max(chosen, key=lambda method: table["mAP"].iloc[chosen[method]])
    with pyplot.rc_context({"svg.fonttype": "none"}):
        figures = {
            file: _curves(comparison, chosen).figure_,
            file.with_stem(f"{file.stem}-embedding"): _embedding(
                comparison, comparison.entries[chosen[best]]
            ).figure_,
        }
        for path, figure in figures.items():
            figure.savefig(path, dpi=200)
            pyplot.close(figure)


def _curves(comparison: Comparison, chosen: Mapping[str, int]) -> RetrievalDisplay:
    """Average the curves over the splits."""
    curves: dict[str, dict[str, RetrievalCurve]] = {}
    for method, line in chosen.items():
        outcomes = comparison.outcomes[line]
        for direction in outcomes[0].curves:
            precision = np.mean([o.curves[direction] for o in outcomes], axis=0)
            curve = RetrievalCurve(
                precision,
                np.linspace(0, 1, len(precision)),
                float(np.mean([o.scores[direction] for o in outcomes])),
            )
            curves.setdefault(direction.replace("->", "→"), {})[method] = curve
    chance = np.mean([o.scores["chance"] for o in comparison.outcomes[0]])
    display = RetrievalDisplay(curves, chance=float(chance)).plot()
    for direction, axes in display.axes_.items():
        axes.set_title(f"{direction}, mAP below", loc="left")
        axes.legend(  # where many names do not lie on the curves
            loc="upper center",
            bbox_to_anchor=(0.5, -0.16),
            ncols=2,
            frameon=False,
            fontsize="small",
        )
    return display


def _embedding(comparison: Comparison, entry: Entry) -> RetrievalEmbeddingDisplay:
    """Draw the test pairs of the first split."""
    pairs, split = comparison.pairs, comparison.splits[0]
    y = np.asarray(pairs.y)
    fitted = fit_in_setting(entry.estimator, entry.setting, pairs.views, y, split)
    names = y if pairs.classes is None else np.array(pairs.classes)[y]
    return RetrievalEmbeddingDisplay.from_estimator(
        fitted,
        {name: X[split.test] for name, X in pairs.views.items()},
        names[split.test],
        name=entry.method,
    )
