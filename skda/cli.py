"""The command line: `skda compare`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, NoReturn

from skda import __version__

if TYPE_CHECKING:
    import pandas as pd

# What takes seconds to import (torch, scikit-learn) is imported where it is used, so
# that help and misspelled options are answered at once.

__all__ = ["main"]

QUICK_EPOCHS = 20
EPILOG = """\
examples:
  skda compare
  skda compare --task amazon_surf:webcam_decaf6 --data-home DIR --json result.json
"""
TASK_HELP = """\
digits (the default, comes along), office_caltech, mfeat, reuters, or SOURCE:TARGET,
such as amazon_surf:webcam_decaf6, mfeat_fou:mfeat_pix or reuters_0:reuters_4
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
        help="compare methods and controls on a task",
        description="Compare methods and controls over several draws of few labels.",
    )
    compare.set_defaults(run=_compare)
    option = compare.add_argument
    option("--task", default="digits", help=TASK_HELP)
    option("--splits", type=int, metavar="N", help="draws of labels (default: 3)")
    option(
        "--labels-per-class",
        type=int,
        default=3,
        metavar="N",
        help="labels left in each target class (default: 3)",
    )
    option(
        "--seed", type=int, default=0, metavar="N", help="of everything (default: 0)"
    )
    option(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="CPU threads of PyTorch (default: 1; more only pay on large data)",
    )
    option("--methods", metavar="A,B,...", help="only these methods, such as STN,SSAN")
    option("--json", metavar="FILE", help="write the results here, - for stdout")
    option(
        "--data-home", metavar="DIR", help="folder of the files (default: SKDA_DATA)"
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
    """Fit, print the table and write the file."""
    _check(args)
    import torch  # noqa: PLC0415 (as it takes seconds)

    from skda._compare import compare  # noqa: PLC0415

    # Threads that wait for each other on a busy machine cost ten times the work.
    torch.set_num_threads(args.threads)
    if args.splits is None:
        args.splits = 1 if args.quick else 3
    table = compare(
        _estimators(args.methods, quick=args.quick),
        task=args.task,
        n_splits=args.splits,
        random_state=args.seed,
        n_per_class=args.labels_per_class,
        data_home=args.data_home,
        verbose=1,
    )
    text = json.dumps(_report(table, args), indent=2, allow_nan=False)
    if args.json == "-":
        sys.stdout.write(f"{text}\n")
        return
    sys.stdout.write(_text(table, args))
    if args.json:
        Path(args.json).write_text(f"{text}\n", encoding="utf-8")


def _check(args: argparse.Namespace) -> None:
    """Complain before the minutes of fitting."""
    if args.threads < 1:
        raise ValueError(f"Expected --threads to be at least 1, got {args.threads}.")
    if args.json in (None, "-"):
        return
    path = Path(args.json)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            f"Expected --json to be - or a file in a folder that exists, got "
            f"{args.json!r}."
        )


def _estimators(methods: str | None, *, quick: bool) -> dict[str, Any]:
    """Choose from the default line-up and all heterogeneous methods, in any case."""
    from skda import heterogeneous  # noqa: PLC0415 (it imports torch)
    from skda._compare import default_estimators  # noqa: PLC0415

    chosen = default_estimators()
    if methods is not None:
        known = {name: getattr(heterogeneous, name)() for name in heterogeneous.__all__}
        known |= chosen
        spelled = {name.lower(): name for name in known}
        names = [name.strip() for name in methods.split(",")]
        unknown = [name for name in names if name.lower() not in spelled]
        if unknown:
            raise ValueError(
                f"Expected --methods among {', '.join(known)}, separated by commas, "
                f"got {', '.join(map(repr, unknown))}."
            )
        chosen = {spelled[n.lower()]: known[spelled[n.lower()]] for n in names}
    if quick:
        for estimator in chosen.values():
            if "max_epochs" in estimator.get_params():
                estimator.set_params(max_epochs=QUICK_EPOCHS)
    return chosen


def _text(table: pd.DataFrame, args: argparse.Namespace) -> str:
    """Lay the table out for a terminal, with what its numbers are."""
    from skda._compare import label_of  # noqa: PLC0415 (it imports torch)

    lines = [("method", "accuracy in %", "splits", "seconds")]
    for row in table.to_dict("records"):
        spread = f" +- {100 * row['std']:4.1f}" if args.splits > 1 else ""
        lines.append(
            (
                label_of(row["method"], row["source"]),
                f"{100 * row['accuracy']:.1f}{spread}",
                str(row["n_splits"]),
                f"{row['seconds']:.2f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    rows.insert(1, "  ".join("-" * width for width in widths))
    legend = [fill(line, 79) for line in _legend(table, args)]
    return "\n".join([f"task {args.task}", "", *rows, "", *legend, ""])


def _legend(table: pd.DataFrame, args: argparse.Namespace) -> list[str]:
    spread = ", mean +- standard deviation over the splits" if args.splits > 1 else ""
    what = "Transductive accuracy on the unlabeled target rows, last iterate"
    legend = [f"{what}, {args.labels_per_class} labels per class{spread}."]
    if (table["source"] == "none").any():
        legend.append(
            '"no source": the same method fitted to the same target rows and labels '
            "alone; the difference is what the source is worth."
        )
    if args.quick:
        legend.append(f"--quick trained for {QUICK_EPOCHS} epochs: this is no result.")
    return legend


def _report(table: pd.DataFrame, args: argparse.Namespace) -> dict[str, Any]:
    """Collect the results, and all that it takes to judge and repeat them."""
    import sklearn  # noqa: PLC0415 (as it takes seconds)
    import skorch  # noqa: PLC0415
    import torch  # noqa: PLC0415

    records = table.astype(object).where(table.notna(), None).to_dict("records")
    cuda = torch.cuda.is_available()
    return {
        "task": args.task,
        "n_splits": args.splits,
        "n_per_class": args.labels_per_class,
        "seed": args.seed,
        "quick": args.quick,
        "metric": "transductive accuracy, last iterate",
        "records": records,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
            "skorch": skorch.__version__,
            "skda": __version__,
        },
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch_threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
