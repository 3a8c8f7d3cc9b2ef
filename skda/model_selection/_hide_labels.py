"""Score an unsupervised method on labels that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import HasMethods, fit_context
from skda.utils.labels import UNLABELED, check_labels, labeled_accuracy

__all__ = ["HideLabels"]


DomainName = Literal["target", "source"]


def _estimator_has(method: str) -> Callable[[HideLabels], bool]:
    return lambda meta: hasattr(getattr(meta, "estimator_", meta.estimator), method)


class HideLabels(MetaEstimatorMixin, BaseEstimator):
    """Fit without the target's labels, score with them.

    A method that is to work without target labels must not see them in
    cross-validation either, where they are needed to score it, and an adaptation method
    uses any label that it is given. This hides them all in ``fit``: whatever ``y`` is,
    the fit is the same.

    Parameters
    ----------
    estimator : estimator object
        Adaptation method.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted method. What it has learned, such as ``classes_``, ``history_`` or
        ``transduction_``, is to be had under the same name here.

    See Also
    --------
    LabeledFold : Split where the labels are few rather than hidden.

    Notes
    -----
    Choosing among parameters by such a score still looks at target labels. It tells how
    good a method can be, not how good it is where there are none.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import cross_val_score
    >>> from skda.model_selection import HideLabels
    >>> from skda.unsupervised import SPL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf, source = HideLabels(SPL()), {"source": (X[100:], y[100:])}
    >>> cross_val_score(clf, X[:100] + 1, y[:100], cv=3, params=source).shape
    (3,)
    >>> clf.fit(X[:100] + 1, y[:100], **source).classes_
    array([0, 1, 2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit"])],
    }
    _hides_labels: ClassVar[bool] = True  # displays look at what is inside
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    # The estimator may itself be a search or a pipeline, which validates its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        pairs: Any = None,
    ) -> Self:
        """Fit the method to an unlabeled target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels, which are checked, and of which none is learned from.
        source : tuple (X_source, y_source), default=None
            Source samples and labels, which the method is given if they are not None.
        pairs : tuple or array-like, default=None
            Co-occurring samples, which the method is given if they are not None.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the method finds nothing to learn from, as without a source.
        """
        hidden = None
        if y is not None:  # wrong ones, such as dates, would be an error of the score
            hidden = np.full(len(check_labels(y, y).known), UNLABELED)
        metadata = {"source": source, "pairs": pairs}
        given = {name: value for name, value in metadata.items() if value is not None}
        estimator = clone(self.estimator)
        try:
            self.estimator_ = estimator.fit(X, hidden, **given)
        except ValueError as error:
            if source is None:
                error.add_note(
                    "HideLabels hides every target label, so there is only a source to "
                    "learn from: pass source=(X_source, y_source)."
                )
            raise
        return self

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
