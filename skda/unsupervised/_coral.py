"""Correlation alignment."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.svm import LinearSVC

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import Array, BaseAlignedClassifier
from skda.utils.ranges import Positive

__all__ = ["CORAL"]

#: Variance, relative to the largest, up to which it is rounding.
ROUNDING = 1e-12


@estimator
class CORAL(BaseAlignedClassifier):
    r"""Correlation alignment.

    Gives the source the covariance of the target [1]_, then classifies. Features are
    put on one scale, see ``representation``, and all rows have unit length. With the
    means :math:`m` and covariances :math:`C` of the domains and
    :math:`\Sigma = C + \rho \, \mathrm{tr}(C) / p \, I`,

    .. math::

        x_s \mapsto \Sigma_t^{1/2} \Sigma_s^{-1/2} (x_s - m_s), \qquad
        x_t \mapsto x_t - m_t. \tag{1}

    Labels have no part in this.

    It takes an eigenvalue decomposition of each domain, of as many rows as it has
    features or rows, whichever are fewer: of wide rows no (p, p) matrix is formed. It
    has no seed.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    estimator : estimator object
        Classifier of the aligned rows. None is the paper's: a linear support vector
        machine.
    ridge
        Share :math:`\rho` of the mean variance that is added to every variance. The
        public code adds 1 to those of features of variance one, which is the same.

    Attributes
    ----------
    mean_, mean_source_ : ndarray of shape (n_features,)
        Means of the scaled rows of the target, and of the source.

    See Also
    --------
    LinearOT : Of the maps that give the source that covariance, the nearest one.
    skda.preprocessing.LinearOptimalTransport : The same, before any other method.

    References
    ----------
    .. [1] B. Sun, J. Feng and K. Saenko, "Return of Frustratingly Easy Domain
       Adaptation", AAAI 2016. arXiv:1511.05547.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import CORAL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = CORAL().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    ridge: Positive = 1.0

    def make_classifier(self) -> Any:
        return LinearSVC(random_state=0)

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        self.mean_source_, self.mean_ = (r.X.mean(axis=0) for r in (source, target))
        self._whitening = power_of_covariance(
            source.X - self.mean_source_, self.ridge, -0.5
        )
        self._coloring = power_of_covariance(target.X - self.mean_, self.ridge, 0.5)

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            white = self._whitening.apply(X - self.mean_source_)
            return self._coloring.apply(white)
        return X - self.mean_


class LowRank(NamedTuple):
    r"""A symmetric matrix :math:`s I + V \operatorname{diag}(w) V^\top`.

    Parameters
    ----------
    scale : float
        :math:`s`.
    vectors : ndarray of shape (p, r)
        Orthonormal columns :math:`V`.
    weights : ndarray of shape (r,)
        :math:`w`.
    """

    scale: float
    vectors: Array
    weights: Array

    def apply(self, X: Array) -> Array:
        """Multiply rows by the matrix.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.

        Returns
        -------
        ndarray of shape (n, p)
            The products.
        """
        return self.scale * X + (X @ self.vectors * self.weights) @ self.vectors.T


def power_of_covariance(centered: Array, ridge: float, power: float) -> LowRank:
    r"""Take a power of :math:`C + \rho \, \mathrm{tr}(C) / p \, I`.

    Parameters
    ----------
    centered : ndarray of shape (n, p)
        Rows, without their mean.
    ridge : float
        :math:`\rho`.
    power : float
        The power.

    Returns
    -------
    LowRank
        The matrix; the identity if the rows are all the same.
    """
    n, p = centered.shape
    rows = centered / np.sqrt(max(n - 1, 1))
    if n < p:
        values, left = eigh(rows @ rows.T)
    else:
        values, vectors = eigh(rows.T @ rows)
    some = values > ROUNDING * values.max()
    if not some.any() or values.max() <= 0:
        return LowRank(1.0, np.zeros((p, 0)), np.zeros(0))
    if n < p:
        vectors = rows.T @ (left[:, some] / np.sqrt(values[some]))
    else:
        vectors = vectors[:, some]
    floor = ridge * values[some].sum() / p
    scale = floor**power
    return LowRank(scale, vectors, (values[some] + floor) ** power - scale)
