"""What the methods that align two domains and then classify have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import Tags

from skda.base import BaseScaledClassifier, DomainName, Rows, estimator
from skda.utils._sklearn import (
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    TransformerMixin,
)
from skda.utils.operations import take_rows

__all__ = ["Array", "BaseAlignedClassifier", "principal_components"]

Array = NDArray[np.float64]


@estimator
class BaseAlignedClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseScaledClassifier
):
    """Align two domains, then fit a classifier to the labeled rows of both.

    A subclass overrides :meth:`learn_alignment` and :meth:`align`, and
    :meth:`make_classifier` if its paper has another classifier than the nearest
    neighbor.

    Parameters
    ----------
    estimator : estimator object
        Classifier of the aligned rows. None is the paper's: the nearest neighbor.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier, whose classes are positions in ``classes_``.
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict"]), None] = field(
        default=None, kw_only=False
    )

    published_params: ClassVar[dict[str, Any]] = {
        "representation": "unit",
        "power": 1.0,
    }
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def learn_alignment(self, source: Rows, target: Rows) -> None:
        """Learn what takes the rows of both domains to a common space.

        Parameters
        ----------
        source : Rows
            Labeled source samples, or those of the target if there is no source.
        target : Rows
            Target samples, and what is known of their labels.
        """

    @abstractmethod
    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        """Take rows of a domain to the common space.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.
        domain : {"target", "source"}
            Domain they come from.

        Returns
        -------
        ndarray of shape (n, n_features_out)
            Aligned rows.
        """

    def make_classifier(self) -> Any:
        """Build the classifier that the paper has.

        Returns
        -------
        estimator object
            Unfitted classifier.
        """
        return KNeighborsClassifier(n_neighbors=1)

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Align samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Samples in the space that both domains share.
        """
        rows = self._check_samples(X, domain)
        with config_context(transform_output="default"):
            return self.align(rows, domain).astype(np.float32)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit_rows(self, source: Rows, target: Rows) -> None:
        # A target that is aligned with itself stays as it is.
        self.learn_alignment(source if len(source.X) else target, target)
        self.fit_classifier(source, target)

    def fit_classifier(self, source: Rows, target: Rows) -> None:
        """Fit a fresh classifier to the aligned rows that have labels.

        Parameters
        ----------
        source : Rows
            Labeled source samples, or none.
        target : Rows
            Target samples, and what is known of their labels.
        """
        labeled = {"source": source, "target": target.labeled()}
        seen = {name: rows for name, rows in labeled.items() if len(rows.X)}
        X = np.concatenate([self.align(rows.X, name) for name, rows in seen.items()])  # type: ignore[arg-type]
        y = np.concatenate([r.labels.codes(self.classes_) for r in seen.values()])
        classifier = self.make_classifier()
        if self.estimator is not None:
            classifier = clone(self.estimator)
        if len(self.classes_) == 1:  # which many a classifier does not take
            classifier = DummyClassifier()
        self.estimator_ = classifier.fit(X, y)
        self._n_features_out = X.shape[1]

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        rows = self.align(X, domain)
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(rows)
        return take_rows(self.estimator_.predict(rows), np.eye(len(self.classes_)))


def principal_components(X: NDArray[Any], n_components: int | None) -> PCA:
    """Fit a principal component analysis, of no more components than there are.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    n_components : int or None
        Number of components, at most; None for all.

    Returns
    -------
    PCA
        The analysis, which of wide rows never looks at a (p, p) matrix.
    """
    n_components = min(n_components or max(X.shape), *X.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # of one row, or equal ones
        return PCA(n_components, random_state=0).fit(X)
