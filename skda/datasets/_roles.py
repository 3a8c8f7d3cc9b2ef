"""Samples that either domain could have, each of them in one role."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_scalar

__all__ = ["give_roles"]

Rows = NDArray[np.int64]


def give_roles(
    views: tuple[Any, Any],
    y: NDArray[Any],
    halves: tuple[Rows, Rows],
    n_pairs: int | None = None,
) -> Bunch:
    """Make samples that are seen in two ways a source, a target and, maybe, pairs.

    Parameters
    ----------
    views : tuple of {ndarray, sparse matrix} of shape (n_samples, n_features)
        All samples as the source sees them, and as the target does.
    y : ndarray of shape (n_samples,)
        Their classes.
    halves : tuple of ndarray of int
        Which samples belong to the source, and which to the target.
    n_pairs : int, default=None
        How many to take away from the two, as pairs: as many from either.

    Returns
    -------
    Bunch
        With ``X``, ``y``, ``source`` and, unless ``n_pairs`` is None, ``pairs``. More
        pairs contain all of fewer, and no sample changes its side.

    Raises
    ------
    ValueError
        If the pairs take all samples of a class from a domain.
    """
    (source_view, target_view), (here, there) = views, halves
    pairs: Rows | None = None
    if n_pairs is not None:
        check_scalar(n_pairs, "n_pairs", Integral, min_val=1)
        # In one order for all numbers of pairs, which makes them comparable.
        rng = np.random.RandomState(0)
        drawn = [rng.permutation(half) for half in halves]
        taken = drawn[0][: (n_pairs + 1) // 2], drawn[1][: n_pairs // 2]
        pairs = np.concatenate(taken)
        here, there = (half[~np.isin(half, pairs)] for half in halves)
        if any(len(np.unique(y[rows])) < len(np.unique(y)) for rows in (here, there)):
            raise ValueError(
                f"Expected n_pairs to leave samples of every class in both domains, "
                f"got {n_pairs} of {len(y)} samples: lower it."
            )
    task = Bunch(X=target_view[there], y=y[there], source=(source_view[here], y[here]))
    if pairs is not None:
        task.pairs = (source_view[pairs], target_view[pairs])
    return task
