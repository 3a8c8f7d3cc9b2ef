"""Display of the class weights of partial adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.inspection._topics import Panels
from skda.utils.labels import check_labels
from skda.utils.validation import check_pair, final_estimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClassWeightsDisplay"]

#: Colors of a class that the target has, by the weights, and of one that it has not.
SHARED, OUTLIER = "#2a6fbb", "0.72"


class ClassWeightsDisplay(Panels):
    """Weights of the classes during a training, and similarities of the classes.

    Classes that the target has, by the weights, are blue, others gray. In the panel of
    similarities, their names are bold and blue. Make one by :meth:`from_estimator`.

    Parameters
    ----------
    weights : array-like of shape (n_refreshes, n_classes)
        Weights of the classes at every refresh.
    classes : array-like of shape (n_classes,)
        The classes.
    shared : array-like, default=None
        Those of them that the target has. None are those whose last weight is above the
        mean.
    similarity : array-like of shape (n_classes, n_classes), default=None
        Their similarities, from -1 to 1. None leaves the panel out.
    estimator_name : str, default=None
        Name of the estimator, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the weights are drawn.
    axes_ : dict of str to matplotlib Axes
        Where the "weights" are drawn, and the "similarity".
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : dict of str to matplotlib Line2D
        Line of every class, by its name.

    See Also
    --------
    skda.partial.BA3US : Has weights of the classes.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.inspection import ClassWeightsDisplay
    >>> from skda.partial import BA3US
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf = BA3US(max_epochs=10, random_state=0)
    >>> clf = clf.fit(X_target, source=(X[100:], y[100:]))
    >>> display = ClassWeightsDisplay.from_estimator(clf, source=(X[100:], y[100:]))
    >>> list(display.lines_)
    ['0', '1', '2']
    """

    def __init__(
        self,
        weights: ArrayLike,
        classes: ArrayLike,
        *,
        shared: ArrayLike | None = None,
        similarity: ArrayLike | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.weights = weights
        self.classes = classes
        self.shared = shared
        self.similarity = similarity
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        *,
        shared: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the classes of a fitted estimator.

        Parameters
        ----------
        estimator : estimator object
            Fitted method with weights of the classes; a pipeline or a search, too.
        source : tuple (X_source, y_source), default=None
            Source samples and their classes, whose similarity is the cosine of their
            mean features, less the mean of all classes. None draws none.
        shared : array-like, default=None
            Classes that the target has. None are those whose last weight is above the
            mean.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every class.

        Returns
        -------
        ClassWeightsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no weights of the classes.
        """
        final = final_estimator(estimator)
        if not hasattr(final, "class_weights_history_"):
            raise TypeError(
                f"Expected an estimator that weighs classes, got {final!r}, which has "
                f"no class_weights_history_: pass a method such as skda.partial.BA3US."
            )
        similarity = None
        if source is not None:
            X, y = check_pair(source, "source=(X_source, y_source)")
            rows = np.asarray(final.transform(X, domain="source"))
            similarity = _similarity(rows, y, final.classes_)
        return cls(
            final.class_weights_history_,
            final.classes_,
            shared=shared,
            similarity=similarity,
            estimator_name=type(final).__name__ if name is None else name,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | Sequence[Axes] | None = None, **kwargs: Any) -> Self:
        """Draw the classes.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each panel; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every class.

        Returns
        -------
        ClassWeightsDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If there is not one of the axes for each panel.
        """
        names = ["weights", "similarity"][: 1 + (self.similarity is not None)]
        self._open_panels(ax, names, width=4.4)
        weights = np.atleast_2d(np.asarray(self.weights))
        classes = np.asarray(self.classes)
        shared = weights[-1] > weights[-1].mean()
        if self.shared is not None:
            shared = np.isin(classes, np.asarray(self.shared))
        self.lines_ = {}
        refreshes = np.arange(1, len(weights) + 1)
        for k, column in enumerate(weights.T):
            color = SHARED if shared[k] else OUTLIER
            style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 3}
            (line,) = self.ax_.plot(refreshes, column, **(style | kwargs))
            self.lines_[str(classes[k])] = line
        self.ax_.set(xlabel="Refresh", ylabel="Weight of the class")
        self.ax_.axhline(weights[-1].mean(), color="0.5", linestyle="--", linewidth=1)
        self.ax_.spines[["right", "top"]].set_visible(False)
        self._set_title("Class weights")
        if self.similarity is not None:
            self._plot_similarity(classes, shared)
        return self

    def _plot_similarity(
        self, classes: NDArray[Any], shared: NDArray[np.bool_]
    ) -> None:
        """Draw the similarities of the classes, those of the target first."""
        order = np.argsort(~shared, kind="stable")
        axes = self.axes_["similarity"]
        values = np.asarray(self.similarity)[np.ix_(order, order)]
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        self.figure_.colorbar(image, ax=axes, label="Similarity", shrink=0.8)
        ticks = np.arange(len(order))
        axes.set_xticks(ticks, classes[order], rotation=90, fontsize="small")
        axes.set_yticks(ticks, classes[order], fontsize="small")
        marked = {"color": SHARED, "fontweight": "bold"}
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            for label in labels[: shared.sum()]:
                label.set(**marked)


def _similarity(
    rows: NDArray[Any], labels: ArrayLike, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Compare the mean features of classes, less the mean of all classes."""
    memberships = check_labels(labels, rows).memberships(classes)  # (n, c)
    counts = memberships.sum(axis=0)[:, None]
    means = memberships.T @ rows / np.maximum(counts, 1)  # (c, d)
    means = means - means[counts[:, 0] > 0].mean(axis=0)
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    directions = np.where(counts > 0, means / np.where(norms > 0, norms, 1), 0)
    similarity: NDArray[np.float64] = directions @ directions.T
    return similarity
