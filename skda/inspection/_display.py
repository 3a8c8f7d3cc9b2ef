"""Base class of the displays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skda.utils.optional import import_optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Display"]


class Display:
    """A drawing, on axes that were given or on its own.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    """

    ax_: Axes
    figure_: Any

    def _open_axes(self, ax: Axes | None, figsize: tuple[float, float]) -> Axes:
        """Use the axes passed, or open a figure."""
        need = f"{type(self).__name__}.plot draws with matplotlib"
        pyplot = import_optional("matplotlib.pyplot", need)
        if ax is None:
            _, axes = pyplot.subplots(figsize=figsize, layout="constrained")
        else:
            axes = ax
        self.ax_, self.figure_ = axes, axes.figure
        return axes
