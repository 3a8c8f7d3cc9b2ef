"""Tests of the weights of a committee's members."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skda.auto._panel import starting_weights
from skda.auto._votes import (
    agreement_weights,
    are_absent,
    average,
    find_absent,
    prior_weights,
)


def one_hot(*codes, n_classes=2):
    return np.eye(n_classes)[list(codes)]


def test_average_divides_by_the_sum_of_the_weights():
    members = {"a": one_hot(0, 0), "b": one_hot(1, 0)}

    assert_allclose(average(members, {"a": 3.0, "b": 1.0}), [[0.75, 0.25], [1, 0]])


def test_a_member_that_disagrees_counts_less():
    members = {
        "a": one_hot(0, 0, 1, 1),
        "b": one_hot(0, 0, 1, 1),
        "c": one_hot(0, 1, 1, 1),
    }
    weights, agreement = agreement_weights(members, dict.fromkeys("abc", 1.0))
    total = 2 / 0.02 + 1 / 0.27

    assert agreement == {"a": 1.0, "b": 1.0, "c": 0.75}
    assert weights == pytest.approx(
        {"a": 50 / total, "b": 50 / total, "c": 1 / 0.27 / total}
    )


def test_members_start_from_their_strengths():
    members = {"a": one_hot(0, 0), "b": one_hot(1, 1), "c": one_hot(1, 1)}
    weights, agreement = agreement_weights(members, {"a": 3.0, "b": 1.0, "c": 1.0})

    assert agreement == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert weights["a"] == pytest.approx((3 / 0.02) / (3 / 0.02 + 2 / 1.02))


def test_prior_weights_are_those_of_the_formula():
    starts = {"a": 1, "b": 2, "c": 1, "d": 1}
    accuracy = {"a": 0.9, "b": 0.7, "c": 1.0, "d": 0.4}
    found = prior_weights(starts, accuracy, best=0.9, largest=0.5)

    assert found == pytest.approx(
        {
            "a": 1.02 / 0.15,
            "b": 2 * (0.25 + 0.02) / 0.35,
            "c": 1.02 / 0.15,  # no better than the best that was left out
            "d": 0.02 / 0.65,  # below the largest class
        }
    )


def test_plain_members_count_more_where_the_domains_are_close():
    names = ["kernel, standard", "kernel, domain", "projection, unit"]

    assert starting_weights(names, 1.0) == {
        "kernel, standard": 0.4,
        "kernel, domain": 0.4,
        "projection, unit": 1.0,
    }
    assert starting_weights(names, 0.5)["kernel, standard"] == pytest.approx(4.4)
    assert starting_weights(names, 0.5)["kernel, domain"] == 0.4


def test_absent_classes_are_found_rarely_and_unsurely():
    ensemble = np.full((20, 3), 0.0)
    ensemble[:18] = [0.9, 0.1, 0.0]
    ensemble[18] = [0.1, 0.9, 0.0]  # one row of a class that is merely rare
    ensemble[19] = [0.2, 0.3, 0.5]  # and one that nothing fits
    codes = np.repeat([0, 1, 2], 5)

    assert_array_equal(find_absent(ensemble, codes, 0.5, 0.85), [False, False, True])
    assert_array_equal(find_absent(ensemble, codes, 0.5, 0.5), [False, False, False])
    assert_array_equal(find_absent(ensemble, codes, 0.1, 0.85), [False, False, False])
    # Less than a fifth of the least share is next to none, however sure.
    assert_array_equal(find_absent(ensemble, codes, 0.9, 0.5), [False, True, True])


def test_a_class_without_rows_is_absent():
    ensemble = one_hot(0, 0, 1, 1, n_classes=3)

    assert_array_equal(
        find_absent(ensemble, np.array([0, 1, 2]), 0.5, 0.85), [False, False, True]
    )


def opinion(n_rows, confidence):
    """Make 20 rows of three classes, of which the last one has so many."""
    ensemble = np.tile([0.9, 0.1, 0.0], (20, 1))
    ensemble[:n_rows] = [0.0, 1 - confidence, confidence]
    return ensemble


@pytest.mark.parametrize(
    ("n_rows", "confidence", "expected"),
    [(0, 0.6, True), (2, 0.6, True), (2, 0.9, False), (4, 0.6, False)],
    ids=["none", "few and unsure", "few but sure", "unsure but not few"],
)
def test_a_second_opinion_keeps_classes_that_it_finds(n_rows, confidence, expected):
    codes, suspects = np.repeat([0, 1, 2], 5), np.array([False, False, True])
    ensemble = opinion(n_rows, confidence)

    assert are_absent(ensemble, codes, suspects, 0.5, 0.85) is expected


def test_classes_left_out_are_judged_together():
    codes = np.repeat([0, 1, 2], 5)
    ensemble = opinion(4, 0.6)  # 0.6 of its share, but 0.3 of that of two classes

    assert are_absent(ensemble, codes, np.array([False, True, True]), 0.5, 0.85)
