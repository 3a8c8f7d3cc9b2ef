"""Tell the interrupt of a user from a ``KeyboardInterrupt`` that code raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["watch_interrupts"]


@contextmanager
def watch_interrupts() -> Iterator[Callable[[], bool]]:
    """Take note of the signal that Ctrl-C sends, and pass it on.

    Python delivers it to the main thread alone. In any other thread, and where nobody
    handles the signal in Python, a ``KeyboardInterrupt`` can only come from code.

    Yields
    ------
    callable
        Says whether the signal has come since the block began.
    """
    arrived = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not callable(before):
        yield arrived.is_set
        return

    def note(signum: int, frame: Any) -> Any:
        arrived.set()
        return before(signum, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield arrived.is_set
    finally:
        signal.signal(signal.SIGINT, before)
