"""Which pseudo-labels to believe: the most certain ones of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["promote"]


def promote(scores: NDArray[Any], share: float) -> NDArray[np.bool_]:
    """Choose, within every predicted class, the rows that are predicted most clearly.

    A class in which everything is less certain is thus promoted as far as any other. A
    row is the more certain, the farther its best score is above its second best.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        A score per row and class; the largest one predicts.
    share : float
        Share of every predicted class to choose, rounded up to whole rows.

    Returns
    -------
    ndarray of shape (n,)
        Whether each row is chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.promotion import promote
    >>> promote(np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]), share=0.5)
    array([ True, False,  True])
    """
    n_classes = scores.shape[1]
    predicted = scores.argmax(axis=1)
    ranked = np.sort(scores, axis=1)
    margin = ranked[:, -1] - ranked[:, -2] if n_classes > 1 else ranked[:, -1]
    order = np.lexsort((-margin, predicted))  # class by class, the surest rows first
    counts = np.bincount(predicted, minlength=n_classes)
    start = np.cumsum(counts) - counts
    quota = np.ceil(np.round(share * counts, 9))  # where 0.8 * 5 is not above 4
    rank = np.arange(len(scores)) - start[predicted[order]]
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[order] = rank < quota[predicted[order]]
    return chosen
