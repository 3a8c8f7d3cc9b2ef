"""Labels that spread over a graph, and the votes that they end in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from skda.utils.many_rows import is_large

__all__ = ["spread", "vote_shares"]

#: Where the series ends, relative to its first term.
LEAST, LEAST_OF_MANY = 1e-8, 1e-4


def spread(graph: csr_matrix, labels: NDArray[Any], alpha: float) -> NDArray[Any]:
    r"""Evaluate :math:`(I - \alpha S)^{-1} Y` by its series.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Normalized weights :math:`S`, with eigenvalues from -1 to 1.
    labels : ndarray of shape (n, K)
        Memberships :math:`Y`.
    alpha : float
        Weight of the neighbors, between 0 and 1.

    Returns
    -------
    ndarray of shape (n, K)
        The sum, but for terms below 1e-8 of the first, or 1e-4 beyond 10,000 rows,
        whose neighbors are approximate.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_matrix

    from skda.utils.many_rows import is_large
    >>> from skda.utils.propagation import spread
    >>> spread(csr_matrix([[0.0, 1.0], [1.0, 0.0]]), np.array([[3.0], [0.0]]), 0.5)
    array([[4.],
           [2.]])
    """
    total = labels
    # No term is negative, so the classes of a row far from every label rank as they
    # should, however small its sums; conjugate gradients would blur them.
    least = LEAST_OF_MANY if is_large(len(labels)) else LEAST
    for _ in range(int(np.ceil(np.log(least) / np.log(alpha)))):
        total = alpha * (graph @ total) + labels
    return total


def vote_shares(votes: NDArray[Any], prior: NDArray[Any]) -> NDArray[Any]:
    """Divide the votes of every row by their sum.

    Parameters
    ----------
    votes : ndarray of shape (n, K)
        Votes for every class, none negative.
    prior : ndarray of shape (K,)
        What a row takes that has no votes.

    Returns
    -------
    ndarray of shape (n, K)
        Shares of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.propagation import vote_shares
    >>> vote_shares(np.array([[3.0, 1.0], [0.0, 0.0]]), prior=np.array([0.5, 0.5]))
    array([[0.75, 0.25],
           [0.5 , 0.5 ]])
    """
    total = votes.sum(axis=1, keepdims=True)
    priors = np.broadcast_to(prior, votes.shape).copy()
    return np.divide(votes, total, out=priors, where=total > 0)
