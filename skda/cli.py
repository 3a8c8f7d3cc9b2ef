"""The command line: `skda compare`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from skda import __version__
from skda._cli_output import import_pyplot, write_all

if TYPE_CHECKING:
    import pandas as pd

    from skda._report import Settings

# What takes seconds to import (torch, scikit-learn) is imported where it is used, so
# that help and misspelled options are answered at once.

__all__ = ["main"]

QUICK_EPOCHS = 20
#: Files that have a column of labels, rather than a place for them.
TABLES = (".csv", ".parquet")
FIGURES = (".png", ".pdf", ".svg")
EPILOG = """\
examples:
  skda compare
  skda compare --source a.csv --target b.parquet --label kind --figure result.svg
  skda compare --task amazon_surf:webcam_decaf6 --data-home DIR --json result.json
  skda compare --task mfeat_fac:mfeat_zer --pairs 300 --data-home DIR
  skda compare --task wikipedia --data-home DIR --figure result.png
  skda compare --view image=a.csv --view text=b.csv --labels c.csv
"""
TASK_HELP = """\
digits (the default, comes along), office_caltech, mfeat, reuters, or SOURCE:TARGET,
such as amazon_surf:webcam_decaf6, mfeat_fou:mfeat_pix, reuters_0:reuters_4 or
wikipedia_text:wikipedia_image; or, to compare cross-modal retrieval, wikipedia,
wikipedia_deep, bbcsport or views of a data set, such as mfeat:fou-kar, msrc:gist-hog or
reuters:0-1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        Exit code. What the user got wrong exits with 2 and one line.
    """
    args = _parser().parse_args(argv)
    try:
        args.run(args)
    except (ModuleNotFoundError, OSError, ValueError) as error:
        _exit_for(error, args.command)
    except KeyboardInterrupt:
        return 130  # as a shell has it
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skda",
        description="Domain adaptation as scikit-learn estimators.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skda {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_compare(commands)
    return parser


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare methods and controls on a task or on files of yours",
        description="Compare methods and controls over several draws of few labels; "
        "of retrieval, over several draws of the categories that are new.",
    )
    compare.set_defaults(run=_compare)
    _add_data(compare.add_argument_group("data"))
    _add_protocol(compare.add_argument_group("protocol"))
    option = compare.add_argument_group("output").add_argument
    option("--json", metavar="FILE", help="write the results here, - for stdout")
    option("--markdown", metavar="FILE", help="write the table here, - for stdout")
    option(
        "--figure",
        metavar="FILE",
        help="draw the table: .png, .pdf or .svg; of retrieval, precision over recall, "
        "and in FILE-embedding the views before and after the best method",
    )


def _add_data(group: Any) -> None:
    option = group.add_argument
    option("--task", help=TASK_HELP)
    option(
        "--data-home", metavar="DIR", help="folder of its files (default: SKDA_DATA)"
    )
    option(
        "--target",
        metavar="FILE",
        help="target of your own: .csv, .parquet, .npz (X, y) or .mat",
    )
    option("--source", metavar="FILE", help="source of your own, with other features")
    option(
        "--label",
        metavar="NAME",
        help="column of the labels in both files; gaps are unlabeled rows, all other "
        "columns are features",
    )
    option("--source-label", metavar="NAME", help="that of the source, if it differs")
    option(
        "--pairs",
        nargs="+",
        metavar="N|FILE",
        help="also compare what learns from samples of which both sides are known: N, "
        "of a task, that many are taken from the two domains; or two files of your "
        "own, one with the columns of --source and one with those of --target, row i "
        "of both one sample of neither",
    )
    option(
        "--view",
        metavar="NAME=FILE",
        action="append",
        help="one of the paired views of your own, to compare retrieval; at least two: "
        ".csv, .parquet, .npz (X), .npy or .mat, row i of all of them one sample",
    )
    option(
        "--labels",
        metavar="FILE",
        help="file of their categories, maybe one of the views; --label is the column",
    )


def _add_protocol(group: Any) -> None:
    option = group.add_argument
    option("--methods", metavar="A,B,...", help="only these methods, such as STN,SSAN")
    option(
        "--splits",
        type=int,
        metavar="N",
        help="draws of labels, or of new categories (default: 3; wikipedia takes less "
        "than a minute)",
    )
    option(
        "--labels-per-class",
        type=int,
        metavar="N",
        help="labels left in each target class (default: 3)",
    )
    option(
        "--seed", type=int, default=0, metavar="N", help="of everything (default: 0)"
    )
    option(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="fits at the same time, each on one thread; -1 is all cores (default: 1)",
    )
    option(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="CPU threads of PyTorch (default: 1; more only pay on large data)",
    )
    option(
        "--quick",
        action="store_true",
        help=f"one split and {QUICK_EPOCHS} epochs: does it run?",
    )


def _exit_for(error: Exception, command: str) -> NoReturn:
    """Leave with one line and no traceback."""
    message = " ".join(" ".join([str(error), *getattr(error, "__notes__", ())]).split())
    sys.stderr.write(f"skda {command}: error: {message}\n")
    raise SystemExit(2)


def _compare(args: argparse.Namespace) -> None:
    """Fit, write the tables and draw the figure."""
    _check(args)
    import torch  # noqa: PLC0415 (as it takes seconds)

    # Threads that wait for each other on a busy machine cost ten times the work.
    torch.set_num_threads(args.threads)
    if args.splits is None:
        args.splits = 1 if args.quick else 3
    if _is_retrieval(args):
        from skda._cli_retrieval import run  # noqa: PLC0415

        run(args, quick_epochs=QUICK_EPOCHS if args.quick else None)
    else:
        _compare_domains(args)


def _is_retrieval(args: argparse.Namespace) -> bool:
    from skda.datasets._pairs import is_paired_task  # noqa: PLC0415

    return bool(args.view) or (args.task is not None and is_paired_task(args.task))


def _compare_domains(args: argparse.Namespace) -> None:
    from skda._compare import compare  # noqa: PLC0415
    from skda._report import Settings  # noqa: PLC0415

    if args.labels_per_class is None:
        args.labels_per_class = 3
    data = _data(args)
    table = compare(
        _estimators(args),
        **data,
        n_splits=args.splits,
        random_state=args.seed,
        n_per_class=args.labels_per_class,
        n_jobs=args.jobs,
        verbose=1,
    )
    files = {role: getattr(args, role) for role in ("source", "target")}
    if args.target is not None and args.pairs is not None:
        files |= dict(zip(("source_pairs", "target_pairs"), args.pairs, strict=True))
    settings = Settings(
        task=_title(args),
        files={role: file for role, file in files.items() if file},
        n_splits=args.splits,
        n_per_class=args.labels_per_class,
        seed=args.seed,
        quick_epochs=QUICK_EPOCHS if args.quick else None,
        n_pairs=_n_pairs(data),
    )
    _write(table, settings, args)


def _check(args: argparse.Namespace) -> None:
    """Complain before the minutes of fitting."""
    if args.threads < 1:
        raise ValueError(f"Expected --threads to be at least 1, got {args.threads}.")
    if args.jobs == 0:
        raise ValueError("Expected --jobs to be 1 or more, or -1 for all, got 0.")
    if args.threads > 1 and args.jobs != 1:
        raise ValueError(
            f"Expected either --threads or --jobs, which has one thread per fit, got "
            f"--threads {args.threads} and --jobs {args.jobs}: leave one out."
        )
    _check_data(args)
    if args.pairs is not None:
        _check_pairs(args)
    _check_outputs(args)


def _check_data(args: argparse.Namespace) -> None:
    if args.view or args.labels is not None:
        _check_views(args)
    elif args.target is None:
        for option in ("source", "label", "source_label"):
            if getattr(args, option) is not None:
                raise ValueError(
                    f"Expected --target with --{option.replace('_', '-')}, got none: "
                    f"name the file of the target, too."
                )
    elif args.task is not None or args.data_home is not None:
        raise ValueError(
            "Expected either a task or files, got --task or --data-home and --target: "
            "leave one out."
        )
    elif args.source is None and args.source_label is not None:
        raise ValueError("Expected --source with --source-label, got none: name it.")
    if not args.view:
        _check_tables(args)


def _check_views(args: argparse.Namespace) -> None:
    """Check the options of paired files; other data do not go with them."""
    if not args.view or args.labels is None:
        raise ValueError(
            "Expected both --view and --labels, the file of the categories to judge "
            "by, got one of them: name the other, too."
        )
    for option in ("task", "data_home", "target", "source", "source_label"):
        if getattr(args, option) is not None:
            raise ValueError(
                f"Expected no other data beside --view, got "
                f"--{option.replace('_', '-')}: leave one out."
            )


def _check_pairs(args: argparse.Namespace) -> None:
    """Insist on a number with a task, and on two files with files."""
    given = " ".join(args.pairs)
    if _is_retrieval(args):
        raise ValueError(
            "Expected no --pairs to compare retrieval, where all samples are pairs: "
            "leave it out, or name a task SOURCE:TARGET, such as mfeat_fac:mfeat_zer."
        )
    if args.target is None:
        if len(args.pairs) != 1 or not given.isdecimal() or int(given) < 1:
            raise ValueError(
                f"Expected --pairs N with a task, how many samples to set apart, got "
                f"{given!r}: pass one number, or name files of your own with --source "
                f"and --target."
            )
    elif args.source is None:
        raise ValueError("Expected --source with --pairs, got none: name it.")
    elif len(args.pairs) != 2:
        raise ValueError(
            f"Expected --pairs SOURCE_FILE TARGET_FILE with files of your own, row i "
            f"of both one sample, got {given!r}: name two files."
        )


def _check_tables(args: argparse.Namespace) -> None:
    """Insist on the name of the labels, where a file does not tell."""
    labels = {args.target: args.label, args.source: args.source_label or args.label}
    for file, label in labels.items():
        if label is None and file and Path(file).suffix.lower() in TABLES:
            raise ValueError(
                f"Expected --label, the column of the labels in {file}, got none: name "
                f"it."
            )


def _check_outputs(args: argparse.Namespace) -> None:
    if args.json is not None and args.json == args.markdown:
        raise ValueError(
            f"Expected --json and --markdown to differ, got {args.json!r} for both."
        )
    for option in ("json", "markdown", "figure"):
        name = getattr(args, option)
        if name is None or (name == "-" and option != "figure"):
            continue
        path = Path(name)
        if path.is_dir() or not path.parent.is_dir():
            raise ValueError(
                f"Expected --{option} to be {'' if option == 'figure' else '- or '}a "
                f"file in a folder that exists, got {name!r}."
            )
    if args.figure is not None:
        if Path(args.figure).suffix.lower() not in FIGURES:
            raise ValueError(
                f"Expected --figure to end in {', '.join(FIGURES)}, got "
                f"{args.figure!r}."
            )
        import_pyplot()


def _data(args: argparse.Namespace) -> dict[str, Any]:
    """Choose the data: a task, or the user's own files."""
    if args.target is None:
        pairs = {} if args.pairs is None else {"pairs": int(args.pairs[0])}
        return {"task": args.task or "digits", "data_home": args.data_home} | pairs
    from skda.datasets import load_table  # noqa: PLC0415 (it imports scikit-learn)
    from skda.datasets._tables import load_paired_rows  # noqa: PLC0415

    target = load_table(args.target, args.label)
    if args.source is None:
        return {"X": target.data, "y": target.target}
    labels = args.source_label or args.label, args.label
    source = load_table(args.source, labels[0])
    _check_classes(source.target, target.target)
    data = {
        "X": target.data,
        "y": target.target,
        "source": (source.data, source.target),
    }
    if args.pairs is not None:
        data["pairs"] = load_paired_rows(args.pairs, (source, target), labels)
    return data


