"""Settings of the process that blocks in several threads share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any

__all__ = ["SharedContext"]


class SharedContext:
    """A context that the first block of all threads enters, and the last one leaves.

    Managers that change a setting of the process, and restore on the way out what they
    found on the way in, undo each other where blocks of two threads overlap.

    Parameters
    ----------
    enter : callable
        Function without arguments that builds the context manager.
    """

    def __init__(self, enter: Callable[[], AbstractContextManager[Any]]) -> None:
        self._enter = enter
        self._lock = Lock()
        self._n_blocks = 0
        self._current: AbstractContextManager[Any]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Be inside the context.

        Yields
        ------
        None
            At any time, all blocks are inside one and the same context.
        """
        with self._lock:
            if not self._n_blocks:
                self._current = self._enter()
                self._current.__enter__()
            self._n_blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_blocks -= 1
                if not self._n_blocks:
                    self._current.__exit__(None, None, None)
