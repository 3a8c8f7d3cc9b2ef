"""What methods share that learn from pairs of a known category alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skda.utils.views import ViewRows
from skda.utils.warnings import warn_user

__all__ = ["labeled_pairs", "vectors_of_categories"]


def labeled_pairs(estimator: Any, source: ViewRows, target: ViewRows) -> ViewRows:
    """Keep the labeled pairs of both sides, and say how many others there are.

    Parameters
    ----------
    estimator : object
        Who asks, with the categories ``classes_``.
    source, target : ViewRows
        Pairs of known and of new categories.

    Returns
    -------
    ViewRows
        The labeled pairs, of at least two categories.
    """
    me = type(estimator).__name__
    if len(estimator.classes_) < 2:
        raise ValueError(
            f"{me} expects pairs of at least two categories, got "
            f"{estimator.classes_.tolist()}: label pairs in y, or pass source=(views, "
            f"y_source)."
        )
    pairs = source.stack(target)
    labeled = pairs.labeled()
    n_unlabeled = pairs.n_rows - labeled.n_rows
    if n_unlabeled:
        warn_user(
            f"{me} learns from labeled pairs alone: it leaves out {n_unlabeled} "
            f"unlabeled pairs of {pairs.n_rows}."
        )
    return labeled


def vectors_of_categories(given: Any, classes: NDArray[Any]) -> NDArray[np.float32]:
    """Find the vector of every category.

    Parameters
    ----------
    given : dict of label to array-like, array-like of shape (c, d), or None
        Vectors by label, or in the order of the labels; None gives every category an
        axis of its own.
    classes : ndarray of shape (c,)
        Labels of the categories.

    Returns
    -------
    ndarray of shape (c, d)
        The vectors, in the order of the labels.
    """
    labels = classes.tolist()
    if given is None:
        return np.eye(len(labels), dtype=np.float32)
    rows = given
    if isinstance(given, Mapping):
        missing = [label for label in labels if label not in given]
        if missing:
            raise ValueError(
                f"Expected label_vectors to have a vector of every category with a "
                f"label, got none of {missing}: add theirs, or pass None for an axis "
                f"of its own for each category."
            )
        rows = [given[label] for label in labels]
    vectors: NDArray[np.float32] = check_array(
        rows, dtype=np.float32, input_name="label_vectors"
    )
    if len(vectors) != len(labels):
        raise ValueError(
            f"Expected label_vectors to have one row for each of the categories "
            f"{labels}, in this order, got {len(vectors)}: pass a dictionary of "
            f"vectors by label if there are more categories than labels."
        )
    if not np.ptp(vectors, axis=0).any():
        raise ValueError(
            f"Expected label_vectors that differ, got the same for all of {labels}."
        )
    return vectors
