"""Display of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.inspection._display import Display
from skda.utils.validation import final_estimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TermsDisplay"]


#: Columns of a history that are numbers but no terms.
BOOKKEEPING = {"dur", "train_loss"}


class TermsDisplay(Display):
    """The weighted terms of a loss over the epochs, and their sum.

    Where the training has several phases, they are marked. The axis is logarithmic
    unless a term is negative. Make one by :meth:`from_estimator`.

    Parameters
    ----------
    history : mapping of str to array-like of shape (n_epochs,)
        The `history_` of a fitted estimator: "phase", "train_loss" and every term. What
        callbacks have recorded there is drawn, too, if it is a number.
    estimator_name : str, default=None
        Name of the estimator, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : dict of str to matplotlib Line2D
        Line of every term, and of their sum as "train_loss".

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SSAN
    >>> from skda.inspection import TermsDisplay
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> ssan = SSAN(max_epochs=20, random_state=0)
    >>> ssan = ssan.fit(data.X, data.y, source=data.source)
    >>> display = TermsDisplay.from_estimator(ssan)
    >>> list(display.lines_)
    ['source_risk', 'target_risk', 'soft_risk', 'centroid', 'domain', 'train_loss']
    """

    def __init__(
        self, history: Mapping[str, ArrayLike], *, estimator_name: str | None = None
    ) -> None:
        self.history = history
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator object
            Fitted estimator with a `history_`; a pipeline or a search, too.
        name : str, default=None
            Name of the estimator; None is its class.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every term.

        Returns
        -------
        TermsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator does not train a network.
        """
        final = final_estimator(estimator)
        if not hasattr(final, "history_"):
            raise TypeError(
                f"Expected an estimator that trains a network, got {final!r}, which "
                f"has no history_: pass a method such as skda.heterogeneous.SSAN."
            )
        name = type(final).__name__ if name is None else name
        return cls(final.history_, estimator_name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the terms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every term.

        Returns
        -------
        TermsDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        axes = self._open_axes(ax, figsize=(6.8, 3.6))
        columns = {name: np.asarray(column) for name, column in self.history.items()}
        terms = {
            name: column
            for name, column in columns.items()
            if column.dtype.kind == "f" and name not in BOOKKEEPING
        }
        self.lines_ = {}
        for name, values in terms.items():
            style: dict[str, Any] = {"label": name, "linewidth": 1.8} | kwargs
            (self.lines_[name],) = axes.plot(_epochs(values), values, **style)
        total = columns["train_loss"]
        (self.lines_["train_loss"],) = axes.plot(
            _epochs(total), total, color="0.2", linewidth=1, linestyle=":", label="sum"
        )
        if not any((values < 0).any() for values in terms.values()):
            axes.set_yscale("log")
            _spell_ticks(axes)
        _mark_phases(axes, columns["phase"])
        self._decorate(axes)
        return self

    def _decorate(self, axes: Axes) -> None:
        axes.set_xlabel("Epoch")
        axes.set_ylabel("Weighted term")
        axes.margins(x=0.01)
        axes.spines[["right", "top"]].set_visible(False)
        axes.grid(color="0.92", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
        if self.estimator_name is not None:
            axes.set_title(f"Training of {self.estimator_name}", loc="left", pad=16)


def _spell_ticks(axes: Axes) -> None:
    """Write 0.5 instead of a product of powers, where a few decades are shown."""
    low, high = axes.get_ylim()
    if high > 1000 * low:
        return
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(
        lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""
    )


def _epochs(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(1, len(values) + 1)


def _mark_phases(axes: Axes, phases: NDArray[Any]) -> None:
    """Draw a line between two phases, and write their names above."""
    starts = np.flatnonzero(np.append(True, phases[1:] != phases[:-1]))
    if len(starts) < 2:
        return
    for start in starts.tolist():
        if start:
            axes.axvline(start + 0.5, color="0.55", linewidth=1)
        axes.annotate(
            str(phases[start]),
            (start + 0.5, 1),
            xytext=(3, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color="0.35",
            fontsize="small",
        )
