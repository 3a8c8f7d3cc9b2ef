"""Base class of the methods that map target rows to features of the source."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from skda.base import BasePairedClassifier, DomainName, PairedRows, Rows, estimator
from skda.heterogeneous._final_classifier import FinalClassifier
from skda.utils._sklearn import (
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    TransformerMixin,
)
from skda.utils.validation import check_magnitude

__all__ = ["Array", "BaseMappedClassifier"]

Array = NDArray[np.float64]


@estimator
class BaseMappedClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BasePairedClassifier
):
    """Map target rows to features of the source by pairs, and classify them there.

    A subclass learns the map (:meth:`_learn_map`) and applies it (:meth:`_features`).
    Without a source there is none, and the classifier is the target's own.

    Parameters
    ----------
    estimator : estimator object
        Classifier of the mapped rows. None is ``LinearSVC(C=0.1, random_state=0)``; it
        sums up the features of every class, so that errors of the map average out.
        (``SVC(kernel="linear")`` counts the votes of pairs of classes, which the map
        moves close together.)
        Without ``predict_proba``, probabilities are the softmax of the decision
        function, if that has a score for each class, else certain.
    use_target_labels
        Whether labeled target rows join the training, mapped. They do in any case if no
        source row is labeled.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted classifier, on labels encoded as places in ``classes_``.
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict"]), None] = field(
        default=None, kw_only=False
    )
    use_target_labels: bool = True

    published_params: ClassVar[dict[str, Any]] = {"use_target_labels": False}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def _learn_map(self, source: Rows, target: Rows, pairs: PairedRows) -> None:
        """Learn how to map rows of the target."""

    @abstractmethod
    def _features(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        """Map rows of a domain to what the classifier sees."""

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float64]:
        """Map samples to what the classifier sees, features of the source.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Features of the source; the target's own if there was none in the fit.
        """
        return self._classifier_inputs(self._check_samples(X, domain), domain)

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        self._mapped = pairs is not None
        domains: dict[DomainName, Rows] = {"source": source, "target": target}
        if pairs is not None:
            self._learn_map(source, target, pairs)
            if source.labels.known.any() and not self.use_target_labels:
                del domains["target"]
        labeled = {domain: rows.labeled() for domain, rows in domains.items()}
        X = np.concatenate(
            [
                self._classifier_inputs(rows.X, domain)
                for domain, rows in labeled.items()
                if len(rows.X)
            ]
        )
        codes = np.concatenate(
            [rows.labels.codes(self.classes_) for rows in labeled.values()]
        )
        self._n_features_out = X.shape[1]
        last = self.estimator
        if last is None:
            last = LinearSVC(C=0.1, random_state=0)
        if isinstance(last, LinearSVC) and np.ptp(codes):  # which would run on forever
            check_magnitude(X, f"what {type(self).__name__} classifies", power=4)
        self._classifier = FinalClassifier(last, len(self.classes_)).fit(X, codes)
        self.estimator_ = self._classifier.estimator

    def _map_rows(self, ridge: Ridge, X: NDArray[Any]) -> Array:
        """Map rows; scikit-learn makes a vector of them if there is one feature."""
        return ridge.predict(X).reshape(len(X), -1)

    def _classifier_inputs(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        """Map rows of a domain, if there is a map."""
        return self._features(X, domain) if self._mapped else X

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        return self._classifier.predict_proba(self._classifier_inputs(X, domain))
