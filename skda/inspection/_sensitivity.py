"""Display of a score over one or two hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.inspection._display import Display
from skda.inspection._ticks import Ticks, hashable, sort_values, spell

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SensitivityDisplay"]

#: Colors of the reference lines, in turn.
REFERENCE: dict[str, Any] = {"color": "0.35", "linewidth": 1.2}
DASHES = ("--", ":", "-.")

Scores = Mapping[str, Mapping[tuple[Any, ...], ArrayLike]]


class SensitivityDisplay(Display):
    """A score over the values of one or two hyper-parameters.

    For one, a line of the means over the splits in a band of one standard deviation on
    either side. Its axis is logarithmic where the values are spaced like that, and
    values that are no numbers keep their order. For two, a map of the means. Make one
    by :meth:`from_results` or :meth:`from_cv_results`.

    Parameters
    ----------
    scores : mapping of str to mapping of tuple to array-like of shape (n_splits,)
        For every line, the scores at each value of the hyper-parameter, a tuple of
        length one; for two hyper-parameters, a single entry with tuples of length two.
    params : str or sequence of str
        Names of one or two hyper-parameters.
    score_name : str, default="Score"
        What the score is.
    reference : float or mapping of str to float, default=None
        Score of a control, or those of several by their names, drawn as horizontal
        lines; on a map, as lines on the scale of its colors.
    task_name : str, default=None
        Name of the data, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        Figure of these axes.
    lines_ : dict of str to matplotlib Line2D
        Line of the means of every line, for one hyper-parameter.
    references_ : dict of str to matplotlib Line2D
        Lines of the controls.
    image_ : matplotlib AxesImage
        The map, for two hyper-parameters; the first one is on the horizontal axis.

    Examples
    --------
    >>> from skda.inspection import SensitivityDisplay
    >>> results = [
    ...     {"beta": 0.01, "accuracy": 0.7},
    ...     {"beta": 0.01, "accuracy": 0.8},
    ...     {"beta": 0.1, "accuracy": 0.9},
    ...     {"beta": 1.0, "accuracy": [0.5, 0.7]},
    ... ]
    >>> display = SensitivityDisplay.from_results(
    ...     results, "beta", score="accuracy", reference={"control": 0.72}
    ... )
    >>> display.lines_["accuracy"].get_ydata().tolist()
    [0.75, 0.9, 0.6]
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        scores: Scores,
        params: str | Sequence[str],
        *,
        score_name: str = "Score",
        reference: float | Mapping[str, float] | None = None,
        task_name: str | None = None,
    ) -> None:
        self.scores = scores
        self.params = params
        self.score_name = score_name
        self.reference = reference
        self.task_name = task_name
        n_params = len(_names(params))
        if n_params == 2 and len(scores) > 1:
            raise ValueError(
                f"Expected one map of two hyper-parameters, got {len(scores)}: draw a "
                f"display for each."
            )

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame | Iterable[Mapping[str, Any]],
        params: str | Sequence[str],
        *,
        score: str = "score",
        by: str | None = None,
        score_name: str | None = None,
        reference: float | Mapping[str, float] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the scores of a table.

        Parameters
        ----------
        results : pandas.DataFrame or iterable of mapping
            A row for every split, or with a sequence of the scores of several; rows
            with the same values of the hyper-parameters count together.
        params : str or sequence of str
            Columns of one or two hyper-parameters.
        score : str, default="score"
            Column of the score.
        by : str, default=None
            Column whose values have a line each, such as methods or tasks; only for one
            hyper-parameter.
        score_name : str, default=None
            What the score is; None is the name of its column.
        reference : float or mapping of str to float, default=None
            Score of a control, or those of several by their names.
        name : str, default=None
            Name of the data, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every line, or to
            :meth:`matplotlib.axes.Axes.imshow` for a map.

        Returns
        -------
        SensitivityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no row, or one lacks a column.
        """
        rows: list[Any] = _records(results)
        names, score_name = _names(params), score_name or score
        needed = [*names, score, *([by] if by else [])]
        scores: dict[str, dict[tuple[Any, ...], list[float]]] = {}
        for row in rows:
            missing = [column for column in needed if column not in row]
            if missing:
                raise ValueError(
                    f"Expected rows with {', '.join(needed)}, got one without "
                    f"{', '.join(missing)}: {sorted(map(str, row))}."
                )
            line = scores.setdefault(str(row[by]) if by else score_name, {})
            values = tuple(hashable(row[column]) for column in names)
            line.setdefault(values, []).extend(np.atleast_1d(row[score]).tolist())
        if not scores:
            raise ValueError("Expected results with a row at least, got none.")
        return cls(
            scores,
            params,
            score_name=score_name,
            reference=reference,
            task_name=name,
        ).plot(ax=ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        params: str | Sequence[str],
        *,
        scoring: str = "score",
        score_name: str | None = None,
        reference: float | Mapping[str, float] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the scores that a search has found.

        Other hyper-parameters that the search varied are held at their values in its
        best candidate.

        Parameters
        ----------
        cv_results : mapping of str to array-like
            The `cv_results_` of a search.
        params : str or sequence of str
            One or two hyper-parameters, as the search names them.
        scoring : str, default="score"
            Which of several scores.
        score_name : str, default=None
            What the score is; None is `scoring`.
        reference : float or mapping of str to float, default=None
            Score of a control, or those of several by their names.
        name : str, default=None
            Name of the data, for the title.
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for a line, or to
            :meth:`matplotlib.axes.Axes.imshow` for a map.

        Returns
        -------
        SensitivityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the search has not varied a hyper-parameter, or has no such score.
        """
        names = _names(params)
        candidates: list[dict[str, Any]] = list(cv_results["params"])
        varied = sorted({key for candidate in candidates for key in candidate})
        unknown = [each for each in names if each not in varied]
        if unknown:
            raise ValueError(
                f"Expected hyper-parameters that the search varied, {varied}, got "
                f"{unknown[0]!r}."
            )
        splits = [k for k in cv_results if _is_split(k, scoring)]
        if not splits:
            raise ValueError(
                f"Expected the scores of every split as 'split0_test_{scoring}', got "
                f"{sorted(cv_results)}: pass the name of a score as scoring."
            )
        best = candidates[int(np.argmin(cv_results[f"rank_test_{scoring}"]))]
        others = [key for key in varied if key not in names]
        rows = [
            candidate | {scoring: [cv_results[split][i] for split in splits]}
            for i, candidate in enumerate(candidates)
            if all(str(candidate.get(k)) == str(best.get(k)) for k in others)
        ]
        return cls.from_results(
            rows,
            params,
            score=scoring,
            score_name=score_name,
            reference=reference,
            name=name,
            ax=ax,
            **kwargs,
        )

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None is a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for every line, or to
            :meth:`matplotlib.axes.Axes.imshow` for a map.

        Returns
        -------
        SensitivityDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        self.references_: dict[str, Any] = {}
        reference = self.reference
        if not isinstance(reference, Mapping):
            reference = {} if reference is None else {"control": reference}
        names = _names(self.params)
        draw = self._plot_lines if len(names) == 1 else self._plot_map
        draw(self._open_axes(ax, figsize=(6.8, 3.6)), names, reference, kwargs)
        if self.task_name is not None:
            self.ax_.set_title(self.task_name, loc="left")
        return self

    def _plot_lines(
        self,
        axes: Axes,
        names: tuple[str, ...],
        reference: Mapping[str, float],
        kwargs: dict[str, Any],
    ) -> None:
        """Draw a line of means and a band of deviations for every line."""
        ticks = Ticks.of([value for line in self.scores.values() for (value,) in line])
        self.lines_ = {}
        for label, line in self.scores.items():
            found = {value: np.asarray(s, float) for (value,), s in line.items()}
            values = [value for value in ticks.values if value in found]
            at = np.array([ticks.positions[ticks.values.index(v)] for v in values])
            means = np.array([found[value].mean() for value in values])
            spread = np.array([_deviation(found[value]) for value in values])
            style: dict[str, Any] = {"marker": "o", "markersize": 4, "label": label}
            (drawn,) = axes.plot(at, means, **({"linewidth": 1.8} | style | kwargs))
            axes.fill_between(
                at,
                means - spread,
                means + spread,
                color=drawn.get_color(),
                alpha=0.15,
                linewidth=0,
            )
            self.lines_[label] = drawn
        for i, (label, value) in enumerate(reference.items()):
            style = REFERENCE | {"linestyle": DASHES[i % len(DASHES)], "label": label}
            self.references_[label] = axes.axhline(value, **style)
        ticks.set_on(axes)
        axes.set(xlabel=names[0], ylabel=self.score_name)
        axes.spines[["right", "top"]].set_visible(False)
        axes.grid(color="0.92", linewidth=0.8)
        axes.set_axisbelow(True)
        if len(self.lines_) + len(self.references_) > 1:
            axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))

    def _plot_map(
        self,
        axes: Axes,
        names: tuple[str, ...],
        reference: Mapping[str, float],
        kwargs: dict[str, Any],
    ) -> None:
        """Draw a map of the means, with the numbers and their deviations in it."""
        ((_, cells),) = self.scores.items()
        columns, rows = (sort_values([pair[i] for pair in cells]) for i in range(2))
        means = np.full((len(rows), len(columns)), np.nan)
        texts = {}
        for (column, row), each in cells.items():
            scores = np.asarray(each, dtype=float)
            at = rows.index(row), columns.index(column)
            means[at] = scores.mean()
            deviation = f"\n± {_deviation(scores):.2g}" if len(scores) > 1 else ""
            texts[at] = f"{means[at]:.3g}{deviation}"
        shown = [*means[np.isfinite(means)], *reference.values()]
        style: dict[str, Any] = {"vmin": min(shown), "vmax": max(shown)}
        style |= {"origin": "lower", "aspect": "auto"} | kwargs
        self.image_ = axes.imshow(means, **style)
        for (i, j), text in texts.items():
            shade: Any = self.image_.norm(means[i, j])
            color = "white" if shade < 0.6 else "black"
            axes.text(
                j, i, text, color=color, ha="center", va="center", fontsize="small"
            )
        bar = self.figure_.colorbar(self.image_, ax=axes, label=self.score_name)
        for i, (label, value) in enumerate(reference.items()):
            line = REFERENCE | {"linestyle": DASHES[i % len(DASHES)], "color": "red"}
            self.references_[label] = bar.ax.axhline(value, label=label, **line)
        if reference:
            bar.ax.legend(frameon=False, fontsize="small", loc=(-0.5, 1.01))
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.set_xticks(range(len(columns)), [spell(value) for value in columns])
        axes.set_yticks(range(len(rows)), [spell(value) for value in rows])


def _records(results: Any) -> list[Mapping[str, Any]]:
    """List the rows of a table."""
    return list(results.to_dict("records") if hasattr(results, "to_dict") else results)


def _is_split(key: str, scoring: str) -> bool:
    start, _, rest = key.partition("_test_")
    return start.startswith("split") and start[5:].isdigit() and rest == scoring


def _deviation(scores: NDArray[np.float64]) -> float:
    """Compute the standard deviation; one split has none."""
    return float(scores.std(ddof=1)) if len(scores) > 1 else 0.0


def _names(params: str | Sequence[str]) -> tuple[str, ...]:
    """Name the hyper-parameters, one or two."""
    names = (params,) if isinstance(params, str) else tuple(params)
    if not 1 <= len(names) <= 2:
        raise ValueError(f"Expected one or two hyper-parameters, got {len(names)}.")
    return names
