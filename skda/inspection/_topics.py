"""Display of the attention of topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.inspection._display import Display
from skda.utils.labels import check_labels
from skda.utils.optional import import_optional
from skda.utils.validation import before_final, check_pair, final_estimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Panels", "TopicMapDisplay"]


#: Most classes that are named below their rows, and the color between two of them.
MOST_NAMED, BETWEEN = 20, "#e07b39"


class Panels(Display):
    """A display of one panel or several, side by side.

    Attributes
    ----------
    axes_ : dict of str to matplotlib Axes
        Where every panel is drawn.
    """

    axes_: dict[str, Axes]
    estimator_name: str | None

    def _open_panels(
        self, ax: Axes | Sequence[Axes] | None, names: list[str], width: float
    ) -> None:
        """Use the axes passed, or open a figure with one for each panel."""
        need = f"{type(self).__name__}.plot draws with matplotlib"
        pyplot = import_optional("matplotlib.pyplot", need)
        if ax is None:
            size = (width * len(names) + 0.6, 3.9)
            figure = pyplot.figure(figsize=size, layout="constrained")
            ax = figure.subplots(1, len(names), squeeze=False)[0]
        panels: list[Any] = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(panels) != len(names):
            raise ValueError(
                f"Expected axes for each of {names}, got {len(panels)}: pass as many, "
                f"or ax=None for a figure of their own."
            )
        self.axes_ = dict(zip(names, panels, strict=True))
        self._open_axes(panels[0], figsize=(0, 0))

    def _set_title(self, what: str) -> None:
        """Set the title of the first panel, if the estimator has a name."""
        if self.estimator_name is not None:
            self.ax_.set_title(f"{what} of {self.estimator_name}", loc="left")


class TopicMapDisplay(Panels):
    """Attention of every topic to features, and to rows of either domain.

    A row of the first panel is the attention of a topic to the features, brought to a
    largest value of one; a row of the others is its attention to the rows of a domain,
    sorted by class, likewise. Make one by :meth:`from_estimator`.

    Parameters
    ----------
    masks : array-like of shape (n_topics, n_components)
        Attention of the topics to the features.
    row_weights : mapping of str to array-like of shape (n_samples, n_topics), \
            default=None
        Their attention to rows of "source", of "target" or of both.
    labels : mapping of str to array-like of shape (n_samples,), default=None
        Classes of these rows, by domain; -1, None, NaN or pandas.NA where unknown.
    estimator_name : str, default=None
        Name of the estimator, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the features are drawn.
    axes_ : dict of str to matplotlib Axes
        Where the "features" are drawn, and the rows of every domain.
    figure_ : matplotlib Figure
        Figure of these axes.
    images_ : dict of str to matplotlib AxesImage
        What is drawn on each of them.

    See Also
    --------
    skda.partial.ISRA : Has topics.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.inspection import TopicMapDisplay
    >>> from skda.partial import ISRA
    >>> from skda.unsupervised import DANN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> source = X[100:], y[100:]
    >>> isra = ISRA(DANN(max_epochs=5), n_topics=8, random_state=0)
    >>> isra = isra.fit(X[:100] + 1.0, source=source)
    >>> display = TopicMapDisplay.from_estimator(isra, X[:100] + 1.0, source=source)
    >>> list(display.images_)
    ['features', 'source', 'target']
    """

    def __init__(
        self,
        masks: ArrayLike,
        row_weights: Mapping[str, ArrayLike] | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        *,
        estimator_name: str | None = None,
    ) -> None:
        self.masks = masks
        self.row_weights = row_weights
        self.labels = labels
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        *,
        name: str | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the topics of a fitted estimator.

        Parameters
        ----------
        estimator : estimator object
            Fitted :class:`skda.partial.ISRA`; a search around one, too.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Target samples. None draws none.
        y : array-like of shape (n_samples,), default=None
            Their classes; -1, None, NaN or pandas.NA where unknown. None sorts them by
            the classes that the estimator predicts.
        source : tuple (X_source, y_source), default=None
            Source samples and their classes. None draws none.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow` for every panel.

        Returns
        -------
        TopicMapDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no topics.
        """
        final = final_estimator(estimator)
        if not hasattr(final, "topic_masks_"):
            raise TypeError(
                f"Expected an estimator with topics, got {final!r}, which has no "
                f"topic_masks_: pass a skda.partial.ISRA that was fitted with a source."
            )
        weights, labels = {}, {}
        if source is not None:
            X_source, labels["source"] = check_pair(source, "source=(X_source, y_s)")
            weights["source"] = final.topic_weights(X_source, domain="source")
        if X is not None:
            weights["target"] = final.topic_weights(before_final(estimator, X))
            labels["target"] = estimator.predict(X) if y is None else y
        name = type(final).__name__ if name is None else name
        display = cls(final.topic_masks_, weights, labels, estimator_name=name)
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | Sequence[Axes] | None = None, **kwargs: Any) -> Self:
        """Draw the topics.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow` for every panel.

        Returns
        -------
        TopicMapDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If there is not one of the axes for each panel.
        """
        maps = {"features": np.asarray(self.masks)}
        for domain, weights in (self.row_weights or {}).items():
            rows = np.asarray(weights)
            labels = (self.labels or {}).get(domain)
            order = np.arange(len(rows)) if labels is None else _by_class(labels, rows)
            maps[domain] = rows[order].T
        self._open_panels(ax, list(maps), width=3.6)
        style: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
        style |= {"cmap": "Blues", "vmin": 0, "vmax": 1} | kwargs
        self.images_ = {}
        for panel, values in maps.items():
            axes = self.axes_[panel]
            self.images_[panel] = axes.imshow(_scale_to_one(values), **style)
            axes.set_xlabel("Feature" if panel == "features" else f"Row of the {panel}")
            labels = (self.labels or {}).get(panel)
            if labels is not None:
                axes.set_xlabel(f"Row of the {panel}, by class")
                _mark_classes(axes, labels, values.T)
        self.ax_.set_ylabel("Topic")
        self._set_title("Topics")
        return self


def _by_class(labels: ArrayLike, rows: NDArray[Any]) -> NDArray[np.intp]:
    """Sort rows by class, those of unknown class last."""
    known, values = check_labels(labels, rows)
    codes = np.full(len(known), np.inf)
    codes[known] = np.unique(values, return_inverse=True)[1]
    return codes.argsort(kind="stable")


def _mark_classes(axes: Axes, labels: ArrayLike, rows: NDArray[Any]) -> None:
    """Write the names of the classes below their rows, and draw lines between them."""
    known, values = check_labels(labels, rows)
    names, sizes = np.unique(values, return_counts=True)
    if len(names) > MOST_NAMED:
        return
    ends = sizes.cumsum() - 0.5
    ticks = [
        (str(name), end - size / 2)
        for name, end, size in zip(names, ends, sizes, strict=True)
    ]
    if not known.all():
        ticks.append(("?", (ends[-1] + len(rows) - 0.5) / 2))
    axes.set_xticks([x for _, x in ticks], [name for name, _ in ticks])
    axes.tick_params(axis="x", length=0)
    for end in ends[ends < len(rows) - 1]:
        axes.axvline(end, color=BETWEEN, linewidth=1)


def _scale_to_one(values: NDArray[Any]) -> NDArray[Any]:
    """Scale the rows to a largest entry of one; rows of zeros stay zero."""
    largest = values.max(axis=1, keepdims=True)
    return values / np.where(largest > 0, largest, 1)
