"""Labels of which only some are known, in any of the ways that say so."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from skda.utils._sklearn import is_pandas_na, is_scalar_nan
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


def check_labels(y: ArrayLike | None, X: Any) -> Labels:
    """Tell the known labels of ``X`` from the unknown ones; ``y=None`` knows none."""
    if y is None:
        return Labels(np.zeros(X.shape[0], dtype=bool), np.empty(0))
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    if labels.dtype.kind in "OSU":
        # Not labels itself: in a list of names, NumPy has made names of -1 and NaN.
        objects = np.asarray(y, dtype=object).ravel()
        known = np.array([not _is_missing(label) for label in objects], dtype=bool)
        values = _homogeneous(objects[known].tolist())
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


def warn_about_missing_classes(classes: NDArray[Any], **domains: Labels) -> None:
    """Name the classes that a domain with labels has no label of."""
    for name, labels in domains.items():
        missing = np.setdiff1d(classes, labels.values)
        if labels.known.any() and missing.size:
            warn_user(
                f"No {name} sample is labeled {', '.join(map(repr, missing.tolist()))}"
                f": there, the method works on the other classes."
            )


def labeled_accuracy(
    y: ArrayLike, y_pred: NDArray[Any], sample_weight: ArrayLike | None = None
) -> float:
    """Accuracy on the labeled samples; an error if there is none."""
    known, y_true = check_labels(y, y_pred)
    if not known.any():
        raise ValueError("Every label is missing: there is nothing to score.")
    weight = None if sample_weight is None else np.asarray(sample_weight)[known]
    return accuracy_score(y_true, y_pred[known], sample_weight=weight)


def _is_missing(label: Any) -> bool:
    absent = label is None or is_pandas_na(label) or is_scalar_nan(label)
    return absent or label == UNLABELED


def _homogeneous(values: list[Any]) -> NDArray[Any]:
    """Make an array of labels that are all names or all numbers."""
    n_names = sum(isinstance(value, (str, bytes)) for value in values)
    if 0 < n_names < len(values):
        raise ValueError(
            f"Expected labels of one kind, got {n_names} names and "
            f"{len(values) - n_names} others in y: make them all strings or all "
            f"numbers."
        )
    return np.asarray(values)


def _whole_numbers_to_int(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f":
        return values
    assert_all_finite(values, input_name="y")
    whole = values.astype(np.int64)
    return whole if np.array_equal(whole, values) else values
