"""Threads where they help: not for small networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["limit_threads"]

#: Rows times parameters of a step below which one thread is as fast as two on an idle
#: machine, and many times as fast on a busy one (benchmarks/speed/threads.py).
WORTH_THREADS = 1e8


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
        The number of threads is restored afterwards.
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1 or device.type != "cpu" or n_multiplications > WORTH_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
