import numpy as np
import pytest
from scipy.special import softmax

from skda.auto._mixture import ClassMixture


def test_a_step_of_the_mixture_is_what_one_computes_by_hand():
    T = np.array([[-1.0], [1.0], [0.0]])
    start = np.array([[0.0, 1.0], [0.0, 1.0], [0.75, 0.25]])  # of labels, unused

    mixture = ClassMixture(n_steps=1).fit(T, start, np.array([0, 1]), np.eye(2))

    # The unlabeled row counts half: 3/8 of it for the first class, 1/8 for the second.
    sizes = np.array([1.375, 1.125])
    means = np.array([-1 / 1.375, 1 / 1.125])
    variance = (2 - sizes @ means**2 + 2.2 / 2 * 2 / 3) / (2.5 + 2.2)
    shares = np.array([2.375, 2.125]) / 4.5
    np.testing.assert_allclose(mixture.means_.ravel(), means)
    np.testing.assert_allclose(mixture.covariance_, [[variance]], rtol=1e-6)
    np.testing.assert_allclose(mixture.shares_, shares)
    logits = -((T - means) ** 2) / (2 * variance) + np.log(shares)
    np.testing.assert_allclose(mixture.probabilities_, softmax(logits, 1), rtol=1e-6)


def test_a_tenth_of_the_covariance_is_spread_over_all_directions():
    T = np.array([[-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    labels = np.eye(2)[[0, 1, 0, 1]]

    mixture = ClassMixture(n_steps=1).fit(T, labels, np.arange(4), labels)

    # No scatter within classes: half of T by a = 2.4, over 4 + a rows.
    variance = 2.4 / 2 / 6.4
    expected = np.diag([0.9 * variance + 0.05 * variance, 0.05 * variance])
    np.testing.assert_allclose(mixture.covariance_, expected, rtol=1e-6)


def test_unlabeled_rows_move_the_means():
    T = np.array([[-1.0], [1.0], *[[3.0]] * 20, *[[-3.0]] * 20])
    start = np.full((42, 2), 0.5)
    start[2:22] = [0.2, 0.8]
    start[22:] = [0.8, 0.2]

    mixture = ClassMixture().fit(T, start, np.array([0, 1]), np.eye(2))

    assert mixture.means_.ravel() == pytest.approx([-2.8, 2.8], abs=0.1)


def test_rows_that_are_all_equal_have_the_shares_of_the_labels():
    mixture = ClassMixture().fit(
        np.zeros((5, 2)), np.full((5, 2), 0.5), np.array([0, 1]), np.eye(2)
    )

    np.testing.assert_allclose(mixture.probabilities_, 0.5)


def test_known_probabilities_take_one_m_step():
    T = np.array([[-1.0], [1.0]])
    Q = np.array([[0.8, 0.2], [0.2, 0.8]])

    mixture = ClassMixture().fit_known(T, Q)

    variance = (2 - 2 * 0.6**2 + 2.2 / 2) / (2 + 2.2)
    np.testing.assert_allclose(mixture.means_.ravel(), [-0.6, 0.6])
    np.testing.assert_allclose(mixture.covariance_, [[variance]], rtol=1e-6)
    np.testing.assert_allclose(mixture.shares_, 0.5)
    expected = softmax([0.0, 2 * 0.6 / variance])
    np.testing.assert_allclose(mixture.predict_proba(T)[1], expected, rtol=1e-6)
