"""Words for the size of domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["describe_shapes"]


def describe_shapes(X: Any, source: Any) -> str:
    """Say how large the domains of a fit are.

    Parameters
    ----------
    X : array-like or mapping of str to array-like
        Target samples, or paired views.
    source : tuple (X_source, y_source), list of such tuples or None
        The source, if there is one.

    Returns
    -------
    str
        Shapes of the target and of each source.
    """
    sources = source if isinstance(source, list) else [source]
    shapes = [f"source {_shape(each[0])}" for each in sources if each is not None]
    return "; ".join([f"target {_shape(X)}", *shapes])


def _shape(X: Any) -> str:
    if isinstance(X, Mapping):
        return ", ".join(f"{name} {_shape(view)}" for name, view in X.items())
    if hasattr(X, "shape"):
        return " x ".join(map(str, X.shape))
    return f"{len(X)} rows" if hasattr(X, "__len__") else "of unknown size"
