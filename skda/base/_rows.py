"""Samples of one domain: validated, transformed, labeled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skda.utils.arrays import to_numpy
from skda.utils.labels import Labels
from skda.utils.validation import (
    FeatureMemory,
    apply_transformer,
    check_magnitude,
    validate_features,
)

__all__ = ["DomainName", "Rows", "check_not_all_zero", "transform_samples"]

DomainName = Literal["target", "source"]


class Rows(NamedTuple):
    """Samples of one domain, checked, transformed and dense.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Samples.
    labels : Labels
        Their labels, as far as they are known.
    """

    X: NDArray[Any]
    labels: Labels

    def labeled(self) -> Rows:
        """Keep the rows whose label is known.

        Returns
        -------
        Rows
            The labeled rows.
        """
        known = self.labels.known
        return Rows(self.X[known], self.labels._replace(known=known[known]))


def transform_samples(
    owner: Any,
    X: Any,
    transformer: Any,
    *,
    fitting: bool,
    lenient: bool,
    domain: DomainName,
    dtype: type,
) -> Any:
    """Validate the samples of a domain and take them through the user's transformer.

    Parameters
    ----------
    owner : estimator
        Keeps number and names of the features.
    X : {array-like, sparse matrix} of shape (n, p)
        Samples.
    transformer : transformer or None
        The user's, for this domain.
    fitting : bool
        Whether to learn number and names of the features, and the transformer.
    lenient : bool
        Whether a transformer of the user comes, now or later, that may mend what the
        validation refuses. It gets the samples as they are: one that selects columns by
        name finds them in any order, and checks them itself.
    domain : {"target", "source"}
        Where the samples are from, for errors.
    dtype : type
        Type to convert numbers to.

    Returns
    -------
    array-like of shape (n, p)
        Numbers, unless a further transformer is to come.
    """
    if transformer is None:
        X = to_numpy(X)
    with _advice(domain, transformed=lenient):
        if hasattr(X, "to_frame") or (lenient and getattr(X, "ndim", 2) == 1):
            raise ValueError(
                f"Expected a table of samples, got one {type(X).__name__} of shape "
                f"{X.shape}: pass a row as a table of one row, such as X.iloc[[0]]."
            )
        if not lenient:
            return _validate(owner, X, domain, fitting=fitting, dtype=dtype)
        if fitting:
            validate_features(owner, X, reset=True, skip_check_array=True)
        if transformer is None:
            return X
        rows = to_numpy(apply_transformer(transformer, X, fitting=fitting))
        if fitting:
            name = f"{type(owner).__name__} behind {domain}_transformer"
            owner._transformed = FeatureMemory(name)
        return _validate(owner._transformed, rows, domain, fitting=fitting, dtype=dtype)


def _validate(
    owner: Any, X: Any, domain: DomainName, *, fitting: bool, dtype: type
) -> Any:
    """Make an array of samples, all of them numbers of a sound size."""
    with np.errstate(over="ignore"):  # a value too large is an error, here
        rows = validate_features(
            owner, X, reset=fitting, dtype=dtype, accept_sparse="csr"
        )
    check_magnitude(rows, f"the {domain} samples")
    return rows


@contextmanager
def _advice(domain: DomainName, *, transformed: bool) -> Iterator[None]:
    """Add to an error of the validation what helps against it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        message = str(error).replace("\nthe source", "\nThe source")
        missing = "NaN" in message and "contains NaN" in message
        raw = "could not convert" in message or "to numeric" in message
        if transformed or not (missing or raw):
            raise
        cure = "imputes them" if missing else "makes numbers of the columns"
        advice = (
            f"Pass {domain}_transformer, a transformer that {cure}: it is fitted on "
            f"the {domain}"
        )
        before = (
            ". The steps of a pipeline before an estimator of skda see the target only"
            if domain == "source"
            else ""
        )
        raise type(error)(f"{message}\n{advice}{before}.") from error


def check_not_all_zero(X: Any, domain: DomainName) -> None:
    """Reject a domain from which nothing can be learned.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        Samples.
    domain : {"target", "source"}
        Where they are from, for the error.
    """
    values = X.data if issparse(X) else X  # type: ignore[attr-defined]
    if isinstance(values, np.ndarray) and not values.any():
        raise ValueError(
            f"Every feature of all {X.shape[0]} {domain} samples is zero: there is "
            f"nothing to learn from. Check how the features were made."
        )
