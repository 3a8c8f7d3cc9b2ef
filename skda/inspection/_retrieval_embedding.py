"""Display of paired views, before and after they are brought into one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler, normalize

from skda.inspection._display import Display
from skda.inspection._embedding import MOST_IN_LEGEND, UNKNOWN, _palette, _reduce
from skda.metrics._scorers import embeddings_by_view
from skda.utils.labels import check_labels
from skda.utils.optional import import_optional
from skda.utils.validation import final_estimator
from skda.utils.views import is_list_of_views, slice_views

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RetrievalEmbeddingDisplay"]

Panels = dict[str, dict[str, NDArray[Any]]]

#: Markers of the views, in their order.
MARKERS: list[dict[str, Any]] = [
    {"marker": "o", "s": 16, "linewidth": 0.0, "alpha": 0.75},
    {"marker": "x", "s": 16, "linewidth": 0.9, "alpha": 0.75},
    {"marker": "^", "s": 18, "linewidth": 0.0, "alpha": 0.75},
    {"marker": "+", "s": 22, "linewidth": 0.9, "alpha": 0.75},
    {"marker": "s", "s": 13, "linewidth": 0.0, "alpha": 0.75},
    {"marker": "D", "s": 12, "linewidth": 0.0, "alpha": 0.75},
]
BEFORE = "before: the views as they are"


class RetrievalEmbeddingDisplay(Display):
    """Paired views in two dimensions, as they are and in their common space.

    Categories have colors, views have markers. Where retrieval works, markers of a
    color come together. Make one by :meth:`from_estimator`.

    Parameters
    ----------
    panels : dict of str to dict of str to ndarray of shape (n_samples, 2)
        For each panel, the rows of every view.
    labels : array-like of shape (n_samples,)
        Categories; -1, None, NaN or pandas.NA where unknown.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first panel.
    axes_ : dict of str to matplotlib Axes
        All panels.
    figure_ : matplotlib Figure
        Figure of these axes.
    points_ : dict of (str, str) to matplotlib PathCollection
        The points, by panel and view.

    See Also
    --------
    RetrievalDisplay : Shows how well one view finds another.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.inspection import RetrievalEmbeddingDisplay
    >>> from skda.retrieval import RidgeCCA
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 4
    >>> views = {name: np.eye(4)[y] + rng.normal(size=(40, 4)) for name in ("A", "B")}
    >>> display = RetrievalEmbeddingDisplay.from_estimator(
    ...     RidgeCCA().fit(views), views, y
    ... )
    >>> list(display.axes_)
    ['before: the views as they are', 'after: common space of RidgeCCA']
    """

    def __init__(self, panels: Panels, labels: ArrayLike) -> None:
        self.panels = panels
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        reducer: Any = None,
        name: str | None = None,
        ax: Sequence[Axes] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw paired rows before and after a fitted retriever.

        Before, each view is standardized and reduced to as many principal components
        as the narrowest has features, 50 at most: nothing relates those of one view to
        those of another. After, rows are embedded and have unit length, so that near
        points have a high cosine. Views are centered, too: the distance between two
        views as a whole changes little in who finds whom, but is all that one would see
        of confident texts and uncertain images.

        Parameters
        ----------
        estimator : estimator object
            Fitted retriever; a pipeline or a search around one, too.
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views, as its `transform` takes them.
        y : array-like of shape (n_samples,)
            Categories; -1, None, NaN or pandas.NA where unknown.
        reducer : transformer, default=None
            What brings all views of a panel, stacked, down to two dimensions by its
            `fit_transform`; it is cloned. None is :class:`sklearn.manifold.TSNE`.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : sequence of two matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` for every view.

        Returns
        -------
        RetrievalEmbeddingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a retriever.
        ValueError
            If the reducer does not return two dimensions.
        """
        final = final_estimator(estimator)
        after = {
            view: _center_unit_rows(rows)
            for view, rows in embeddings_by_view(estimator, X).items()
        }
        before = _standardize_and_reduce(_views_by_name(X, final, list(after)))
        if reducer is None:
            n_points = len(after) * len(next(iter(after.values())))
            # t-SNE wants three times as many points as neighbors.
            reducer = TSNE(2, perplexity=min(30.0, (n_points - 1) / 3), random_state=0)
        name = type(final).__name__ if name is None else name
        panels = {
            BEFORE: _reduce(before, clone(reducer)),
            f"after: common space of {name}": _reduce(after, clone(reducer)),
        }
        return cls(panels, y).plot(ax=ax, **kwargs)

    def plot(self, ax: Sequence[Axes] | None = None, **kwargs: Any) -> Self:
        """Draw the rows.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` for every view.

        Returns
        -------
        RetrievalEmbeddingDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If there is not one of the axes for each panel.
        """
        self.axes_ = self._open_panels(ax)
        rows = next(iter(next(iter(self.panels.values())).values()))
        labels = check_labels(self.labels, rows)
        classes = np.unique(labels.values)
        colors = np.array([*_palette(len(classes)), UNKNOWN])  # the code -1 is the last
        of_row = colors[labels.codes(classes)]
        self.points_: dict[tuple[str, str], Any] = {}
        for title, views in self.panels.items():
            axes = self.axes_[title]
            self._scatter(title, views, of_row, kwargs)
            axes.set_title(title, loc="left", fontsize="medium")
            axes.set(xticks=[], yticks=[])
            axes.margins(0.03)
            axes.spines[:].set_color("0.85")
        names = [str(name) for name in classes.tolist()]
        keys = dict(zip(names, colors, strict=False))
        self._legend(keys if len(names) <= MOST_IN_LEGEND else {})
        return self

    def _open_panels(self, ax: Any) -> dict[str, Axes]:
        """Use the axes passed, or open a figure with one for each panel."""
        need = f"{type(self).__name__}.plot draws with matplotlib"
        pyplot = import_optional("matplotlib.pyplot", need)
        n_panels = len(self.panels)
        if ax is None:
            size = (4.4 * n_panels + 1.2, 4.4)
            _, ax = pyplot.subplots(1, n_panels, figsize=size, layout="constrained")
        axes = list(np.atleast_1d(ax))
        if len(axes) != n_panels:
            raise ValueError(
                f"Expected axes for each of {list(self.panels)}, got {len(axes)}."
            )
        self._open_axes(axes[0], figsize=(0, 0))
        return dict(zip(self.panels, axes, strict=True))

    def _scatter(
        self,
        title: str,
        views: Mapping[str, NDArray[Any]],
        colors: NDArray[Any],
        kwargs: dict[str, Any],
    ) -> None:
        """Draw every view with a marker of its own."""
        for k, (view, rows) in enumerate(views.items()):
            style = MARKERS[k % len(MARKERS)] | kwargs
            points = self.axes_[title].scatter(*rows.T, color=colors, **style)
            self.points_[title, view] = points

    def _legend(self, keys: Mapping[str, Any]) -> None:
        """Add a legend of markers and colors, right of the last panel."""
        axes = list(self.axes_.values())[-1]
        views = dict.fromkeys(view for _, view in self.points_)
        entries = [
            *(
                (view, MARKERS[k % len(MARKERS)], "0.25")
                for k, view in enumerate(views)
            ),
            *((name, MARKERS[0], color) for name, color in keys.items()),
        ]
        for label, style, color in entries:
            axes.scatter([], [], label=label, color=color, **style | {"s": 26})
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            frameon=False,
            fontsize="small",
            handletextpad=0.2,
            borderaxespad=0,
        )


