"""Base class of the methods that augment features, in terms of kernels."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.heterogeneous._margin import BaseMarginClassifier
from skda.utils.operations import rbf_kernel
from skda.utils.ranges import Positive

__all__ = ["Array", "BaseAugmentedClassifier"]

Array = NDArray[np.float64]


@estimator
class BaseAugmentedClassifier(BaseMarginClassifier):
    """Classify by coefficients of training rows, under a Gaussian kernel per domain.

    A subclass finds the coefficients (:meth:`_solve`).

    Parameters
    ----------
    C_s
        Weight of the errors on source rows.
    C_t
        Weight of the errors on labeled target rows.

    Attributes
    ----------
    rows_, source_rows_ : ndarray of shape (n_kept, n_features)
        Training rows of the target and of the source.
    dual_coef_ : ndarray of shape (n_classes, n_kept)
        What the kernels with the target's rows are weighed by.
    source_dual_coef_ : ndarray of shape (n_classes, n_kept)
        What those with the source's rows are weighed by.
    intercept_ : ndarray of shape (n_classes,)
        Intercepts of both domains.
    """

    C_s: Positive = 1.0
    C_t: Positive = 1.0

    @abstractmethod
    def _solve(self, K: Array, source: Rows, target: Rows) -> tuple[Array, Array]:
        """Find coefficients, of shape (n, K), and intercepts by the joint kernel."""

    def _seen(self, target: Rows) -> Rows:
        """Take the target rows that the method learns from."""
        return target.labeled()

    def _learn(self, source: Rows, target: Rows) -> None:
        target = self._seen(target)
        self.rows_, self.source_rows_ = target.X, source.X
        self._widths = {"target": _width(target.X), "source": _width(source.X)}
        n_s, n = len(source.X), len(source.X) + len(target.X)
        K = np.zeros((n, n))
        if n_s:
            K[:n_s, :n_s] = self._kernel(source.X, "source")
        K[n_s:, n_s:] = self._kernel(target.X, "target")
        coef, self.intercept_ = self._solve(K, source, target)
        self.source_dual_coef_, self.dual_coef_ = coef[:n_s].T, coef[n_s:].T

    def _kernel(self, X: NDArray[Any], domain: DomainName) -> Array:
        """Evaluate the kernel of rows with the training rows of their domain."""
        rows = self.rows_ if domain == "target" else self.source_rows_
        return rbf_kernel(X, rows, gamma=1 / self._widths[domain])

    def _scores(self, X: NDArray[Any], domain: DomainName) -> Array:
        target = domain == "target"
        coef = self.dual_coef_ if target else self.source_dual_coef_
        return self._kernel(X, domain) @ coef.T + self.intercept_


def _width(X: NDArray[Any]) -> float:
    """Take the mean squared distance of two rows; 1 if they are equal or none."""
    if not len(X):
        return 1.0
    return float(2 * np.mean(np.sum((X - X.mean(axis=0)) ** 2, axis=1))) or 1.0
