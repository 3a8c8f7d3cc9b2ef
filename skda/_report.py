"""Tables of comparisons for people, for documents and for programs."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import sklearn
import skorch
import torch

from skda import __version__
from skda._protocol import label_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Settings",
    "as_markdown",
    "as_record",
    "as_text",
    "environment",
    "markdown_table",
    "records_of",
    "text_table",
]

Lines = list[tuple[str, ...]]

HEADER = ("method", "accuracy in %", "splits", "seconds")


class Settings(NamedTuple):
    """What was compared on, and how.

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
    """

    task: str
    files: dict[str, str]
    n_splits: int
    n_per_class: int
    seed: int
    quick_epochs: int | None
    n_pairs: int | None = None


def as_text(table: pd.DataFrame, settings: Settings) -> str:
    """Lay the table out for a terminal, with what its numbers are."""
    legend = _legend(table, settings, "+-")
    return text_table(settings.task, _cells(table, "+-"), legend)


def as_markdown(table: pd.DataFrame, settings: Settings) -> str:
    """Write the table in Markdown, with what its numbers are."""
    legend = _legend(table, settings, "±")
    return markdown_table(settings.task, _cells(table, "±"), legend)


def as_record(table: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Collect the results, and all that it takes to judge and repeat them."""
    return {
        **settings._asdict(),
        "quick": settings.quick_epochs is not None,
        "metric": "transductive accuracy, last iterate",
        "records": records_of(table),
        **environment(),
    }


def text_table(task: str, lines: Lines, legend: list[str]) -> str:
    """Align cells, of which the first line has the names of the columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [_aligned(line, widths, "  ") for line in lines]
    rows.insert(1, "  ".join("-" * width for width in widths))
    paragraphs = [fill(line, 79) for line in legend]
    return "\n".join([f"task {task}", "", *rows, "", *paragraphs, ""])


def markdown_table(task: str, lines: Lines, legend: list[str]) -> str:
    """Write cells as a table in Markdown, see :func:`text_table`."""
    lines = [tuple(cell.replace("|", r"\|") for cell in line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [f"| {_aligned(line, widths, ' | ')} |" for line in lines]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    rows.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join([f"**{task}**", "", *rows, "", " ".join(legend), ""])


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table into what JSON can say."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in plain.to_dict("records")]


def environment() -> dict[str, Any]:
    """Say what the numbers were measured with."""
    cuda = torch.cuda.is_available()
    return {
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


def _cells(table: pd.DataFrame, plus_minus: str) -> Lines:
    """Write all numbers out, below the names of the columns."""
    lines: Lines = [HEADER]
    for row in table.to_dict("records"):
        many = row["n_splits"] > 1
        spread = f" {plus_minus} {100 * row['std']:4.1f}" if many else ""
        lines.append(
            (
                label_of(row["method"], row["source"]),
                f"{100 * row['accuracy']:.1f}{spread}",
                str(row["n_splits"]),
                f"{row['seconds']:.2f}",
            )
        )
    return lines


def _aligned(line: tuple[str, ...], widths: list[int], between: str) -> str:
    """Align names to the left and numbers to the right."""
    sides: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * len(line[1:])]
    cells = zip(sides, line, widths, strict=True)
    return between.join(side(cell, width) for side, cell, width in cells)


def _legend(table: pd.DataFrame, settings: Settings, plus_minus: str) -> list[str]:
    what = "Transductive accuracy on the unlabeled target rows, last iterate"
    spread = f", mean {plus_minus} standard deviation over the splits"
    spread = spread if settings.n_splits > 1 else ""
    legend = [f"{what}, {settings.n_per_class} labels per class{spread}."]
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
    if settings.quick_epochs is not None:
        legend.append(
            f"--quick trained for {settings.quick_epochs} epochs: this is no result."
        )
    return legend
