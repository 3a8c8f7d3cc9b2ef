"""What changes where rows are too many for what is quadratic in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXACT_UP_TO", "is_large", "map_in_threads", "spread_out"]

#: Rows up to which every row is compared with every other. At 64 features this takes a
#: core about two seconds, as long as the rest of a fit, and four times as long with
#: each doubling: beyond, the comparison would be most of the fit.
EXACT_UP_TO = 10_000


def is_large(n_rows: int) -> bool:
    """Say whether what is quadratic in the rows is out of the question.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    Returns
    -------
    bool
        Whether they are more than :data:`EXACT_UP_TO`.
    """
    return n_rows > EXACT_UP_TO


def spread_out(n: int, n_drawn: int | None = None) -> NDArray[np.intp]:
    """Draw rows evenly, whatever order they are in.

    Parameters
    ----------
    n : int
        Number of rows.
    n_drawn : int or None, default=None
        Number of rows to draw, at most; None is :data:`EXACT_UP_TO`.

    Returns
    -------
    ndarray of shape (min(n, n_drawn),)
        Ascending places of the rows; always the same ones.

    Examples
    --------
    >>> from skda.utils.many_rows import spread_out
    >>> spread_out(3, 5)
    array([0, 1, 2])
    """
    n_drawn = EXACT_UP_TO if n_drawn is None else n_drawn
    if n <= n_drawn:
        return np.arange(n)
    return np.sort(np.random.RandomState(0).permutation(n)[:n_drawn])


def map_in_threads(
    function: Callable[[Any], Any], items: Sequence[Any], n_rows: int
) -> list[Any]:
    """Apply a function to a few items, side by side where rows are many.

    Parameters
    ----------
    function : callable
        Spends its time in code that lets other threads run.
    items : sequence
        What it is applied to.
    n_rows : int
        Rows of each; up to :data:`EXACT_UP_TO`, no thread is started.

    Returns
    -------
    list
        The results, in the order of the items.

    Examples
    --------
    >>> from skda.utils.many_rows import map_in_threads
    >>> map_in_threads(abs, [-1, 2], n_rows=10**6)
    [1, 2]
    """
    if not is_large(n_rows):
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=max(len(items), 1)) as pool:
        return list(pool.map(function, items))
