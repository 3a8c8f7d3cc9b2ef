"""Tests of `skda.utils.promotion`."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain

#: Five rows of class 0 and two of class 2, by falling margin within each class.
SCORES = np.array(
    [
        [9.0, 0.0, 0.0],
        [8.0, 0.0, 0.0],
        [7.0, 0.0, 0.0],
        [6.0, 0.0, 0.0],
        [5.0, 0.0, 0.0],
        [0.0, 0.0, 0.2],
        [0.0, 0.0, 0.1],
    ]
)
ROWS = np.random.default_rng(0).permutation(7)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, [-1, -1, -1, -1, -1, -1, -1]),
        (0.1, [0, -1, -1, -1, -1, 2, -1]),
        (0.5, [0, 0, 0, -1, -1, 2, -1]),
        (0.8 * 3 / 3, [0, 0, 0, 0, -1, 2, 2]),
        (1, [0, 0, 0, 0, 0, 2, 2]),
    ],
)
def test_every_predicted_class_is_labeled_alike(share, expected):
    assert_array_equal(most_certain(SCORES, share), expected)
    assert_array_equal(most_certain(SCORES[ROWS], share), np.array(expected)[ROWS])


def test_certainty_is_the_margin_and_not_the_score():
    scores = np.array([[9.0, 8.0, 0.0], [4.0, 1.0, 0.0]])

    assert_array_equal(most_certain(scores, 0.5), [UNLABELED, 0])


def test_among_equals_the_first_rows_are_labeled():
    assert_array_equal(most_certain(np.eye(2)[[0, 0, 0]], 0.6), [0, 0, UNLABELED])


@pytest.mark.parametrize("n_rows", [0, 2])
def test_a_single_class_is_certain(n_rows):
    assert_array_equal(most_certain(np.ones((n_rows, 1)), 1), np.zeros(n_rows))


def test_the_share_may_be_one_of_given_counts():
    labels = most_certain(SCORES, 0.5, counts=np.array([3.0, 2.0, 9.0]))

    assert_array_equal(labels, [0, 0, -1, -1, -1, 2, 2])  # ceil(1.5), and all there are


def test_rows_that_may_be_of_any_class_are_left_unlabeled():
    labels = most_certain(np.array([[0.5, 0.5], [0.4, 0.6], [0.5 + 1e-12, 0.5]]), 1)

    assert_array_equal(labels, [-1, 1, -1])
