"""Checks of options, which complain before the minutes of fitting."""

from __future__ import annotations

from pathlib import Path

from skda.cli._options import CompareOptions
from skda.cli._output import check_outputs

__all__ = ["check_options", "compares_retrieval"]

#: Files that have a column of labels, rather than a place for them.
TABLES = (".csv", ".parquet")


def compares_retrieval(options: CompareOptions) -> bool:
    """Tell whether the data are paired views."""
    from skda.datasets._pairs import is_paired_task  # noqa: PLC0415

    return bool(options.view) or (
        options.task is not None and is_paired_task(options.task)
    )


def check_options(options: CompareOptions) -> None:
    """Complain before the minutes of fitting."""
    if options.threads < 1:
        raise ValueError(f"Expected --threads to be at least 1, got {options.threads}.")
    if options.jobs == 0:
        raise ValueError("Expected --jobs to be 1 or more, or -1 for all, got 0.")
    if options.threads > 1 and options.jobs != 1:
        raise ValueError(
            f"Expected either --threads or --jobs, which has one thread per fit, got "
            f"--threads {options.threads} and --jobs {options.jobs}: leave one out."
        )
    _check_data(options)
    if options.pairs is not None:
        _check_pairs(options, options.pairs)
    check_outputs(options)
    if (options.drop or options.impute) and options.target is None:
        raise ValueError(
            "Expected --target with --drop and --impute, which are for tables of your "
            "own, got none: leave them out."
        )
    _check_left(options)


def _check_data(options: CompareOptions) -> None:
    if options.view or options.labels is not None:
        _check_views(options)
    elif options.target is None:
        for option in ("source", "label", "source_label"):
            if getattr(options, option) is not None:
                raise ValueError(
                    f"Expected --target with --{option.replace('_', '-')}, got none: "
                    f"name the file of the target, too."
                )
    elif options.task is not None or options.data_home is not None:
        raise ValueError(
            "Expected either a task or files, got --task or --data-home and --target: "
            "leave one out."
        )
    elif options.source is None and options.source_label is not None:
        raise ValueError("Expected --source with --source-label, got none: name it.")
    if not options.view:
        _check_tables(options)


def _check_left(options: CompareOptions) -> None:
    """Refuse what leaves labels or classes, where nothing of the kind is drawn."""
    if not compares_retrieval(options):
        return
    for option in ("labels_per_class", "target_classes"):
        if getattr(options, option) is not None:
            raise ValueError(
                f"Expected no --{option.replace('_', '-')} for paired data, in which "
                f"all known categories are labeled and the new ones are not: leave it "
                f"out."
            )


def _check_views(options: CompareOptions) -> None:
    """Check the options of paired files; other data do not go with them."""
    if not options.view or options.labels is None:
        raise ValueError(
            "Expected both --view and --labels, the file of the categories to judge "
            "by, got one of them: name the other, too."
        )
    for option in ("task", "data_home", "target", "source", "source_label"):
        if getattr(options, option) is not None:
            raise ValueError(
                f"Expected no other data beside --view, got "
                f"--{option.replace('_', '-')}: leave one out."
            )


def _check_pairs(options: CompareOptions, pairs: list[str]) -> None:
    """Insist on a number with a task, and on two files with files."""
    given = " ".join(pairs)
    if compares_retrieval(options):
        raise ValueError(
            "Expected no --pairs to compare retrieval, where all samples are pairs: "
            "leave it out, or name a task SOURCE:TARGET, such as mfeat_fac:mfeat_zer."
        )
    if options.target is None:
        if len(pairs) != 1 or not given.isdecimal() or int(given) < 1:
            raise ValueError(
                f"Expected --pairs N with a task, how many samples to set apart, got "
                f"{given!r}: pass one number, or name files of your own with --source "
                f"and --target."
            )
    elif options.source is None:
        raise ValueError("Expected --source with --pairs, got none: name it.")
    elif len(pairs) != 2:
        raise ValueError(
            f"Expected --pairs SOURCE_FILE TARGET_FILE with files of your own, row i "
            f"of both one sample, got {given!r}: name two files."
        )


def _check_tables(options: CompareOptions) -> None:
    """Insist on the name of the labels, where a file does not tell."""
    labels = {
        options.target: options.label,
        options.source: options.source_label or options.label,
    }
    for file, label in labels.items():
        if label is None and file and Path(file).suffix.lower() in TABLES:
            raise ValueError(
                f"Expected --label, the column of the labels in {file}, got none: name "
                f"it."
            )
