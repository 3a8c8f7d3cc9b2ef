"""Display of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skda.inspection._display import Display
from skda.utils.escaping import escape_mathtext

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ComparisonDisplay"]

#: Color and label of a row of the table, by its source or, of retrieval, its setting.
STYLES: dict[str, dict[str, Any]] = {
    "real": {"color": "#2a6fbb", "label": "with the source"},
    "none": {"color": "#e07b39", "label": "without a source"},
    "unused": {"color": "#737373", "label": "target-only control"},
    "source + new": {"color": "#2a6fbb", "label": "known and new categories"},
    "pairs": {"color": "#7c5cbf", "label": "all pairs, unlabeled"},
    "source": {"color": "#2e9468", "label": "known categories alone"},
    "new": {"color": "#e07b39", "label": "new categories alone"},
}
#: From top to bottom, where a method has several rows.
ORDER = ("real", "source + new", "pairs", "unused", "source", "new", "none")
#: Vertical distance of the rows of one method.
DISTANCE = 0.34


class ComparisonDisplay(Display):
    """Accuracies of methods, each with and without its source.

    For every row of the table: the mean over the splits, its standard deviation, and
    the accuracy in each split; of retrieval, the mean average precision, for all that a
    method was fitted to. Make one by :meth:`from_frame`.

    Parameters
    ----------
    table : pandas.DataFrame
        What :func:`skda.compare` or :func:`skda.compare_retrieval` returns.
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
    skda.compare_retrieval : Makes that of retrieval.
    write_report : Writes a page with the drawing, the table and all about them.

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
            What :func:`skda.compare` or :func:`skda.compare_retrieval` returns.
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
        of_method: dict[str, list[dict[str, Any]]] = {}
        for record in self._records():
            of_method.setdefault(record["method"], []).append(record)
        axes = self._open_axes(ax, figsize=(6.8, self.height))
        self.intervals_ = {}
        for place, (method, rows) in enumerate(of_method.items()):
            rows.sort(key=lambda row: ORDER.index(row["source"]))
            step = min(DISTANCE, 0.75 / len(rows))
            for i, row in enumerate(rows):
                height = step * ((len(rows) - 1) / 2 - i) - place
                interval = _plot_row(axes, height, row, kwargs)
                self.intervals_[method, row["source"]] = interval
        self._decorate(axes, list(of_method))
        return self

    @property
    def height(self) -> float:
        """Height of the drawing, in inches."""
        counts = self.table["method"].value_counts()
        return 1.35 + float((0.2 + 0.16 * counts.clip(2)).sum())

    @property
    def sources(self) -> list[str]:
        """Sources or settings of the rows, of which each has a color."""
        named = self.table["setting" if self._is_of_retrieval else "source"]
        return [source for source in STYLES if source in set(named)]

    @property
    def caption(self) -> str:
        """What is drawn, and of how many splits."""
        what = (
            "Mean average precision on the new categories"
            if self._is_of_retrieval
            else "Accuracy on the unlabeled target rows"
        )
        n_splits = len(self._records()[0]["accuracies"])
        shown = f"\n(mean, standard deviation and the {n_splits} splits)"
        return f"{what}, in %{shown if n_splits > 1 else ''}"

    @property
    def _is_of_retrieval(self) -> bool:
        return "setting" in self.table

    def _records(self) -> list[dict[str, Any]]:
        """Check the table, and return its rows, those of retrieval in like words."""
        table = self.table
        if self._is_of_retrieval:
            names = {"setting": "source", "mAP": "accuracy", "mAPs": "accuracies"}
            table = table.drop(columns="source", errors="ignore").rename(columns=names)
            table = table[table["source"].isin(list(STYLES))]  # not that of chance
        required = {"method", "source", "accuracy", "std", "accuracies"}
        missing = sorted(required - set(table.columns))
        if missing or not len(table):
            what = f"a table without {', '.join(missing) or 'a row'}"
            raise ValueError(
                f"Expected the table of skda.compare, got {what}: pass what it returns."
            )
        records: list[Any] = table.to_dict("records")
        return records

    def _decorate(self, axes: Axes, methods: list[str]) -> None:
        names = list(map(escape_mathtext, methods))
        axes.set_yticks([-i for i in range(len(methods))], names)
        axes.set_ylim(0.55 - len(methods), 0.45)
        axes.tick_params(length=0)
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.spines["bottom"].set_color("0.8")
        axes.grid(axis="x", color="0.92", linewidth=0.8)
        axes.set_axisbelow(True)
        for i in range(1, len(methods), 2):
            axes.axhspan(-i - 0.5, 0.5 - i, color="0.975", zorder=0)
        axes.set_xlabel(self.caption)
        handles = [
            axes.scatter([], [], s=36, **STYLES[source]) for source in self.sources
        ]
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=min(len(handles), 3),
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
