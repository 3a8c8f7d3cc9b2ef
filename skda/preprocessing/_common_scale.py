"""The representation of two domains that closed-form methods start from."""

from __future__ import annotations

from typing import Any

from skda.preprocessing._domain_scaler import DomainScaler
from skda.preprocessing._rows import RowScaler

__all__ = ["shared_preprocessor"]

#: Least number of non-negative features whose sum is a size rather than a feature.
MANY_FEATURES = 64


def shared_preprocessor(
    domains: list[Any], *, power: float | str = "auto"
) -> DomainScaler:
    """Build the scaling of two domains that suits the nature of their features.

    Parameters
    ----------
    domains : list of {ndarray, sparse matrix} of shape (n, p)
        Samples of every domain.
    power : float or "auto"
        Power of the features; "auto" is the root of counts, and 1 for others.

    Returns
    -------
    transformer
        Unfitted. 64 features or more, none of them negative, are taken for counts,
        pixels or activations of one unit: their roots, scaled to unit length, are
        standardized in each domain by itself, with the share of the values that are not
        zero for ``ridge``. What hardly varies is rare in text, but noise in an image.
        Other features have units of their own: they are standardized half-way between
        each domain by itself and both together. It is not for a target that lacks
        classes, or has them in far other shares, whose means differ by that alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.preprocessing import shared_preprocessor
    >>> shared_preprocessor([np.zeros((5, 3)), np.ones((5, 3))])
    DomainScaler(strength=0.5)
    """
    if not _are_counts(domains):
        rows = None if power in ("auto", 1) else RowScaler(power, normalize=False)
        return DomainScaler(strength=0.5, shared_transformer=rows)
    n_values = sum(X.shape[0] * X.shape[1] for X in domains)
    n_nonzero = sum((X != 0).sum() for X in domains)
    rows = RowScaler(0.5 if power == "auto" else power)
    return DomainScaler(ridge=n_nonzero / n_values, shared_transformer=rows)


def _are_counts(domains: list[Any]) -> bool:
    """Say whether features look like counts, pixels or activations."""
    many = domains[0].shape[1] >= MANY_FEATURES
    return many and all(X.min() >= 0 for X in domains)
