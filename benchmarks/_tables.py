"""Tables before they are Markdown or reStructuredText, and what stands in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Table", "difference", "interval", "latest", "percent"]


#: Columns, by a word of theirs, of which the lowest number is the best, or none is.
LOWEST = ("seconds", "rank", "below", "mib")
NEUTRAL = ("kept", "tasks", "batch", "parameters")
#: Rows of what nobody can have, by a word of theirs: the best is another one.
UNFAIR = ("oracle", "best epoch", "chance", "less ", "lost")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(?=\s|%|$)")
_COUNT = re.compile(r"(?P<value>.*\S) \((?P<n>\d+)\)")


class Table(NamedTuple):
    """A table, before it is Markdown or reStructuredText.

    Parameters
    ----------
    header : list of str
        Names of the columns.
    rows : list of list of str
        Cells; a number of splits or seeds stands in brackets at the end.
    caption : str, default=""
        What it shows. The usual number in brackets is added, and left out of the cells.
    has_best : bool, default=True
        Whether rows compete, so that the best number of each column is bold.
    """

    header: list[str]
    rows: list[list[str]]
    caption: str = ""
    has_best: bool = True

    def markdown(self) -> str:
        """Spell the table for README.md."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

    def rst(self) -> str:
        """Spell the table for the documentation, nothing if it has no rows."""
        if not self.rows:
            return ""
        rows, count = _without_count(self.rows)
        rows = _with_best(self.header, rows) if self.has_best else rows
        caption = " ".join(filter(None, (self.caption, count)))
        first_line = f".. list-table:: {caption}".rstrip()
        lines = [first_line, "   :header-rows: 1", "   :class: results", ""]
        for row in [self.header, *rows]:
            first, *others = row
            lines.append(f"   * - {first}")
            lines += [f"     - {cell}".rstrip() for cell in others]
        return "\n".join(lines) + "\n"


def _without_count(rows: list[list[str]]) -> tuple[list[list[str]], str]:
    """Move the usual number of splits from the cells to the caption."""
    found = [[_COUNT.fullmatch(cell) for cell in row[1:]] for row in rows]
    counts = Counter(match["n"] for row in found for match in row if match)
    if not counts:
        return rows, ""
    ((usual, times),) = counts.most_common(1)
    shorter = [
        [row[0]]
        + [
            match["value"] if match and match["n"] == usual else cell
            for match, cell in zip(matches, row[1:], strict=True)
        ]
        for matches, row in zip(found, rows, strict=True)
    ]
    others = "" if times == counts.total() else "; another n is in brackets"
    return shorter, f"Mean ± standard deviation, n = {usual}{others}."


def _with_best(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Make the best number of every column bold."""
    marked = [list(row) for row in rows]
    for column, name in enumerate(map(str.lower, header)):
        if column == 0 or any(word in name for word in NEUTRAL):
            continue
        numbers = {
            i: float(match[0])
            for i, row in enumerate(rows)
            if (match := _NUMBER.match(row[column]))
            and not any(word in row[0].lower() for word in UNFAIR)
        }
        if len(numbers) > 1:
            choose = min if any(word in name for word in LOWEST) else max
            best = choose(numbers.values())
            for i, number in numbers.items():
                if number == best:
                    marked[i][column] = f"**{rows[i][column]}**"
    return marked


def latest(
    records: Iterable[dict[str, Any]], *names: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Keep the last record of every combination of some fields, in order."""
    return {tuple(record[name] for name in names): record for record in records}


def percent(values: list[float]) -> str:
    """Write mean, standard deviation and number of splits."""
    mean, std = 100 * np.mean(values), 100 * np.std(values, ddof=1)
    return f"{mean:.1f} ± {std:.1f} ({len(values)})"


def difference(values: list[float], others: list[float]) -> str:
    """Write the mean paired difference and its standard error."""
    n = min(len(values), len(others))
    gaps = 100 * (np.array(values[:n]) - np.array(others[:n]))
    return f"{gaps.mean():+.1f} ({gaps.std(ddof=1) / np.sqrt(n):.1f})"


def interval(record: dict[str, Any]) -> str:
    """Write the median and the range of a ratio."""
    return f"{record['ratio']:.2f} [{record['lowest']:.2f}, {record['highest']:.2f}]"
