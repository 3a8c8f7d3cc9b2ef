"""The linear map that gives the source the target's mean and covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.preprocessing._two_domains import BaseDomainTransformer, DomainName
from skda.utils.declaration import estimator
from skda.utils.ranges import NonNegative

__all__ = ["LinearOptimalTransport"]


@estimator
class LinearOptimalTransport(BaseDomainTransformer):
    r"""Move the source by the optimal transport between two normal distributions.

    With the means :math:`m` and covariances :math:`C` of the domains and
    :math:`\Sigma = C + \rho \, \mathrm{tr}(C) / p \, I` [1]_,

    .. math::

        x_s \mapsto (x_s - m_s) A, \qquad
        A = \Sigma_s^{-1/2} \left( \Sigma_s^{1/2} \Sigma_t \Sigma_s^{1/2}
        \right)^{1/2} \Sigma_s^{-1/2}, \qquad x_t \mapsto x_t - m_t .

    Of all maps that give the source the covariance of the target it moves the samples
    least. Put the features on one scale first, and reduce more than some hundred of
    them, as :math:`A` takes :math:`p^3` operations::

        LinearOptimalTransport(
            shared_transformer=make_pipeline(StandardScaler(), PCA(0.99))
        )

    Without a source the target is centered.

    **Not for** domains whose classes have different shares, or of which one lacks
    classes, unless ``class_prior`` says which; nor for many features and few samples,
    whose covariances are mostly chance.

    Parameters
    ----------
    ridge
        Share :math:`\rho` of the mean variance that is added to every variance.

    Attributes
    ----------
    mean_, mean_source_ : ndarray of shape (n_features_out,)
        Means of the target's features, and of the source's; None without a source.
    map_ : ndarray of shape (n_features_out, n_features_out)
        The map :math:`A`; None without a source.

    See Also
    --------
    DomainScaler : Adapts every feature by itself.

    References
    ----------
    .. [1] R. Flamary, K. Lounici and A. Ferrari, "Concentration bounds for linear Monge
       mapping estimation and optimal transport domain adaptation", preprint 2019.
       arXiv:1905.10155.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import LinearOptimalTransport
    >>> X, X_source = np.array([[1.0], [3.0]]), np.array([[10.0], [30.0]])
    >>> transport = LinearOptimalTransport().fit(X, source=(X_source, None))
    >>> transport.transform(X_source, domain="source").ravel()
    array([-1.,  1.])
    """

    ridge: NonNegative = 0.1

    def _fit_domains(
        self,
        target: NDArray[Any],
        source: NDArray[Any] | None,
        weights: NDArray[np.float64] | None,
    ) -> None:
        self.mean_ = target.mean(axis=0, dtype=np.float64)
        self.mean_source_: Any = None
        self.map_: Any = None
        if source is None:
            return
        for domain, rows in (("target", target), ("source", source)):
            if len(rows) < 2:
                raise ValueError(
                    f"{type(self).__name__} expects two samples of each domain or "
                    f"more, got 1 sample of the {domain}, which has no covariance: add "
                    f"samples, or take DomainScaler."
                )
        self.mean_source_ = np.average(
            source.astype(np.float64, copy=False), axis=0, weights=weights
        )
        S_t, unit_t = self._covariance(target - self.mean_, None)
        S_s, unit_s = self._covariance(source - self.mean_source_, weights)
        root, inverse = _root(S_s), _root(S_s, inverse=True)
        middle = _root(root @ S_t @ root)
        self.map_ = np.ldexp(inverse @ middle @ inverse, unit_t - unit_s)

    def _covariance(
        self, centered: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.float64], int]:
        """Regularize the covariance of samples in units of a power of two."""
        unit = int(np.frexp(np.abs(centered).max())[1])
        rows = np.ldexp(centered, -unit)
        if weights is None:
            weights = np.ones(len(rows))
        covariance = (rows * (weights / weights.sum())[:, None]).T @ rows
        diagonal = np.einsum("ii->i", covariance)
        diagonal += self.ridge * diagonal.mean()
        return covariance, unit

    def _transform_domain(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        if domain == "source":
            return (X - self.mean_source_) @ self.map_
        return X - self.mean_

    def _has_source(self) -> bool:
        return self.map_ is not None


def _root(matrix: NDArray[np.float64], *, inverse: bool = False) -> NDArray[np.float64]:
    """Take the root of a covariance, or its inverse where there is variance."""
    values, vectors = np.linalg.eigh(matrix)
    none = values <= len(values) * np.finfo(float).eps * values.max()
    roots = np.sqrt(np.where(none, 1.0, values))
    powers = np.where(none, 0.0, 1 / roots if inverse else roots)
    return (vectors * powers) @ vectors.T
