"""What a fit is given, and the members of a committee that are fitted outside of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import has_fit_parameter

from skda.base import PairedRows, Rows
from skda.heterogeneous import PairedRidgeTransfer
from skda.preprocessing import RowScaler
from skda.utils.labels import UNLABELED
from skda.utils.operations import normalize, spread_columns
from skda.utils.scaling import make_standard_scaler
from skda.utils.warnings import NoSourceWarning

__all__ = ["Given", "Outside", "fit_added", "fit_paired"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Folds for members that learn from labels, and labels of every class that these need.
N_FOLDS = 3
#: Weight of the classes' geometry, as in GeoST.
RHO = 0.8
#: Prepares rows of either domain for a map between them.
_PREPARED: dict[str, Any] = {
    "standardized": make_standard_scaler,
    "unit rows": partial(RowScaler, "auto"),
}


class Given(NamedTuple):
    """What there is to learn from.

    Parameters
    ----------
    source, target : Rows
        Samples of the domains; the source may have no rows.
    source_codes, codes : ndarray of shape (n_source,) and (n_target,)
        Places of their labels among the classes, -1 where unknown.
    pairs : PairedRows or None
        Rows that both domains have.
    same_features : bool
        Whether the source has the features of the target.
    """

    source: Rows
    target: Rows
    source_codes: Codes
    codes: Codes
    pairs: PairedRows | None
    same_features: bool

    @property
    def has_source(self) -> bool:
        """Whether there is a source."""
        return len(self.source.X) > 0

    @property
    def has_labels(self) -> bool:
        """Whether a target row is labeled."""
        return bool((self.codes != UNLABELED).any())

    def counts(self, n_classes: int) -> dict[str, int]:
        """Count what there is, for the report."""
        return {
            "rows": len(self.target.X),
            "labeled_rows": int((self.codes != UNLABELED).sum()),
            "features": self.target.X.shape[1],
            "classes": n_classes,
            "source_rows": len(self.source.X),
            "source_features": self.source.X.shape[1] if self.has_source else 0,
            "pairs": 0 if self.pairs is None else len(self.pairs.source),
        }

    def situation(self) -> str:
        """Say in a few words what there is."""
        labels = "few labels" if self.has_labels else "no labels"
        if not self.has_source:
            return f"{labels} and no source"
        features = "the same" if self.same_features else "other"
        paired = "" if self.pairs is None else " and pairs"
        return f"{labels}, a source of {features} features{paired}"

    def assumptions(self) -> list[str]:
        """Say what was taken for granted of the domains."""
        if not self.has_source:
            return []
        if self.same_features:
            said = "The columns of the source are those of the target"
            return [f"{said}, as there are as many and no names say otherwise."]
        if self.has_labels:
            said = "The source has other features: it tells which classes are alike"
            return [f"{said}, not what they look like."]
        return ["The pairs map the target to the features of the source."]

    def geometry(self, n_classes: int) -> Array | None:
        """Tell which classes are alike in the source, as a prior covariance.

        Parameters
        ----------
        n_classes : int
            Number of classes.

        Returns
        -------
        ndarray of shape (n_classes, n_classes) or None
            Equation 2 of :class:`skda.heterogeneous.GeoST`; None without a source.
        """
        if not self.has_source:
            return None
        rows = RowScaler("auto").fit_transform(self.source.X)
        memberships = np.eye(n_classes)[self.source_codes]
        counts = memberships.sum(axis=0)[:, None]
        present = counts > 0
        means = memberships.T @ rows / np.maximum(counts, 1)
        centered = np.where(present, means - means.sum(axis=0) / present.sum(), 0)
        M = normalize(centered)
        cosines = M @ M.T
        np.fill_diagonal(cosines, 1.0)
        return np.asarray((1 - RHO) * np.eye(n_classes) + RHO * cosines)


class Outside(NamedTuple):
    """A fitted member, whose classes may be some of all.

    Parameters
    ----------
    estimator : estimator
        The member.
    classes : ndarray of shape (n_classes,)
        All classes.
    """

    estimator: Any
    classes: NDArray[Any]

    def predict_proba(self, X: Array) -> Array:
        """Estimate the probabilities of all classes."""
        columns = np.searchsorted(self.classes, self.estimator.classes_)
        found = self.estimator.predict_proba(X)
        return spread_columns(found, columns, len(self.classes))


def fit_paired(
    given: Given, classes: NDArray[Any]
) -> tuple[dict[str, Outside], dict[str, Array]]:
    """Fit the members that learn from pairs and from labels of the source alone.

    Parameters
    ----------
    given : Given
        What there is to learn from.
    classes : ndarray of shape (n_classes,)
        All classes.

    Returns
    -------
    members : dict of str to Outside
        The fitted ones; none without pairs.
    probabilities : dict of str to ndarray of shape (n_target, n_classes)
        What they say of the target.
    """
    fitted = {
        name: Outside(_fit(member, given, given.codes, classes), classes)
        for name, member in _paired(given).items()
    }
    said = {name: each.predict_proba(given.target.X) for name, each in fitted.items()}
    return fitted, said


def fit_added(
    members: Any, given: Given, classes: NDArray[Any]
) -> tuple[dict[str, Outside], dict[str, Array]]:
    """Fit the members that the user adds.

    Parameters
    ----------
    members : dict of str to estimator, list of estimators or None
        The user's.
    given : Given
        What there is to learn from.
    classes : ndarray of shape (n_classes,)
        All classes.

    Returns
    -------
    members : dict of str to Outside
        The fitted ones.
    probabilities : dict of str to ndarray of shape (n_target, n_classes)
        What they say of the target; of labeled rows, when they had not seen the label,
        wherever there are labels enough for folds.
    """
    fitted, said = {}, {}
    for name, member in _named(members).items():
        fitted[name] = Outside(_fit(member, given, given.codes, classes), classes)
        said[name] = fitted[name].predict_proba(given.target.X)
        for rows, fold in _folds(given.codes):
            part = Outside(_fit(member, given, fold, classes), classes)
            said[name][rows] = part.predict_proba(given.target.X[rows])
    return fitted, said


def _paired(given: Given) -> dict[str, Any]:
    """Build the members that learn from pairs and from the source's labels."""
    if given.pairs is None:
        return {}
    return {
        f"pairs, {name}": PairedRidgeTransfer(
            estimator=LogisticRegression(max_iter=1000),
            use_target_labels=False,
            scaling=None,
            source_transformer=make(),
            target_transformer=make(),
        )
        for name, make in _PREPARED.items()
    }


