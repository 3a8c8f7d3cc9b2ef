"""Fits in several processes, and the data that go to each of them once."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

__all__ = ["Shared", "Sharing", "on_one_thread", "run_calls", "size_of"]

T = TypeVar("T")

#: How many objects to keep, so that they are found again.
_N_KEPT = 8


class Shared:
    """An object that a cluster copies to a process once and finds there again.

    The backends of joblib for Dask and Ray do so for arguments that are large, and ask
    ``sys.getsizeof``, which for most objects does not count what is in them.

    Parameters
    ----------
    value : object
        What to share.
    n_bytes : int
        Size of the data in it.
    """

    def __init__(self, value: Any, n_bytes: int) -> None:
        self.value = value
        self.n_bytes = n_bytes

    def __sizeof__(self) -> int:
        return self.n_bytes


class Sharing:
    """Objects to share, of which the same data give the same one.

    The data are told apart by what they are, not by what is in them. Only the last few
    are kept, as there may be any number.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, tuple[Shared, Any]] = OrderedDict()

    def share(self, params: Mapping[str, Any]) -> Shared:
        """Share the parameters of a fit.

        Parameters
        ----------
        params : mapping of str to object
            Values by name.

        Returns
        -------
        Shared
            The parameters, as a dict.
        """
        key = tuple((name, id(value)) for name, value in params.items())
        if key not in self._kept:
            # The values stay alive beside it, or others might come to their places.
            values = tuple(params.values())
            self._kept[key] = Shared(dict(params), size_of(values)), values
        self._kept.move_to_end(key)
        while len(self._kept) > _N_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key][0]


def size_of(value: Any) -> int:
    """Count the bytes of data.

    Parameters
    ----------
    value : object
        Arrays, frames and sparse matrices, maybe in tuples, lists and mappings.

    Returns
    -------
    int
        Their sizes together.
    """
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    if isinstance(value, (tuple, list)):
        return sys.getsizeof(value) + sum(map(size_of, value))
    if sparse.issparse(value):
        return size_of(list(vars(value).values()))
    n_bytes = getattr(value, "nbytes", None)
    return n_bytes if isinstance(n_bytes, int) else sys.getsizeof(value)


def run_calls(
    calls: Iterable[tuple[Callable[..., T], tuple[Any, ...]]], n_jobs: int | None
) -> Iterator[T]:
    """Call functions, in processes if there are several.

    Parameters
    ----------
    calls : iterable of (callable, tuple)
        Functions with their arguments; taken as they are needed.
    n_jobs : int or None
        Processes, each with one thread; see :func:`evaluate_all`.

    Returns
    -------
    iterator
        The results as they come, in any order.
    """
    if effective_n_jobs(n_jobs) == 1:
        return (function(*arguments) for function, arguments in calls)
    # scikit-learn's Parallel takes its settings, and the filters of warnings, along.
    # A batch of several would be lost as a whole with the process it is in.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
    return iter(
        parallel(delayed(on_one_thread)(call, *arguments) for call, arguments in calls)
    )


def on_one_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function on one thread, as the other cores have work of their own.

    Parameters
    ----------
    function : callable
        The function.
    *arguments : object
        Its arguments.

    Returns
    -------
    object
        What it returns.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return function(*arguments)
    finally:
        torch.set_num_threads(n_threads)
