"""Tests of `skda.utils.labels`."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skda.utils.labels import (
    check_labels,
    labeled_accuracy,
    union_of_classes,
    warn_about_missing_classes,
)

X = np.zeros((4, 1))


@pytest.mark.parametrize(
    "y",
    [
        [3, -1, 5, -1],
        [3.0, np.nan, 5.0, -1.0],
        pd.Series([3, pd.NA, 5, None], dtype="Int64"),
        np.array([3, None, 5, np.nan], dtype=object),
    ],
)
def test_whole_numbers_in_every_dress(y):
    known, values = check_labels(y, X)

    assert_array_equal(known, [True, False, True, False])
    assert_array_equal(values, [3, 5])
    assert values.dtype.kind == "i"


def test_truth_values_are_classes():
    known, values = check_labels([True, False, True, False], X)

    assert known.all()
    assert_array_equal(union_of_classes(*[check_labels(values, X)] * 2), [False, True])


@pytest.mark.parametrize("y", [["a", 1, "b", -1], np.array(["a", 2.5, None, "b"], "O")])
def test_names_and_numbers_in_one_domain_are_an_error(y):
    with pytest.raises(
        ValueError, match=r"labels of one kind, got 2 names and 1 others"
    ):
        check_labels(y, X)


def test_infinite_labels_are_an_error():
    with pytest.raises(ValueError, match="Input y contains infinity"):
        check_labels([0.0, np.inf, 1.0, 2.0], X)


def test_fractions_are_no_classes():
    labels = check_labels([0.5, 0.25, 0.1, -1], X)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        union_of_classes(labels, labels)


def test_as_many_labels_as_rows():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_labels([0, 1], X)


def test_codes_and_memberships_mark_the_unknown():
    labels = check_labels(["b", None, "a", "b"], X)
    classes = np.array(["a", "b", "c"])

    assert_array_equal(labels.codes(classes), [1, -1, 0, 1])
    assert_array_equal(
        labels.memberships(classes), [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0]]
    )


def test_every_missing_class_is_named():
    labels = check_labels([0, 0, 2, -1], X)
    with pytest.warns(UserWarning, match="No target sample is labeled 1, 3"):
        warn_about_missing_classes(np.arange(4), target=labels)


def test_accuracy_counts_labeled_rows_by_weight():
    y, y_pred = [1, -1, 0, 1], np.array([1, 1, 1, 1])

    assert labeled_accuracy(y, y_pred) == pytest.approx(2 / 3)
    assert labeled_accuracy(y, y_pred, [1, 9, 3, 0]) == pytest.approx(1 / 4)


# Marks of unlabeled samples that are none


@pytest.mark.parametrize(
    "y",
    [
        ["dog", "cat", "dog", -1],
        np.array(["dog", "cat", "dog", -1], dtype=object),
        np.array(["dog", "cat", -1.0, None], dtype=object),
        pd.Series(["dog", "cat", np.int64(-1), None], dtype=object),
    ],
)
def test_minus_one_beside_names_is_an_error_that_says_how_to_mark(y):
    expected = r"got -1 for 1 of 4 samples in y: mark unlabeled samples by None, NaN"
    with pytest.raises(ValueError, match=expected):
        check_labels(y, X)


@pytest.mark.parametrize("mark", ["-1", " -1 ", "-1.0", "", "  ", "\t"])
@pytest.mark.parametrize("others", [["dog", "cat", None], ["0", "1", "0"]])
@pytest.mark.parametrize(
    "convert",
    [
        lambda y: np.array(y, dtype=object),
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pd.Series(y, dtype="category"),
        lambda y: np.array([str(label).encode() for label in y]),
    ],
    ids=["objects", "strings", "categories", "bytes"],
)
@pytest.mark.filterwarnings("ignore:The labels in y have 'None'")
def test_strings_that_mark_nothing_are_an_error(mark, others, convert):
    expected = re.escape(f"got {mark!r} in y: mark unlabeled samples by None")
    with pytest.raises(ValueError, match=expected):
        check_labels(convert([mark, *others]), X)


@pytest.mark.parametrize("name", ["nan", "NaN", "NaT", "None", "<NA>"])
def test_spoiled_missing_values_stay_classes_with_a_warning(name):
    with pytest.warns(UserWarning, match=f"have '{name}', a string, which is taken"):
        known, values = check_labels(["dog", name, "cat", name], X)

    assert known.all()
    assert_array_equal(values, ["dog", name, "cat", name])


@pytest.mark.filterwarnings("error")
def test_names_that_only_look_like_marks_are_classes():
    names = ["none", "-10", "1-1", "nand"]

    assert_array_equal(check_labels(names, X).values, names)


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.array(["2026-01-01"] * 4, dtype="datetime64[D]"), r"datetime64\[D\]"),
        (pd.to_datetime(["2026-01-01", "2026-01-02"] * 2), r"datetime64\[.s\]"),
        (pd.to_datetime(["2026-01-01"] * 4, utc=True), "Timestamp"),
        (np.array([1, 2, 3, 4], dtype="timedelta64[h]"), r"timedelta64\[h\]"),
        ([date(2026, 1, 1), date(2026, 1, 2), None, None], "date"),
    ],
)
def test_dates_are_no_classes(y, kind):
    expected = rf"got dates or times \({kind}\) in y: make classes of them"
    with pytest.raises(ValueError, match=expected):
        check_labels(y, X)


@pytest.mark.parametrize("kind", [tuple, list, set, np.array])
def test_a_label_is_no_collection(kind):
    y = np.empty(4, dtype=object)
    y[:] = [kind([label]) for label in (-1, 0, 1, 2)]

    with pytest.raises(ValueError, match="Expected one name or number as the label of"):
        check_labels(y, X)
