"""Support vector machines whose weights are a matrix between two sets of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from skda.utils.warnings import warn_user

__all__ = ["Array", "fit_bilinear", "row_space", "signs_of", "with_ones"]

Array = NDArray[np.float64]


def with_ones(X: NDArray[Any]) -> Array:
    """Append a feature that is one, whose weight is the intercept.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    ndarray of shape (n, p + 1)
        The rows, with a one each.
    """
    return np.column_stack([X, np.ones(len(X))])


def signs_of(codes: NDArray[np.int64], n_classes: int) -> Array:
    """Say of every row and class, by 1 or -1, whether the one is in the other.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of every row, -1 for none.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n, n_classes)
        The signs.
    """
    return np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)


def row_space(X: Array) -> tuple[Array, Array]:
    """Write rows, of shape (n, p), in a basis of the space that they span.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    rows : ndarray of shape (n, r)
        The rows in that basis, with r at most the smaller of n and p.
    basis : ndarray of shape (r, p)
        Orthonormal rows, so that ``rows @ basis`` is what was given.
    """
    U, lengths, basis = np.linalg.svd(X, full_matrices=False)
    rank = int(np.sum(lengths > lengths[:1] * max(X.shape) * np.finfo(float).eps))
    return U[:, :rank] * lengths[:rank], basis[:rank]


def fit_bilinear(
    left: Array,
    right: Array | None,
    signs: Array,
    costs: Array | float,
    *,
    offset: Array | float = 0.0,
    start: Array | None = None,
    tol: float,
    max_iter: int,
    name: str,
) -> tuple[Array, int]:
    r"""Minimize the squared hinge of bilinear scores, plus half the squared norm.

    .. math::

        \min_B \tfrac12 \|B\|_F^2 + \sum_{ij} c_{ij}
        \max(0, 1 - s_{ij} (o_{ij} + l_i^\top B r_j))^2

    Without ``right`` these are one linear support vector machine per column of the
    signs. The problem is strongly convex and has one solution, whose gradient is zero.

    Parameters
    ----------
    left : ndarray of shape (n, p)
        Rows :math:`l`.
    right : ndarray of shape (m, q) or None
        Rows :math:`r`; None for those of the identity.
    signs : ndarray of shape (n, m)
        Wanted signs :math:`s` of the scores.
    costs : ndarray that broadcasts to (n, m) or float
        Weights :math:`c`.
    offset : ndarray of shape (n, m) or float
        What is added to the scores.
    start : ndarray of shape (p, q) or None
        Where to start; None for zero.
    tol : float
        Norm of the gradient, relative to that at zero, that is small enough.
    max_iter : int
        Most iterations of L-BFGS.
    name : str
        Who asks, for the warning.

    Returns
    -------
    solution : ndarray of shape (p, q)
        The solution :math:`B`.
    n_iter : int
        Number of iterations.
    """
    shape = left.shape[1], signs.shape[1] if right is None else right.shape[1]

    def objective(b: Array) -> tuple[float, Array]:
        B = b.reshape(shape)
        scores = left @ B if right is None else left @ B @ right.T
        slack = np.maximum(0, 1 - signs * (offset + scores))
        pull = costs * slack
        slope = signs * pull if right is None else (signs * pull) @ right
        return float(b @ b / 2 + np.sum(pull * slack)), b - 2 * (left.T @ slope).ravel()

    if 0 in shape:  # rows that are all zero span nothing
        return np.zeros(shape), 1
    at_zero = np.linalg.norm(objective(np.zeros(shape).ravel())[1])
    b = np.zeros(shape).ravel() if start is None else start.ravel()
    small = tol * at_zero
    options: Any = {"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": 20}
    options |= {"ftol": 0.0, "gtol": small / np.sqrt(b.size)}
    found = minimize(objective, b, jac=True, method="L-BFGS-B", options=options)
    b = found.x
    residual = np.linalg.norm(objective(b)[1])
    if residual > small:
        warn_user(
            f"A support vector machine of {name} has not converged in {max_iter} "
            f"iterations: the gradient is {residual / at_zero:.1e} of that at zero, "
            f"not {tol:.1e}. Raise max_iter or tol, or lower the costs of errors.",
            ConvergenceWarning,
        )
    return b.reshape(shape), found.nit
