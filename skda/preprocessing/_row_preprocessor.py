"""What the networks with an encoder per domain put before the rows of a domain."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline

from skda.preprocessing._rows import GraphSmoother, RowScaler
from skda.utils._sklearn import BaseEstimator, TransformerMixin
from skda.utils.scaling import feature_moments, suits_unit_rows

__all__ = ["row_preprocessor"]

N_NEIGHBORS = 10


class UnitOrStandardScaler(TransformerMixin, BaseEstimator):
    """Take rows to the unit sphere, or standardize their features, as suits them.

    Parameters
    ----------
    unit_rows : transformer
        What takes rows of many features to the sphere.
    smoother : transformer or None
        What comes after.
    smooths_standardized : bool
        Whether it comes after standardized features, too.
    """

    def __init__(
        self, unit_rows: Any, smoother: Any, *, smooths_standardized: bool
    ) -> None:
        self.unit_rows = unit_rows
        self.smoother = smoother
        self.smooths_standardized = smooths_standardized

    def fit_transform(
        self, X: NDArray[Any], y: Any = None, **fit_params: Any
    ) -> NDArray[Any]:
        """Decide by the rows, and scale them."""
        unit = suits_unit_rows(X)
        self.scaler_ = (self.unit_rows if unit else MeanSquareScaler()).fit(X)
        smooths = unit or self.smooths_standardized
        self.smoother_ = self.smoother if smooths else None
        scaled: NDArray[Any] = self.scaler_.transform(X)
        return (
            scaled if self.smoother_ is None else self.smoother_.fit_transform(scaled)
        )

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        """Scale new rows in the same way."""
        scaled: NDArray[Any] = self.scaler_.transform(X)
        return scaled if self.smoother_ is None else self.smoother_.transform(scaled)


class MeanSquareScaler(TransformerMixin, BaseEstimator):
    """Standardize features, then divide all of them by the root of their number.

    The rows have a mean squared length of one then, near that of unit rows, for which
    initial weights and learning rates were chosen.
    """

    def fit(self, X: NDArray[Any], y: Any = None) -> Self:
        """Find means and scales."""
        self.mean_, scale = feature_moments(X)
        self.scale_ = scale * np.sqrt(X.shape[1])
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        """Scale rows."""
        scaled: NDArray[Any] = ((X - self.mean_) / self.scale_).astype(X.dtype)
        return scaled


def row_preprocessor(
    domain: str,
    *,
    power: float | str,
    normalize: bool | str,
    n_neighbors: int | str | None,
    neighbors: Any = None,
) -> TransformerMixin:
    """Build the preprocessing of the rows of a domain.

    Parameters
    ----------
    domain : {"target", "source"}
        The domain; only target rows are smoothed.
    power : float or "auto"
        As in :class:`RowScaler`.
    normalize : bool or "auto"
        As in :class:`RowScaler`; "auto" standardizes the features instead, without a
        power, if fewer than 16 of them make up the length of a row.
    n_neighbors : int, "auto" or None
        As in :class:`GraphSmoother`; None does not smooth, and "auto" takes 10
        neighbors, but does not smooth standardized features.
    neighbors : transformer, default=None
        As in :class:`GraphSmoother`.

    Returns
    -------
    transformer
        Unfitted.

    Examples
    --------
    >>> from skda.preprocessing import row_preprocessor
    >>> row_preprocessor("source", power=1.0, normalize=True, n_neighbors=10)
    RowScaler(power=1.0)
    """
    scaler = RowScaler(power, normalize=bool(normalize))
    smoother = None
    if domain == "target" and n_neighbors is not None:
        automatic = n_neighbors == "auto"
        smoother = GraphSmoother(
            N_NEIGHBORS if automatic else n_neighbors, neighbors=neighbors
        )
    if normalize == "auto":
        return UnitOrStandardScaler(
            scaler, smoother, smooths_standardized=n_neighbors != "auto"
        )
    return scaler if smoother is None else make_pipeline(scaler, smoother)
