"""Dot plots with intervals: small drawings that fit wide and narrow windows.

Places are percentages and texts have a fixed size, so a drawing is as wide as what it
stands in, and its texts are as large as those beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from scipy import stats

__all__ = ["Dot", "dot_of", "draw_dots"]

CONFIDENCE = 0.95
#: Where the axis ends, in percent, and how much of it a letter of a name takes in a
#: narrow window.
RIGHT, LETTER = 88.0, 1.4
ROW, TOP, BOTTOM = 22, 8, 40
COLORS = {"main": "#2a6fbb", "control": "#c9621b", "other": "#6b7280"}
STYLE = (
    "text{font:12.5px system-ui,sans-serif;fill:#30343b}.n{fill:#6b7280}"
    "line{stroke-width:2}.g{stroke:#e3e6ea;stroke-width:1}.z{stroke:#8b919b;"
    "stroke-width:1;stroke-dasharray:3 3}"
    "@media(max-width:520px){text{font-size:10px}}"
)


class Dot(NamedTuple):
    """A row of a dot plot.

    Parameters
    ----------
    label : str
        Its name.
    mean : float
        Where the dot is.
    low : float
        Where its interval begins.
    high : float
        Where it ends.
    n : int
        Of how many numbers it is the mean.
    kind : {"main", "control", "other"}, default="other"
        What it is, which gives the color.
    """

    label: str
    mean: float
    low: float
    high: float
    n: int
    kind: str = "other"


def dot_of(label: str, values: Sequence[float], kind: str = "other") -> Dot:
    """Make a row of a mean with its 95 % interval, by Student's distribution.

    Parameters
    ----------
    label : str
        Its name.
    values : sequence of float
        At least two numbers.
    kind : str, default="other"
        What it is.

    Returns
    -------
    Dot
        The row.
    """
    mean, n = float(np.mean(values)), len(values)
    error = float(np.std(values, ddof=1) / np.sqrt(n))
    reach = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    return Dot(label, mean, mean - reach, mean + reach, n, kind)


def draw_dots(dots: Sequence[Dot], axis: str, reference: float | None = 0.0) -> str:
    """Draw rows from top to bottom as an SVG, which is the same for the same rows.

    Parameters
    ----------
    dots : sequence of Dot
        The rows.
    axis : str
        What the numbers are.
    reference : float, default=0.0
        Where to draw a dashed line, None for none.

    Returns
    -------
    str
        The drawing. Intervals are cut where they would leave no place for the dots.
    """
    left = min(max(2 + LETTER * max(len(dot.label) for dot in dots), 20.0), 60.0)
    ticks = _ticks(dots, reference)
    low, high = ticks[0], ticks[-1]
    height = TOP + ROW * len(dots) + BOTTOM
    bottom = TOP + ROW * len(dots)

    def x(value: float) -> str:
        share = (min(max(value, low), high) - low) / (high - low)
        return f"{left + (RIGHT - left) * share:.2f}%"

    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" '
        f'role="img"><title>{escape(axis)}</title><style>{STYLE}</style>'
    )
    parts = [start, *(_tick(tick, x(tick), bottom) for tick in ticks)]
    if reference is not None:
        at = x(reference)
        parts.append(f'<line class="z" x1="{at}" x2="{at}" y1="{TOP}" y2="{bottom}"/>')
    for i, dot in enumerate(dots):
        parts.append(_row(dot, TOP + ROW * i + ROW // 2, left, x))
    parts.append(f'<text x="100%" y="{bottom + 32}" text-anchor="end">{escape(axis)}')
    return "\n".join(parts) + "</text></svg>\n"


def _tick(value: float, at: str, bottom: int) -> str:
    """Draw a line of the grid and its number."""
    return (
        f'<line class="g" x1="{at}" x2="{at}" y1="{TOP}" y2="{bottom}"/>'
        f'<text x="{at}" y="{bottom + 14}" text-anchor="middle">{value:g}</text>'
    )


def _row(dot: Dot, y: int, left: float, x: Callable[[float], str]) -> str:
    """Draw the name, the interval, the dot and the number."""
    color = COLORS[dot.kind]
    weight = ' font-weight="600"' if dot.kind == "main" else ""
    return (
        f'<text x="{left - 1.5:.2f}%" y="{y + 4}" text-anchor="end"{weight}>'
        f"{escape(dot.label)}</text>"
        f'<line x1="{x(dot.low)}" x2="{x(dot.high)}" y1="{y}" y2="{y}" '
        f'stroke="{color}"/>'
        f'<circle cx="{x(dot.mean)}" cy="{y}" r="4.5" fill="{color}"/>'
        f'<text class="n" x="100%" y="{y + 4}" text-anchor="end">{dot.mean:.1f}</text>'
    )


def _ticks(dots: Sequence[Dot], reference: float | None) -> list[float]:
    """Choose round numbers around all dots, and around intervals that are not huge."""
    means = [dot.mean for dot in dots] + ([] if reference is None else [reference])
    span = max(max(means) - min(means), 1e-9)
    low = max(min([d.low for d in dots] + means), min(means) - span)
    high = min(max([d.high for d in dots] + means), max(means) + span)
    raw = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw))
    first, last = int(np.floor(low / step)), int(np.ceil(high / step))
    return [round(step * i, 10) for i in range(first, last + 1)]
