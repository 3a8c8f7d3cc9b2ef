"""Weights of a mean of probabilities, by what its members make of known rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_PROBABILITY", "member_weights"]

Array = NDArray[np.float64]

#: Least probability of the true class that a member is judged by.
LEAST_PROBABILITY = 1e-3
#: Rounds of the EM of the weights, more than it needs.
WEIGHT_ROUNDS = 200


def member_weights(truth: Array, prior: Array, prior_strength: float) -> Array:
    r"""Find the most likely weights of a mean of members, drawn to given ones.

    Parameters
    ----------
    truth : ndarray of shape (n, n_members)
        Probability of the true class of every row by every member.
    prior : ndarray of shape (n_members,)
        Positive weights with a sum of one.
    prior_strength : float
        How many rows these weights are worth.

    Returns
    -------
    ndarray of shape (n_members,)
        Positive weights with a sum of one.
    """
    likelihood = np.maximum(truth, LEAST_PROBABILITY)
    weights = prior
    for _ in range(WEIGHT_ROUNDS):
        parts = weights * likelihood
        parts /= parts.sum(axis=1, keepdims=True)
        weights = parts.sum(axis=0) + prior_strength * prior
        weights /= len(truth) + prior_strength
    return weights
