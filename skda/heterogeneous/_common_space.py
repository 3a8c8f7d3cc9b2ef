"""Base class of the methods that project both domains into a common space."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.svm import SVC

from skda.base import BaseDomainClassifier, DomainName, Rows, estimator
from skda.heterogeneous._final_classifier import FinalClassifier
from skda.preprocessing import row_preprocessor
from skda.utils._sklearn import (
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    TransformerMixin,
)
from skda.utils.labels import UNLABELED
from skda.utils.ranges import Auto, Power
from skda.utils.warnings import warn_user

__all__ = ["Array", "BaseCommonSpaceClassifier", "Coded", "Codes"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


class Coded(NamedTuple):
    """Rows of a domain, and their labels as places in the sorted classes.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    codes : ndarray of shape (n,)
        Places of the labels, -1 where unknown.
    """

    X: Array
    codes: Codes

    def labeled(self) -> Coded:
        """Keep the labeled rows.

        Returns
        -------
        Coded
            The labeled rows.
        """
        known = self.codes != UNLABELED
        return Coded(self.X[known], self.codes[known])

    def counts(self, n_classes: int) -> Codes:
        """Count the labeled rows of every class.

        Parameters
        ----------
        n_classes : int
            Number of classes.

        Returns
        -------
        ndarray of shape (n_classes,)
            Numbers of rows.
        """
        return np.bincount(self.codes[self.codes != UNLABELED], minlength=n_classes)

    def with_pseudo_labels(self, codes: Codes) -> Coded:
        """Label the rows that have no label.

        Parameters
        ----------
        codes : ndarray of shape (n,)
            A label for every row, -1 for none.

        Returns
        -------
        Coded
            The same rows, with the given labels where there are any.
        """
        return Coded(self.X, np.where(self.codes == UNLABELED, codes, self.codes))


@estimator
class BaseCommonSpaceClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseDomainClassifier
):
    """Take two domains into one space, and classify there.

    A subclass learns the space and the classifier (:meth:`_fit_domains`), and maps rows
    to what the classifier sees (:meth:`_features`). Without a source, the classifier is
    fitted to the labeled target rows as they are.

    Parameters
    ----------
    estimator : estimator object
        Classifier in the common space. Without ``predict_proba``, probabilities are the
        softmax of the decision function, if that has a score for each class, else
        certain.
    power : float or "auto"
        Power of every feature; "auto" is the square root in a domain that has no
        negative feature, else 1.
    normalize : {"auto"} or bool
        Whether to scale every row to unit length after that. "auto" does, unless fewer
        than 16 features make up the length of a row, as in tables: in such a domain the
        features are standardized instead, without a power.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted classifier, on labels encoded as places in ``classes_``.
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict"]), None] = field(
        default=None, kw_only=False
    )
    power: Power = "auto"
    normalize: bool | Auto = "auto"

    published_params: ClassVar[dict[str, Any]] = {"power": 1.0, "normalize": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def _fit_domains(self, source: Coded, target: Coded) -> None:
        """Learn from labeled source rows and a target of which some are labeled."""

    @abstractmethod
    def _features(self, X: NDArray[Any], domain: DomainName) -> Array:
        """Map rows of a domain to what the classifier sees."""

    def _default_estimator(self) -> Any:
        """Build the classifier of the paper."""
        # Its tolerance would let rounding decide the fourth decimal.
        return SVC(kernel="linear", tol=1e-6, random_state=0)

    def make_preprocessor(self, domain: DomainName) -> Any:
        return row_preprocessor(
            domain, power=self.power, normalize=self.normalize, n_neighbors=None
        )

    def fit_rows(self, source: Rows, target: Rows) -> None:
        name = type(self).__name__
        if not target.labels.known.any():
            raise ValueError(
                f"{name} expects labeled target samples, got none: nothing else tells "
                f"which class of the source is which in the target, which has other "
                f"features. Label a few samples of every class."
            )
        n_unlabeled = np.sum(~source.labels.known)
        if n_unlabeled:
            warn_user(f"{name} leaves out {n_unlabeled} unlabeled source samples.")
        rows = source.labeled()
        of_source = Coded(rows.X, rows.labels.codes(self.classes_))
        of_target = Coded(target.X, target.labels.codes(self.classes_))
        self._adapted = len(rows.X) > 0
        if self._adapted:
            self._fit_domains(of_source, of_target)
        else:
            self._fit_target(of_target)
        self._n_features_out = self._inputs(target.X[:1], "target").shape[1]

    def _fit_target(self, target: Coded) -> None:
        """Fit the classifier to the labeled target rows."""
        labeled = target.labeled()
        self._fit_classifier(labeled.X, labeled.codes)

    def _fit_classifier(self, Z: Array, codes: Codes, **fit_params: Any) -> None:
        """Fit the classifier."""
        given = self.estimator
        classifier = self._default_estimator() if given is None else given
        self._classifier = FinalClassifier(classifier, len(self.classes_))
        self._classifier.fit(Z, codes, **fit_params)
        self.estimator_ = self._classifier.estimator

    def _inputs(self, X: NDArray[Any], domain: DomainName) -> Array:
        """Map rows of a domain, if there is a common space."""
        return self._features(X, domain) if self._adapted else X

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if domain == "source" and not self._adapted:  # a source without labels
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
        return self._classifier.predict_proba(self._inputs(X, domain))

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float64]:
        """Map samples into the common space.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Samples in the common space; the target's own features, scaled, if there was
            no source in the fit.
        """
        return self._inputs(self._check_samples(X, domain), domain)
