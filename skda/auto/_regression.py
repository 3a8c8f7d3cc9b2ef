"""Multinomial logistic regressions, linear and with a Gaussian kernel."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from skda.heterogeneous._geost_solvers import fit_weights, symmetric_root
from skda.utils.operations import softmax, squared_distances

__all__ = ["KernelRegression", "Regression"]

Array = NDArray[np.float64]

#: Prior variance of an intercept: free, as far as the data say anything about it, which
#: classes of very different sizes need.
INTERCEPT_VARIANCE = 1e4
#: Iterations of L-BFGS; more change no label.
MAX_ITER = 50
#: Rows that a kernel is computed to, and by which its width is chosen.
MOST_LANDMARKS = 300
#: Below this share of the largest eigenvalue, a direction of the rows is rounding.
ROUNDING = 1e-10


class Regression:
    r"""Logistic regression with soft targets and an almost free intercept.

    Minimizes :math:`\sum_i \operatorname{CE}(q_i, \operatorname{softmax}(z_i V G^{1/2}
    + b)) + \|V\|^2 / 2C`, where the covariance :math:`G` between classes tells which of
    them are expected to be alike.

    Parameters
    ----------
    C : float
        Inverse strength of the regularization, for rows of mean squared length one.
    geometry : ndarray of shape (n_classes, n_classes) or None
        :math:`G`; None is the identity.
    """

    def __init__(self, C: float = 100.0, geometry: Array | None = None) -> None:
        self.C, self.geometry = C, geometry

    def fit(self, Z: Array, targets: Array) -> Self:
        """Fit to rows of shape (n, p) and probabilities of their classes."""
        scale = np.sqrt(INTERCEPT_VARIANCE / self.C)
        rows = np.column_stack([Z, np.full(len(Z), scale)])
        n_classes = targets.shape[1]
        root = np.eye(n_classes)
        if self.geometry is not None:
            root = symmetric_root(self.geometry)
        restore = None
        if rows.shape[1] > len(rows):  # the weights lie in the span of the rows
            rows, restore = _span(rows)
        start = np.zeros((rows.shape[1], n_classes))
        precision = np.full((rows.shape[1], 1), 1 / self.C)
        found, _ = fit_weights(
            rows, targets, root, start, precision=precision, max_iter=MAX_ITER
        )
        weights = found @ root
        if restore is not None:
            weights = restore @ weights
        self.coef_, self.intercept_ = weights[:-1], weights[-1] * scale
        return self

    def predict_proba(self, Z: Array) -> Array:
        """Give the probabilities of the classes for rows."""
        return softmax(Z @ self.coef_ + self.intercept_, axis=1)


class KernelRegression:
    r"""Logistic regression on functions of the kernel :math:`\exp(-2 d^2 / m)`.

    :math:`m` is the median of the squared distances between rows; with their mean in
    its place, this is what scikit-learn's ``gamma="scale"`` does. The kernel is divided
    by one minus its mean, which gives the centered rows a mean squared length of one,
    as linear ones have. Of many training rows, some are landmarks (Nystroem).

    Parameters
    ----------
    C : float
        Inverse strength of the regularization.
    """

    def __init__(self, C: float = 100.0) -> None:
        self.C = C

    def prepare(self, rows: Array) -> Self:
        """Choose the width and the scale of the kernel by rows without labels."""
        some = rows[_evenly(len(rows))]
        squares = pairwise_distances(some, metric="sqeuclidean")
        pairs = squares[np.triu_indices(len(some), 1)]
        self.width_ = float(np.median(pairs)) / 2 if pairs.size else 1.0
        self.width_ = self.width_ or 1.0  # most rows are equal
        self.scale_ = 1.0
        self.scale_ = 1 / max(1 - float(np.exp(-squares / self.width_).mean()), 1e-3)
        return self

    def fit(self, Z: Array, targets: Array) -> Self:
        """Fit to rows of shape (n, p) and probabilities of their classes."""
        self.landmarks_ = Z[_evenly(len(Z))]
        kernel = self._kernel(self.landmarks_)
        values, vectors = np.linalg.eigh(kernel)
        real = values > ROUNDING * values[-1]
        basis = vectors[:, real] / np.sqrt(values[real])
        linear = Regression(self.C).fit(self._kernel(Z) @ basis, targets)
        self.coef_, self.intercept_ = basis @ linear.coef_, linear.intercept_
        return self

    def predict_proba(self, Z: Array) -> Array:
        """Give the probabilities of the classes for rows."""
        logits = self._kernel(Z) @ self.coef_ + self.intercept_
        return softmax(logits, axis=1)

    def _kernel(self, Z: Array) -> Array:
        squares = squared_distances(Z, self.landmarks_)
        return np.asarray(self.scale_ * np.exp(-squares / self.width_))


def _span(rows: Array) -> tuple[Array, Array]:
    """Rotate wide rows into the space they span, and say how to rotate weights back."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    real = values > ROUNDING * values[-1]
    lengths = np.sqrt(values[real])
    return vectors[:, real] * lengths, rows.T @ (vectors[:, real] / lengths)


def _evenly(n: int) -> NDArray[np.int64]:
    """Choose at most `MOST_LANDMARKS` of so many rows, at equal distances."""
    return np.linspace(0, n - 1, min(n, MOST_LANDMARKS)).round().astype(np.int64)
