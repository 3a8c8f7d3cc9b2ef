"""What transformers that tell the domains apart have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse, vstack
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import BaseEstimator, TransformerMixin, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.labels import Labels, check_labels
from skda.utils.operations import check_array, validate_data
from skda.utils.ranges import SharedTransformer, TargetShares
from skda.utils.validation import apply_transformer, check_pair
from skda.utils.warnings import warn_of_no_source

__all__ = ["BaseDomainTransformer"]

DomainName = Literal["target", "source"]
FLOATS = (np.float64, np.float32)


@estimator
class BaseDomainTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC):
    """Transform the samples of each domain in a way of its own.

    A subclass overrides ``_fit_domains`` and ``_transform_domain``. Validation, the
    shared transformer and the weights of the source samples are here.

    Parameters
    ----------
    class_prior : {"balanced"} or array-like of shape (n_classes,)
        Shares that the classes are assumed to have in the target: equal ones, or one
        for every class of the source, in sorted order, 0 for a class that the target
        lacks. A source sample then counts as the target's share of its class over the
        source's, and one without a label not at all. None takes the samples as they
        are, labeled or not.
    shared_transformer : transformer
        Cloned, fitted on the samples of both domains and applied to them first.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    shared_transformer_ : transformer or None
        The transformer fitted on the samples of both domains.
    """

    class_prior: TargetShares = None
    shared_transformer: SharedTransformer = None

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def _fit_domains(
        self,
        target: NDArray[Any],
        source: NDArray[Any] | None,
        weights: NDArray[np.float64] | None,
    ) -> None:
        """Learn from the samples of both domains, those of the source weighted."""

    @abstractmethod
    def _transform_domain(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        """Transform samples of a domain."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        source: tuple[ArrayLike, ArrayLike | None] | None = None,
    ) -> Self:
        """Fit to a target and a source of the same features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples; sparse ones are made dense after ``shared_transformer``.
        y : None
            Ignored.
        source : tuple (X_source, y_source), default=None
            Source samples, of shape (n_source, n_features), and their labels, which
            only ``class_prior`` needs; else they may be None.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        self.shared_transformer_ = clone(self.shared_transformer, safe=False)
        target = self._validate(X, fitting=True)
        if source is None:
            warn_of_no_source(self)
            (target,) = self._share([target])
            self._fit_domains(target, None, None)
            return self
        X_s, y_s = check_pair(source, "source=(X_source, y_source)")
        n_source_features = np.shape(X_s)[1:]
        if n_source_features != (self.n_features_in_,):
            raise ValueError(
                f"{type(self).__name__} expects both domains to have the same "
                f"features, got source samples of shape {np.shape(X_s)} and target "
                f"samples of shape {target.shape}."
            )
        rows = self._validate(X_s, fitting=False)
        weights = _weigh(check_labels(y_s, rows), self.class_prior)
        target, rows = self._share([target, rows])
        self._fit_domains(target, rows, weights)
        return self

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.floating]:
        """Transform samples of a domain.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Transformed samples.
        """
        check_is_fitted(self)
        if domain not in ("target", "source"):
            raise ValueError(f"domain must be 'target' or 'source', got {domain!r}.")
        if domain == "source" and not self._has_source():
            raise ValueError(
                f"This {type(self).__name__} was fitted without a source: "
                f"fit it with source=(X_source, y_source)."
            )
        rows = self._shared(self._validate(X, fitting=False))
        return self._transform_domain(rows, domain).astype(rows.dtype, copy=False)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Name the features that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of shape (n_features,), default=None
            Names of the features that come in; None are those seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_features_out,)
            The same names, or those that ``shared_transformer`` makes of them.
        """
        names = super().get_feature_names_out(input_features)
        if self.shared_transformer_ is None:
            return names
        return self.shared_transformer_.get_feature_names_out(names)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _has_source(self) -> bool:
        """Say whether there was a source in the fit."""

    def _validate(self, X: Any, *, fitting: bool) -> Any:
        return validate_data(
            self, to_numpy(X), dtype=FLOATS, accept_sparse="csr", reset=fitting
        )

    def _share(self, domains: list[Any]) -> list[Any]:
        """Fit the shared transformer on the samples of the domains and apply it."""
        if self.shared_transformer_ is not None:
            stack = vstack if any(map(issparse, domains)) else np.concatenate
            self.shared_transformer_.fit(stack(domains))
        return [self._shared(rows) for rows in domains]

    def _shared(self, rows: Any) -> NDArray[Any]:
        """Apply the shared transformer, and make dense what is sparse after it."""
        transformed = apply_transformer(self.shared_transformer_, rows, fitting=False)
        if issparse(transformed):
            transformed = transformed.toarray()  # type: ignore[attr-defined]
        return check_array(transformed, dtype=FLOATS)


def _weigh(labels: Labels, class_prior: Any) -> NDArray[np.float64]:
    """Weigh source samples so that their classes have the shares of the target."""
    if class_prior is None:
        return np.ones(len(labels.known))
    if not labels.known.any():
        raise ValueError(
            f"class_prior={class_prior!r} needs the labels of source samples, got "
            f"none: pass source=(X_source, y_source) with labels, or class_prior=None."
        )
    classes, counts = np.unique(labels.values, return_counts=True)
    if isinstance(class_prior, str):
        shares = np.ones(len(classes))
    else:
        shares = np.asarray(class_prior, dtype=float)
    valid = shares.shape == classes.shape and np.isfinite(shares).all()
    if not valid or shares.min() < 0 or shares.sum() <= 0:
        raise ValueError(
            f"Expected class_prior to have a share, 0 or more, for each of the "
            f"{len(classes)} classes of the source, not all of them 0, got "
            f"{class_prior!r}."
        )
    ratios = shares / shares.sum() / (counts / counts.sum())
    weights = np.zeros(len(labels.known))
    weights[labels.known] = ratios[np.searchsorted(classes, labels.values)]
    return weights
