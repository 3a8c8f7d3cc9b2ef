"""Preparations of samples that are the same in many fits, computed once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sklearn.utils.validation import check_memory

__all__ = ["fit_transform_once", "remembering"]

_MEMORY: ContextVar[Any] = ContextVar("_MEMORY", default=None)


@contextmanager
def remembering(memory: Any) -> Iterator[None]:
    """Remember the transformers that the fits inside the block fit.

    Parameters
    ----------
    memory : str, object with the interface of joblib.Memory, or None
        Where to; None remembers nothing new.

    Yields
    ------
    None
        Once; other threads and processes are not concerned.
    """
    if memory is None:
        yield
        return
    token = _MEMORY.set(check_memory(memory))
    try:
        yield
    finally:
        _MEMORY.reset(token)


def fit_transform_once(transformer: Any, X: Any) -> Any:
    """Fit a transformer and transform its samples, or remember both.

    Parameters
    ----------
    transformer : transformer
        Fitted in place.
    X : array-like of shape (n, p)
        Samples.

    Returns
    -------
    array-like of shape (n, d)
        The transformed samples.
    """
    memory = _MEMORY.get()
    if memory is None:
        return transformer.fit_transform(X)
    fitted, rows = memory.cache(_fit_transform)(transformer, X)
    vars(transformer).update(vars(fitted))
    return rows


def _fit_transform(transformer: Any, X: Any) -> tuple[Any, Any]:
    rows = transformer.fit_transform(X)
    return transformer, rows
