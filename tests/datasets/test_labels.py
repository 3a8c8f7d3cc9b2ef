"""Tests of `skda.datasets.label_few` and `skda.datasets.noise_source`."""

from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from skda.datasets import label_few, noise_source
from skda.utils.labels import check_labels

KINDS = ["gaussian", "shuffled", "renamed", "class_gaussian"]
NAMES = ["a", "a", "a", "b", "b", "b", None, None]
NUMBERS = [0, 0, 0, 1, 1, 1, -1, -1]
LABELS = {
    "list of int": NUMBERS,
    "int": np.array(NUMBERS),
    "int32": np.array(NUMBERS, dtype=np.int32),
    "uint8, all known": np.array(NUMBERS[:6], dtype=np.uint8),
    "float with NaN": np.array([0, 0, 0, 1, 1, 1, np.nan, np.nan]),
    "bool, all known": np.array([False, False, False, True, True, True]),
    "list of names": NAMES,
    "str, all known": np.array(NAMES[:6]),
    "object": np.array(NAMES, dtype=object),
    "Series of int": pd.Series(NUMBERS, index=range(10, 18)),
    "Series with NA": pd.Series([*NUMBERS[:6], pd.NA, pd.NA], dtype="Int64"),
    "Series of names": pd.Series(NAMES),
    "categories": pd.Series(NAMES, dtype="category"),
}


@pytest.fixture
def source():
    """Twelve distinct rows of three classes, the last two of them unlabeled."""
    X = np.arange(36.0).reshape(12, 3)
    return X, np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, -1, -1])


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_as_many_rows_of_each_class_as_asked_keep_their_label(y):
    few = label_few(y, 2, random_state=0)
    known, values = check_labels(few, few)
    truth = np.asarray(y, dtype=object)

    assert len(few) == len(y)
    assert values.tolist() == truth[known].tolist()
    assert sorted(Counter(values.tolist()).values()) == [2, 2]


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_missing_labels_are_minus_one_among_numbers_and_none_among_names(y):
    few = label_few(y, 2, random_state=0)
    known, values = check_labels(few, few)
    numbers = isinstance(values[0], np.integer)

    assert few.dtype == (np.int64 if numbers else object)
    assert set(few[~known].tolist()) == {-1 if numbers else None}


def test_hiding_labels_leaves_the_argument_alone():
    y = np.array(NUMBERS)

    label_few(y, 1, random_state=0)

    assert_array_equal(y, NUMBERS)


def test_the_draw_depends_on_the_seed_alone():
    y = np.repeat([3, 7, 9], 50)
    names = np.array(["x", "y", "z"])[np.searchsorted([3, 7, 9], y)]
    few = label_few(y, 5, random_state=0)

    assert_array_equal(label_few(y, 5, random_state=0), few)
    assert (label_few(y, 5, random_state=1) != few).any()
    assert_array_equal(label_few(names, 5, random_state=0) != None, few >= 0)  # noqa: E711


def test_a_generator_draws_other_rows_every_time():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], 50)

    assert (label_few(y, 5, rng) != label_few(y, 5, rng)).any()


def test_every_labeled_row_can_be_drawn_and_no_other():
    drawn = [label_few(NUMBERS, 1, random_state=seed) >= 0 for seed in range(50)]

    assert_array_equal(np.any(drawn, axis=0), np.array(NUMBERS) >= 0)


@pytest.mark.parametrize("n_per_class", [0, 3])
def test_all_labels_or_none_may_be_kept(n_per_class):
    few = label_few(NUMBERS, n_per_class, random_state=0)

    assert_array_equal(few, NUMBERS if n_per_class else np.full(8, -1))


