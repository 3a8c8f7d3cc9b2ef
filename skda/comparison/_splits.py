"""Splits: which labels are hidden, or which categories new, and who is judged where."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skda.datasets import label_few
from skda.utils.labels import check_labels
from skda.utils.warnings import warn_user

__all__ = [
    "CategorySplit",
    "LabelSplit",
    "category_splits",
    "label_splits",
    "warn_of_few",
]

#: Fewer categories leave a half in which there is nothing to tell apart.
FEWEST_CATEGORIES = 4
#: With fewer test rows, one of them is worth more than most methods differ by.
FEWEST_TEST_ROWS = 30


class LabelSplit(NamedTuple):
    """What the methods may see of the labels, and where they are tested.

    Parameters
    ----------
    seed : int
        Seed of the draw, and of every method fitted to it.
    y : ndarray of shape (n_target,)
        Labels, all hidden but a few, or all.
    hidden : ndarray of shape (n_target,)
        Rows whose label was hidden.
    y_hidden : ndarray of shape (n_hidden,)
        Their true labels.
    """

    seed: int
    y: NDArray[Any]
    hidden: NDArray[np.bool_]
    y_hidden: NDArray[Any]


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


def label_splits(
    X: Any,
    y: ArrayLike,
    n_splits: int,
    n_per_class: int,
    random_state: int | np.random.RandomState | None,
) -> list[LabelSplit]:
    """Draw the labels that are left, once per split; with 0 per class, none is."""
    truth = check_labels(y, X)
    splits = []
    for seed in _draw_seeds(n_splits, random_state):
        y_few = label_few(y, n_per_class, random_state=seed)
        hidden = truth.known & ~check_labels(y_few, X).known
        if not hidden.any():
            raise ValueError(
                f"Expected labels to hide and judge by, but n_per_class={n_per_class} "
                f"leaves them all: lower it."
            )
        splits.append(
            LabelSplit(seed, y_few, hidden, truth.values[hidden[truth.known]])
        )
    warn_of_few(min(int(split.hidden.sum()) for split in splits), "rows")
    return splits


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
    seeds = _draw_seeds(n_splits, random_state)
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
    return [_draw(known, codes, given, test_size, seed) for seed in seeds]


def warn_of_few(n_rows: int, what: str) -> None:
    """Say that a figure rests on too few rows to mean much."""
    if n_rows < FEWEST_TEST_ROWS:
        warn_user(
            f"There are only {n_rows} {what} to judge by, of which one is "
            f"{100 / n_rows:.1f} % of the figure: small differences mean nothing. Take "
            f"at least {FEWEST_TEST_ROWS} of known class."
        )


def _draw_seeds(
    n_splits: int, random_state: int | np.random.RandomState | None
) -> list[int]:
    """Draw a seed per split; more splits begin with those of fewer."""
    if n_splits < 1:
        raise ValueError(f"Expected n_splits to be at least 1, got {n_splits}.")
    rng = check_random_state(random_state)
    return rng.randint(np.iinfo(np.int32).max, size=n_splits).tolist()


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
