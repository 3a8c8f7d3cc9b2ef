"""Where the values of a hyper-parameter stand on an axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Ticks", "hashable", "sort_values", "spell"]

#: Beyond this number of values, the axis has ticks of its own.
MANY_TICKS = 12


class Ticks(NamedTuple):
    """Values of a hyper-parameter, and where they stand on an axis.

    Parameters
    ----------
    values : list
        The values: numbers by size, others in their order.
    positions : list of float
        Where each one stands.
    scale : {"linear", "log", "symlog"}
        Scale of the axis; "symlog" is a logarithmic one that has a zero.
    """

    values: list[Any]
    positions: list[float]
    scale: str

    @classmethod
    def of(cls, values: Sequence[Any]) -> Ticks:
        """Choose the axis: logarithmic if that spaces the values more evenly.

        Parameters
        ----------
        values : sequence
            Values, some of them several times.

        Returns
        -------
        Ticks
            The axis.
        """
        ordered = sort_values(values)
        if not all(map(_is_number, ordered)):
            return cls(ordered, [float(i) for i in range(len(ordered))], "linear")
        numbers = [float(value) for value in ordered]
        positive = np.array([number for number in numbers if number > 0])
        if numbers[0] < 0 or len(positive) < 2 or positive[-1] < 10 * positive[0]:
            return cls(ordered, numbers, "linear")
        if _unevenness(np.log(positive)) >= _unevenness(np.array(numbers)):
            return cls(ordered, numbers, "linear")
        return cls(ordered, numbers, "log" if numbers[0] > 0 else "symlog")

    def set_on(self, axes: Axes) -> None:
        """Scale the axis, and put a tick at every value.

        Parameters
        ----------
        axes : matplotlib Axes
            Whose horizontal axis it is.
        """
        if self.scale == "symlog":  # zero, then a logarithmic axis
            least = min(position for position in self.positions if position > 0)
            axes.set_xscale("symlog", linthresh=least)
            axes.set_xlim(-0.2 * least, 1.5 * self.positions[-1])
        else:
            axes.set_xscale(self.scale)
        if len(self.values) <= MANY_TICKS:
            labels = [spell(value) for value in self.values]
            axes.set_xticks(self.positions, labels)
            axes.set_xticks([], minor=True)


def _unevenness(positions: NDArray[np.float64]) -> float:
    """Measure by how much the gaps differ, relative to their mean."""
    gaps = np.diff(positions)
    return float(gaps.std() / gaps.mean())


def sort_values(values: Iterable[Any]) -> list[Any]:
    """List every value once: numbers by size, others in their order.

    Parameters
    ----------
    values : iterable
        Values, some of them several times.

    Returns
    -------
    list
        Each of them once.
    """
    once = list(dict.fromkeys(values))
    return sorted(once) if all(map(_is_number, once)) else once


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float | np.number)
    return number and not isinstance(value, bool)


def hashable(value: Any) -> Any:
    """Make a value the key of a dictionary; a missing number is None.

    Parameters
    ----------
    value : object
        Value of a hyper-parameter.

    Returns
    -------
    object
        The value, or its text.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return None
    return value if isinstance(value, int | float | str | None) else str(value)


def spell(value: Any) -> str:
    """Write a value below its tick.

    Parameters
    ----------
    value : object
        Value of a hyper-parameter.

    Returns
    -------
    str
        Its text, of a number a short one.
    """
    return f"{value:g}" if _is_number(value) else str(value)