def _named(members: Any) -> dict[str, Any]:
    """Name the user's members, by their classes if they have no names."""
    if members is None:
        return {}
    if isinstance(members, Mapping):
        named = dict(members)
    else:
        named = {}
        for member in members:
            name = base = type(member).__name__
            while name in named:
                number = int(name[len(base) + 1 :] or 1) + 1
                name = f"{base}-{number}"
            named[name] = member
    for name, member in named.items():
        lacking = [m for m in ("fit", "predict_proba") if not hasattr(member, m)]
        if lacking or isinstance(member, type):
            raise TypeError(
                f"Expected members that are classifiers with predict_proba, got "
                f"{member!r} as {name!r}: pass instances that have fit and "
                f"predict_proba."
            )
    return named


def _fit(member: Any, given: Given, codes: Codes, classes: NDArray[Any]) -> Any:
    """Fit a clone to the domains, as far as it takes them."""
    known = codes != UNLABELED
    fit_params: dict[str, Any] = {}
    if given.has_source and has_fit_parameter(member, "source"):
        fit_params["source"] = given.source.X, given.source.labels.with_gaps()
    if given.pairs is not None and has_fit_parameter(member, "pairs"):
        fit_params["pairs"] = given.pairs.source, given.pairs.target
    X: Any
    y: Any
    if has_fit_parameter(member, "source"):
        X, y = given.target.X, np.full(len(codes), None, dtype=object)
        y[known] = classes[codes[known]]
    elif known.any():
        X, y = given.target.X[known], classes[codes[known]]
    else:
        source = given.source.labeled()
        X, y = source.X, source.labels.values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        return clone(member).fit(X, y, **fit_params)


def _folds(codes: Codes) -> Iterable[tuple[NDArray[np.intp], Codes]]:
    """Hide the labels of one fold after the other, if there are labels enough."""
    labeled = np.flatnonzero(codes != UNLABELED)
    counts = np.bincount(codes[labeled])
    if not labeled.size or counts[counts > 0].min() < N_FOLDS:
        return
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    for _, test in folds.split(labeled, codes[labeled]):
        hidden = codes.copy()
        hidden[labeled[test]] = UNLABELED
        yield labeled[test], hidden
