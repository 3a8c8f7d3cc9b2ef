"""Which pseudo-labels to believe: the most certain ones of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.labels import UNLABELED

__all__ = ["most_certain"]


def most_certain(scores: NDArray[Any], share: float) -> NDArray[np.int64]:
    """Label that share of the rows of every predicted class; -1 for the others.

    A class whose rows are all less certain is thus labeled as far as any other. A row
    is the more certain, the farther its best score is above the second best.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        A score per row and class; the largest one predicts.
    share : float
        Share of every predicted class, rounded up to whole rows.

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
    counts = np.bincount(predicted, minlength=scores.shape[1])
    quota = np.ceil(share * counts - 1e-9)  # rounding must not let in one more
    order = np.lexsort((best[:, 0] - best[:, -1], predicted))  # class by class
    ordered = predicted[order]
    rank = np.arange(len(order)) - (np.cumsum(counts) - counts)[ordered]
    labels = np.full(len(predicted), UNLABELED)
    labels[order] = np.where(rank < quota[ordered], ordered, UNLABELED)
    return labels
