"""Layout of tables for people, for documents and for programs."""

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
from skda.utils.escaping import escape_markdown, printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Lines", "Report", "environment", "make_report", "records_of"]

Lines = list[tuple[str, ...]]


class Report(NamedTuple):
    """A table in all its forms.

    Parameters
    ----------
    record : dict
        The results, and all that it takes to judge and repeat them.
    text : str
        The table for a terminal.
    markdown : str
        The table in Markdown.
    task : str
        Name of the data.
    cells : list of tuple of str
        The table itself, names of the columns first.
    legend : list of str
        What the numbers are.
    verdict : str
        What to take; empty if there is nothing to say.
    """

    record: dict[str, Any]
    text: str
    markdown: str
    task: str
    cells: Lines
    legend: list[str]
    verdict: str


def make_report(
    task: str,
    record: dict[str, Any],
    cells: Callable[[str], Lines],
    legend: Callable[[str], list[str]],
    verdict: str = "",
) -> Report:
    """Lay out a table, with what its numbers are, in all forms.

    Parameters
    ----------
    task : str
        Name of the data.
    record : dict
        What is written for programs.
    cells : callable
        Writes the cells, names of the columns first, with a sign for deviations.
    legend : callable
        Writes what the numbers are, in paragraphs, with the same sign.
    verdict : str, default=""
        What to take.

    Returns
    -------
    Report
        All forms.
    """
    said = [verdict] if verdict else []
    return Report(
        record,
        _text_table(task, cells("+-"), [*legend("+-"), *said]),
        _markdown_table(task, cells("±"), [*legend("±"), *said]),
        task,
        cells("±"),
        legend("±"),
        verdict,
    )


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


def _text_table(task: str, lines: Lines, legend: list[str]) -> str:
    """Align cells, of which the first line has the names of the columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [_aligned(line, widths, "  ") for line in lines]
    rows.insert(1, "  ".join("-" * width for width in widths))
    paragraphs = [fill(printable(line), 79) for line in legend]
    return "\n".join([f"task {printable(task)}", "", *rows, "", *paragraphs, ""])


def _markdown_table(task: str, lines: Lines, legend: list[str]) -> str:
    """Write cells as a table in Markdown, see :func:`_text_table`."""
    lines = [tuple(cell.replace("|", r"\|") for cell in line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [f"| {_aligned(line, widths, ' | ')} |" for line in lines]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    rows.insert(1, f"| {' | '.join(rule)} |")
    said = " ".join(map(escape_markdown, legend))
    return "\n".join([f"**{escape_markdown(task)}**", "", *rows, "", said, ""])


def _aligned(line: tuple[str, ...], widths: list[int], between: str) -> str:
    """Align names to the left and numbers to the right."""
    sides: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * len(line[1:])]
    cells = zip(sides, line, widths, strict=True)
    return between.join(side(cell, width) for side, cell, width in cells)
