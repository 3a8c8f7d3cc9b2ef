"""Base class of the controls that assign target rows to class centroids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.baselines._control import TargetControl
from skda.utils.operations import normalize, softmax
from skda.utils.ranges import Count, Positive
from skda.utils.scaling import normalize_rows

__all__ = ["CentroidControl"]


@estimator
class CentroidControl(TargetControl):
    r"""Alternate between assigning the rows to centroids and updating the centroids.

    A subclass calls :meth:`_fit_centroids`, and may override :meth:`_assign`.

    Parameters
    ----------
    temperature
        Temperature :math:`\tau` of the shares.
    max_iter
        Most steps to take.

    Attributes
    ----------
    centroids_ : list of ndarray of shape (n_classes, n_features)
        Centroids of the centered rows, of unit length, one array per representation.
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Class probabilities of every target sample seen in ``fit``.
    n_iter_ : int
        Number of steps, the larger one of two representations.
    """

    temperature: Positive = 0.01
    max_iter: Count = 20

    def _fit_centroids(self, target: Rows, step: float) -> None:
        """Alternate from the labeled rows on, with steps of a length up to 1."""
        given = target.labels.memberships(self.classes_).astype(np.float64)
        hidden = ~target.labels.known
        rows = self._fit_representations(target.X)
        # Rows that are never negative all point the same way, but for their mean.
        self._centers = [X.mean(axis=0) for X in rows]
        self.centroids_, self.n_iter_, shares = [], 0, []
        for X in self._center(rows):
            centroids, n_iter = self._alternate(X, given.copy(), hidden, step)
            self.centroids_.append(centroids)
            self.n_iter_ = max(self.n_iter_, n_iter)
            shares.append(self._assign(self._logits(X[hidden], centroids)))
        self.label_distributions_ = given
        self.label_distributions_[hidden] = np.mean(shares, axis=0)

    def _alternate(
        self, X: NDArray[Any], shares: NDArray[Any], hidden: NDArray[Any], step: float
    ) -> tuple[NDArray[Any], int]:
        """Find the centroids of one representation, and in how many steps."""
        centroids = normalize(shares.T @ X)
        n_iter, change = 0, np.inf
        while n_iter < self.max_iter and change >= 1e-4:
            n_iter += 1
            former = centroids
            shares[hidden] = self._assign(self._logits(X[hidden], former))
            means = normalize(shares.T @ X)
            centroids = normalize((1 - step) * former + step * means)
            change = np.abs(centroids - former).max()
        return centroids, n_iter

    def _center(self, rows: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Center the rows of every representation, and scale them to unit length."""
        return [
            normalize_rows(X - center)
            for X, center in zip(rows, self._centers, strict=True)
        ]

    def _assign(self, logits: NDArray[Any]) -> NDArray[Any]:
        """Assign shares of the unlabeled rows to the centroids."""
        return softmax(logits, axis=1)

    def _logits(self, X: NDArray[Any], centroids: NDArray[Any]) -> NDArray[Any]:
        return X @ centroids.T / self.temperature

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        rows = self._center(self._represent(X))
        shares = [
            softmax(self._logits(part, centroids), axis=1)
            for part, centroids in zip(rows, self.centroids_, strict=True)
        ]
        return np.stack(shares).mean(axis=0)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_
