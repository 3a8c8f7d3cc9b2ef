"""Features by the ranks of their values."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import BaseEstimator, TransformerMixin, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.operations import interpolate_columns, validate_data

__all__ = ["NormalScoreTransformer"]

FLOATS = (np.float64, np.float32)


@estimator
class NormalScoreTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Replace the values of every feature by the normal scores of their ranks.

    Of :math:`n` training values, the one of rank :math:`r` becomes
    :math:`\Phi^{-1}((r - 1/2) / n)`, where equal values share their mean rank. A new
    value lies between the training values next to it, on a straight line, and takes the
    score of the least or the largest one if it is beyond all of them; so the training
    values are kept. Skewed features become normal, outliers lose their weight, and no
    unit or other increasing function of a feature changes anything. scikit-learn's
    ``QuantileTransformer`` gives the least and the largest value a score of 5.2 each,
    however few there are.

    **Not for** features that mostly have one value, as the counts of words do: what
    scores they get depends on how often that value comes. Nor where the sizes of the
    differences tell the classes apart, as in a table of few features that are measured
    alike.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    values_ : list of ndarray of shape (n_distinct,)
        Distinct training values of every feature, in ascending order.
    scores_ : list of ndarray of shape (n_distinct,)
        Their scores.

    Examples
    --------
    >>> from skda.preprocessing import NormalScoreTransformer
    >>> ranks = NormalScoreTransformer().fit([[1.0], [10.0], [1000.0]])
    >>> ranks.transform([[1.0], [10.0], [505.0], [9999.0]]).ravel().round(3)
    array([-0.967,  0.   ,  0.484,  0.967])
    """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Rank the values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        rows = validate_data(self, to_numpy(X), dtype=FLOATS)
        self.values_, self.scores_ = [], []
        for column in rows.T:
            values, counts = np.unique(column, return_counts=True)
            below = np.cumsum(counts) - counts  # their mean rank is below + (c + 1) / 2
            self.values_.append(values)
            self.scores_.append(ndtri((below + counts / 2) / len(column)))
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Score samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Scores.
        """
        check_is_fitted(self)
        rows = validate_data(self, to_numpy(X), dtype=FLOATS, reset=False)
        curves = list(zip(self.values_, self.scores_, strict=True))
        return interpolate_columns(rows, curves)
