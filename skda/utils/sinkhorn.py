"""Class probabilities with given shares of the classes, as Sinkhorn finds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

__all__ = ["balancing_bias"]


def balancing_bias(logits: NDArray[Any], prior: NDArray[Any]) -> NDArray[Any]:
    r"""Find the class biases that give every class its share of the rows.

    Sinkhorn's algorithm scales rows and columns of :math:`\exp(L)` until every row sums
    to one and column :math:`k` to :math:`n \pi_k`. What it arrives at is
    :math:`\operatorname{softmax}(L_{ik} + b_k)` with the minimizer :math:`b` of

    .. math:: \tfrac1n \sum_i \log \sum_k \exp(L_{ik} + b_k) - \sum_k \pi_k b_k,

    which is convex, and settled by L-BFGS in tens of steps where scaling takes
    thousands.

    Parameters
    ----------
    logits : ndarray of shape (n, K)
        Finite log-scores :math:`L`.
    prior : ndarray of shape (K,)
        Positive shares :math:`\pi`, of sum one.

    Returns
    -------
    ndarray of shape (K,)
        The biases :math:`b`; zero if there are fewer rows than classes, which cannot
        all have their share then.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import softmax
    >>> from skda.utils.sinkhorn import balancing_bias
    >>> logits = np.log([[0.9, 0.1], [0.6, 0.4]])
    >>> bias = balancing_bias(logits, np.array([0.5, 0.5]))
    >>> softmax(logits + bias, axis=1).sum(axis=0).round(3)
    array([1., 1.])
    """

    # POT solves this, too, but is an optional extra, and a control must never be.
    def dual(bias: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        mass = logsumexp(logits + bias, axis=1)
        share = np.exp(logits + bias - mass[:, None]).mean(axis=0)
        return mass.mean() - prior @ bias, share - prior

    start = np.zeros(len(prior))
    if len(logits) < len(prior):
        return start
    result = minimize(
        dual,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-7, "ftol": 0, "maxiter": 1000},
    )
    return result.x
