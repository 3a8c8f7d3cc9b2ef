"""The comparison behind `skda.compare_retrieval`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skda._protocol import run_all
from skda._retrieval_lineup import (
    method_named,
    named_methods,
    prepared,
    reference_method,
    settings_of,
)
from skda._retrieval_protocol import (
    CategorySplit,
    Outcome,
    category_splits,
    check_views,
    evaluate,
)
from skda.utils.optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CHANCE",
    "Entry",
    "compare_retrieval",
    "measure",
    "tabulate",
]

#: Name of the row with the score of a random ranking.
CHANCE = "chance"


class Entry(NamedTuple):
    """A line of the table.

    Parameters
    ----------
    method : str
        Name of the method.
    setting : str
        What it is fitted to.
    estimator : retriever
        The unfitted method.
    """

    method: str
    setting: str
    estimator: Any


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
        What to compare: retrievers, or names out of :mod:`skda.retrieval`. None takes
        PLS, MCCA, RidgeCCA, ClusterRetrieval, MvDA, GMLDA and a small DMTL; for more
        than two views, those of them that take more.
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

    Returns
    -------
    pandas.DataFrame
        A row for every method and setting, the last of them for "chance": "method";
        "setting"; "mAP", the mean over directions and splits; its "std" over the
        splits; the mean of each direction, such as "image -> text"; the mean
        "difference" to :class:`RidgeCCA` with setting "new" on the same splits, and its
        "standard_error"; "n_splits"; "seconds" per split; and "mAPs", a tuple with one
        per split. For more than two views :class:`MCCA` takes the place of RidgeCCA.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    TypeError
        If a method is not a retriever.
    ValueError
        If data and settings do not make a comparison.

    See Also
    --------
    skda.datasets.load_pairs : Loads published data.

    Examples
    --------
    >>> import numpy as np
    >>> from skda import compare_retrieval
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(160) % 4
    >>> latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(160, 4))
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
    entries, outcomes = measure(
        checked,
        y,
        splits,
        methods,
        preprocessing=(shared_transformer, scaling),
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return tabulate(entries, outcomes)


def measure(
    views: Mapping[str, Any],
    y: ArrayLike,
    splits: list[CategorySplit],
    methods: Any = None,
    *,
    preprocessing: tuple[Any, Any] = ("auto", "auto"),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[Entry], list[list[Outcome]]]:
    """Fit all methods in all settings; see :func:`compare_retrieval`.

    Parameters
    ----------
    views : mapping of str to {ndarray, sparse matrix}
        Checked views.
    y : array-like of shape (n_samples,)
        Categories.
    splits : list of CategorySplit
        The splits.
    methods : dict or list, default=None
        What to compare.
    preprocessing : tuple, default=("auto", "auto")
        The parameters `shared_transformer` and `scaling`.
    n_jobs : int, default=None
        How many fits run at the same time.
    verbose : int, default=0
        Whether to show the progress.

    Returns
    -------
    entries : list of Entry
        Lines of the table.
    outcomes : list of list of Outcome
        For every line, what came of each split.
    """
    entries = [
        Entry(name, setting, estimator)
        for name, estimator in prepared(
            named_methods(methods, len(views)), views, splits, *preprocessing
        )
        for setting in settings_of(estimator)
    ]
    reference = reference_method(len(views))
    if (reference, "new") not in [entry[:2] for entry in entries]:
        named = [(reference, method_named(reference))]
        ((_, estimator),) = prepared(named, views, splits, *preprocessing)
        entries.append(Entry(reference, "new", estimator))
    calls = (
        (entry.estimator, entry.setting, views, y, split)
        for entry in entries
        for split in splits
    )
    names = [f"{entry.method}, {entry.setting}" for entry in entries for _ in splits]
    flat = run_all(evaluate, calls, names, n_jobs=n_jobs, verbose=verbose)
    n = len(splits)
    return entries, [flat[i * n : (i + 1) * n] for i in range(len(entries))]


def tabulate(entries: list[Entry], outcomes: list[list[Outcome]]) -> pd.DataFrame:
    """Put all scores into a table; see :func:`compare_retrieval`."""
    pandas = import_optional("pandas", "skda.compare_retrieval returns a table")
    directions = list(outcomes[0][0].curves)
    n_views = len({end for d in directions for end in d.split(" -> ")})
    by_entry = {e[:2]: o for e, o in zip(entries, outcomes, strict=True)}
    reference = _scores(by_entry[reference_method(n_views), "new"], "mAP")
    rows = [
        _summary(entry.method, entry.setting, of_entry, reference)
        for entry, of_entry in zip(entries, outcomes, strict=True)
    ]
    luck = [
        Outcome({"mAP": o.scores["chance"]} | dict.fromkeys(directions, c), {}, 0.0)
        for o in outcomes[0]
        for c in [o.scores["chance"]]
    ]
    rows.append(_summary(CHANCE, "-", luck, reference))
    return pandas.DataFrame(rows)


def _scores(outcomes: list[Outcome], name: str) -> Any:
    return np.array([outcome.scores[name] for outcome in outcomes])


def _summary(
    method: str, setting: str, outcomes: list[Outcome], reference: Any
) -> dict[str, Any]:
    """Average over the splits."""
    n_splits = len(outcomes)
    many = n_splits > 1
    scores = _scores(outcomes, "mAP")
    differences = scores - reference
    spread = float(np.std(differences, ddof=1)) / n_splits**0.5 if many else np.nan
    directions = [d for d in outcomes[0].scores if " -> " in d]
    return {
        "method": method,
        "setting": setting,
        "mAP": float(scores.mean()),
        "std": float(np.std(scores, ddof=1)) if many else np.nan,
        **{d: float(_scores(outcomes, d).mean()) for d in directions},
        "difference": float(differences.mean()),
        "standard_error": spread,
        "n_splits": n_splits,
        "seconds": float(np.mean([outcome.seconds for outcome in outcomes])),
        "mAPs": tuple(scores.tolist()),
    }
