"""Validation, preprocessing and scoring shared by all classifiers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skda.base._rows import (
    DomainName,
    Rows,
    check_not_all_zero,
    transform_samples,
)
from skda.utils._sklearn import BaseEstimator, ClassifierMixin, fit_context
from skda.utils.declaration import estimator
from skda.utils.labels import (
    Labels,
    check_labels,
    labeled_accuracy,
    union_of_classes,
    warn_about_missing_classes,
)
from skda.utils.ranges import Transformer
from skda.utils.validation import (
    FeatureMemory,
    apply_transformer,
    check_pair,
    only_transformer,
)
from skda.utils.warnings import warn_of_no_source

__all__ = ["BaseDomainClassifier", "DomainName", "Rows"]


@estimator
class BaseDomainClassifier(ClassifierMixin, BaseEstimator, ABC):
    """Classify a target domain with the help of a source domain.

    The estimator is a classifier of the *target*: ``X`` and ``y`` are target samples
    and labels, and ``source`` travels next to them as fit metadata. Cross-validation
    therefore splits the target and leaves the source whole.

    A subclass overrides :meth:`fit_rows`, which learns from two domains, and
    :meth:`predict_proba_rows`. Validation, preprocessing, labels and scoring are here.

    Parameters
    ----------
    source_transformer, target_transformer : transformer
        Cloned, fitted on the samples of that domain and applied to them ever after.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, over both domains.
    n_features_in_ : int
        Number of target features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the target features, if ``X`` had names that are strings.
    n_features_in_source_ : int or None
        Number of source features; None without a source.
    source_transformer_, target_transformer_ : transformer or None
        The fitted transformers.
    transduction_ : ndarray of shape (n_target,)
        Label of every target sample seen in ``fit``: given or predicted.
    """

    source_transformer: Transformer = None
    target_transformer: Transformer = None

    _dtype: ClassVar[type] = np.float64
    #: Whether the method learns from a source at all.
    uses_source: ClassVar[bool] = True
    #: What :meth:`published` sets.
    published_params: ClassVar[dict[str, Any]] = {}
    #: What becomes of classes that no target row is labeled with.
    unlabeled_fate: ClassVar[str] = "there, the method works on the other classes"
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def fit_rows(self, source: Rows, target: Rows) -> None:
        """Learn from two domains.

        Parameters
        ----------
        source : Rows
            Source samples, of shape (n_source, p_s), and their labels; no rows if there
            is no source.
        target : Rows
            Target samples, of shape (n_target, p_t), and what is known of their labels.
        """

    @abstractmethod
    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        """Estimate the class probabilities of validated and preprocessed samples.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Samples.
        domain : {"target", "source"}
            Domain they come from.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities, in the order of ``classes_``.
        """

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        """Estimate the class probabilities of the target samples seen in the fit.

        Parameters
        ----------
        target : Rows
            Target samples, of shape (n_target, p_t), as :meth:`fit_rows` saw them.

        Returns
        -------
        ndarray of shape (n_target, n_classes)
            Probabilities; those of :meth:`predict_proba_rows`, unless a method knows
            more of these samples than of new ones.
        """
        return self.predict_proba_rows(target.X, "target")

    def make_preprocessor(self, domain: DomainName) -> Any:
        """Build the transformer that the method puts before the samples of a domain.

        Parameters
        ----------
        domain : {"target", "source"}
            Domain whose samples it is fitted on.

        Returns
        -------
        transformer or None
            Unfitted transformer; None for none.
        """
        return None

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        """Build the estimator with the settings of the published code.

        Parameters
        ----------
        **overrides : dict
            Parameters to set otherwise.

        Returns
        -------
        estimator : object
            Unfitted estimator with the settings of the authors' public code, or of
            the paper where there is none.
        """
        return cls(**(cls.published_params | overrides))

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Self:
        """Fit to a partially labeled target and a labeled source.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are, in which case ``source`` is required, and a method that cannot
            do without any says so.
        source : tuple (X_source, y_source), default=None
            Source samples, of shape (n_source, n_source_features), and their labels,
            of shape (n_source,). Which features they may have is up to the method.
            None runs the method's target-only form where it has one, else trains on
            the labeled target samples alone.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        domains = self._check_domains(X, y, source)
        # Whatever frames the user wants, the method works on arrays.
        with config_context(transform_output="default"):
            self.fit_rows(*domains)
            return self._finish_fit(*domains)

    def _finish_fit(self, source: Rows, target: Rows) -> Self:
        """End a fit by labeling the target rows that it has seen."""
        probabilities = self.transduce(target)
        if not np.isfinite(probabilities).all():
            raise ValueError(
                f"The fit of {type(self).__name__} diverged: its probabilities are not "
                f"finite. Lower the learning rate, or scale the features."
            )
        # A label that was given outweighs any probability.
        belief = 2 * target.labels.memberships(self.classes_) + probabilities
        self.transduction_ = self.classes_[belief.argmax(axis=1)]
        return self

    def predict_proba(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.floating]:
        """Estimate class probabilities.

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
        rows = self._check_samples(X, domain)
        with config_context(transform_output="default"):
            return self.predict_proba_rows(rows, domain)

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
        winner = self.predict_proba(X, domain=domain).argmax(axis=1)
        return self.classes_[winner]

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        domain: DomainName = "target",
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

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        return labeled_accuracy(y, self.predict(X, domain=domain), sample_weight)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_domains(
        self,
        X: ArrayLike,
        y: ArrayLike | None,
        source: tuple[ArrayLike, ArrayLike] | None,
    ) -> tuple[Rows, Rows]:
        """Check the source and the target, and learn ``classes_``."""
        source = source if self.uses_source else None
        transformer = only_transformer(self.source_transformer)
        self.source_transformer_ = clone(transformer, safe=False)
        self.target_transformer_ = clone(self.target_transformer, safe=False)
        self._preprocessors: dict[DomainName, Any] = {}
        rows: dict[DomainName, Any]
        rows = {"target": self._validate_rows(X, "target", fitting=True)}
        target = check_labels(y, rows["target"])
        labels = {"source": check_labels(None, np.empty((0, 0))), "target": target}
        alone = source is None and self._learns_from_labels()
        if alone and not target.known.any():
            advice = ", or pass source=(X_source, y_source)" * self.uses_source
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                f"None or every label is missing (-1, None or NaN): label some target "
                f"samples{advice}."
            )
        self.n_features_in_source_ = None
        if source is not None:
            X_s, y_s = check_pair(source, "source=(X_source, y_source)")
            name = f"the source of {type(self).__name__}"
            self._source_domain = FeatureMemory(name)
            rows["source"] = self._validate_rows(X_s, "source", fitting=True)
            # Texts, which a transformer turns into numbers, are one feature.
            n_features = getattr(self._source_domain, "n_features_in_", 1)
            self.n_features_in_source_ = n_features
            labels["source"] = check_labels(y_s, rows["source"])
        self.classes_ = self._find_classes(labels["source"], target)
        if alone and self.uses_source:
            warn_of_no_source(self)
        for domain, samples in rows.items():
            check_not_all_zero(samples, domain)
        self._fit_shared(rows, labels)
        rows = self._preprocess(rows, fitting=True)
        rows.setdefault("source", rows["target"][:0])  # no source is one of no rows
        return Rows(rows["source"], labels["source"]), Rows(rows["target"], target)

    def _learns_from_labels(self) -> bool:
        """Say whether labels, of either domain, are all that the fit can learn from."""
        return True

    def _find_classes(self, source: Labels, target: Labels) -> NDArray[Any]:
        """Find the sorted classes of both domains, and name those that one lacks."""
        classes, fate = union_of_classes(source, target), self.unlabeled_fate
        warn_about_missing_classes(classes, fate, source=source, target=target)
        return classes

    def _validate_rows(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        """Check samples of a domain and take them through its own transformer."""
        return transform_samples(
            self if domain == "target" else self._source_domain,
            X,
            getattr(self, f"{domain}_transformer_"),
            fitting=fitting,
            lenient=self._has_transformer(domain),
            domain=domain,
            dtype=self._dtype,
        )

    def _has_transformer(self, domain: DomainName) -> bool:
        """Say whether the user's transformer comes before the validation."""
        return getattr(self, f"{domain}_transformer_") is not None

    def _fit_shared(
        self, rows: dict[DomainName, Any], labels: dict[str, Labels]
    ) -> None:
        """Fit what the domains share to the samples and labels of both."""

    def _preprocess(
        self, rows: dict[DomainName, Any], *, fitting: bool
    ) -> dict[DomainName, Any]:
        """Make dense rows of validated samples and take them through preprocessors."""
        preprocessed: dict[DomainName, Any] = {}
        for domain, X in rows.items():
            dense = X.toarray() if issparse(X) else X  # type: ignore[attr-defined]
            if fitting:
                self._preprocessors[domain] = self.make_preprocessor(domain)
            with config_context(transform_output="default"):
                preprocessed[domain] = apply_transformer(
                    self._preprocessors[domain], dense, fitting=fitting
                )
        return preprocessed

    def _prepare_rows(self, X: Any, domain: DomainName) -> Any:
        """Take new samples of a domain to the rows that the method works on."""
        rows = {domain: self._validate_rows(X, domain, fitting=False)}
        return self._preprocess(rows, fitting=False)[domain]

    def _check_samples(self, X: ArrayLike, domain: DomainName) -> NDArray[Any]:
        """Check samples of either domain after the fit."""
        check_is_fitted(self)
        if domain not in ("target", "source"):
            raise ValueError(f"domain must be 'target' or 'source', got {domain!r}.")
        if domain == "source" and not self.uses_source:
            raise ValueError(
                f"{type(self).__name__} learns from the target alone, got "
                f"domain='source': pass target samples."
            )
        if domain == "source" and self.n_features_in_source_ is None:
            raise ValueError(
                f"This {type(self).__name__} was fitted without a source: "
                f"fit it with source=(X_source, y_source)."
            )
        return self._prepare_rows(X, domain)
