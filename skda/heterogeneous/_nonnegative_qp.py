"""Convex quadratic programs over numbers that are not negative."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.exceptions import ConvergenceWarning

from skda.utils.warnings import warn_user

__all__ = ["solve_nonnegative_qp"]

Array = NDArray[np.float64]

#: Below this, relative to the largest, a number is rounding and counts as zero.
ROUNDING = 1e-10


def solve_nonnegative_qp(
    Q: Array, start: NDArray[np.bool_], *, max_iter: int, name: str
) -> Array:
    r"""Minimize :math:`\tfrac12 x^\top Q x - \sum_i x_i` over :math:`x \geq 0`.

    By block principal pivoting: the system of the numbers that are not zero is solved
    exactly, then all change sides that are negative, or are zero with a gradient that
    would raise them. Where this does not get on, one at a time does.

    Parameters
    ----------
    Q : ndarray of shape (n, n)
        Symmetric, positive definite.
    start : ndarray of shape (n,)
        Which numbers may at first be other than zero.
    max_iter : int
        Most systems to solve.
    name : str
        Who asks, for the warning.

    Returns
    -------
    ndarray of shape (n,)
        The solution.
    """
    free, fewest, patience = start.copy(), len(Q) + 1, 3
    for _ in range(max_iter):
        x, slope = _solve_free(Q, free)
        wrong = np.where(free, x < 0, slope < 0)
        n_wrong = int(wrong.sum())
        if not n_wrong:
            return x
        if n_wrong < fewest:
            fewest, patience = n_wrong, 3
        elif patience:
            patience -= 1
        else:  # the last of them alone, which is bound to end
            wrong[: wrong.nonzero()[0][-1]] = False
        free ^= wrong
    x = np.maximum(x, 0)
    residual = np.abs(np.minimum(x, Q @ x - 1)).max()
    warn_user(
        f"A quadratic program of {name} has not converged in {max_iter} iterations: "
        f"its conditions are violated by {residual:.1e}. Raise max_iter.",
        ConvergenceWarning,
    )
    return x


def _solve_free(Q: Array, free: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Solve for the numbers that are free, and take the gradient of the others."""
    x, slope = np.zeros(len(Q)), np.zeros(len(Q))
    chosen: Any = np.flatnonzero(free)
    if chosen.size:
        factor = cho_factor(Q[np.ix_(chosen, chosen)], overwrite_a=True, lower=True)
        x[chosen] = cho_solve(factor, np.ones(chosen.size))
    others = np.flatnonzero(~free)
    slope[others] = Q[np.ix_(others, chosen)] @ x[chosen] - 1
    for values in (x, slope):
        values[np.abs(values) <= ROUNDING * np.abs(values).max(initial=1.0)] = 0
    return x, slope
