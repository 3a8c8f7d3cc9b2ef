"""A Gaussian mixture of classes that share a covariance, for partially labeled rows."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from skda.utils.operations import softmax, solve_triangular

__all__ = ["ClassMixture"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Weight of an unlabeled row beside a labeled one.
UNLABELED_WEIGHT = 0.5
#: Share of the covariance that is spread evenly over all directions.
SHRINKAGE = 0.1
#: Least variance of a direction, of rows whose mean squared length is one.
LEAST_VARIANCE = 1e-9


class ClassMixture:
    r"""Classes as Gaussians with one covariance, fitted by EM with labels clamped.

    With the probabilities :math:`q_{ik}` of the classes, those of labeled rows being
    their labels, row weights :math:`w_i` (1 if labeled, else 1/2), and
    :math:`N_k = \sum_i w_i q_{ik}`, the M-step is

    .. math::

        \mu_k &= \frac{1}{N_k} \sum_i w_i q_{ik} t_i, \qquad
        \Sigma = \frac{\sum_i w_i t_i t_i^\top - \sum_k N_k \mu_k \mu_k^\top
        + \frac a 2 T}{\sum_k N_k + a}, \\
        \pi_k &= \frac{N_k + n_A \pi^0_k}{\sum_k N_k + n_A},

    where :math:`T` is the covariance of all rows, :math:`a = 2 + p / 5`, and
    :math:`\pi^0` are the shares of the classes among the :math:`n_A` labeled rows.
    A tenth of :math:`\Sigma` is spread evenly over all directions. The E-step is
    :math:`q_{ik} \propto \pi_k \mathcal N(t_i; \mu_k, \Sigma)`.

    Parameters
    ----------
    n_steps : int
        Number of steps.
    """

    def __init__(self, n_steps: int = 4) -> None:
        self.n_steps = n_steps

    def fit(self, T: Array, start: Array, labeled: Codes, labels: Array) -> Self:
        """Fit to rows of shape (n, p).

        Parameters
        ----------
        T : ndarray of shape (n, p)
            Rows, centered.
        start : ndarray of shape (n, n_classes)
            Probabilities to begin with.
        labeled : ndarray of shape (n_labeled,)
            Labeled rows.
        labels : ndarray of shape (n_labeled, n_classes)
            Their classes as rows of the identity.

        Returns
        -------
        self : object
            With the probabilities of all rows, labeled ones included, as
            ``probabilities_``.
        """
        weights = np.full(len(T), UNLABELED_WEIGHT)
        weights[labeled] = 1.0
        weighted = T * weights[:, None]
        moments = weighted.T @ T, T.T @ T / len(T)
        Q = start
        for _ in range(self.n_steps):
            Q = Q.copy()
            Q[labeled] = labels
            self._maximize(Q, weights, weighted, moments, labels)
            Q = self.predict_proba(T)
        self.probabilities_ = Q
        return self

    def fit_known(self, T: Array, Q: Array) -> Self:
        """Take one M-step, on rows whose probabilities stay as they are.

        Parameters
        ----------
        T : ndarray of shape (n, p)
            Rows, centered.
        Q : ndarray of shape (n, n_classes)
            Probabilities of their classes.

        Returns
        -------
        self : object
            Fitted mixture.
        """
        moments = T.T @ T, T.T @ T / len(T)
        self._maximize(Q, np.ones(len(T)), T, moments, np.zeros((0, Q.shape[1])))
        return self

    def _maximize(
        self,
        Q: Array,
        weights: Array,
        weighted: Array,
        moments: tuple[Array, Array],
        labels: Array,
    ) -> None:
        """Take the M-step."""
        second, total = moments
        sizes = weights @ Q
        means = Q.T @ weighted / np.maximum(sizes, 1e-12)[:, None]
        strength, p = 2 + len(total) / 5, len(total)
        scatter = second - (means * sizes[:, None]).T @ means
        covariance = (scatter + strength * total / 2) / (sizes.sum() + strength)
        even = SHRINKAGE * np.trace(covariance) / p + LEAST_VARIANCE
        self.means_ = means
        self.covariance_ = (1 - SHRINKAGE) * covariance + even * np.eye(p)
        self.shares_ = (sizes + labels.sum(axis=0)) / (sizes.sum() + len(labels))

    def predict_proba(self, T: Array) -> Array:
        """Take the E-step for rows."""
        root = np.linalg.cholesky(self.covariance_)
        rows = solve_triangular(root, T.T).T
        means = solve_triangular(root, self.means_.T).T
        logits = rows @ means.T - np.sum(means**2, axis=1) / 2
        return softmax(logits + np.log(self.shares_), axis=1)
