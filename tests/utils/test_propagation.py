"""Tests of `skda.utils.propagation`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix

from skda.utils.propagation import spread, vote_shares

S = np.array([[0.0, 0.8, 0.0], [0.8, 0.0, 0.6], [0.0, 0.6, 0.0]])


@pytest.mark.parametrize("alpha", [0.1, 0.95, 0.999])
def test_labels_spread_as_the_linear_system_says(alpha):
    labels = np.eye(3)[:, :2]
    expected = np.linalg.solve(np.eye(3) - alpha * S, labels)

    assert_allclose(spread(csr_matrix(S), labels, alpha), expected, rtol=1e-6)


def test_a_row_of_few_votes_has_its_shares_and_a_row_of_none_the_prior():
    votes = np.array([[3e-300, 1e-300], [0.0, 0.0]])
    prior = np.array([0.9, 0.1])

    assert_allclose(vote_shares(votes, prior), [[0.75, 0.25], [0.9, 0.1]])
