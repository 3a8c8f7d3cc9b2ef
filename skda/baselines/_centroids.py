"""Base class of the controls that assign target rows to class centroids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from skda.base import DomainName, Rows, estimator
from skda.baselines._control import TargetControl
from skda.preprocessing import RowScaler
from skda.utils.ranges import Count, Positive

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
    power : float, "auto" or None
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; None leaves the rows as they are. Then
        the rows are centered and scaled to unit length, again.

    Attributes
    ----------
    centroids_ : ndarray of shape (n_classes, n_features)
        Centroids of the centered rows.
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Class probabilities of every target sample seen in ``fit``.
    n_iter_ : int
        Number of steps.
    """

    temperature: Positive = 0.01
    max_iter: Count = 20

    def make_preprocessor(self, domain: DomainName) -> Any:
        # Rows that are never negative all point the same way, but for their mean.
        center = StandardScaler(with_std=False)
        power = super().make_preprocessor(domain)
        return make_pipeline(power, center, RowScaler(power=1.0))

    def _fit_centroids(self, target: Rows, step: float) -> None:
        """Alternate from the labeled rows on, with steps of a length up to 1."""
        X, hidden = target.X, ~target.labels.known
        shares = target.labels.memberships(self.classes_).astype(np.float64)
        self.centroids_ = normalize(shares.T @ X)
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            shares[hidden] = self._assign(self._logits(X[hidden]))
            means = normalize(shares.T @ X)
            centroids = normalize((1 - step) * self.centroids_ + step * means)
            change = np.abs(centroids - self.centroids_).max()
            self.centroids_ = centroids
            if change < 1e-4:
                break
        shares[hidden] = self._assign(self._logits(X[hidden]))
        self.label_distributions_ = shares

    def _assign(self, logits: NDArray[Any]) -> NDArray[Any]:
        """Assign shares of the unlabeled rows to the centroids."""
        return softmax(logits, axis=1)

    def _logits(self, X: NDArray[Any]) -> NDArray[Any]:
        return X @ self.centroids_.T / self.temperature

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        return softmax(self._logits(X), axis=1)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_
