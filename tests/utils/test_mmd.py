"""Tests of `skda.utils.mmd`."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skda.utils.mmd import mmd_coefficients

RNG = np.random.default_rng(0)
SOURCE, TARGET = RNG.integers(3, size=12), RNG.integers(-1, 3, size=9)
ROWS = RNG.normal(size=(21, 4))


def test_a_product_is_the_difference_of_the_means():
    E = mmd_coefficients(SOURCE, TARGET, 3)
    X_s, X_t = ROWS[:12], ROWS[12:]
    of_classes = [
        X_s[k == SOURCE].mean(axis=0) - X_t[k == TARGET].mean(axis=0) for k in range(3)
    ]

    assert_allclose(E.T @ ROWS, [X_s.mean(axis=0) - X_t.mean(axis=0), *of_classes])


def test_the_matrix_is_that_of_joint_distribution_adaptation():
    expected = np.zeros((21, 21))
    for k in (None, 0, 1, 2):
        e = np.zeros(21)
        in_source = np.ones(12, bool) if k is None else k == SOURCE
        in_target = np.ones(9, bool) if k is None else k == TARGET
        e[:12][in_source] = 1 / in_source.sum()
        e[12:][in_target] = -1 / in_target.sum()
        expected += np.outer(e, e)
    E = mmd_coefficients(SOURCE, TARGET, 3)

    assert_allclose(E @ E.T, expected)


def test_a_class_that_a_domain_lacks_is_left_out():
    E = mmd_coefficients(np.array([0, 1, 1]), np.array([0, -1, -1]), 3)

    assert_allclose(E[:, 0], [1 / 3, 1 / 3, 1 / 3, -1 / 3, -1 / 3, -1 / 3])
    assert_array_equal(E[:, 1], [1, 0, 0, -1, 0, 0])
    assert_array_equal(E[:, 2:], 0)


def test_without_a_source_nothing_is_compared():
    E = mmd_coefficients(np.array([], int), np.array([0, 1]), 2)

    assert_array_equal(E, np.zeros((2, 3)))
