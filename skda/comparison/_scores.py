"""How predicted labels are judged."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score

__all__ = ["accuracies_of", "are_skewed"]

#: Classes are skewed if one is so many times as frequent as another.
SKEWED = 3


def accuracies_of(y: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Measure the accuracy, and the mean of the accuracies in the classes.

    Parameters
    ----------
    y : ndarray of shape (n,)
        True labels.
    predicted : ndarray of shape (n,)
        Predicted ones.

    Returns
    -------
    dict of str to float
        "accuracy" and "balanced_accuracy".
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        balanced = balanced_accuracy_score(y, predicted)
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "balanced_accuracy": float(balanced),
    }


def are_skewed(y: NDArray[Any]) -> bool:
    """Say whether a class is so much more frequent than another that it matters.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.

    Returns
    -------
    bool
        Whether one is three times as frequent as another.
    """
    counts = np.unique(y, return_counts=True)[1]
    return bool(counts.max() >= SKEWED * counts.min())
