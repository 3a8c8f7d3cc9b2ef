"""Classifiers of two domains that have the same features."""

from __future__ import annotations

import sys
import warnings
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse, vstack
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skda.base._classifier import BaseDomainClassifier
from skda.base._rows import DomainName, Rows
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.labels import Labels, check_labels, union_of_classes
from skda.utils.operations import check_array
from skda.utils.ranges import SharedTransformer
from skda.utils.validation import apply_transformer, check_magnitude
from skda.utils.warnings import NoSourceWarning, warn_user

__all__ = ["BaseHomogeneousClassifier"]


@estimator
class BaseHomogeneousClassifier(BaseDomainClassifier):
    """Classify a target domain whose samples have the features of the source's.

    The samples of both domains may go through one transformer, after those of their
    own. An unlabeled source sample is left out if the method cannot use it.

    Parameters
    ----------
    shared_transformer : transformer
        Cloned, fitted on the samples of both domains and applied to them ever after.
        One that tells the domains apart, as :class:`skda.preprocessing.DomainScaler`
        does, learns which is which, and the labels of the source.
    source_transformer, target_transformer : transformer
        The same for the samples of one domain, before the shared one.

    Attributes
    ----------
    shared_transformer_ : transformer or None
        The transformer fitted on the samples of both domains.
    """

    shared_transformer: SharedTransformer = None

    #: Whether a source of other features is an error.
    needs_same_features: ClassVar[bool] = True
    #: Whether source samples without a label are of use to the method.
    uses_unlabeled_source: ClassVar[bool] = False
    #: Classes of the target: "all" may include some that the source lacks; "subset" has
    #: some of the source's, at least two, so that any other target label is an error.
    target_classes: ClassVar[Literal["all", "subset"]] = "all"

    def make_shared_preprocessor(self, domains: list[Any]) -> Any:
        """Build the transformer that the method puts before both domains.

        It takes the place of a ``shared_transformer``, and is left out where the user
        has passed one.

        Parameters
        ----------
        domains : list of {ndarray, sparse matrix} of shape (n, p)
            Validated samples of each domain.

        Returns
        -------
        transformer or None
            Unfitted transformer that tells the domains apart, as
            :class:`skda.preprocessing.DomainScaler` does; None for none.
        """
        return None

    def _check_domains(self, X: Any, y: Any, source: Any) -> tuple[Rows, Rows]:
        """Check both domains, and leave out what the method cannot use."""
        self.shared_transformer_ = clone(self.shared_transformer, safe=False)
        subset = self.target_classes == "subset" and source is not None
        # Without labels of the target, the classes are those of the source.
        rows, target = super()._check_domains(X, None if subset else y, source)
        n_unlabeled = (~rows.labels.known).sum()
        if n_unlabeled and n_unlabeled == len(rows.X):
            raise ValueError(
                f"{type(self).__name__} expects labeled source samples, got "
                f"{n_unlabeled} unlabeled ones: label some, or pass source=None."
            )
        if n_unlabeled and not self.uses_unlabeled_source:
            warn_user(
                f"{type(self).__name__} leaves out {n_unlabeled} unlabeled source "
                f"samples, of which it can make no use."
            )
            rows = rows.labeled()
        if subset:
            target = target._replace(labels=self._check_subset(y, target.X))
        return rows, target

    def _check_subset(self, y: Any, X: Any) -> Labels:
        """Check target labels, which must be among the two or more ``classes_``."""
        name = type(self).__name__
        if len(self.classes_) < 2:
            (only,) = self.classes_.tolist()
            raise ValueError(
                f"{name} expects a source of two classes or more, got one class, "
                f"{only!r}: add samples of other classes."
            )
        labels = check_labels(y, X)
        known = Labels(np.ones(len(self.classes_), dtype=bool), self.classes_)
        union = union_of_classes(known, labels)
        unknown = np.setdiff1d(union, self.classes_).tolist()
        if unknown:
            raise ValueError(
                f"{name} expects a target whose classes are among the source's, got "
                f"the label {', '.join(map(repr, unknown))}, which no source sample "
                f"has: add source samples of it, or take a method of skda.unsupervised."
            )
        return labels

    def _validate_rows(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        rows = super()._validate_rows(X, domain, fitting=fitting)
        if not hasattr(rows, "shape"):
            rows = np.asarray(rows)
        return rows

    def _has_transformer(self, domain: DomainName) -> bool:
        return super()._has_transformer(domain) or self.shared_transformer_ is not None

    def _fit_shared(
        self, rows: dict[DomainName, Any], labels: dict[str, Labels]
    ) -> None:
        """Fit the transformer that the domains share."""
        self._check_same_shape({name: np.shape(X)[1:] for name, X in rows.items()})
        transformer = self.shared_transformer_
        if transformer is None:
            return
        if _tells_domains_apart(transformer) and "source" in rows:
            y_source = labels["source"].with_gaps()
            transformer.fit(rows["target"], source=(rows["source"], y_source))
        else:
            transformer.fit(_stacked(list(rows.values())))

    def _preprocess(
        self, rows: dict[DomainName, Any], *, fitting: bool
    ) -> dict[DomainName, Any]:
        """Take the samples of both domains through the transformer that they share."""
        if self.shared_transformer_ is not None:
            rows = {name: self._shared(X, name) for name, X in rows.items()}
        with config_context(transform_output="default"):
            if fitting:
                self._shared_preprocessor = self._fit_shared_preprocessor(rows)
            if self._shared_preprocessor is not None:
                rows = {
                    name: self._shared_preprocessor.transform(dense(X), domain=name)
                    for name, X in rows.items()
                }
        return super()._preprocess(rows, fitting=fitting)

    def _fit_shared_preprocessor(self, rows: dict[DomainName, Any]) -> Any:
        """Fit what the method puts before both domains, unless the user chose."""
        if self.shared_transformer_ is not None:
            return None
        preprocessor = self.make_shared_preprocessor(list(rows.values()))
        if preprocessor is None:
            return None
        source = (dense(rows["source"]), None) if "source" in rows else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoSourceWarning)  # which has been said
            return preprocessor.fit(dense(rows["target"]), source=source)

    def _shared(self, X: Any, domain: DomainName) -> NDArray[Any]:
        transformer = self.shared_transformer_
        role = {"domain": domain} if _tells_domains_apart(transformer) else {}
        rows = apply_transformer(transformer, X, fitting=False, **role)
        with np.errstate(over="ignore"):  # a value too large is an error, here
            checked: Any = check_array(
                to_numpy(rows),
                dtype=self._dtype,
                accept_sparse="csr",
                input_name=f"X_{domain}",
            )
        check_magnitude(checked, f"the {domain} samples")
        return checked

    def _check_same_shape(self, shapes: dict[DomainName, tuple[int, ...]]) -> None:
        """Reject domains that do not look alike."""
        if len(set(shapes.values())) == 1:
            return
        source, target = shapes["source"], shapes["target"]
        if len(source) == len(target) == 1:
            raise ValueError(
                f"{type(self).__name__} expects both domains to have the same "
                f"features, got {source[0]} source features and {target[0]} target "
                f"features: for domains of different features there are the methods "
                f"of skda.heterogeneous."
            )
        raise ValueError(
            f"{type(self).__name__} expects source and target samples of one shape, "
            f"got {source} and {target}: resize the images to one size."
        )


def dense(X: Any) -> Any:
    """Make dense what is sparse."""
    return X.toarray() if issparse(X) else X  # type: ignore[attr-defined]


def _tells_domains_apart(transformer: Any) -> bool:
    """Say whether a transformer is fitted to a target and a source."""
    return has_fit_parameter(transformer, "source")


def _stacked(domains: list[Any]) -> Any:
    """Stack the samples of the domains, in whatever form they came."""
    if any(issparse(X) for X in domains):
        return vstack(domains, format="csr")
    if all(hasattr(X, "columns") for X in domains):
        package = type(domains[0]).__module__.partition(".")[0]
        return sys.modules[package].concat(domains)  # as in pandas, so in Polars
    return np.concatenate([np.asarray(X) for X in domains])
