"""The classifier that adapts nothing, to compare with."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from skda.auto._outside import Given
from skda.utils.labels import UNLABELED
from skda.utils.scaling import make_standard_scaler

__all__ = ["PlainClassifier"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


class PlainClassifier:
    """Logistic regressions on standardized rows, of the target and of the source.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of their regularization.

    Attributes
    ----------
    name : str or None
        What says what the target's rows are; None if nothing plain can.
    probabilities_ : ndarray of shape (n_target, n_classes) or None
        What it says.
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C
        self.name: str | None = None
        self.probabilities_: Array | None = None

    def fit(self, given: Given, n_classes: int) -> Self:
        """Fit one to the labeled rows of either domain.

        Parameters
        ----------
        given : Given
            What there is to learn from.
        n_classes : int
            Number of classes.

        Returns
        -------
        self : object
            Fitted classifier.
        """
        self.n_classes = n_classes
        self._of_source = self._of_target = None
        if given.has_source:
            self._of_source = self._fit(given.source.X, given.source_codes)
        if given.has_labels:
            self._of_target = self._fit(given.target.X, given.codes)
            self.name = "logistic regression of the labeled target rows, standardized"
            self.probabilities_ = self._predict(self._of_target, given.target.X)
        elif given.has_source and given.same_features:
            self.name = "logistic regression of the source, standardized"
            self.probabilities_ = self._predict(self._of_source, given.target.X)
        return self

    def predict_proba_of_source(self, X: Array) -> Array:
        """Estimate the probabilities of rows of the source."""
        return self._predict(self._of_source, X)

    def _fit(self, X: Array, codes: Codes) -> tuple[Any, Any]:
        """Standardize by all rows, and learn from the labeled ones."""
        scaler = make_standard_scaler().fit(X)
        known = codes != UNLABELED
        (*_, first), rows = np.unique(codes[known])[:1], scaler.transform(X[known])
        if (codes[known] == first).all():
            return scaler, int(first)
        model = LogisticRegression(C=self.C, max_iter=1000)
        return scaler, model.fit(rows, codes[known])

    def _predict(self, fitted: Any, X: Array) -> Array:
        scaler, model = fitted
        found = np.zeros((len(X), self.n_classes))
        if isinstance(model, int):  # a single class
            found[:, model] = 1.0
        else:
            found[:, model.classes_] = model.predict_proba(scaler.transform(X))
        return found
