"""Display of precision and recall of cross-modal retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.inspection._display import Display
from skda.metrics import (
    chance_average_precision,
    mean_average_precision_score,
    retrieval_precision_recall_curve,
)
from skda.metrics._scorers import embeddings_by_view
from skda.utils.optional import import_optional
from skda.utils.validation import final_estimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RetrievalCurve", "RetrievalDisplay"]

#: Name of the panel that shows all directions of one estimator.
ALL_DIRECTIONS = "all directions"


class RetrievalCurve(NamedTuple):
    """Precision over recall, in one direction.

    Parameters
    ----------
    precision : ndarray of shape (n_points,)
        Interpolated precisions, averaged over the queries.
    recall : ndarray of shape (n_points,)
        Recalls, from 0 to 1.
    average_precision : float
        Mean average precision.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    average_precision: float


class RetrievalDisplay(Display):
    """Precision over recall, from each view to each other one.

    Every row of one view searches all rows of another, its partner among them; rows
    with its label are relevant. The legend has the mean average precision (mAP), and a
    dashed line is that of a random ranking. Make one by :meth:`from_estimator` or
    :meth:`from_embeddings`; :meth:`from_estimators` compares several estimators.

    Parameters
    ----------
    curves : dict of str to dict of str to RetrievalCurve
        For each panel, its curves by name.
    chance : float, default=None
        Mean average precision of a random ranking; None does not draw it.
    estimator_name : str, default=None
        Name of the estimator, for the title of a single panel.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn; the first panel, if there are several.
    axes_ : dict of str to matplotlib Axes
        All panels.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : dict of (str, str) to matplotlib Line2D
        Curves, by panel and name.

    See Also
    --------
    skda.metrics.retrieval_precision_recall_curve : Computes a curve.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.inspection import RetrievalDisplay
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 3
    >>> views = {name: np.eye(3)[y] + rng.normal(size=(60, 3)) for name in ("A", "B")}
    >>> display = RetrievalDisplay.from_embeddings(views, y)
    >>> [label for _, label in display.lines_]
    ['A → B', 'B → A']
    """

    def __init__(
        self,
        curves: dict[str, dict[str, RetrievalCurve]],
        *,
        chance: float | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.curves = curves
        self.chance = chance
        self.estimator_name = estimator_name

    @classmethod
    def from_embeddings(
        cls,
        embeddings: Mapping[str, NDArray[Any]],
        y: ArrayLike,
        *,
        n_points: int = 101,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how well embeddings of paired views find each other.

        Parameters
        ----------
        embeddings : mapping of str to ndarray of shape (n_samples, n_components)
            Embeddings by view; row ``i`` of all of them is one sample.
        y : array-like of shape (n_samples,)
            Labels of the samples; one whose label is missing does not count.
        n_points : int, default=101
            Number of recalls, from 0 to 1.
        name : str, default=None
            What made the embeddings, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every curve.

        Returns
        -------
        RetrievalDisplay
            The display, drawn.
        """
        curves = {ALL_DIRECTIONS: _curves(embeddings, y, n_points)}
        chance = chance_average_precision(y, y)
        return cls(curves, chance=chance, estimator_name=name).plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        n_points: int = 101,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how well a fitted retriever finds one view with another.

        Parameters
        ----------
        estimator : estimator object
            Fitted retriever; a pipeline or a search around one, too.
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views, as its `transform` takes them.
        y : array-like of shape (n_samples,)
            Labels of the samples; one whose label is missing does not count.
        n_points : int, default=101
            Number of recalls, from 0 to 1.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every curve.

        Returns
        -------
        RetrievalDisplay
            The display, drawn.
        """
        return cls.from_embeddings(
            embeddings_by_view(estimator, X),
            y,
            n_points=n_points,
            name=type(final_estimator(estimator)).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        X: Any,
        y: ArrayLike,
        *,
        n_points: int = 101,
        ax: Sequence[Axes] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw several fitted retrievers, with a panel for each direction.

        Parameters
        ----------
        estimators : mapping of str to estimator object
            Fitted retrievers by name.
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views, as their `transform` takes them.
        y : array-like of shape (n_samples,)
            Labels of the samples; one whose label is missing does not count.
        n_points : int, default=101
            Number of recalls, from 0 to 1.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each direction; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every curve.

        Returns
        -------
        RetrievalDisplay
            The display, drawn.
        """
        curves: dict[str, dict[str, RetrievalCurve]] = {}
        for name, estimator in estimators.items():
            found = _curves(embeddings_by_view(estimator, X), y, n_points)
            for direction, curve in found.items():
                curves.setdefault(direction, {})[name] = curve
        chance = chance_average_precision(y, y)
        return cls(curves, chance=chance).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | Sequence[Axes] | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every curve.

        Returns
        -------
        RetrievalDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If there is not one of the axes for each panel.
        """
        panels = self._open_panels(ax)
        self.axes_ = dict(zip(self.curves, panels, strict=True))
        self.lines_ = {}
        for title, axes in self.axes_.items():
            for label, curve in self.curves[title].items():
                style = {
                    "label": f"{label}  {curve.average_precision:.3f}",
                    "linewidth": 1.8,
                } | kwargs
                (line,) = axes.plot(curve.recall, curve.precision, **style)
                self.lines_[title, label] = line
        top = 1.04 * max(axes.dataLim.y1 for axes in panels)
        for title, axes in self.axes_.items():
            axes.set(xlabel="Recall", xlim=(0, 1), ylim=(0, top))
            self._decorate(axes, title)
        return self

    def _open_panels(self, ax: Any) -> list[Any]:
        """Use the axes passed, or open a figure with one for each panel."""
        if len(self.curves) == 1:
            return [self._open_axes(ax, figsize=(5.4, 4.2))]
        need = f"{type(self).__name__}.plot draws with matplotlib"
        pyplot = import_optional("matplotlib.pyplot", need)
        if ax is None:
            size = (4.4 * len(self.curves), 4.0)
            _, ax = pyplot.subplots(
                1, len(self.curves), sharey=True, figsize=size, layout="constrained"
            )
        panels = list(np.atleast_1d(ax))
        if len(panels) != len(self.curves):
            raise ValueError(
                f"Expected axes for each of {list(self.curves)}, got {len(panels)}."
            )
        self._open_axes(panels[0], figsize=(0, 0))
        return panels

    def _decorate(self, axes: Axes, title: str) -> None:
        if self.chance is not None:
            axes.axhline(
                self.chance,
                color="0.5",
                linestyle="--",
                linewidth=1,
                zorder=1,
                label=f"chance  {self.chance:.3f}",
            )
        if axes is self.ax_:
            axes.set_ylabel("Precision")
        axes.spines[["right", "top"]].set_visible(False)
        axes.grid(color="0.93", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(
            title="mAP", loc="best", frameon=False, fontsize="small"
        ).set_alignment("left")
        if len(self.curves) > 1:
            axes.set_title(title, loc="left")
        elif self.estimator_name is not None:
            axes.set_title(f"Retrieval by {self.estimator_name}", loc="left")


def _curves(
    embeddings: Mapping[str, NDArray[Any]], y: ArrayLike, n_points: int
) -> dict[str, RetrievalCurve]:
    """Compute the curve of every direction."""
    curves = {}
    for query, gallery in permutations(embeddings, 2):
        data = y, y, embeddings[query], embeddings[gallery]
        precision, recall = retrieval_precision_recall_curve(*data, n_points=n_points)
        score = mean_average_precision_score(*data)
        curves[f"{query} → {gallery}"] = RetrievalCurve(precision, recall, score)
    return curves
