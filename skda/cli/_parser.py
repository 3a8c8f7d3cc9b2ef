"""The parser of the command line."""

from __future__ import annotations

import argparse
from typing import Any

from skda import __version__
from skda.cli._options import QUICK_EPOCHS

__all__ = ["build_parser"]

EPILOG = """\
examples:
  skda compare
  skda compare --source a.csv --target b.parquet --label kind --figure result.svg
  skda compare --task amazon_surf:webcam_decaf6 --data-home DIR --json result.json
  skda compare --source a.csv --target b.csv --label kind --drop name --impute
  skda compare --task mfeat_fac:mfeat_zer --pairs 300 --data-home DIR
  skda compare --task reviews_books:reviews_dvd --labels-per-class 0 --data-home DIR
  skda compare --task amazon_squeezenet:webcam_squeezenet --target-classes 5
  skda compare --task wikipedia --data-home DIR --figure result.png
  skda compare --view image=a.csv --view text=b.csv --labels c.csv
  skda cite SSAN STN
"""
TASK_HELP = """\
digits (the default, comes along), office_caltech, mfeat, reuters, or SOURCE:TARGET,
such as amazon_surf:webcam_decaf6, mfeat_fou:mfeat_pix, reuters_0:reuters_4 or
wikipedia_text:wikipedia_image, or, with the same features on both sides,
reviews_books:reviews_dvd, pacs_photo:pacs_sketch, mnist:usps or coil1:coil2; or, to
compare cross-modal retrieval, wikipedia, wikipedia_deep, bbcsport or views of a data
set, such as mfeat:fou-kar, msrc:gist-hog or reuters:0-1
"""


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="skda",
        description="Domain adaptation as scikit-learn estimators.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skda {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_compare(commands)
    _add_cite(commands)
    return parser


def _add_cite(commands: Any) -> None:
    cite = commands.add_parser(
        "cite",
        help="print the papers behind methods as BibTeX",
        description="Print the papers that the docstrings of methods cite, as BibTeX.",
    )
    cite.add_argument(
        "methods", nargs="+", metavar="METHOD", help="name of a class, such as SSAN"
    )


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare methods and controls on a task or on files of yours",
        description="Compare methods and controls over several draws of few labels; "
        "of retrieval, over several draws of the categories that are new.",
    )
    data = compare.add_argument_group("data")
    _add_data(data)
    _add_files(data)
    protocol = compare.add_argument_group("protocol")
    _add_protocol(protocol)
    _add_run(protocol)
    option = compare.add_argument_group("output").add_argument
    option("--json", metavar="FILE", help="write the results here, - for stdout")
    option("--markdown", metavar="FILE", help="write the table here, - for stdout")
    option(
        "--figure",
        metavar="FILE",
        help="draw the table: .png, .pdf or .svg; of retrieval, precision over recall, "
        "and in FILE-embedding the views before and after the best method",
    )
    option(
        "--report",
        metavar="FILE",
        help="write a page that can be sent: .html, with the drawing, the table, what "
        "the source is worth, the data and the versions, and no other file",
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
    option("--source", metavar="FILE", help="source of your own")
    option(
        "--label",
        metavar="NAME",
        help="column of the labels in both files; gaps are unlabeled rows, all other "
        "columns are features, and words among them become columns of zeros and ones",
    )
    option("--source-label", metavar="NAME", help="that of the source, if it differs")


def _add_files(group: Any) -> None:
    option = group.add_argument
    option(
        "--drop",
        metavar="NAME",
        action="append",
        help="leave out this column of the files, such as a name or a number of the "
        "row; may be given again",
    )
    option(
        "--impute",
        action="store_true",
        help="fill gaps: in numbers by the median, in words by the most frequent one",
    )
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
    option(
        "--methods",
        metavar="A,B,...",
        help="only these methods, such as STN,SSAN: names of classes, with their "
        "defaults, or of lines of the table",
    )
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
        help="labels left in each target class (default: 3); 0 compares what adapts "
        "without labels, to a source with the same features",
    )
    option(
        "--target-classes",
        type=int,
        metavar="N",
        help="the target keeps the first N classes of the source, to compare partial "
        "adaptation (without labels, unless --labels-per-class leaves some)",
    )


def _add_run(group: Any) -> None:
    option = group.add_argument
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
        help="CPU threads of a fit (default: 1; more only pay on large data)",
    )
    option(
        "--quick",
        action="store_true",
        help=f"one split and {QUICK_EPOCHS} epochs: does it run?",
    )
