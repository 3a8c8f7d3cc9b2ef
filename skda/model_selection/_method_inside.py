"""What an estimator around an adaptation method hands on to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skda.utils.labels import labeled_accuracy

__all__ = ["BaseMethodInside", "DomainName"]

DomainName = Literal["target", "source"]


def _estimator_has(method: str) -> Callable[[BaseMethodInside], bool]:
    return lambda meta: hasattr(getattr(meta, "estimator_", meta.estimator), method)


class BaseMethodInside(MetaEstimatorMixin, BaseEstimator):
    """Hand on to ``estimator_``, which a subclass fits, whatever comes after the fit.

    What it has learned is to be had under the same name.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}

    estimator: Any
    estimator_: Any

    @available_if(_estimator_has("predict"))
    def predict(self, X: ArrayLike, *, domain: DomainName = "target") -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted labels.
        """
        return self._call("predict", X, domain)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.floating]:
        """Estimate class probabilities, if the method does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return self._call("predict_proba", X, domain)

    @available_if(_estimator_has("transform"))
    def transform(self, X: ArrayLike, *, domain: DomainName = "target") -> Any:
        """Map samples into the space that the domains share, if the method has one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        {ndarray, dataframe} of shape (n_samples, n_components)
            Latent features.
        """
        return self._call("transform", X, domain)

    @available_if(_estimator_has("predict"))
    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        domain: DomainName = "target",
    ) -> float:
        """Measure the accuracy of the predictions, on the real labels.

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

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        return labeled_accuracy(y, self.predict(X, domain=domain), sample_weight)

    def __getattr__(self, name: str) -> Any:
        """Look up what the method has learned, which ends in an underscore."""
        if name.startswith("_") or not name.endswith("_") or name == "estimator_":
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        return getattr(self.estimator_, name)

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self.estimator)

    def _call(self, method: str, X: ArrayLike, domain: DomainName) -> Any:
        """Call a method of the fitted estimator."""
        check_is_fitted(self)
        # What is no adaptation method may be fitted, too, but knows no domains.
        metadata = {} if domain == "target" else {"domain": domain}
        return getattr(self.estimator_, method)(X, **metadata)
