"""The comparison of retrievers behind `skda.compare_retrieval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.comparison._advice import advise
from skda.comparison._data import check_views, describe_views, seed_of
from skda.comparison._engine import (
    Experiment,
    Outcome,
    Row,
    Shown,
    evaluate_rows,
    spread,
)
from skda.comparison._journal import Journal
from skda.comparison._lineups import choose_retrievers, reference_method, settings_of
from skda.comparison._preprocessing import prepared
from skda.comparison._splits import CategorySplit, category_splits, warn_of_few
from skda.comparison._warnings import by_row
from skda.metrics import (
    chance_average_precision,
    mean_average_precision_score,
    retrieval_precision_recall_curve,
)
from skda.metrics._scorers import embeddings_by_view
from skda.utils.optional import import_optional
from skda.utils.views import stack_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CHANCE",
    "SETTINGS",
    "Measured",
    "Retrieval",
    "compare_retrieval",
    "measure",
    "retrieval_row",
    "tabulate",
]

#: Name of the row with the score of a random ranking.
CHANCE = "chance"
#: What a method is fitted to, by setting; S are the known categories, T the new ones.
SETTINGS = {
    "source": "labeled pairs of the known categories alone",
    "source + new": "labeled pairs of the known, unlabeled pairs of the new categories",
    "pairs": "the same pairs, all unlabeled",
    "new": "unlabeled pairs of the new categories alone",
}


class Retrieval(Experiment):
    """Retrievers of paired views, judged on pairs of categories new to them.

    Queries and gallery are the test rows of two views, partners included, as in the
    code of most papers.

    Parameters
    ----------
    views : mapping of str to {ndarray, sparse matrix}
        Checked views.
    y : array-like of shape (n_samples,)
        Categories.
    """

    def __init__(self, views: Mapping[str, Any], y: ArrayLike) -> None:
        self.views = views
        self.y = np.asarray(y)

    @property
    def data(self) -> tuple[Any, ...]:
        """Views and categories."""
        return dict(self.views), self.y

    def show(self, row: Row, split: CategorySplit) -> Shown:
        """Select the pairs of a setting; no category of a new one is shown."""
        if row.setting not in SETTINGS:
            raise ValueError(
                f"Expected a setting out of {list(SETTINGS)}, got {row.setting}."
            )
        known, new = (self._rows(part) for part in (split.source, split.new))
        y_known = self.y[split.source]
        if row.setting == "source":
            return Shown(known, y_known, {}, is_control=True)
        if row.setting == "source + new":
            return Shown(new, None, {"source": (known, y_known)}, is_control=False)
        if row.setting == "new":
            return Shown(new, None, {}, is_control=True)
        both = {name: stack_rows(X, new[name], name) for name, X in known.items()}
        return Shown(both, None, {}, is_control=True)

    def apply(self, fitted: Any, split: CategorySplit) -> Any:
        """Embed the test rows of all views."""
        return embeddings_by_view(fitted, self._rows(split.test))

    def judge(
        self, output: Any, split: CategorySplit
    ) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
        """Measure the mean average precision in all directions, and draw the curves."""
        y_test = self.y[split.test]
        scores, curves = {}, {}
        for query, gallery in permutations(output, 2):
            ranking = y_test, y_test, output[query], output[gallery]
            direction = f"{query} -> {gallery}"
            scores[direction] = mean_average_precision_score(*ranking)
            curves[direction], _ = retrieval_precision_recall_curve(*ranking)
        scores["mAP"] = float(np.mean(list(scores.values())))
        scores["chance"] = chance_average_precision(y_test, y_test)
        return scores, curves

    def _rows(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        return {name: X[rows] for name, X in self.views.items()}


class Measured(NamedTuple):
    """All that came of a comparison of retrievers.

    Parameters
    ----------
    experiment : Retrieval
        The data.
    splits : list of CategorySplit
        The splits.
    rows : list of Row
        Rows of the table.
    outcomes : list of list of Outcome
        For every row, what came of each split.
    """

    experiment: Retrieval
    splits: list[CategorySplit]
    rows: list[Row]
    outcomes: list[list[Outcome]]


def compare_retrieval(
    views: Mapping[str, Any],
    y: ArrayLike,
    *,
    methods: Any = None,
    test: ArrayLike | None = None,
    n_splits: int = 10,
    test_size: float = 0.25,
    random_state: int | np.random.RandomState | None = 0,
    shared_transformer: Any = "auto",
    scaling: str | None = "auto",
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: str | PathLike[str] | None = None,
) -> pd.DataFrame:
    """Compare retrievers on categories that they know no label of.

    In each split a random half of the categories is taken for known, the others for
    new. Methods are fitted to training pairs in several settings: "source" (labeled
    pairs of the known categories alone); "source + new" (the unlabeled pairs of the new
    categories as well), for methods without labels called "pairs"; and the control
    "new" (the unlabeled pairs of the new categories alone). All are judged on the test
    pairs of the new categories, in which every view searches every other one, by the
    mean average precision (mAP) over the full ranking by cosine. All methods have the
    same splits.

    Parameters
    ----------
    views : mapping of str to {array-like, sparse matrix}
        Paired views by name, each of shape (n_samples, n_view_features).
    y : array-like of shape (n_samples,)
        Categories, at least four. Rows whose category is missing (-1, None, NaN or
        pandas.NA) are left out.
    methods : dict or list of (str or retriever), default=None
        What to compare: retrievers, or names of classes of :mod:`skda.retrieval`, which
        stand for their defaults. None takes PLS, MCCA, RidgeCCA, ClusterRetrieval,
        MvDA, GMLDA and "small DMTL", which is
        ``DMTL(hidden_layer_sizes=(128, 128), n_components=64)``; for more than two
        views, those of them that take more.
    test : array-like of bool of shape (n_samples,), default=None
        Rows that are kept for tests. None draws them in each split.
    n_splits : int, default=10
        How many times categories are drawn.
    test_size : float, default=0.25
        Share of every category to draw for tests, without `test`.
    random_state : int, RandomState instance or None, default=0
        Seed of the splits, and of the methods whose own `random_state` is None. More
        splits begin with those of fewer.
    shared_transformer : transformer, "auto" or None, default="auto"
        What all methods have for a `shared_transformer`, fitted to the rows that they
        are fitted to. None leaves them as they are. So does "auto", unless a view has
        more features than there are pairs to learn from: then such views are scaled
        (rows of counts, which are mostly zeros, to unit length; others by feature) and
        reduced to at most 100 principal components.
    scaling : {"feature", "view", "auto"} or None, default="auto"
        What all methods have for `scaling`. "auto" leaves them as they are, but is
        "view" after principal components.
    n_jobs : int, default=None
        How many fits run at the same time, each in a process with one thread; -1 is one
        per core. None is 1, unless joblib is told otherwise.
    verbose : int, default=0
        Whether to show the progress, on the standard error stream.
    journal : str or path-like, default=None
        File in which finished fits are kept, and found again, as in
        :func:`skda.compare`.

    Returns
    -------
    pandas.DataFrame
        A row for every method and setting, the last of them for "chance": "method";
        "setting"; "mAP", the mean over directions and splits; its "std" over the
        splits; the mean of each direction, such as "image -> text"; the mean
        "difference" to :class:`RidgeCCA` with setting "new" on the same splits, and its
        "standard_error"; "n_splits"; "seconds" per split; and "mAPs", a tuple with one
        per split. For more than two views :class:`MCCA` takes the place of RidgeCCA.
        Its ``attrs`` have "advice", a sentence on what to take and how sure that is;
        "warnings", by row; and "data", what was compared on.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    TypeError
        If a method is not a retriever.
    ValueError
        If data and settings do not make a comparison.

    Warns
    -----
    UserWarning
        If there are so few test pairs that the figures mean little.

    See Also
    --------
    skda.datasets.load_pairs : Loads published data.
    skda.inspection.write_report : Writes a page that can be sent.

    Examples
    --------
    >>> import numpy as np
    >>> from skda import compare_retrieval
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(240) % 4
    >>> latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(240, 4))
    >>> pairs = {
    ...     "image": latent @ rng.normal(size=(4, 8)),
    ...     "text": latent @ rng.normal(size=(4, 5)),
    ... }
    >>> table = compare_retrieval(pairs, y, methods=["RidgeCCA"], n_splits=2)
    >>> table[["method", "setting", "n_splits"]]
         method       setting  n_splits
    0  RidgeCCA        source         2
    1  RidgeCCA  source + new         2
    2  RidgeCCA           new         2
    3    chance             -         2
    """
    import_optional("pandas", "skda.compare_retrieval returns a pandas.DataFrame")
    checked = check_views(views, y)
    splits = category_splits(
        y, n_splits, test=test, test_size=test_size, random_state=random_state
    )
    measured = measure(
        Retrieval(checked, y),
        splits,
        choose_retrievers(methods, len(checked)),
        preprocessing=(shared_transformer, scaling),
        n_jobs=n_jobs,
        verbose=verbose,
        journal=None if journal is None else Journal(journal),
    )
    table = tabulate(measured)
    seed = seed_of(random_state)
    table.attrs["data"] |= {"has_test": test is not None, "seed": seed}
    return table


def retrieval_row(method: str, setting: str, estimator: Any) -> Row:
    """Make a line of the table."""
    return Row(method, setting, f"{method}, {setting}", estimator, {})


def measure(
    experiment: Retrieval,
    splits: list[CategorySplit],
    named: Sequence[tuple[str, Any]],
    *,
    preprocessing: tuple[Any, Any] = ("auto", "auto"),
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: Journal | None = None,
) -> Measured:
    """Fit all methods in all settings; see :func:`compare_retrieval`.

    Parameters
    ----------
    experiment : Retrieval
        The data.
    splits : list of CategorySplit
        The splits.
    named : sequence of (str, retriever)
        What to compare.
    preprocessing : tuple, default=("auto", "auto")
        The parameters `shared_transformer` and `scaling`.
    n_jobs : int, default=None
        How many fits run at the same time.
    verbose : int, default=0
        Whether to show the progress.
    journal : Journal, default=None
        Where finished fits are kept.

    Returns
    -------
    Measured
        Rows and outcomes. The reference is added if it is not there.
    """
    warn_of_few(min(len(split.test) for split in splits), "pairs")
    views = experiment.views
    rows = [
        retrieval_row(name, setting, estimator)
        for name, estimator in prepared(named, views, splits, *preprocessing)
        for setting in settings_of(estimator)
    ]
    reference = reference_method(len(views))
    if (reference, "new") not in [row[:2] for row in rows]:
        alone = choose_retrievers([reference], len(views))
        ((_, estimator),) = prepared(alone, views, splits, *preprocessing)
        rows.append(retrieval_row(reference, "new", estimator))
    outcomes = evaluate_rows(
        experiment, rows, splits, n_jobs=n_jobs, verbose=verbose, journal=journal
    )
    return Measured(experiment, splits, rows, outcomes)


def tabulate(measured: Measured) -> pd.DataFrame:
    """Put all scores into a table; see :func:`compare_retrieval`."""
    pandas = import_optional("pandas", "skda.compare_retrieval returns a table")
    rows, outcomes = measured.rows, measured.outcomes
    directions = list(outcomes[0][0].curves)
    named = reference_method(len(measured.experiment.views)), "new"
    place = [row[:2] for row in rows].index(named)
    reference = _scores(outcomes[place], "mAP")
    table = [
        _summary(row.method, row.setting, of_row, reference)
        for row, of_row in zip(rows, outcomes, strict=True)
    ]
    luck = [
        Outcome({"mAP": chance} | dict.fromkeys(directions, chance), {}, 0.0)
        for chance in _scores(outcomes[0], "chance").tolist()
    ]
    result = pandas.DataFrame([*table, _summary(CHANCE, "-", luck, reference)])
    experiment = measured.experiment
    result.attrs = {
        "advice": _advise(measured, place),
        "warnings": by_row([row.label for row in rows], outcomes),
        "data": describe_views(experiment.views, experiment.y),
    }
    return result


def _advise(measured: Measured, place: int) -> str:
    """Say what to take, against the reference, which is to be beaten."""
    control = f"control without labels ({measured.rows[place].label} pairs alone)"
    labels = [row.label for row in measured.rows]
    labels[place] = control
    scores = (_scores(of_row, "mAP").tolist() for of_row in measured.outcomes)
    return advise(list(zip(labels, scores, strict=True)), control, "")


def _scores(outcomes: list[Outcome], name: str) -> NDArray[np.float64]:
    return np.array([outcome.scores[name] for outcome in outcomes])


def _summary(
    method: str,
    setting: str,
    outcomes: list[Outcome],
    reference: NDArray[np.float64],
) -> dict[str, Any]:
    """Average over the splits."""
    n_splits = len(outcomes)
    scores = _scores(outcomes, "mAP")
    differences = scores - reference
    directions = [d for d in outcomes[0].scores if " -> " in d]
    return {
        "method": method,
        "setting": setting,
        "mAP": float(scores.mean()),
        "std": spread(scores),
        **{d: float(_scores(outcomes, d).mean()) for d in directions},
        "difference": float(differences.mean()),
        "standard_error": spread(differences) / n_splits**0.5,
        "n_splits": n_splits,
        "seconds": float(np.mean([outcome.seconds for outcome in outcomes])),
        "mAPs": tuple(scores.tolist()),
    }
