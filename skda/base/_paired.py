"""Classifiers that learn from rows which both domains have."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn import config_context

from skda.base._classifier import BaseDomainClassifier
from skda.base._rows import DomainName, Rows
from skda.utils._sklearn import (
    fit_context,
    is_pandas_na,
    is_scalar_nan,
    safe_indexing,
)
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.labels import Labels
from skda.utils.scaling import make_standard_scaler
from skda.utils.validation import check_pair

__all__ = ["BasePairedClassifier", "PairedRows"]

#: What to pass, in the words of every error.
_FORMS = (
    "pairs=(X_source_pairs, X_target_pairs), or one array of a source row for every "
    "row of X, NaN where there is none"
)


class PairedRows(NamedTuple):
    """Rows of both domains that belong together, checked, transformed and dense.

    Parameters
    ----------
    source : ndarray of shape (n_pairs, p_s)
        Source side of every pair.
    target : ndarray of shape (n_pairs, p_t)
        Target side of every pair.
    aligned : bool, default=False
        Whether the target sides are rows of the target.
    """

    source: NDArray[Any]
    target: NDArray[Any]
    aligned: bool = False

    def join(self, source: Rows, target: Rows) -> tuple[Rows, Rows]:
        """Add the sides to their domains, unlabeled; a target row only once.

        Parameters
        ----------
        source, target : Rows
            Rows of the domains.

        Returns
        -------
        tuple of Rows
            Rows of the source and of the target.
        """
        if not self.aligned:
            target = _with_unlabeled(target, self.target)
        return _with_unlabeled(source, self.source), target


def _with_unlabeled(rows: Rows, unlabeled: NDArray[Any]) -> Rows:
    known = np.concatenate([rows.labels.known, np.zeros(len(unlabeled), dtype=bool)])
    X = np.concatenate([rows.X, unlabeled])
    return Rows(X, Labels(known, rows.labels.values))


@estimator
class BasePairedClassifier(BaseDomainClassifier):
    """Classify a target domain with the help of a source and of co-occurring rows.

    A subclass overrides :meth:`fit_rows`, which learns from both domains and from
    pairs. A network of that kind extends :class:`BasePairedNetClassifier`.

    Parameters
    ----------
    scaling : {"feature"} or None
        Whether to standardize every feature of either domain, by the rows of ``X`` and
        of the source.
    source_transformer, target_transformer : transformer
        Cloned, fitted on the samples of that domain and applied to them and to its side
        of the pairs ever after.
    """

    scaling: Literal["feature"] | None = "feature"

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}
    #: Attributes that depend on there being a source, or none.
    _of_source: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        """Learn from two domains and from pairs of their rows.

        Parameters
        ----------
        source, target : Rows
            Samples of the domains and their labels; the source may have no rows.
        pairs : PairedRows, default=None
            Rows that both domains have; None without a source.
        """

    def _needs_pairs(self) -> bool:
        """Say whether the method must have pairs wherever it has a source."""
        return True

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.scaling is None else make_standard_scaler()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        pairs: tuple[ArrayLike, ArrayLike] | ArrayLike | None = None,
    ) -> Self:
        """Fit to a partially labeled target, a labeled source and pairs of both.

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
            of shape (n_source,). None runs the method's target-only form where it has
            one, else trains on the labeled target samples alone.
        pairs : tuple (X_source_pairs, X_target_pairs) or array-like, default=None
            Co-occurring samples, such as a text and its translation; their labels
            are not needed. Either a tuple of samples that are not in ``X``, of shapes
            (n_pairs, n_source_features) and (n_pairs, n_features); or, of shape
            (n_target, n_source_features), the source side of every row of ``X``, all
            NaN where there is none. Cross-validation cuts the second form with ``X``.
            It cannot cut the tuple: if that has rows of ``X``, or of the samples
            to predict later, then test samples leak into the training.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        self._check_source_and_pairs(source, pairs)
        for name in self._of_source:  # of an earlier fit
            self.__dict__.pop(name, None)
        source_rows, target = self._check_domains(X, y, source)
        rows = None if pairs is None else self._check_pairs(pairs, target)
        with config_context(transform_output="default"):
            self.fit_rows(source_rows, target, rows)
            return self._finish_fit(source_rows, target)

    def _check_source_and_pairs(self, source: Any, pairs: Any) -> None:
        """Reject a source without pairs, and pairs without a source."""
        name = type(self).__name__
        if source is None and pairs is not None:
            raise ValueError(
                f"{name} got pairs without a source: pass source=(X_source, y_source) "
                f"as well, or neither."
            )
        if source is not None and pairs is None and self._needs_pairs():
            raise ValueError(
                f"{name} learns from samples that are there in both domains, got a "
                f"source without any: pass {_FORMS}."
            )

    def _check_pairs(self, pairs: Any, target: Rows) -> PairedRows:
        """Check pairs of either form after the domains."""
        if isinstance(pairs, tuple):
            sides = check_pair(pairs, _FORMS)
            n_source, n_target = (_shape(side, "a 2D")[0] for side in sides)
            if n_source != n_target:
                raise ValueError(
                    f"Expected the two sides of pairs to have as many rows, got "
                    f"{n_source} source rows and {n_target} target rows."
                )
            self._check_not_empty(n_source)
            rows = [
                self._check_side(side, domain)
                for side, domain in zip(sides, _DOMAINS, strict=True)
            ]
            return PairedRows(*rows)
        pairs = to_numpy(pairs)
        (n_rows, width), n_target = _shape(pairs, "a tuple or 2D"), len(target.X)
        if n_rows != n_target:
            raise ValueError(
                f"Expected as many rows in pairs as in X, got {n_rows} and "
                f"{n_target}: pass {_FORMS}."
            )
        paired = _n_missing(pairs) < width
        self._check_not_empty(paired.sum())
        rows = pairs.tocsr() if issparse(pairs) else pairs  # type: ignore[attr-defined]
        sides = safe_indexing(rows, np.flatnonzero(paired))
        return PairedRows(self._check_side(sides, "source"), target.X[paired], True)

    def _check_not_empty(self, n_pairs: int) -> None:
        if n_pairs == 0:
            raise ValueError(
                f"{type(self).__name__} expects at least one pair, got none: pass "
                f"{_FORMS}."
            )

    def _check_side(self, X: Any, domain: DomainName) -> Any:
        """Take one side of the pairs the way of the other samples of its domain."""
        own = {"source": self.n_features_in_source_, "target": self.n_features_in_}
        width = _shape(X, "a 2D")[1]
        if width != own[domain]:
            raise ValueError(
                f"Expected the {domain} side of pairs to have the {own[domain]} "
                f"features of the {domain} samples, got {width}: pass {_FORMS}."
            )
        if not self._has_transformer(domain) and _n_missing(X).any():
            raise ValueError(
                f"Some {domain} rows of pairs lack features: leave such pairs out (in "
                f"the form of one array, by NaN in all features of a row), or pass a "
                f"{domain}_transformer that imputes what is missing."
            )
        return self._prepare_rows(X, domain)


_DOMAINS: tuple[DomainName, DomainName] = ("source", "target")


def _shape(X: Any, wanted: str) -> tuple[int, ...]:
    """Read the shape of a side of the pairs, which must be a table."""
    try:
        shape = np.shape(X)
    except ValueError:  # a list of rows, or of tables, that are not alike
        shape = ()
    if len(shape) != 2:
        raise ValueError(
            f"Expected {wanted} array as pairs, got a {type(X).__name__} of shape "
            f"{shape}: pass {_FORMS}."
        )
    return shape


def _n_missing(X: Any) -> NDArray[Any]:
    """Count the missing features of every row."""
    if issparse(X):
        rows = X.tocoo()  # type: ignore[attr-defined]
        return np.bincount(rows.coords[0][np.isnan(rows.data)], minlength=rows.shape[0])
    values = np.asarray(to_numpy(X))
    if values.dtype.kind in "OSU":
        return np.frompyfunc(_is_missing, 1, 1)(values).astype(int).sum(axis=1)
    return np.isnan(values).sum(axis=1)


def _is_missing(value: Any) -> bool:
    return value is None or is_pandas_na(value) or is_scalar_nan(value)
