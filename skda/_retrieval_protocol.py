"""The protocol of retrieval: which categories are new, and where methods are judged."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import sklearn
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_array

from skda._protocol import seeded_clone
from skda.metrics import (
    chance_average_precision,
    mean_average_precision_score,
    retrieval_precision_recall_curve,
)
from skda.metrics._scorers import embeddings_by_view
from skda.utils.labels import check_labels
from skda.utils.views import count_pairs, stack_rows
from skda.utils.warnings import NoSourceWarning

__all__ = [
    "SETTINGS",
    "CategorySplit",
    "Outcome",
    "category_splits",
    "check_views",
    "evaluate",
    "fit_in_setting",
    "retrieval_scores",
]

#: What a method is fitted to, by setting; S are the known categories, T the new ones.
SETTINGS = {
    "source": "labeled pairs of the known categories alone",
    "source + new": "labeled pairs of the known, unlabeled pairs of the new categories",
    "pairs": "the same pairs, all unlabeled",
    "new": "unlabeled pairs of the new categories alone",
}
#: Fewer categories leave a half in which there is nothing to tell apart.
FEWEST_CATEGORIES = 4


class CategorySplit(NamedTuple):
    """Rows by what becomes of them; other rows are not used.

    Parameters
    ----------
    source : ndarray of shape (n_source,)
        Training rows of the known categories.
    new : ndarray of shape (n_new,)
        Training rows of the new categories.
    test : ndarray of shape (n_test,)
        Test rows of the new categories.
    seed : int
        Seed of the draw, and of every method fitted to it.
    """

    source: NDArray[np.intp]
    new: NDArray[np.intp]
    test: NDArray[np.intp]
    seed: int


class Outcome(NamedTuple):
    """What came of one fit.

    Parameters
    ----------
    scores : dict of str to float
        What :func:`retrieval_scores` returns.
    curves : dict of str to ndarray of shape (101,)
        Interpolated precision over recall, by direction.
    seconds : float
        Time to fit and to embed the test rows.
    """

    scores: dict[str, float]
    curves: dict[str, NDArray[np.float64]]
    seconds: float


def check_views(views: Mapping[str, Any], y: ArrayLike) -> dict[str, Any]:
    """Check paired views, of which rows will be taken, against their labels."""
    if not isinstance(views, Mapping) or len(views) < 2:
        raise ValueError(
            f"Expected a mapping of two views or more by name, such as "
            f"{{'image': A, 'text': T}}, got "
            f"{list(views) if isinstance(views, Mapping) else type(views).__name__}."
        )
    checked = {
        name: check_array(X, accept_sparse="csr", input_name=f"view {name!r}")
        for name, X in views.items()
    }
    count_pairs(checked)
    check_consistent_length(*checked.values(), y)
    return checked


def category_splits(
    y: ArrayLike,
    n_splits: int,
    *,
    test: ArrayLike | None = None,
    test_size: float = 0.25,
    random_state: int | np.random.RandomState | None = 0,
) -> list[CategorySplit]:
    """Draw, for each split, the categories that are known, and the rows for tests.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Categories; rows without one are not used.
    n_splits : int
        How many times to draw. More splits begin with those of fewer.
    test : array-like of bool of shape (n_samples,), default=None
        Rows for tests, the same in all splits. None draws them.
    test_size : float, default=0.25
        Share of every category to draw for tests.
    random_state : int, RandomState instance or None, default=0
        Seed of the splits.

    Returns
    -------
    list of CategorySplit
        The splits. Half of the categories are known, of an odd number the smaller half.
    """
    labels = check_labels(y, y)
    if n_splits < 1:
        raise ValueError(f"Expected n_splits to be at least 1, got {n_splits}.")
    if not 0 < test_size < 1:
        raise ValueError(f"Expected test_size between 0 and 1, got {test_size}.")
    known = np.flatnonzero(labels.known)
    categories, codes = np.unique(labels.values, return_inverse=True)
    if len(categories) < FEWEST_CATEGORIES:
        raise ValueError(
            f"Expected at least {FEWEST_CATEGORIES} categories, of which half are "
            f"taken for new, got {len(categories)}: {categories.tolist()}."
        )
    given = None if test is None else _check_test(test, labels.known)
    rng = check_random_state(random_state)
    return [
        _draw(known, codes, given, test_size, seed)
        for seed in rng.randint(np.iinfo(np.int32).max, size=n_splits).tolist()
    ]


def _check_test(test: ArrayLike, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.asarray(test)
    if mask.shape != known.shape or mask.dtype != bool:
        raise ValueError(
            f"Expected test to be a mask of {len(known)} booleans, one per row, got "
            f"an array of shape {mask.shape} and type {mask.dtype}."
        )
    return mask[known]


def _draw(
    rows: NDArray[np.intp],
    codes: NDArray[np.intp],
    test: NDArray[np.bool_] | None,
    test_size: float,
    seed: int,
) -> CategorySplit:
    """Draw one split; codes and test are those of the labeled rows."""
    rng = np.random.RandomState(seed)
    order = rng.permutation(codes.max() + 1)
    in_source = np.isin(codes, order[: len(order) // 2])
    if test is None:
        test = np.zeros(len(rows), dtype=bool)
        for category in range(len(order)):
            members = rng.permutation(np.flatnonzero(codes == category))
            test[members[: round(test_size * len(members))]] = True
    parts = {
        "pairs of known categories to train on": rows[in_source & ~test],
        "pairs of new categories to train on": rows[~in_source & ~test],
        "pairs of new categories to test on": rows[~in_source & test],
    }
    for what, part in parts.items():
        if len(part) < 2:
            raise ValueError(
                f"Expected at least two {what}, got {len(part)}: change the test rows."
            )
    source, new, kept = parts.values()
    return CategorySplit(source, new, kept, seed)


def fit_in_setting(
    estimator: Any,
    setting: str,
    views: Mapping[str, Any],
    y: ArrayLike,
    split: CategorySplit,
) -> Any:
    """Fit a seeded clone to what a setting shows of a split.

    Parameters
    ----------
    estimator : retriever
        The unfitted method, or a pipeline or search around one.
    setting : str
        One of :data:`SETTINGS`.
    views : mapping of str to {ndarray, sparse matrix}
        Paired views.
    y : array-like of shape (n_samples,)
        Categories.
    split : CategorySplit
        Which rows are what.

    Returns
    -------
    object
        The fitted clone. No category of a new pair was shown to it.
    """
    if setting not in SETTINGS:
        raise ValueError(f"Expected a setting out of {list(SETTINGS)}, got {setting}.")
    known, new = (_rows(views, part) for part in (split.source, split.new))
    y_known = np.asarray(y)[split.source]
    both = {name: stack_rows(X, new[name]) for name, X in known.items()}
    X, labels, source = {
        "source": (known, y_known, {}),
        "source + new": (new, None, {"source": (known, y_known)}),
        "pairs": (both, None, {}),
        "new": (new, None, {}),
    }[setting]
    # Only routing takes a source through pipelines and searches; None leaves it be.
    routing = sklearn.config_context(enable_metadata_routing=bool(source) or None)
    with routing, warnings.catch_warnings():
        if not source:  # on purpose
            warnings.simplefilter("ignore", NoSourceWarning)
        return seeded_clone(estimator, split.seed).fit(X, labels, **source)


def retrieval_scores(
    estimator: Any,
    setting: str,
    views: Mapping[str, Any],
    y: ArrayLike,
    split: CategorySplit,
) -> dict[str, float]:
    """Fit a method, and judge it on the test rows of the new categories.

    Queries and gallery are the test rows of two views, partners included, as in the
    code of most papers.

    Parameters
    ----------
    estimator : retriever
        The unfitted method.
    setting : str
        One of :data:`SETTINGS`.
    views : mapping of str to {ndarray, sparse matrix}
        Paired views.
    y : array-like of shape (n_samples,)
        Categories.
    split : CategorySplit
        Which rows are what.

    Returns
    -------
    dict of str to float
        Mean average precision over the full ranking, for each direction, such as
        "image -> text"; their mean, "mAP"; and "chance", that of a random ranking.
    """
    return evaluate(estimator, setting, views, y, split).scores


def evaluate(
    estimator: Any,
    setting: str,
    views: Mapping[str, Any],
    y: ArrayLike,
    split: CategorySplit,
) -> Outcome:
    """Measure scores, curves and seconds; see :func:`retrieval_scores`."""
    start = time.perf_counter()
    try:
        fitted = fit_in_setting(estimator, setting, views, y, split)
        embeddings = embeddings_by_view(fitted, _rows(views, split.test))
    except Exception as error:
        error.add_note(f"While comparing {type(estimator).__name__}, {setting}.")
        raise
    seconds = time.perf_counter() - start
    y_test = np.asarray(y)[split.test]
    scores, curves = {}, {}
    for query, gallery in permutations(embeddings, 2):
        ranking = y_test, y_test, embeddings[query], embeddings[gallery]
        direction = f"{query} -> {gallery}"
        scores[direction] = mean_average_precision_score(*ranking)
        curves[direction], _ = retrieval_precision_recall_curve(*ranking)
    scores["mAP"] = float(np.mean(list(scores.values())))
    scores["chance"] = chance_average_precision(y_test, y_test)
    return Outcome(scores, curves, seconds)


def _rows(views: Mapping[str, Any], rows: NDArray[np.intp]) -> dict[str, Any]:
    return {name: X[rows] for name, X in views.items()}
