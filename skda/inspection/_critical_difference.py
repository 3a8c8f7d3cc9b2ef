"""Display of the average ranks of methods over many tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, rankdata, studentized_range

from skda.inspection._display import Display

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["CriticalDifferenceDisplay"]

#: Height of a name, of a bar over a group, and of the ruler above the axis, in lines.
LINE, BAR, RULER = 1.0, 0.45, 1.9
#: What a bar stands out over its ends, as a share of the axis.
REACH = 0.006


class CriticalDifferenceDisplay(Display):
    r"""Average ranks of methods over many tasks, and which of them do not differ.

    On every task the best of :math:`k` methods has rank 1, and equal ones share their
    mean rank. Two methods differ if their ranks :math:`R`, averaged over :math:`N`
    tasks, differ by the critical difference of the Nemenyi test [1]_ or more,

    .. math::

        CD = q_\alpha \sqrt{\frac{k (k + 1)}{6 N}},

    with :math:`q_\alpha` the quantile of the studentized range over :math:`\sqrt 2`. As
    in the paper, the axis has the best rank on its right, and a bar joins each group of
    methods of which no two differ. The Friedman test says whether there are differences
    at all; do not read the diagram if ``p_value_`` is above ``alpha``. Tasks should be
    independent: several splits of one data set are one task, by their mean. Make a
    display by :meth:`from_scores`.

    Parameters
    ----------
    scores : pandas.DataFrame or array-like of shape (n_tasks, n_methods)
        Score of every method on every task, all there; the higher, the better. For
        errors, pass their negatives.
    names : sequence of str, default=None
        Names of the methods. None are the columns of a DataFrame, else their positions.
    alpha : float, default=0.05
        Level of the test.
    task_name : str, default=None
        Name of the tasks, for the title.

    Attributes
    ----------
    ranks_ : ndarray of shape (n_methods,)
        Average rank of every method.
    critical_difference_ : float
        Least difference of average ranks that is significant.
    groups_ : list of tuple of str
        Names of the methods in each of the largest groups of which no two differ, from
        the best rank on; a method that differs from all others is in none.
    p_value_ : float
        Of the Friedman test, corrected for ties.
    names_ : list of str
        Names of the methods.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.

    See Also
    --------
    skda.compare : Compares methods on one task.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets",
       JMLR 2006.

    Examples
    --------
    >>> from skda.inspection import CriticalDifferenceDisplay
    >>> scores = [[0.9, 0.8, 0.4], [0.7, 0.7, 0.3], [0.8, 0.6, 0.5], [0.6, 0.5, 0.2]]
    >>> display = CriticalDifferenceDisplay.from_scores(scores, names=["A", "B", "C"])
    >>> display.ranks_
    array([1.125, 1.875, 3.   ])
    >>> display.groups_
    [('A', 'B'), ('B', 'C')]
    """

    def __init__(
        self,
        scores: pd.DataFrame | ArrayLike,
        *,
        names: Sequence[str] | None = None,
        alpha: float = 0.05,
        task_name: str | None = None,
    ) -> None:
        self.scores = scores
        self.names = names
        self.alpha = alpha
        self.task_name = task_name
        if not 0 < alpha < 1:
            raise ValueError(f"Expected an alpha between 0 and 1, got {alpha!r}.")
        table, self.names_ = _check_scores(scores, names)
        ranks = rankdata(-table, axis=1)
        self.ranks_ = ranks.mean(axis=0)
        self.critical_difference_ = _critical_difference(table.shape, alpha)
        self.p_value_ = _friedman(ranks)
        self._order = np.argsort(self.ranks_, kind="stable")
        self._spans = _spans(self.ranks_[self._order], self.critical_difference_)
        self.groups_ = [
            tuple(self.names_[i] for i in self._order[first : last + 1])
            for first, last in self._spans
        ]

    @classmethod
    def from_scores(
        cls,
        scores: pd.DataFrame | ArrayLike,
        *,
        names: Sequence[str] | None = None,
        alpha: float = 0.05,
        task_name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Rank methods by their scores, and draw the ranks.

        Parameters
        ----------
        scores : pandas.DataFrame or array-like of shape (n_tasks, n_methods)
            Score of every method on every task, all there; the higher, the better.
        names : sequence of str, default=None
            Names of the methods. None are the columns of a DataFrame, else their
            positions.
        alpha : float, default=0.05
            Level of the test.
        task_name : str, default=None
            Name of the tasks, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        CriticalDifferenceDisplay
            The display, drawn.
        """
        display = cls(scores, names=names, alpha=alpha, task_name=task_name)
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.

        Returns
        -------
        CriticalDifferenceDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        n_methods = len(self.ranks_)
        levels = _levels(self._spans, self.ranks_[self._order])
        top = BAR * (1 + max(levels, default=-1)) + 0.8  # depth of the first name
        depth = top + LINE * ((n_methods + 1) // 2 - 0.5)
        sides = self._order[: n_methods // 2], self._order[n_methods // 2 :]
        n_letters = sum(max(len(self.names_[i]) for i in side) for side in sides)
        size = max(8, 5 + 0.09 * n_letters), 0.6 + 0.26 * (depth + RULER + 1)
        axes = self._open_axes(ax, figsize=size)
        axes.set_xlim(n_methods + 0.02 * n_methods, 1 - 0.02 * n_methods)
        axes.set_ylim(-depth, RULER + 1)
        self._draw_ranks(axes, n_methods)
        for (first, last), level in zip(self._spans, levels, strict=True):
            ends = self.ranks_[self._order[[first, last]]]
            axes.plot(
                ends + np.array([-REACH, REACH]) * n_methods,
                [-BAR * (level + 1)] * 2,
                color="0.1",
                linewidth=3.5,
                solid_capstyle="butt",
            )
        self._draw_names(axes, top)
        if self.task_name is not None:
            axes.set_title(f"Average ranks on {self.task_name}", loc="left")
        return self

    def _draw_ranks(self, axes: Axes, n_methods: int) -> None:
        """Draw the axis of ranks, and the critical difference above it."""
        axes.set_axis_off()
        line: dict[str, Any] = {"color": "0.1", "linewidth": 1, "clip_on": False}
        axes.plot([n_methods, 1], [0, 0], **line)
        for rank in range(1, n_methods + 1):
            axes.plot([rank] * 2, [0, 0.3], **line)
            if rank % (1 + n_methods // 25) == 1 % (1 + n_methods // 25):
                axes.text(
                    rank, 0.4, str(rank), ha="center", va="bottom", fontsize="small"
                )
        # The ruler is cut at the end of the axis if it is longer.
        end = max(n_methods - self.critical_difference_, 1)
        axes.errorbar(
            (n_methods + end) / 2, RULER, xerr=(n_methods - end) / 2, capsize=3, **line
        )
        axes.text(
            (n_methods + end) / 2,
            RULER + 0.15,
            f"CD = {self.critical_difference_:.2f}",
            ha="center",
            va="bottom",
            fontsize="small",
        )

    def _draw_names(self, axes: Axes, top: float) -> None:
        """Write the better half of the names on the right, the others on the left."""
        n_methods = len(self.ranks_)
        n_right = n_methods // 2
        for position, method in enumerate(self._order):
            right = position < n_right
            row = position if right else n_methods - 1 - position
            rank, height = self.ranks_[method], -(top + LINE * row)
            edge = axes.get_xlim()[1 if right else 0]
            axes.plot(
                [rank, rank, edge],
                [0, height, height],
                color="0.35",
                linewidth=0.8,
                clip_on=False,
            )
            axes.annotate(
                self.names_[method],
                (edge, height),
                xytext=(4 if right else -4, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                annotation_clip=False,
            )


def _check_scores(scores: Any, names: Any) -> tuple[NDArray[np.float64], list[str]]:
    """Check the scores, and name their columns."""
    if names is None and hasattr(scores, "columns"):
        names = scores.columns
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 2:
        raise ValueError(
            f"Expected scores of shape (n_tasks, n_methods), two of each or more, got "
            f"shape {table.shape}."
        )
    if names is None:
        names = range(table.shape[1])
    names = [str(name) for name in names]
    if len(names) != table.shape[1]:
        raise ValueError(
            f"Expected a name for each of {table.shape[1]} methods, got {len(names)}."
        )
    missing = np.argwhere(np.isnan(table))
    if len(missing):
        task, method = missing[0]
        raise ValueError(
            f"Expected a score of every method on every task, got {len(missing)} "
            f"missing, the first of {names[method]} on task {task}: leave out the "
            f"methods or the tasks that lack some."
        )
    return table, names


def _critical_difference(shape: tuple[int, ...], alpha: float) -> float:
    """Compute the critical difference of the Nemenyi test."""
    n_tasks, n_methods = shape
    quantile = studentized_range.ppf(1 - alpha, n_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_tasks)))


def _friedman(ranks: NDArray[np.float64]) -> float:
    """Test whether all methods are alike; SciPy's test wants three or more."""
    n_tasks, n_methods = ranks.shape
    spread = ((ranks - (n_methods + 1) / 2) ** 2).sum() / (n_methods - 1)
    if spread == 0:  # all are tied on every task
        return 1.0
    between = ((ranks.sum(axis=0) - n_tasks * (n_methods + 1) / 2) ** 2).sum()
    return float(chi2.sf(between / spread, n_methods - 1))


def _spans(ranks: NDArray[np.float64], difference: float) -> list[tuple[int, int]]:
    """Find the first and last of the largest groups of sorted ranks that are close."""
    spans: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = int(np.searchsorted(ranks, rank + difference)) - 1
        if last > first and (not spans or last > spans[-1][1]):
            spans.append((first, last))
    return spans


def _levels(spans: list[tuple[int, int]], ranks: NDArray[np.float64]) -> list[int]:
    """Put bars that would touch on levels of their own, as high as there is room."""
    levels: list[int] = []
    ends: list[float] = []
    gap = 4 * REACH * len(ranks)
    for first, last in spans:
        free = [i for i, end in enumerate(ends) if end + gap < ranks[first]]
        level = free[0] if free else len(ends)
        ends[level : level + 1] = [ranks[last]]
        levels.append(level)
    return levels
