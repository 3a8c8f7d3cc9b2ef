"""Classifiers that take somebody else's probabilities for an opinion."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context

from skda.base import BaseScaledClassifier, DomainName, estimator
from skda.utils._sklearn import fit_context
from skda.utils.labels import Labels, labeled_accuracy
from skda.utils.probabilities import Columns, check_probabilities, find_columns

__all__ = ["BaseOpinionClassifier"]

Array = NDArray[np.float64]


@estimator
class BaseOpinionClassifier(BaseScaledClassifier):
    """Classify a target on whose rows there is an opinion from elsewhere.

    A subclass overrides :meth:`fit_rows`, which asks :meth:`given_probabilities`, and
    :meth:`predict_proba_rows`.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {
        "source": True,
        "probabilities": True,
        "classes": True,
    }
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
        if probabilities is None and classes is not None:
            raise ValueError(
                f"{type(self).__name__} got classes without probabilities, whose "
                f"columns they name: pass both, or neither."
            )
        self._given = probabilities, classes
        try:
            return super().fit(X, y, source=source)
        finally:
            self.__dict__.pop("_given", None)  # which a failed fit has lost

    def _learns_from_labels(self) -> bool:
        return self._given[0] is None

    def _find_classes(self, source: Labels, target: Labels) -> NDArray[Any]:
        if self._learns_from_labels():
            self._columns: Columns | None = None
            return super()._find_classes(source, target)
        self._columns = find_columns(
            self._given[1], source, target, type(self).__name__
        )
        return self._columns.classes

    def given_probabilities(self, n_rows: int) -> Array | None:
        """Check the opinion that the fit was given.

        Parameters
        ----------
        n_rows : int
            Number of rows of the target.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or None
            Probabilities, in the order of ``classes_``; None if there are none.
        """
        if self._columns is None:
            return None
        return check_probabilities(self._given[0], n_rows, self._columns)

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
        rows = self._check_samples(X, domain)
        if probabilities is None:
            with config_context(transform_output="default"):
                return self.predict_proba_rows(rows, domain)
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
