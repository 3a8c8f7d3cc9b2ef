"""Threads where they help: not for small networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread

import torch

__all__ = ["limit_threads", "number_of_threads"]

#: Rows times parameters of a step below which one thread is as fast as two on an idle
#: machine, and many times as fast on a busy one (benchmarks/speed/threads.py).
WORTH_THREADS = 1e8

_SETTING_THREADS = Lock()


def number_of_threads() -> int:
    """Count the threads on which PyTorch runs in this Python thread.

    A new one settles on a number at its first use of PyTorch: let this be the first, so
    that it is not the number that :func:`limit_threads` sets for another one.

    Returns
    -------
    int
        The number of threads.
    """
    with _SETTING_THREADS:
        return torch.get_num_threads()


@contextmanager
def limit_threads(n_multiplications: float, device: torch.device) -> Iterator[None]:
    """Run PyTorch on one thread inside the block if the work is small.

    Parameters
    ----------
    n_multiplications : float
        Rows times parameters in one step of the work.
    device : torch.device
        Where it runs; threads matter on the CPU only.

    Yields
    ------
    None
        The number of threads is restored afterwards. Other Python threads, those
        that start inside the block included, keep theirs: sums are rounded by it.
    """
    n_threads = number_of_threads()
    if n_threads == 1 or device.type != "cpu" or n_multiplications > WORTH_THREADS:
        yield
        return
    try:
        _set_own_threads(1, n_threads)
        yield
    finally:
        torch.set_num_threads(n_threads)


def _set_own_threads(n_threads: int, n_others: int) -> None:
    """Set the number of threads of this Python thread.

    PyTorch has a number for each, and a new one begins with the last that was set.
    """
    with _SETTING_THREADS:
        torch.set_num_threads(n_threads)
        other = Thread(target=torch.set_num_threads, args=(n_others,))
        other.start()
        other.join()
