"""The command that compares classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skda.cli._options import CompareOptions
from skda.cli._output import journal_of, say, write_all
from skda.comparison._adaptation import (
    compare,
    labels_left,
    learns_from_source,
    taken_by_fit,
)
from skda.comparison._lineups import choose_classifiers, classifier_lineup, shorten
from skda.comparison._report import AdaptationSettings, report_adaptation
from skda.datasets._messy import load_domains
from skda.datasets._tables import load_paired_rows
from skda.inspection import ComparisonDisplay
from skda.utils.escaping import escape_mathtext
from skda.utils.labels import check_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from sklearn.utils import Bunch

__all__ = ["run_adaptation"]


def run_adaptation(options: CompareOptions) -> None:
    """Compare classifiers, write the tables and draw the figure."""
    n_per_class = labels_left(options.labels_per_class, options.target_classes)
    data, notes = _load(options)
    table = compare(
        _estimators(options, n_per_class),
        **data,
        n_splits=options.n_splits,
        random_state=options.seed,
        n_per_class=n_per_class,
        target_classes=options.target_classes,
        n_jobs=options.jobs,
        verbose=1,
        journal=journal_of(options),
    )
    settings = AdaptationSettings(
        task=options.title,
        files=options.files,
        n_splits=options.n_splits,
        n_per_class=n_per_class,
        seed=options.seed,
        quick_epochs=options.quick_epochs,
        n_pairs=_n_pairs(data),
        target_classes=options.target_classes,
        preparation=notes,
    )
    write_all(
        options,
        table,
        report_adaptation(table, settings),
        lambda file: {file: _draw(table, options.title)},
    )


def _load(options: CompareOptions) -> tuple[dict[str, Any], list[str]]:
    """Choose the data: a task, or the user's own files and what was done to them."""
    if options.target is None:
        pairs: dict[str, Any]
        pairs = {} if options.pairs is None else {"pairs": int(options.pairs[0])}
        task = {"task": options.task or "digits", "data_home": options.data_home}
        return task | pairs, []
    labels = options.source_label or options.label, options.label
    if options.source is None:
        ((target,), notes) = _load_files(options, [options.target], labels[1:])
        return {"X": target.data, "y": target.target}, notes
    files = [options.target, options.source]
    ((target, source), notes) = _load_files(options, files, labels[::-1])
    _check_classes(source.target, target.target)
    data: dict[str, Any] = {
        "X": target.data,
        "y": target.target,
        "source": (source.data, source.target),
    }
    if options.pairs is not None:
        data["pairs"] = load_paired_rows(options.pairs, (source, target), labels)
    return data, notes


def _load_files(
    options: CompareOptions, files: list[str], labels: Sequence[str | None]
) -> tuple[list[Bunch], list[str]]:
    """Load tables, and tell what was done to them before the minutes of fitting."""
    domains, notes = load_domains(
        files, labels, drop=options.drop or (), impute=options.impute
    )
    for note in notes:
        say("note", note)
    return domains, notes


def _n_pairs(data: dict[str, Any]) -> int | None:
    pairs = data.get("pairs")
    return pairs[0].shape[0] if isinstance(pairs, tuple) else pairs


def _check_classes(y_source: Any, y: Any) -> None:
    """Insist on a class in common, or the source has nothing to say."""
    in_source, in_target = (
        check_labels(labels, labels).values.tolist() for labels in (y_source, y)
    )
    if not set(in_source) & set(in_target):
        raise ValueError(
            f"Expected classes that the source and the target share, got "
            f"{in_source[0]!r} and others in the source, {in_target[0]!r} and others "
            f"in the target: spell them alike."
        )


def _estimators(options: CompareOptions, n_per_class: int) -> dict[str, Any]:
    """Choose the methods."""
    lineup = classifier_lineup(
        n_per_class=n_per_class,
        target_classes=options.target_classes,
        paired=options.pairs is not None,
    )
    named = choose_classifiers(options.method_names, lineup)
    if options.methods is not None:
        _check_methods(named, options)
    if options.quick_epochs is not None:
        shorten(named, options.quick_epochs)
    return dict(named)


def _check_methods(named: list[tuple[str, Any]], options: CompareOptions) -> None:
    """Insist on pairs for the methods that have no use for a source without any."""
    learners = [
        name
        for name, estimator in named
        if learns_from_source(estimator)
        and taken_by_fit(estimator, {"pairs"})
        and getattr(estimator, "_needs_pairs", lambda: True)()
    ]
    without_source = options.target is not None and options.source is None
    if learners and options.pairs is None and not without_source:
        raise ValueError(
            f"Expected --pairs with {', '.join(learners)}, got none: say how many to "
            f"set apart in the task, or name the two files that have them."
        )


def _draw(table: pd.DataFrame, title: str) -> Figure:
    return ComparisonDisplay.from_frame(table, name=escape_mathtext(title)).figure_
