"""The quadratic program that selects the landmarks of CDLS."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Landmarks", "project_to_masses", "select_landmarks"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Halvings of the interval in which a threshold lies, down to rounding.
N_HALVINGS = 60


class Landmarks(NamedTuple):
    """Rows in the common space, whose weights are sought.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
        Rows of the source, then unlabeled rows of the target.
    codes : ndarray of shape (n,)
        Their classes.
    is_source : ndarray of shape (n,)
        Which of them are of the source.
    labeled : ndarray of shape (n_labeled, k)
        Labeled rows of the target, whose weight is one.
    labels : ndarray of shape (n_labeled,)
        Their classes.
    delta : float
        Share of the weight of a class that is left.
    """

    Z: Array
    codes: Codes
    is_source: NDArray[np.bool_]
    labeled: Array
    labels: Codes
    delta: float

    def masses(self) -> Array:
        """Evaluate the sums that the weights of every class must have.

        Returns
        -------
        ndarray of shape (2, K)
            Sums over the source, then over the unlabeled target.
        """
        n_classes = 1 + max(self.codes.max(), self.labels.max())
        sides = [self.codes[self.is_source], self.codes[~self.is_source]]
        counts = [np.bincount(side, minlength=n_classes) for side in sides]
        return self.delta * np.array(counts, dtype=np.float64)


class LandmarkProblem:
    """The objective as a quadratic function of the weights, and its gradient."""

    def __init__(self, rows: Landmarks) -> None:
        self.masses = rows.masses()
        n_classes = self.masses.shape[1]
        own = np.where(rows.is_source, 0, 1)
        one_hot = np.eye(n_classes)
        self.groups = own * n_classes + rows.codes  # one per domain and class
        of_labeled = one_hot[rows.labels]
        n_labeled = of_labeled.sum(axis=0)
        a, b = self.masses[0], self.masses[1] + n_labeled
        joined: NDArray[np.bool_] = (a > 0) & (b > 0)
        scale = np.divide(1, [a, b], where=joined, out=np.zeros((2, n_classes)))
        self.signs = np.where(rows.is_source, 1.0, -1.0)
        # Column 0 is the gap of the domains, the others are those of the classes.
        per_class = scale[own] * one_hot[rows.codes]
        total = np.where(rows.is_source, 1 / a.sum(), 1 / b.sum())
        self.E = self.signs[:, None] * np.column_stack([total, per_class])
        F = np.column_stack(
            [np.full(len(rows.labeled), 1 / b.sum()), scale[1] * of_labeled]
        )
        self.fixed = -F.T @ rows.labeled
        self._pairs(rows, n_labeled, joined)

    def _pairs(
        self, rows: Landmarks, n_labeled: Array, joined: NDArray[np.bool_]
    ) -> None:
        """Prepare the squared distances of pairs of one class."""
        a, u = self.masses
        pairs = a * u + u * n_labeled + n_labeled * a
        self.shares = np.divide(1, pairs, where=joined, out=np.zeros_like(pairs))
        self.Z, self.codes, self.is_source = rows.Z, rows.codes, rows.is_source
        self.squares = np.sum(rows.Z**2, axis=1)
        of_labeled = np.eye(len(a))[rows.labels]
        sums = of_labeled.T @ rows.labeled
        squares = of_labeled.T @ np.sum(rows.labeled**2, axis=1)
        # Distances of every row to the labeled rows of its class, summed up.
        inner = np.sum(rows.Z * sums[rows.codes], axis=1)
        distances = n_labeled[rows.codes] * self.squares - 2 * inner
        self.to_labeled = self.shares[rows.codes] * (distances + squares[rows.codes])

    def gradient(self, w: Array) -> Array:
        """Differentiate the objective."""
        return self.curvature(w) + self.to_labeled + 2 * self._back(self.fixed)

    def value(self, w: Array) -> float:
        """Evaluate the objective, but for a constant."""
        constant = self.to_labeled + 2 * self._back(self.fixed)
        return float(w @ (self.curvature(w) / 2 + constant))

    def curvature(self, w: Array) -> Array:
        """Multiply by the Hessian."""
        gaps = self.E.T @ (w[:, None] * self.Z)  # (1 + K, k)
        return 2 * self._back(gaps) + self._across(w)

    def _back(self, gaps: Array) -> Array:
        """Take gaps of means, of shape (1 + K, k), to the rows that make them."""
        return np.sum((self.E @ gaps) * self.Z, axis=1)

    def _across(self, w: Array) -> Array:
        """Sum the distances of every row to those of its class on the other side."""
        product = np.empty_like(w)
        for side in (self.is_source, ~self.is_source):
            other = ~side
            members = np.eye(len(self.shares))[self.codes[other]].T * w[other]
            mass, sums = members.sum(axis=1), members @ self.Z[other]
            squares, codes = members @ self.squares[other], self.codes[side]
            inner = np.sum(self.Z[side] * sums[codes], axis=1)
            distances = mass[codes] * self.squares[side] - 2 * inner + squares[codes]
            product[side] = self.shares[codes] * distances
        return product


def select_landmarks(
    rows: Landmarks, *, tol: float, max_iter: int
) -> tuple[Array, float]:
    """Minimize the objective by accelerated projected gradients.

    Parameters
    ----------
    rows : Landmarks
        The rows.
    tol : float
        Length of a step, the largest over the weights, below which to stop.
    max_iter : int
        Most steps.

    Returns
    -------
    weights : ndarray of shape (n,)
        Weights from 0 to 1, whose sums are ``rows.masses()``.
    residual : float
        Length of the last step.
    """
    problem = LandmarkProblem(rows)
    masses = problem.masses.ravel()
    w = np.full(len(rows.Z), rows.delta)
    ahead, momentum, best = w, 1.0, problem.value(w)
    # No weight has farther to go than one, however flat the objective is.
    steepest = float(abs(problem.gradient(w)).max())
    step = 1 / (max(largest_curvature(problem, len(w)), steepest) or 1.0)
    residual = np.inf
    for _ in range(max_iter):
        new = project_to_masses(
            ahead - step * problem.gradient(ahead), problem.groups, masses
        )
        residual = float(abs(new - ahead).max())
        value = problem.value(new)
        if value > best and momentum > 1:  # the momentum has led astray
            ahead, momentum = w, 1.0
            continue
        raised = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / raised * (new - w)
        w, momentum, best = new, raised, value
        if residual <= tol:
            break
    return w, residual


def largest_curvature(problem: LandmarkProblem, n: int, n_iter: int = 30) -> float:
    """Bound the eigenvalues of the Hessian by the power method."""
    v = np.random.default_rng(0).normal(size=n)
    length = 0.0
    for _ in range(n_iter):
        v = problem.curvature(v / np.linalg.norm(v))
        length = float(np.linalg.norm(v))
        if length == 0:
            return 0.0
    return 1.1 * length


def project_to_masses(v: Array, groups: Codes, masses: Array) -> Array:
    """Find the nearest weights from 0 to 1 that sum up to the masses of their groups.

    Parameters
    ----------
    v : ndarray of shape (n,)
        Numbers.
    groups : ndarray of shape (n,)
        The group of each.
    masses : ndarray of shape (n_groups,)
        What the weights of a group sum up to, no more than there are.

    Returns
    -------
    ndarray of shape (n,)
        Weights.
    """
    low, high = np.full(len(masses), v.min() - 1), np.full(len(masses), v.max())
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        weights = np.clip(v - middle[groups], 0, 1)
        too_heavy = np.bincount(groups, weights, minlength=len(masses)) > masses
        low = np.where(too_heavy, middle, low)
        high = np.where(too_heavy, high, middle)
    return np.clip(v - ((low + high) / 2)[groups], 0, 1)
