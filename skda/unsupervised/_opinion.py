"""Classifiers that take somebody else's probabilities for an opinion."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.base import BaseScaledClassifier, DomainName, OpinionMixin, estimator
from skda.utils._sklearn import fit_context
from skda.utils.labels import labeled_accuracy
from skda.utils.probabilities import Columns, check_probabilities

__all__ = ["BaseOpinionClassifier"]

Array = NDArray[np.float64]


@estimator
class BaseOpinionClassifier(OpinionMixin, BaseScaledClassifier):
    """Classify a target on whose rows there is an opinion from elsewhere.

    A subclass overrides :meth:`fit_rows`, which asks :meth:`given_probabilities`, and
    :meth:`predict_proba_rows`.
    """

    __metadata_request__predict: ClassVar[dict[str, bool]] = {
        "domain": True,
        "probabilities": True,
    }
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {
        "domain": True,
        "probabilities": True,
    }
    __metadata_request__score: ClassVar[dict[str, bool]] = {
        "domain": True,
        "probabilities": True,
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        probabilities: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit to a target, with an opinion on its rows, labels or a source.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are.
        source : tuple (X_source, y_source), default=None
            Source samples, of shape (n_source, n_features), and their labels, of shape
            (n_source,).
        probabilities : array-like of shape (n_target, n_classes), default=None
            Opinion on every target sample. Cross-validation cuts it with ``X``.
        classes : array-like of shape (n_classes,), default=None
            Classes of the columns of ``probabilities``; None for the sorted labels of
            ``y`` and the source. Required if there is no label.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        with self.holding_opinion(probabilities, classes):
            return super().fit(X, y, source=source)

    @abstractmethod
    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName, P: Array | None = None
    ) -> NDArray[np.floating]:
        """Estimate the class probabilities of validated and preprocessed samples.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Samples.
        domain : {"target", "source"}
            Domain they come from.
        P : ndarray of shape (n, n_classes), default=None
            Opinion on each, if there is one.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities, in the order of ``classes_``.
        """

    def predict_proba(
        self,
        X: ArrayLike,
        *,
        domain: DomainName = "target",
        probabilities: ArrayLike | None = None,
    ) -> NDArray[np.floating]:
        """Estimate class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.
        probabilities : array-like of shape (n_samples, n_classes), default=None
            Opinion on every sample, with the columns of the fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        if probabilities is None:
            return super().predict_proba(X, domain=domain)
        rows = self._check_samples(X, domain)
        if domain == "source":
            raise ValueError(
                f"{type(self).__name__} takes probabilities of target samples, got "
                f"domain='source': leave one of them out."
            )
        own = Columns(self.classes_, np.arange(len(self.classes_)))
        P = check_probabilities(probabilities, len(rows), self._columns or own)
        return self.predict_proba_rows(rows, domain, P)

    def predict(
        self,
        X: ArrayLike,
        *,
        domain: DomainName = "target",
        probabilities: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.
        probabilities : array-like of shape (n_samples, n_classes), default=None
            Opinion on every sample, with the columns of the fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted labels.
        """
        P = self.predict_proba(X, domain=domain, probabilities=probabilities)
        return self.classes_[P.argmax(axis=1)]

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        domain: DomainName = "target",
        probabilities: ArrayLike | None = None,
    ) -> float:
        """Measure the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            True labels; a sample whose label is missing does not count.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A pipeline with metadata routing insists on the name.
        domain : {"target", "source"}, default="target"
            Domain they come from.
        probabilities : array-like of shape (n_samples, n_classes), default=None
            Opinion on every sample, with the columns of the fit.

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        predicted = self.predict(X, domain=domain, probabilities=probabilities)
        return labeled_accuracy(y, predicted, sample_weight)
