"""Display of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skda.inspection._display import Display

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ComparisonDisplay"]

#: Color and label of a row of the table, by its source.
STYLES: dict[str, dict[str, Any]] = {
    "real": {"color": "#2a6fbb", "label": "with the source"},
    "none": {"color": "#e07b39", "label": "without a source"},
    "unused": {"color": "0.45", "label": "target-only control"},
}
#: Vertical offset of the two rows of one method.
OFFSET = 0.17


class ComparisonDisplay(Display):
    """Accuracies of methods, each with and without its source.

    For every row of the table: the mean over the splits, its standard deviation, and
    the accuracy in each split. Make one by :meth:`from_frame`.

    Parameters
    ----------
    table : pandas.DataFrame
        What :func:`skda.compare` returns.
    task_name : str, default=None
        Name of the data, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    intervals_ : dict of (str, str) to matplotlib ErrorbarContainer
        Mean and deviation, by method and source.

    See Also
    --------
    skda.compare : Makes the table.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from skda import compare
    >>> from skda.baselines import TargetOnly
    >>> from skda.inspection import ComparisonDisplay
    >>> table = compare({"SVMt": TargetOnly(SVC(kernel="linear"))}, n_splits=2)
    >>> display = ComparisonDisplay.from_frame(table, name="digits")
    >>> display.figure_.savefig("comparison.svg")  # doctest: +SKIP
    """

    def __init__(self, table: pd.DataFrame, *, task_name: str | None = None) -> None:
        self.table = table
        self.task_name = task_name

    @classmethod
    def from_frame(
        cls,
        table: pd.DataFrame,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a table of accuracies.

        Parameters
        ----------
        table : pandas.DataFrame
            What :func:`skda.compare` returns.
        name : str, default=None
            Name of the data, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        ComparisonDisplay
            The display, drawn.
        """
        return cls(table, task_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the accuracies.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        ComparisonDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If the table is not one of :func:`skda.compare`.
        """
        records = self._records()
        methods = list(dict.fromkeys(record["method"] for record in records))
        axes = self._open_axes(ax, figsize=(6.8, 1.35 + 0.52 * len(methods)))
        sources = [(record["method"], record["source"]) for record in records]
        self.intervals_ = {}
        for key, record in zip(sources, records, strict=True):
            paired = {(key[0], "real"), (key[0], "none")} <= set(sources)
            shift = OFFSET * paired * (1 if key[1] == "real" else -1)
            height = shift - methods.index(key[0])
            self.intervals_[key] = _plot_row(axes, height, record, kwargs)
        self._decorate(axes, methods)
        return self

    def _records(self) -> list[dict[str, Any]]:
        """Check the table, and return its rows."""
        required = {"method", "source", "accuracy", "std", "accuracies"}
        missing = sorted(required - set(self.table.columns))
        if missing or not len(self.table):
            what = f"a table without {', '.join(missing) or 'a row'}"
            raise ValueError(
                f"Expected the table of skda.compare, got {what}: pass what it returns."
            )
        records: list[Any] = self.table.to_dict("records")
        return records

    def _decorate(self, axes: Axes, methods: list[str]) -> None:
        axes.set_yticks([-i for i in range(len(methods))], methods)
        axes.set_ylim(0.55 - len(methods), 0.45)
        axes.tick_params(length=0)
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.spines["bottom"].set_color("0.8")
        axes.grid(axis="x", color="0.92", linewidth=0.8)
        axes.set_axisbelow(True)
        for i in range(1, len(methods), 2):
            axes.axhspan(-i - 0.5, 0.5 - i, color="0.975", zorder=0)
        n_splits = len(self.table["accuracies"].iloc[0])
        splits = f"mean, standard deviation and the {n_splits} splits"
        axes.set_xlabel(
            "Accuracy on the unlabeled target rows, in %"
            + (f"\n({splits})" if n_splits > 1 else "")
        )
        sources = set(self.table["source"])
        shown = {s: style for s, style in STYLES.items() if s in sources}
        handles = [
            axes.scatter([], [], s=36, color=style["color"], label=style["label"])
            for style in shown.values()
        ]
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(handles),
            frameon=False,
            fontsize="small",
            handletextpad=0.2,
            columnspacing=1.4,
            borderaxespad=0.2,
            borderpad=0,
        )
        if self.task_name is not None:
            axes.set_title(self.task_name, loc="left", pad=24)


def _plot_row(
    axes: Axes, height: float, record: dict[str, Any], kwargs: dict[str, Any]
) -> Any:
    """Draw mean and deviation of a row, its splits, and the mean as a number."""
    color = STYLES[record["source"]]["color"]
    splits = 100 * np.array(record["accuracies"])
    axes.scatter(
        splits,
        np.full(len(splits), height),
        s=14,
        color="white",
        edgecolor=color,
        linewidth=0.9,
        zorder=2.5,
    )
    style: dict[str, Any] = {
        "fmt": "o",
        "color": color,
        "markersize": 7,
        "elinewidth": 2,
        "markeredgecolor": "white",
        "zorder": 3,
    } | kwargs
    # One split has no deviation.
    spread = 100 * np.nan_to_num(record["std"])
    interval = axes.errorbar(100 * record["accuracy"], height, xerr=spread, **style)
    axes.annotate(
        f"{100 * record['accuracy']:.1f}",
        (1, height),
        xytext=(8, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize="small",
    )
    return interval
