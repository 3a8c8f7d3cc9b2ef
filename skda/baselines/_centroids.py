"""What the controls share that sort the target rows to class centroids."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler, normalize

from skda.base import DomainName, Rows
from skda.baselines._control import TargetControl
from skda.utils._sklearn import Interval

__all__ = ["CentroidControl"]


class CentroidControl(TargetControl):
    """Go back and forth between shares of the rows and centroids of the classes."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TargetControl._parameter_constraints,
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }
    step: float = 1.0
    temperature: float
    max_iter: int

    def make_preprocessor(self, domain: DomainName) -> Any:
        # Rows that are never negative all point the same way, but for their mean.
        center = StandardScaler(with_std=False)
        return make_pipeline(super().make_preprocessor(domain), center, Normalizer())

    def fit_rows(self, source: Rows, target: Rows) -> None:
        X, hidden = target.X, ~target.labels.known
        shares = target.labels.memberships(self.classes_).astype(np.float64)
        self.centroids_ = normalize(shares.T @ X)
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            shares[hidden] = self._shares(self._logits(X[hidden]))
            means = normalize(shares.T @ X)
            centroids = normalize((1 - self.step) * self.centroids_ + self.step * means)
            change = np.abs(centroids - self.centroids_).max()
            self.centroids_ = centroids
            if change < 1e-4:
                break
        shares[hidden] = self._shares(self._logits(X[hidden]))
        self.label_distributions_ = shares

    def _shares(self, logits: NDArray[Any]) -> NDArray[Any]:
        """Share the unlabeled rows out among the centroids."""
        return softmax(logits, axis=1)

    def _logits(self, X: NDArray[Any]) -> NDArray[Any]:
        return X @ self.centroids_.T / self.temperature

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        return softmax(self._logits(X), axis=1)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_
