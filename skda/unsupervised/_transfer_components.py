"""Components of two domains in which their means, or those of classes, are close."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import (
    Array,
    BaseAlignedClassifier,
    principal_components,
)
from skda.utils.ranges import Count, Positive

__all__ = ["BaseTransferComponents", "transfer_components"]


@estimator
class BaseTransferComponents(BaseAlignedClassifier):
    r"""Align two domains by components that keep their means close.

    Parameters
    ----------
    kernel : {"primal", "linear", "rbf"}
        What the columns of :math:`F` are. "primal": the principal components
        themselves, so that :math:`W` projects rows and :math:`\mu` is a ridge on the
        projection. "linear", "rbf": the kernel between all rows and those of the fit,
        so that :math:`W` are the coefficients of the kernel; a linear kernel is never
        formed, but one of radial basis functions takes :math:`(n_s + n_t)^2` numbers.
    n_components
        Number of components, the columns of :math:`W`.
    mu
        Ridge :math:`\mu`.
    gamma
        Factor of the squared distance in radial basis functions; None is one over its
        mean.
    pca_components
        Number of principal components of both domains together that the rows are
        reduced to first, at most; None keeps all.

    Attributes
    ----------
    pca_ : PCA
        The principal component analysis.
    coefficients_ : ndarray of shape (n, `n_components_out_`)
        :math:`W`, for principal components or, of radial basis functions, rows.
    center_ : ndarray of shape (`n_components_out_`,)
        Mean of the components of both domains, which every row loses.
    """

    kernel: Literal["primal", "linear", "rbf"] = "primal"
    n_components: Count = 30
    mu: Positive = 1.0
    gamma: Positive | None = None
    pca_components: Count | None = 128

    def map_rows(self, source: Rows, target: Rows) -> Array:
        """Fit the kernel, and evaluate it between the rows of both domains.

        Parameters
        ----------
        source, target : Rows
            Samples of both domains.

        Returns
        -------
        ndarray of shape (n_source + n_target, n)
            :math:`F`.
        """
        both = np.concatenate([source.X, target.X])
        self.pca_ = principal_components(both, self.pca_components)
        rows = self.pca_.transform(both)
        # Of a kernel U diag(s)^2 U' the columns of U diag(s)^2 do as well.
        self._scale = np.linalg.norm(rows, axis=0) if self.kernel == "linear" else 1.0
        self._basis: Array | None = None
        if self.kernel == "rbf":
            self._basis = rows
            mean = 2 * rows.var(axis=0).sum()  # of the squared distances
            self._gamma = self.gamma or 1 / (mean or 1.0)
        return self._map(rows)

    def _map(self, rows: Array) -> Array:
        if self._basis is None:
            return rows * self._scale
        distances = cdist(rows, self._basis, "sqeuclidean")
        distances *= -self._gamma
        return np.exp(distances, out=distances)

    def learn_components(self, F: Array, E: Array) -> None:
        """Solve Equation 1.

        Parameters
        ----------
        F : ndarray of shape (n_source + n_target, n)
            Rows of both domains, or kernels between them.
        E : ndarray of shape (n_source + n_target, 1 + n_classes)
            Coefficients of the means.
        """
        self.coefficients_ = transfer_components(F, E, self.n_components, self.mu)
        self.center_ = F.mean(axis=0) @ self.coefficients_

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        return self._map(self.pca_.transform(X)) @ self.coefficients_ - self.center_


def transfer_components(F: Array, E: Array, n_components: int, mu: float) -> Array:
    r"""Find the leading components of Equation 1 of TCA and of JDA.

    Parameters
    ----------
    F : ndarray of shape (n, r)
        Rows of both domains, or kernels between them.
    E : ndarray of shape (n, 1 + n_classes)
        Coefficients of the means, whose product is the matrix :math:`M`, before it is
        scaled to length one.
    n_components : int
        Number of components, at most.
    mu : float
        Ridge.

    Returns
    -------
    ndarray of shape (r, n_components)
        :math:`W`, the leading component first.
    """
    length = np.linalg.norm(E.T @ E) or 1.0  # which is that of E @ E.T
    gaps = F.T @ E / np.sqrt(length)
    right = gaps @ gaps.T
    right.flat[:: len(right) + 1] += mu
    centered = F - F.mean(axis=0)
    left = centered.T @ centered
    del centered
    first = max(len(left) - n_components, 0)
    _, vectors = eigh(
        left,
        right,
        subset_by_index=[first, len(left) - 1],
        overwrite_a=True,
        overwrite_b=True,
    )
    return vectors[:, ::-1]
