"""Weights of a mean of probabilities."""

import numpy as np
import pytest

from skda.utils import mixing
from skda.utils.mixing import member_weights


def test_one_round_of_the_weights_is_what_one_computes_by_hand(monkeypatch):
    monkeypatch.setattr(mixing, "WEIGHT_ROUNDS", 1)

    weights = member_weights(
        np.array([[0.8, 0.2], [0.5, 0.5]]), np.array([0.5, 0.5]), prior_strength=10
    )

    # Responsibilities .8 and .5 for the first: (1.3 + 5) / 12.
    np.testing.assert_allclose(weights, [0.525, 0.475])


def test_few_labels_move_weights_little_and_those_of_equal_members_not_at_all():
    alike = member_weights(np.full((5, 4), 0.3), np.full(4, 0.25), 10)
    one_row = member_weights(np.array([[1.0, 0.0]]), np.array([0.5, 0.5]), 10)

    np.testing.assert_allclose(alike, 0.25)
    assert one_row[0] == pytest.approx(6 / 11, abs=1e-3)


def test_weights_converge_to_the_most_likely_ones():
    truth = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])

    first, _ = member_weights(truth, np.array([0.5, 0.5]), 1e-9)

    # The derivative of the likelihood is zero: 2 * .8 / (.1 + .8 w) = .8 / (.9 - .8 w).
    assert first == pytest.approx((1.8 - 0.1) / 2.4, abs=1e-6)
