"""Display of the common space of the domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA

from skda.inspection._display import Display
from skda.utils.labels import Labels, check_labels
from skda.utils.optional import import_optional
from skda.utils.validation import check_pair, final_estimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EmbeddingDisplay"]

#: Marker of each domain; the source is drawn first, below the target.
MARKERS: dict[str, dict[str, Any]] = {
    "source": {"marker": "x", "s": 16, "linewidth": 0.8, "alpha": 0.6},
    "target": {"marker": "o", "s": 22, "linewidth": 0.0, "alpha": 0.8},
}
#: Color of a row whose class is unknown.
UNKNOWN = (0.8, 0.8, 0.8, 1.0)
#: With more classes than this, classes are named at their rows, not in a legend.
MOST_IN_LEGEND = 20


class EmbeddingDisplay(Display):
    """Both domains in the space that they share, brought down to two dimensions.

    Classes have colors, domains have markers: dots are target rows, crosses are source
    rows. Rows of unknown class are gray. Make one by :meth:`from_estimator`.

    Parameters
    ----------
    embeddings : dict of str to ndarray of shape (n_samples, 2)
        Rows of "target" and, if they are to be drawn, of "source".
    labels : dict of str to array-like of shape (n_samples,)
        Their classes, by domain; -1, None, NaN or pandas.NA where unknown.
    estimator_name : str, default=None
        Name of the estimator, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    points_ : dict of str to matplotlib PathCollection
        The points of every domain.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SSAN
    >>> from skda.inspection import EmbeddingDisplay
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> ssan = SSAN(max_epochs=20, random_state=0)
    >>> ssan = ssan.fit(data.X, data.y, source=data.source)
    >>> display = EmbeddingDisplay.from_estimator(
    ...     ssan, data.X, data.y_true, data.source
    ... )
    >>> list(display.points_)
    ['source', 'target']
    """

    def __init__(
        self,
        embeddings: dict[str, NDArray[Any]],
        labels: dict[str, ArrayLike],
        *,
        estimator_name: str | None = None,
    ) -> None:
        self.embeddings = embeddings
        self.labels = labels
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        *,
        reducer: Any = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw where a fitted estimator puts the rows of its domains.

        Parameters
        ----------
        estimator : estimator object
            Fitted estimator with `transform`; a pipeline or a search, too, whose
            earlier steps see the target only.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Target samples.
        y : array-like of shape (n_samples,), default=None
            Their classes; -1, None, NaN or pandas.NA where unknown. None shows the
            classes that the estimator predicts.
        source : tuple (X_source, y_source), default=None
            Source samples and their classes. None draws the target only.
        reducer : transformer, default=None
            What brings both domains, stacked, down to two dimensions by its
            `fit_transform`, such as :class:`sklearn.manifold.TSNE`; it is cloned. None
            is ``PCA(2)``, which keeps distances as they are, as far as that goes.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` for both domains.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no space that domains share.
        ValueError
            If the reducer does not return two dimensions.
        """
        final = final_estimator(estimator)
        if not hasattr(final, "transform"):
            raise TypeError(
                f"Expected an estimator that maps domains into a common space, got "
                f"{final!r}, which has no transform: pass a method such as "
                f"skda.heterogeneous.SSAN."
            )
        labels = {"target": estimator.predict(X) if y is None else y}
        latent = {"target": np.asarray(estimator.transform(X))}
        if source is not None:
            X_source, labels["source"] = check_pair(source, "source=(X_source, y_s)")
            latent["source"] = np.asarray(final.transform(X_source, domain="source"))
        embeddings = _reduce(latent, PCA(2) if reducer is None else clone(reducer))
        name = type(final).__name__ if name is None else name
        return cls(embeddings, labels, estimator_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter` for both domains.

        Returns
        -------
        EmbeddingDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        axes = self._open_axes(ax, figsize=(6.8, 4.8))
        labels = {
            domain: check_labels(self.labels[domain], rows)
            for domain, rows in self.embeddings.items()
        }
        seen = [part.values for part in labels.values() if part.known.any()]
        classes = np.unique(np.concatenate(seen)) if seen else np.empty(0)
        colors = np.array([*_palette(len(classes)), UNKNOWN])  # the code -1 is the last
        self.points_ = {}
        for domain, style in MARKERS.items():
            if domain in labels:
                codes = labels[domain].codes(classes)
                order = codes.argsort()  # the unlabeled below
                self.points_[domain] = axes.scatter(
                    *self.embeddings[domain][order].T,
                    color=colors[codes[order]],
                    **(style | kwargs),
                )
        in_legend = len(classes) <= MOST_IN_LEGEND
        if not in_legend:
            self._name_classes(labels["target"], classes, colors)
        names = [str(name) for name in classes.tolist()] if in_legend else []
        keys = dict(zip(names, colors, strict=False))
        if not all(part.known.all() for part in labels.values()):
            keys["unlabeled"] = UNKNOWN
        self._decorate(keys)
        return self

    def _name_classes(
        self, labels: Labels, classes: NDArray[Any], colors: NDArray[np.float64]
    ) -> None:
        """Write the name of every class on the most central of its target rows."""
        effects = import_optional("matplotlib.patheffects", "EmbeddingDisplay draws")
        outline = [effects.withStroke(linewidth=2.5, foreground="white")]
        rows = self.embeddings["target"][labels.known]
        for k, name in enumerate(classes.tolist()):
            members = rows[labels.values == name]
            if len(members):
                offsets = members - np.median(members, axis=0)
                self.ax_.annotate(
                    str(name),
                    members[np.linalg.norm(offsets, axis=1).argmin()],
                    color=0.7 * colors[k, :3],
                    ha="center",
                    va="center",
                    fontsize="x-small",
                    fontweight="bold",
                    path_effects=outline,
                )

    def _decorate(self, keys: dict[str, Any]) -> None:
        axes = self.ax_
        axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        axes.spines[:].set_color("0.85")
        entries = [
            *((name, MARKERS[name], "0.25") for name in self.points_),
            *((name, {"marker": "o"}, color) for name, color in keys.items()),
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
        if self.estimator_name is not None:
            axes.set_title(f"Common space of {self.estimator_name}", loc="left")


def _reduce(latent: dict[str, NDArray[Any]], reducer: Any) -> dict[str, NDArray[Any]]:
    """Reduce all domains to the same two dimensions."""
    stacked = np.asarray(reducer.fit_transform(np.concatenate([*latent.values()])))
    if stacked.ndim != 2 or stacked.shape[1] != 2:
        raise ValueError(
            f"Expected a reducer to two dimensions, got {reducer!r}, whose "
            f"fit_transform returns an array of shape {stacked.shape}: set its "
            f"n_components to 2."
        )
    ends = np.cumsum([len(rows) for rows in latent.values()])
    return dict(zip(latent, np.split(stacked, ends[:-1]), strict=True))


def _palette(n_classes: int) -> NDArray[np.float64]:
    """Choose colors, of shape (n_classes, 4), that differ as much as they can."""
    matplotlib = import_optional("matplotlib", "EmbeddingDisplay draws with matplotlib")
    for name in ("tab10", "tab20"):
        colors = np.array(matplotlib.colormaps[name].colors)
        colors[np.ptp(colors, axis=1) == 0] -= 0.4  # light gray means unlabeled
        if n_classes <= len(colors):
            break
    else:
        # Steps of the golden ratio never come close to a hue that was there before.
        hues = np.arange(n_classes) * 0.618 % 1
        tones = [[hue, 0.7, 0.6 + 0.3 * (k % 2)] for k, hue in enumerate(hues)]
        colors = matplotlib.colors.hsv_to_rgb(tones)
    return matplotlib.colors.to_rgba_array(colors[:n_classes])
