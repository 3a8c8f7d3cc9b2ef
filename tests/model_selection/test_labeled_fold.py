"""Tests of `skda.model_selection.LabeledFold`."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from skorch.helper import SliceDict

from skda.baselines import TargetOnly
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED

X, Y_TRUE = load_iris(return_X_y=True)
X, Y_TRUE = X[::3], Y_TRUE[::3]
KNOWN = np.arange(50) % 5 < 3
Y = np.where(KNOWN, Y_TRUE, UNLABELED)
GROUPS = np.arange(50) % 7
NAMES = np.array(["ant", "bee", "cat"], dtype=object)

SPLITTERS = [
    StratifiedKFold(3, shuffle=True, random_state=0),
    KFold(4),
    RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
    ShuffleSplit(3, train_size=0.3, test_size=0.2, random_state=0),
    StratifiedShuffleSplit(3, random_state=0),
    LeaveOneOut(),
    TimeSeriesSplit(3),
    GroupKFold(3),
    StratifiedGroupKFold(3),
    GroupShuffleSplit(3, random_state=0),
    LeaveOneGroupOut(),
    LeavePGroupsOut(2),
]


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def _groups(cv):
    """Groups for the splitters that do not warn of them."""
    return GROUPS if "Group" in repr(cv) else None


# The splits


@pytest.mark.parametrize("cv", [*SPLITTERS, PredefinedSplit(GROUPS - 1)], ids=repr)
def test_without_unlabeled_rows_the_splits_are_those_of_the_splitter(cv):
    data = X, Y_TRUE, _groups(cv)
    splits, expected = LabeledFold(cv).split(*data), cv.split(*data)

    for ours, theirs in zip(splits, expected, strict=True):
        assert_array_equal(np.concatenate(ours), np.concatenate(theirs))
        assert_array_equal(ours[1], theirs[1])
    assert LabeledFold(cv).get_n_splits(*data) == cv.get_n_splits(*data)


def test_a_number_of_folds_is_stratified():
    ours, stratified = LabeledFold(4).split(X, Y_TRUE), StratifiedKFold(4)

    for (_, test), (_, expected) in zip(ours, stratified.split(X, Y_TRUE), strict=True):
        assert_array_equal(test, expected)


@pytest.mark.parametrize("cv", [3, *SPLITTERS, PredefinedSplit(GROUPS - 1)], ids=repr)
def test_unlabeled_rows_are_in_every_training_set_and_in_no_test_set(cv):
    data = X, Y, _groups(cv)
    splits = list(LabeledFold(cv).split(*data))

    assert len(splits) == LabeledFold(cv).get_n_splits(*data)
    for train, test in splits:
        assert KNOWN[test].all()
        assert np.isin(np.flatnonzero(~KNOWN), train).all()
        assert not np.isin(train, test).any()
        assert len(np.unique(train)) == len(train)


@pytest.mark.parametrize("cv", SPLITTERS, ids=repr)
def test_labeled_rows_are_split_as_if_they_were_alone(cv):
    rows, groups = np.flatnonzero(KNOWN), _groups(cv)
    alone = cv.split(X[KNOWN], Y[KNOWN], None if groups is None else groups[KNOWN])

    splits = LabeledFold(cv).split(X, Y, groups)

    for (train, test), expected in zip(splits, alone, strict=True):
        assert_array_equal(train[KNOWN[train]], rows[expected[0]])
        assert_array_equal(test, rows[expected[1]])


def test_predefined_folds_are_those_of_all_rows():
    test_fold = np.arange(50) % 3 - 1

    for k, (_, test) in enumerate(LabeledFold(PredefinedSplit(test_fold)).split(X, Y)):
        assert_array_equal(test, np.flatnonzero(KNOWN & (test_fold == k)))


@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
@pytest.mark.parametrize(
    ("names", "missing"),
    [(NAMES, missing) for missing in (None, np.nan, pd.NA)]
    + [(np.arange(3).astype(object), UNLABELED)]
    + [(np.arange(3).astype(object), missing) for missing in (None, np.nan, pd.NA)],
)
def test_labels_of_every_kind_may_be_missing(container, names, missing):
    y = container(np.where(KNOWN, names[Y], missing))

    splits = zip(LabeledFold(3).split(X, y), LabeledFold(3).split(X, Y), strict=True)

    for (train, test), (expected_train, expected_test) in splits:
        assert_array_equal(train, expected_train)
        assert_array_equal(test, expected_test)


@pytest.mark.parametrize(
    "container", [np.ndarray.tolist, csr_array, pd.DataFrame, lambda X: SliceDict(a=X)]
)
def test_samples_of_every_kind_are_counted(container):
    assert LabeledFold(LeaveOneOut()).get_n_splits(container(X), Y) == KNOWN.sum()
    assert len(list(LabeledFold(3).split(container(X), Y))) == 3


def test_the_number_of_folds_is_known_without_data():
    assert LabeledFold(7).get_n_splits() == 7
    assert LabeledFold(KFold(4)).get_n_splits() == 4


# In scikit-learn


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()], ids=repr)
@pytest.mark.parametrize("container", [list, np.asarray, pd.Series])
def test_groups_reach_the_splitter_through_cross_validation(routed, cv, container):
    groups = {"groups": container([f"group {g}" for g in GROUPS])}
    given = {"params": groups} if routed else groups

    result = cross_validate(
        TargetOnly(), X, Y, cv=LabeledFold(cv), return_indices=True, **given
    )

    for train, test in zip(*result["indices"].values(), strict=True):
        labeled = train[KNOWN[train]]
        assert not np.isin(GROUPS[labeled], GROUPS[test]).any()


@pytest.mark.usefixtures("routed")
@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_a_search_scores_labeled_rows_only(scoring):
    y = np.where(KNOWN, NAMES[Y], None)
    cv = LabeledFold(3)
    search = GridSearchCV(
        TargetOnly(), {"estimator": [None]}, cv=cv, scoring=scoring, error_score="raise"
    )

    search.fit(X, y)

    expected = [
        TargetOnly().fit(X[train], y[train]).score(X[test], y[test])
        for train, test in cv.split(X, y)
    ]
    assert search.best_score_ == pytest.approx(np.mean(expected))


def test_it_can_be_shown_copied_and_stored():
    cv = LabeledFold(KFold(4))

    for copy in (cv, clone(cv, safe=False), pickle.loads(pickle.dumps(cv))):  # noqa: S301
        assert repr(copy) == repr(cv)
        assert copy.get_n_splits() == 4
    assert repr(LabeledFold()) == "LabeledFold(cv=5)"
    assert "KFold(n_splits=4" in repr(cv)


# Bad input


@pytest.mark.parametrize("cv", ["split", [([0], [1])], 2.5, None])
def test_only_numbers_and_splitters_are_wrapped(cv):
    with pytest.raises(TypeError, match="number of folds or a splitter, got"):
        LabeledFold(cv)


@pytest.mark.parametrize("method", ["split", "get_n_splits"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "LabeledFold requires y"),
        ([UNLABELED] * 50, "LabeledFold has no row to test on"),
        ([0, 1], "inconsistent numbers of samples"),
    ],
)
def test_without_labels_there_is_nothing_to_split(method, y, message):
    with pytest.raises(ValueError, match=message):
        np.fromiter(getattr(LabeledFold(2), method)(X, y), dtype=object)


def test_groups_have_a_length():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(LabeledFold(GroupKFold(2)).split(X, Y, GROUPS[:-1]))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1] + 48 * [UNLABELED], r"n_samples=2(.|\n)*only the 2 labeled ones of 50"),
        (3 * [0] + 2 * [1] + 45 * [UNLABELED], "number of members in each class"),
    ],
)
def test_too_few_labels_for_the_folds_are_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        next(LabeledFold(5).split(X, y))


def test_a_class_with_fewer_labels_than_folds_is_told():
    y = 5 * [0] + 2 * [1] + 43 * [UNLABELED]
    with pytest.warns(UserWarning, match="least populated class in y has only 2 memb"):
        next(LabeledFold(5).split(X, y))