def _views_by_name(X: Any, retriever: Any, names: list[str]) -> dict[str, Any]:
    """Split the input into its views, before any preprocessing."""
    if isinstance(X, Mapping):
        return {name: X[name] for name in names}
    if is_list_of_views(X):
        return dict(zip(names, X, strict=True))
    frame_names = getattr(X, "columns", None)
    slices = getattr(retriever, "views", None)
    return slice_views(
        X if issparse(X) else np.asarray(X),
        slices,
        None if frame_names is None else np.asarray(frame_names),
    )


def _center_unit_rows(embeddings: NDArray[Any]) -> NDArray[Any]:
    """Center unit rows by view, and scale them to unit length again."""
    units = normalize(embeddings)
    centered: NDArray[Any] = normalize(units - units.mean(axis=0))
    return centered


def _standardize_and_reduce(views: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Standardize every view, and reduce all to one width and one scale."""
    dense = {
        name: StandardScaler().fit_transform(
            X.toarray() if hasattr(X, "toarray") else np.asarray(X, dtype=float)
        )
        for name, X in views.items()
    }
    width = min(50, *(min(rows.shape) for rows in dense.values()))
    reduced = {
        name: PCA(width, random_state=0).fit_transform(rows)
        for name, rows in dense.items()
    }
    return {name: rows / (rows.std() or 1.0) for name, rows in reduced.items()}