def _n_pairs(data: dict[str, Any]) -> int | None:
    pairs = data.get("pairs")
    return pairs[0].shape[0] if isinstance(pairs, tuple) else pairs


def _check_classes(y_source: Any, y: Any) -> None:
    """Insist on a class in common, or the source has nothing to say."""
    from skda.utils.labels import check_labels  # noqa: PLC0415

    here, there = (check_labels(labels, labels).values for labels in (y_source, y))
    common = set(here.tolist()) & set(there.tolist())
    if not common:
        raise ValueError(
            f"Expected classes that the source and the target share, got "
            f"{here.tolist()[0]!r} and others in the source, {there.tolist()[0]!r} and "
            f"others in the target: spell them alike."
        )


def _title(args: argparse.Namespace) -> str:
    if args.target is None:
        return args.task or "digits"
    files = [Path(file).name for file in (args.source, args.target) if file]
    return " -> ".join(files)


def _write(table: pd.DataFrame, settings: Settings, args: argparse.Namespace) -> None:
    from skda._report import as_markdown, as_record, as_text  # noqa: PLC0415

    write_all(
        args,
        record=as_record(table, settings),
        markdown=as_markdown(table, settings),
        text=as_text(table, settings),
        draw=lambda: _draw(table, settings.task, args.figure),
    )


