"""Tell code that it is mapped over many networks at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_stacking", "stacking"]

_STACKING: ContextVar[bool] = ContextVar("_STACKING", default=False)


def is_stacking() -> bool:
    """Say whether :func:`torch.vmap` maps the code over stacked networks.

    Functions with gradients of their own, which it cannot map, then take plain ones.

    Returns
    -------
    bool
        Whether the code runs inside of :func:`stacking`.
    """
    return _STACKING.get()


@contextmanager
def stacking() -> Iterator[None]:
    """Run code on stacked networks inside the block.

    Yields
    ------
    None
        Once; other threads are not concerned.
    """
    token = _STACKING.set(True)
    try:
        yield
    finally:
        _STACKING.reset(token)
