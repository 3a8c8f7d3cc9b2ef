"""Which pseudo-labels to believe: the most certain ones of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.labels import UNLABELED

__all__ = ["most_certain", "select_most_certain"]


def most_certain(
    scores: NDArray[Any], share: float, counts: NDArray[Any] | None = None
) -> NDArray[np.int64]:
    """Label that share of the rows of every predicted class; -1 for the others.

    A class whose rows are all less certain is thus labeled as far as any other. A row
    is the more certain, the farther its best score is above the second best; one whose
    scores are all equal, up to rounding, is left unlabeled.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        A score per row and class; the largest one predicts.
    share : float
        Share of every predicted class, rounded up to whole rows.
    counts : ndarray of shape (K,), default=None
        Rows of every class that it is a share of, such as the sums of probabilities;
        None counts the predicted rows. No more rows than these are labeled.

    Returns
    -------
    ndarray of shape (n,)
        Predicted classes, -1 for rows that are left unlabeled.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.promotion import most_certain
    >>> most_certain(np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]), share=0.5)
    array([ 0, -1,  1])
    """
    predicted = scores.argmax(axis=1)
    best = np.sort(scores, axis=1)[:, -2:]
    sizes = np.bincount(predicted, minlength=scores.shape[1])
    counts = sizes if counts is None else counts
    quota = np.ceil(share * counts - 1e-9)  # rounding must not let in one more
    order = np.lexsort((best[:, 0] - best[:, -1], predicted))  # class by class
    ordered = predicted[order]
    rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[ordered]
    labels = np.full(len(predicted), UNLABELED)
    labels[order] = np.where(rank < quota[ordered], ordered, UNLABELED)
    if scores.shape[1] > 1:
        labels[np.ptp(scores, axis=1) <= 1e-9 * np.abs(scores).max(axis=1)] = UNLABELED
    return labels


def select_most_certain(
    scores: NDArray[Any], share: float, *, keep_last: bool = True
) -> NDArray[np.int64]:
    """Label that share of every class whose largest score is the largest.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        A score per row and class; the largest one predicts.
    share : float
        Share of every predicted class, rounded up to whole rows.
    keep_last : bool, default=True
        Whether the least certain of these rows is labeled, too.

    Returns
    -------
    ndarray of shape (n,)
        Predicted classes, -1 for rows that are left unlabeled.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.promotion import select_most_certain
    >>> select_most_certain(np.array([[0.9, 0.8], [0.7, 0.1]]), share=0.5)
    array([ 0, -1])
    """
    n_classes = scores.shape[1]
    predicted = scores.argmax(axis=1)
    counts = None
    if not keep_last:
        sizes = np.bincount(predicted, minlength=n_classes)
        counts = (np.ceil(share * sizes - 1e-9) - 1) / share
    return most_certain(np.eye(n_classes)[predicted] * scores, share, counts)
