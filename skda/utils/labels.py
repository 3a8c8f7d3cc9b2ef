"""Labels of which only some are known, in any of the ways that say so."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from skda.utils._sklearn import is_pandas_na, is_scalar_nan
from skda.utils.arrays import to_numpy
from skda.utils.warnings import warn_user

__all__ = [
    "UNLABELED",
    "Labels",
    "check_labels",
    "labeled_accuracy",
    "union_of_classes",
    "warn_about_missing_classes",
]

#: Label of a sample whose class is unknown; None, NaN and pandas.NA say the same.
UNLABELED = -1

#: What most methods do with classes that a domain has no label of.
_USUAL = "there, the method works on the other classes"
#: What is left of a missing label that was made a string.
_SPOILED = ("nan", "NaN", "NaT", "None", "<NA>")
_HOW_TO_MARK = (
    "mark unlabeled samples by None, NaN or pandas.NA (in a CSV file, by an empty "
    "field), or make all labels integers, of which -1 is unlabeled"
)


class Labels(NamedTuple):
    """Labels of one domain, only some of them known.

    Parameters
    ----------
    known : ndarray of shape (n,)
        Whether each sample is labeled.
    values : ndarray of shape (n_known,)
        The known labels.
    """

    known: NDArray[np.bool_]
    values: NDArray[Any]

    def codes(self, classes: NDArray[Any]) -> NDArray[np.int64]:
        """Position of every label in ``classes``, -1 where it is unknown."""
        codes = np.full(len(self.known), UNLABELED)
        codes[self.known] = np.searchsorted(classes, self.values)
        return codes

    def memberships(self, classes: NDArray[Any]) -> NDArray[np.float32]:
        """One-hot rows, all zero where the label is unknown."""
        one_hot = np.zeros((len(self.known), len(classes)), dtype=np.float32)
        one_hot[self.known, np.searchsorted(classes, self.values)] = 1.0
        return one_hot

    def with_gaps(self) -> NDArray[Any]:
        """One label for every sample, None where it is unknown."""
        labels = np.full(len(self.known), None, dtype=object)
        labels[self.known] = self.values
        return labels


def check_labels(y: ArrayLike | None, X: Any) -> Labels:
    """Tell the known labels of ``X`` from the unknown ones; ``y=None`` knows none.

    Parameters
    ----------
    y : array-like of shape (n,) or None
        Labels; -1, None, NaN or pandas.NA where unknown.
    X : array-like of shape (n, ...)
        Their samples, of which only the number matters.

    Returns
    -------
    Labels
        The labels that are known.

    Raises
    ------
    ValueError
        If the labels are collections, of several kinds, dates, or strings that look
        like a mark of unlabeled samples and are none: "-1" and blanks.
    """
    if y is None:
        return Labels(np.zeros(X.shape[0], dtype=bool), np.empty(0))
    y = to_numpy(y)
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    if labels.dtype.kind in "OSU":
        # Not labels itself: in a list of names, NumPy has made names of -1 and NaN.
        objects = np.asarray(y, dtype=object).ravel()
        _refuse_collections(objects.tolist())
        known = np.array([not _is_missing(label) for label in objects], dtype=bool)
        values = _homogeneous(objects[known].tolist(), objects[~known].tolist())
    elif labels.dtype.kind in "mM":
        raise ValueError(_about_dates(str(labels.dtype)))
    else:
        known = ~(np.isnan(labels) | (labels == UNLABELED))
        values = labels[known]
    return Labels(known, _whole_numbers_to_int(values))


def union_of_classes(source: Labels, target: Labels) -> NDArray[Any]:
    """Sort the classes seen in either domain."""
    seen = [labels.values for labels in (source, target) if labels.known.any()]
    if not seen:
        raise ValueError(
            "Every label is missing (-1, None or NaN): label some samples, or pass "
            "source=(X_source, y_source) with labels."
        )
    for values in seen:
        check_classification_targets(values)
    classes = unique_labels(*seen)
    if len(classes) == 1 and not target.known.all() and target.known.any():
        (name,) = classes.tolist()
        raise ValueError(
            f"The only class is {name!r}, because -1 means unlabeled: if your classes "
            f"are coded as {{-1, {name!r}}}, recode them as {{0, 1}}."
        )
    return classes


def warn_about_missing_classes(
    classes: NDArray[Any], of_target: str = _USUAL, **domains: Labels
) -> None:
    """Name the classes that a domain with labels has no label of.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        All classes.
    of_target : str, default="there, the method works on the other classes"
        What becomes of those that the target has no label of.
    **domains : Labels
        Labels of the source and of the target.

    Raises
    ------
    ValueError
        If the target's labels are what a meta-estimator makes of unlabeled ones.
    """
    if {"source", "target"} <= domains.keys():
        _refuse_numbered_anew(domains["source"], domains["target"])
    for name, labels in domains.items():
        missing = np.setdiff1d(classes, labels.values)
        if labels.known.any() and missing.size:
            fate = of_target if name == "target" else _USUAL
            warn_user(
                f"No {name} sample is labeled {', '.join(map(repr, missing.tolist()))}"
                f": {fate}.{_hint(labels)}"
            )


def _hint(labels: Labels) -> str:
    """Say what else may have left two classes only, and nothing unlabeled."""
    if labels.known.all() and np.unique(labels.values).tolist() == [0, 1]:
        return (
            " If OneVsRestClassifier or its like made 0 and 1 of the labels, leave it "
            "out: the method knows all classes by itself."
        )
    return ""


def _refuse_numbered_anew(source: Labels, target: Labels) -> None:
    """Refuse labels that were numbered from 0, which was -1 before.

    That leaves no sample unlabeled, more than half of them in class 0, numbers up to
    the number of the classes, and one at least that the source does not have. Balanced
    classes of which the target has more than the source are nothing of the kind.
    """
    numbers = source.known.any() and target.values.dtype.kind == "i"
    if not (numbers and target.known.all() and source.values.dtype.kind == "i"):
        return
    names, counts = np.unique(target.values, return_counts=True)
    n_source_classes = len(np.unique(source.values))
    most_are_first = names[0] == 0 and 2 * counts[0] > len(target.values)
    if not (most_are_first and len(names) > 1 and names[-1] <= n_source_classes):
        return
    unknown = np.setdiff1d(names, source.values).tolist()
    if unknown:
        raise ValueError(
            f"The target is labeled from 0 to {names[-1]} throughout, and the source "
            f"has no {', '.join(map(repr, unknown))}: this is what VotingClassifier, "
            f"BaggingClassifier and other meta-estimators make of labels with -1, "
            f"which becomes a class. Fit the estimator itself, and pass it on in a "
            f"FrozenEstimator with the labeled samples alone (user guide: "
            f"Meta-estimators). If these are your classes, name them by strings."
        )


def labeled_accuracy(
    y: ArrayLike, y_pred: NDArray[Any], sample_weight: ArrayLike | None = None
) -> float:
    """Accuracy on the labeled samples; an error if there is none."""
    known, y_true = check_labels(y, y_pred)
    if not known.any():
        raise ValueError("Every label is missing: there is nothing to score.")
    weight = (
        None if sample_weight is None else np.asarray(to_numpy(sample_weight))[known]
    )
    return accuracy_score(y_true, y_pred[known], sample_weight=weight)


def _refuse_collections(labels: list[Any]) -> None:
    """Refuse labels that are tuples and the like, which equal no mark."""
    for label in labels:
        if isinstance(label, (tuple, list, set, dict)) or getattr(label, "ndim", 0) > 0:
            raise ValueError(
                f"Expected one name or number as the label of every sample, got a "
                f"{type(label).__name__}, {reprlib.repr(label)}, in y: pass a sequence "
                f"of labels, such as [label for (label,) in y]."
            )


def _is_missing(label: Any) -> bool:
    return _is_absent(label) or label == UNLABELED


def _is_absent(label: Any) -> bool:
    return label is None or is_pandas_na(label) or is_scalar_nan(label)


def _homogeneous(values: list[Any], missing: list[Any]) -> NDArray[Any]:
    """Make an array of labels that are all names or all numbers."""
    names = [value for value in values if isinstance(value, (str, bytes))]
    if 0 < len(names) < len(values):
        raise ValueError(
            f"Expected labels of one kind, got {len(names)} names and "
            f"{len(values) - len(names)} others in y: make them all strings or all "
            f"numbers."
        )
    for value in values:
        if isinstance(value, (date, time, timedelta, np.datetime64, np.timedelta64)):
            raise ValueError(_about_dates(type(value).__name__))
    if names:
        _check_names(names, missing)
    return np.asarray(values)


def _check_names(names: list[Any], missing: list[Any]) -> None:
    """Refuse names that are no classes: they were meant to say unlabeled."""
    n_coded = sum(not _is_absent(label) for label in missing)
    if n_coded:
        raise ValueError(
            f"Expected labels that are names, or a missing value, got {UNLABELED} for "
            f"{n_coded} of {len(names) + len(missing)} samples in y: {_HOW_TO_MARK}."
        )
    distinct = dict.fromkeys(names)
    stripped = {name: _text(name).strip() for name in distinct}
    marks = [name for name in distinct if stripped[name] in ("", "-1", "-1.0")]
    if marks:
        raise ValueError(
            f"Expected the name of a class in every label that is a string, got "
            f"{_listed(marks)} in y: {_HOW_TO_MARK}."
        )
    spoiled = [name for name in distinct if stripped[name] in _SPOILED]
    if spoiled:
        warn_user(
            f"The labels in y have {_listed(spoiled)}, a string, which is taken for a "
            f"class: if it is to say unlabeled, {_HOW_TO_MARK}."
        )


def _text(name: str | bytes) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name


def _listed(names: Iterable[Any]) -> str:
    return " and ".join(repr(_text(name)) for name in names)


def _about_dates(kind: str) -> str:
    return (
        f"Expected classes that are names or numbers, got dates or times ({kind}) in "
        f"y: make classes of them, such as the year, or write them out as strings."
    )


def _whole_numbers_to_int(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f":
        return values
    assert_all_finite(values, input_name="y")
    whole = values.astype(np.int64)
    return whole if np.array_equal(whole, values) else values
