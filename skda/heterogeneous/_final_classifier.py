"""The classifier at the end of a method, whatever it can say of probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from skda.utils.operations import softmax, spread_columns

__all__ = ["FinalClassifier"]


class FinalClassifier:
    """A classifier of encoded labels that has probabilities of every class.

    Without ``predict_proba``, they are the softmax of the decision function, if that
    has a score for each class, else certain.

    Parameters
    ----------
    estimator : estimator object
        Classifier, which is cloned.
    n_classes : int
        Number of classes, of which the classifier may see only some.
    """

    def __init__(self, estimator: Any, n_classes: int) -> None:
        self.estimator = clone(estimator)
        self.n_classes = n_classes

    def fit(self, X: NDArray[Any], codes: NDArray[Any], **fit_params: Any) -> Self:
        """Fit the classifier; one that is constant if there is a single class.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.
        codes : ndarray of shape (n,)
            Their labels, from 0 to ``n_classes - 1``.
        **fit_params : dict
            Further arguments of the fit.

        Returns
        -------
        self : object
            Fitted classifier.
        """
        self.codes = np.unique(codes)
        if len(self.codes) == 1:
            self.estimator = DummyClassifier()
        # The votes between pairs of three classes are three, and look like scores.
        shape_params = [
            name
            for name in self.estimator.get_params()
            if name.rpartition("__")[2] == "decision_function_shape"
        ]
        self.estimator.set_params(**dict.fromkeys(shape_params, "ovr"))
        self.estimator.fit(X, codes, **fit_params)
        return self

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Estimate the probabilities of all classes.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities, zero for a class that the classifier has not seen.
        """
        return spread_columns(self._probabilities(X), self.codes, self.n_classes)

    def _probabilities(self, X: NDArray[Any]) -> NDArray[Any]:
        """Estimate the probabilities of the classes that the classifier has seen."""
        if hasattr(self.estimator, "predict_proba"):
            return self.estimator.predict_proba(X)
        if hasattr(self.estimator, "decision_function"):
            scores = self.estimator.decision_function(X)
            if scores.ndim == 1:
                scores = np.column_stack([np.zeros_like(scores), scores])
            if scores.shape[1] == len(self.codes):  # one against the rest
                return softmax(scores, axis=1)
        return (self.estimator.predict(X)[:, None] == self.codes).astype(np.float64)
