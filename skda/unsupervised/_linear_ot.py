"""Optimal transport between normal distributions, then a classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.preprocessing import LinearOptimalTransport
from skda.unsupervised._aligned import (
    Array,
    BaseAlignedClassifier,
    principal_components,
)
from skda.utils.ranges import Count, NonNegative

__all__ = ["LinearOT"]


@estimator
class LinearOT(BaseAlignedClassifier):
    r"""Optimal transport between two normal distributions.

    Moves the source by the linear map that gives it the mean and covariance of the
    target and moves it least [1]_, then classifies. Features are put on one scale, see
    ``representation``, all rows have unit length, and go through a principal component
    analysis of both domains together. With the means :math:`m` and covariances
    :math:`C` of the domains and :math:`\Sigma = C + \rho \, \mathrm{tr}(C) / p \, I`,

    .. math::

        x_s \mapsto A (x_s - m_s), \qquad
        x_t \mapsto x_t - m_t, \qquad
        A = \Sigma_s^{-1/2} \left( \Sigma_s^{1/2} \Sigma_t \Sigma_s^{1/2}
        \right)^{1/2} \Sigma_s^{-1/2}. \tag{1}

    Labels have no part in this.

    It takes three eigenvalue decompositions of as many rows as there are principal
    components, and has no seed.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    ridge
        Share :math:`\rho` of the mean variance that is added to every variance.
    pca_components
        Number :math:`p` of principal components of both domains, at most; None keeps
        all.

    Attributes
    ----------
    pca_ : PCA
        The principal component analysis.
    transport_ : LinearOptimalTransport
        The map of Equation 1.

    See Also
    --------
    CORAL : Another map that gives the source the covariance of the target.
    skda.preprocessing.LinearOptimalTransport : The map, before any other method.

    Notes
    -----
    The paper adds no ridge, and its authors' library (POT) next to none, which
    :meth:`published` has; of as many features as rows a covariance is mostly chance.

    References
    ----------
    .. [1] R. Flamary, K. Lounici and A. Ferrari, "Concentration bounds for linear Monge
       mapping estimation and optimal transport domain adaptation", preprint 2019.
       arXiv:1905.10155.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import LinearOT
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = LinearOT().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    ridge: NonNegative = 0.1
    pca_components: Count | None = 128

    published_params: ClassVar[dict[str, Any]] = {
        **BaseAlignedClassifier.published_params,
        "ridge": 1e-8,
        "pca_components": None,
    }

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        self.pca_ = principal_components(
            np.concatenate([source.X, target.X]), self.pca_components
        )
        first, second = (self.pca_.transform(rows.X) for rows in (source, target))
        self.transport_ = LinearOptimalTransport(ridge=self.ridge)
        self.transport_.fit(second, source=(first, None))

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        rows = self.pca_.transform(X)
        return self.transport_.transform(rows, domain=domain).astype(np.float64)