@pytest.mark.parametrize(
    ("y", "n_per_class", "error", "message"),
    [
        (
            ["a", "b", "b", "c", None],
            2,
            ValueError,
            "at least 2 labeled rows .*, got 1 of class 'a', 1 of class 'c': lower",
        ),
        ([-1, -1], 1, ValueError, "Every label is missing"),
        (None, 1, ValueError, "Every label is missing"),
        ([-1, 1, 1, -1], 1, ValueError, "recode them as {0, 1}"),
        ([0.5, 0.1, 0.7], 1, ValueError, "Unknown label type: continuous"),
        (["a", 1], 1, ValueError, "1 names and 1 others"),
        ([0, 1], -1, ValueError, "n_per_class == -1, must be >= 0"),
        ([0, 1], 1.0, TypeError, "n_per_class must be an instance of int"),
    ],
)
def test_labels_that_cannot_be_drawn_are_refused(y, n_per_class, error, message):
    with pytest.raises(error, match=message):
        label_few(y, n_per_class)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_noise_has_as_many_rows_of_each_class_and_none_where_there_was_none(kind, y):
    X, y_noise = noise_source(np.eye(len(y)), y, kind, random_state=0)
    (known, values), (noise_known, noise_values) = (
        check_labels(labels, X) for labels in (y, y_noise)
    )

    assert X.shape == (len(y), len(y))
    assert_array_equal(noise_known, known)
    assert Counter(noise_values.tolist()) == Counter(values.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_noise_depends_on_the_seed_alone(source, kind):
    X, y = (array.copy() for array in source)
    first, again, *others = (
        np.column_stack(noise_source(*source, kind, random_state=seed))
        for seed in (0, 0, 1, 2, 3, 4, 5)
    )

    assert_array_equal(first, again)
    assert (first != others).any()
    assert_array_equal(np.column_stack(source), np.column_stack((X, y)))


def test_gaussian_noise_knows_nothing_of_the_classes():
    y = np.repeat([0, 1], 2000)

    X, y_noise = noise_source(np.full((4000, 2, 3), 7), y, random_state=0)

    assert_array_equal(y_noise, y)
    assert X.shape == (4000, 2, 3)
    for k in range(2):
        np.testing.assert_allclose(X[y == k].mean(axis=0), 0, atol=0.1)
        np.testing.assert_allclose(X[y == k].std(axis=0), 1, atol=0.1)


@pytest.mark.parametrize("container", [csr_array, pd.DataFrame])
def test_gaussian_noise_needs_only_the_shape_of_the_source(source, container):
    X, y = source

    assert_array_equal(
        noise_source(container(X), y, random_state=0)[0],
        noise_source(X, y, random_state=0)[0],
    )


@pytest.mark.parametrize("kind", ["shuffled", "renamed"])
def test_real_rows_are_passed_on_as_they_are(source, kind):
    rows = csr_array(source[0])

    assert noise_source(rows, source[1], kind, random_state=0)[0] is rows


def test_shuffled_labels_stand_in_another_order():
    y = np.repeat([0, 1], 50)

    _, shuffled = noise_source(np.empty((100, 1)), y, "shuffled", random_state=0)

    assert 25 < np.sum(shuffled != y) < 75


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("seed", range(5))
def test_no_class_keeps_its_name_and_classes_stay_together(n_classes, seed):
    y = np.repeat(np.arange(n_classes), 2)

    _, renamed = noise_source(np.empty((len(y), 1)), y, "renamed", random_state=seed)

    assert (renamed != y).all()
    assert_array_equal(renamed[::2], renamed[1::2])
    assert_array_equal(np.sort(renamed), y)


def test_class_gaussian_noise_surrounds_one_mean_per_class():
    y = np.array([*np.repeat([0, 1, 2], 100), *np.full(30, -1)])

    X, y_noise = noise_source(np.empty((330, 400)), y, "class_gaussian", random_state=0)
    means = np.stack([X[y == k].mean(axis=0) for k in range(3)])
    distances = np.linalg.norm(X[:, None] - means, axis=2)  # (n, 3)
    nearest = distances.argmin(axis=1)

    assert_array_equal(y_noise, y)
    assert_array_equal(nearest[:300], y[:300])
    assert set(nearest[300:]) == {0, 1, 2}
    np.testing.assert_allclose(distances.min(axis=1), np.sqrt(400), rtol=0.2)
    np.testing.assert_allclose(means.std(axis=1), 1, rtol=0.2)


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        ([0, 1, 2], "uniform", "one of .'gaussian', .*, got 'uniform'"),
        ([0, 0, 0], "gaussian", "at least two classes in y_source, got only 0"),
        ([-1, -1, -1], "gaussian", "Every label is missing"),
        ([0, 1], "gaussian", "inconsistent numbers of samples"),
    ],
)
def test_a_source_that_is_no_source_is_refused(y, kind, message):
    with pytest.raises(ValueError, match=message):
        noise_source(np.eye(3), y, kind)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("kind", ["gaussian", "class_gaussian"])
def test_noise_in_a_frame_has_its_columns(frame, kind):
    table = {"size": [1.0, 2.0, 3.0, 4.0], "color": ["red", "red", "blue", "green"]}
    X, y = noise_source(frame(table), [0, 0, 1, 1], kind, random_state=0)

    assert type(X) is frame
    assert list(X.columns) == ["size", "color"]
    assert sorted(X["color"]) == sorted(table["color"])
    assert list(X["size"]) != table["size"]
    assert y.tolist() == [0, 0, 1, 1]
