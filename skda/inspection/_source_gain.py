"""Display of the gain by a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skda.comparison._gain import source_gain
from skda.inspection._display import Display

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SourceGainDisplay"]

MINUS = "\N{MINUS SIGN}"
LABELS = {
    "real": "the source",
    "renamed": "classes renamed",
    "shuffled": "labels shuffled",
    "gaussian": "Gaussian noise",
}


class SourceGainDisplay(Display):
    """Gain in accuracy by a source, beside the gains by meaningless sources.

    For every kind of source: the mean difference to no source, its 95 % interval, and
    the difference in each split. Make one by :meth:`from_estimator`, or, of a table
    that is there already, by :meth:`from_frame`.

    Parameters
    ----------
    table : pandas.DataFrame
        What :func:`skda.source_gain` returns.
    estimator_name : str, default=None
        Name of the estimator, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    intervals_ : list of matplotlib ErrorbarContainer
        Mean and interval of every kind, the real source first.

    See Also
    --------
    skda.source_gain : Makes the table.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import STN
    >>> from skda.inspection import SourceGainDisplay
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> stn = STN(lr=0.01, max_epochs=20, random_state=0)
    >>> display = SourceGainDisplay.from_estimator(
    ...     stn, data.X, data.y_true, source=data.source, n_splits=2
    ... )
    >>> display.figure_.savefig("gain.svg")  # doctest: +SKIP
    """

    def __init__(
        self, table: pd.DataFrame, *, estimator_name: str | None = None
    ) -> None:
        self.table = table
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        source: Any,
        n_splits: int = 10,
        random_state: int | np.random.RandomState | None = 0,
        n_per_class: int = 3,
        n_jobs: int | None = None,
        verbose: int = 0,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Measure the gain by a source, and draw it.

        Parameters
        ----------
        estimator : estimator object
            What is to be helped by the source. It is cloned and fitted anew.
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,)
            Their true labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source) or list of such tuples
            Source samples, of shape (n_source, n_source_features), and their labels.
        n_splits : int, default=10
            How many times the labels are drawn.
        random_state : int, RandomState instance or None, default=0
            Seed of the splits, the noise and the estimator.
        n_per_class : int, default=3
            How many labels of each class are left.
        n_jobs : int, default=None
            How many processes fit at the same time.
        verbose : int, default=0
            Whether to show the progress.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        SourceGainDisplay
            The display, drawn.
        """
        table = source_gain(
            estimator,
            X,
            y,
            source=source,
            n_splits=n_splits,
            random_state=random_state,
            n_per_class=n_per_class,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        name = type(estimator).__name__ if name is None else name
        return cls.from_frame(table, name=name, ax=ax, **kwargs)

    @classmethod
    def from_frame(
        cls,
        table: pd.DataFrame,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a table of gains.

        Parameters
        ----------
        table : pandas.DataFrame
            What :func:`skda.source_gain` returns.
        name : str, default=None
            Name of the estimator, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        SourceGainDisplay
            The display, drawn.
        """
        return cls(table, estimator_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the gains.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        SourceGainDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If the table is not one of :func:`skda.source_gain`.
        """
        rows = self._rows()
        none = rows.pop("none")
        axes = self._open_axes(ax, figsize=(6.8, 2.7))
        axes.axvline(0, color="0.55", linewidth=1, zorder=0)
        axes.annotate(
            f"no source: {none['accuracy']:.1%}",
            (0, 1),
            xytext=(0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            color="0.35",
            fontsize="small",
        )
        self.intervals_ = [
            self._plot_row(axes, -i, row, np.array(none["accuracies"]), kwargs)
            for i, row in enumerate(rows.values())
        ]
        self._decorate(axes, list(rows))
        return self

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Check the table, and return its rows by kind of source."""
        required = {"source", "accuracy", "gain", "gain_low", "gain_high", "accuracies"}
        missing = sorted(required - set(self.table.columns))
        records: list[Any] = [] if missing else self.table.to_dict("records")
        rows = {record["source"]: record for record in records}
        if "none" not in rows:
            what = f"a table without {', '.join(missing) or 'a row of no source'}"
            raise ValueError(
                f"Expected the table of skda.source_gain, got {what}: pass what it "
                f"returns."
            )
        return rows

    def _plot_row(
        self,
        axes: Axes,
        height: int,
        row: dict[str, Any],
        reference: Any,
        kwargs: dict[str, Any],
    ) -> Any:
        """Draw the interval of a kind, the splits below it and the numbers beside."""
        color = "C0" if row["source"] == "real" else "0.55"
        gain, low, high = (100 * row[key] for key in ("gain", "gain_low", "gain_high"))
        splits = 100 * (np.array(row["accuracies"]) - reference)
        axes.scatter(
            splits,
            np.full(len(splits), height - 0.27),
            s=22,
            color=color,
            alpha=0.35,
            linewidth=0,
        )
        style: dict[str, Any] = {
            "fmt": "o",
            "color": color,
            "markersize": 7,
            "elinewidth": 3,
        } | kwargs
        interval = axes.errorbar(
            gain, height, xerr=[[gain - low], [high - gain]], **style
        )
        axes.annotate(
            f"{gain:+.1f}".replace("-", MINUS) + f"  ({row['accuracy']:.1%})",
            (1, height),
            xytext=(6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color="0.15" if row["source"] == "real" else "0.35",
            fontsize="small",
        )
        return interval

    def _decorate(self, axes: Axes, kinds: list[str]) -> None:
        axes.set_yticks(
            [-i for i in range(len(kinds))],
            [LABELS.get(kind, kind) for kind in kinds],
        )
        axes.set_ylim(0.6 - len(kinds), 0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines[["left", "right", "top"]].set_visible(False)
        axes.grid(axis="x", color="0.92", linewidth=0.8)
        axes.set_axisbelow(True)
        n_splits = len(self.table["accuracies"].iloc[0])
        axes.set_xlabel(
            "Gain in accuracy over no source, in percentage points\n"
            f"(mean, 95 % interval and the {n_splits} splits)"
        )
        if self.estimator_name is not None:
            axes.set_title(
                f"What the source is worth to {self.estimator_name}",
                loc="left",
                pad=22,
            )
