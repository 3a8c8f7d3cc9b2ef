"""Features standardized in each domain by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.preprocessing._two_domains import BaseDomainTransformer, DomainName
from skda.utils.declaration import estimator
from skda.utils.ranges import NonNegative, Share

__all__ = ["DomainScaler"]


@estimator
class DomainScaler(BaseDomainTransformer):
    r"""Standardize the features of each domain by itself.

    A feature of a domain loses its mean there and is divided by its standard deviation
    there. It undoes what shifts or stretches single features from one domain to the
    other, as other units, lighting or lengths of documents do. Without a source the
    target is standardized, as by scikit-learn's ``StandardScaler``.

    **Not for** domains whose classes have different shares, or of which one lacks
    classes: their means differ by the classes, and equal means move classes onto each
    other. ``class_prior`` mends that where the shares are known.

    Parameters
    ----------
    min_scale
        Least standard deviation of a feature in a domain, as a share of the pooled one,
        :math:`\sqrt{(n_s \sigma_s^2 + n_t \sigma_t^2) / (n_s + n_t)}`, for which the
        median of :math:`\sigma_s / \sigma_t` over the features is taken to be the unit
        of the source. It keeps a feature that hardly varies in one domain from being
        blown up there. A feature that is constant in both becomes zero.
    strength
        Share of the way from the moments of both domains together, 0, to those of each
        by itself, 1: on a line between the means, and between the logarithms of the
        scales. The source is first taken to the unit of the target, as above. Half-way
        lessens a shift, and the harm where only the shares of the classes differ.
    ridge
        Added to every variance, as a share of the mean variance of the features in the
        domain. It is for features of one unit, of which those that hardly vary are
        noise, as the pixels at the border of an image.

    Attributes
    ----------
    mean_, mean_source_ : ndarray of shape (n_features_out,)
        Means of the target's features, and of the source's; None without a source.
    scale_, scale_source_ : ndarray of shape (n_features_out,)
        What they are divided by.

    See Also
    --------
    LinearOptimalTransport : Also adapts how the features go together.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import DomainScaler
    >>> X, X_source = np.array([[1.0], [3.0]]), np.array([[10.0], [30.0]])
    >>> scaler = DomainScaler().fit(X, source=(X_source, None))
    >>> scaler.transform(X).ravel()
    array([-1.,  1.])
    >>> scaler.transform(X_source, domain="source").ravel()
    array([-1.,  1.])
    """

    min_scale: Share = 0.1
    strength: Share = 1.0
    ridge: NonNegative = 0.0

    def _fit_domains(
        self,
        target: NDArray[Any],
        source: NDArray[Any] | None,
        weights: NDArray[np.float64] | None,
    ) -> None:
        self.mean_, spread = self._moments(target, None)
        self.mean_source_: Any = None
        self.scale_source_: Any = None
        least = np.zeros_like(spread)
        if source is not None:
            self.mean_source_, spread_source = self._moments(source, weights)
            varies = (spread > 0) & (spread_source > 0)
            ratios = spread_source[varies] / spread[varies]
            unit = np.median(ratios) if len(ratios) else 1.0
            share = len(source) / (len(source) + len(target))
            # As a length of two legs, which no unit makes overflow or underflow.
            pooled = np.hypot(
                np.sqrt(share) * spread_source / unit, np.sqrt(1 - share) * spread
            )
            least = self.min_scale * pooled
            self.scale_source_ = _scale(spread_source, least * unit)
        self.scale_ = _scale(spread, least)
        if source is not None and self.strength < 1:
            self._move_towards_pooled(target, source / unit, weights, unit)

    def _moments(
        self, X: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average every feature, and take its deviation, with the ridge."""
        mean, spread = _moments(X, weights)
        if self.ridge:
            largest = spread.max() or 1.0
            typical = largest * np.sqrt(np.mean((spread / largest) ** 2))
            spread = np.hypot(spread, np.sqrt(self.ridge) * typical)
        return mean, spread

    def _move_towards_pooled(
        self,
        target: NDArray[Any],
        source: NDArray[Any],
        weights: NDArray[np.float64] | None,
        unit: float,
    ) -> None:
        """Mix the moments of the domains with those of both in the target's unit."""
        if weights is not None:  # sums to the number of samples
            weights = weights * len(source) / weights.sum()
            weights = np.concatenate([weights, np.ones(len(target))])
        mean, spread = self._moments(np.concatenate([source, target]), weights)
        scale, own = _scale(spread, np.zeros_like(spread)), self.strength
        self.mean_ = own * self.mean_ + (1 - own) * mean
        self.mean_source_ = own * self.mean_source_ + (1 - own) * mean * unit
        self.scale_ = self.scale_**own * scale ** (1 - own)
        self.scale_source_ = self.scale_source_**own * (scale * unit) ** (1 - own)

    def _transform_domain(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        if domain == "source":
            return (X - self.mean_source_) / self.scale_source_
        return (X - self.mean_) / self.scale_

    def _has_source(self) -> bool:
        return self.mean_source_ is not None


def _scale(
    spread: NDArray[np.float64], least: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bound deviations from below; that of a constant feature is one."""
    scale = np.maximum(spread, least)
    return np.where(scale > 0, scale, 1.0)


def _moments(
    X: NDArray[Any], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average every feature, and take its deviation, 0 where it is rounding alone."""
    first = X[0].astype(np.float64)  # exact where a feature is constant
    mean = first + np.average(X - first, axis=0, weights=weights)
    centered = X - mean
    exponents = np.frexp(np.abs(centered).max(axis=0))[1]
    squares = np.ldexp(centered, -exponents) ** 2
    spread = np.ldexp(np.sqrt(np.average(squares, axis=0, weights=weights)), exponents)
    rounding = 4 * np.finfo(X.dtype).eps * np.abs(mean)
    return mean, np.where(spread > rounding, spread, 0.0)
