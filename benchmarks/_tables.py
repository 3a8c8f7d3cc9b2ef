"""Tables before they are Markdown or reStructuredText, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Table", "difference", "interval", "latest", "percent"]


class Table(NamedTuple):
    """A table, before it is Markdown or reStructuredText."""

    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Spell the table for README.md."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

    def rst(self) -> str:
        """Spell the table for the documentation, nothing if it has no rows."""
        if not self.rows:
            return ""
        lines = [".. list-table::", "   :header-rows: 1", "   :class: results", ""]
        for row in [self.header, *self.rows]:
            first, *others = row
            lines.append(f"   * - {first}")
            lines += [f"     - {cell}".rstrip() for cell in others]
        return "\n".join(lines) + "\n"


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