def _draw(table: pd.DataFrame, title: str, file: str) -> None:
    from skda.inspection import ComparisonDisplay  # noqa: PLC0415

    pyplot = import_pyplot()
    with pyplot.rc_context({"svg.fonttype": "none"}):
        figure = ComparisonDisplay.from_frame(table, name=title).figure_
        figure.savefig(file, dpi=200)
    pyplot.close(figure)


def _estimators(args: argparse.Namespace) -> dict[str, Any]:
    """Choose from the default line-up and all heterogeneous methods, in any case."""
    from skda import heterogeneous  # noqa: PLC0415 (it imports torch)
    from skda._compare import default_estimators, paired_estimators  # noqa: PLC0415

    chosen = default_estimators(paired=args.pairs is not None)
    if args.methods is not None:
        known = {name: getattr(heterogeneous, name)() for name in heterogeneous.__all__}
        known |= paired_estimators() | chosen
        spelled = {name.lower(): name for name in known}
        names = [name.strip() for name in args.methods.split(",")]
        unknown = [name for name in names if name.lower() not in spelled]
        if unknown:
            raise ValueError(
                f"Expected --methods among {', '.join(known)}, separated by commas, "
                f"got {', '.join(map(repr, unknown))}."
            )
        chosen = {spelled[n.lower()]: known[spelled[n.lower()]] for n in names}
        _check_methods(chosen, args)
    if args.quick:
        for estimator in chosen.values():
            if "max_epochs" in estimator.get_params():
                estimator.set_params(max_epochs=QUICK_EPOCHS)
    return chosen


def _check_methods(chosen: dict[str, Any], args: argparse.Namespace) -> None:
    """Insist on pairs for the methods that have no use for a source without any."""
    from skda._protocol import learns_from_source, taken_by_fit  # noqa: PLC0415

    learners = [
        name
        for name, estimator in chosen.items()
        if learns_from_source(estimator) and taken_by_fit(estimator, {"pairs"})
    ]
    without_source = args.target is not None and args.source is None
    if learners and args.pairs is None and not without_source:
        raise ValueError(
            f"Expected --pairs with {', '.join(learners)}, got none: say how many to "
            f"set apart in the task, or name the two files that have them."
        )
