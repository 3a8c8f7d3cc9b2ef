"""A list of several sources: what it may be, and what is wrong with it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from skda.utils.labels import Labels, check_labels
from skda.utils.validation import check_pair

__all__ = ["Given", "list_sources"]


class Given(NamedTuple):
    """One of several sources.

    Parameters
    ----------
    place : int
        Its place in the list.
    source : tuple (X_source, y_source)
        Samples and labels.
    pairs : tuple, array-like or None
        Rows that it has in common with the target.
    transformer : transformer or None
        Transformer of its samples.
    """

    place: int
    source: tuple[Any, Any]
    pairs: Any
    transformer: Any

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let an error say which source it is about.

        Yields
        ------
        None
            Nothing; what is done inside is about this source.
        """
        try:
            yield
        except (TypeError, ValueError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"In source[{self.place}]: {error}") from error

    def labels(self) -> Labels:
        """Read the labels.

        Returns
        -------
        Labels
            Labels of the source.
        """
        X, y = self.source
        return check_labels(y, X)


def list_sources(
    source: list[Any], pairs: Any, transformer: Any, X: Any
) -> list[Given]:
    """Check a list of sources, and what is beside it.

    Parameters
    ----------
    source : list of tuple
        The sources.
    pairs : list or None
        Pairs with each source.
    transformer : transformer, list of transformers or None
        The same for all, or one for each.
    X : array-like of shape (n_target, n_features)
        Target samples, of which only the number matters.

    Returns
    -------
    list of Given
        The sources.
    """
    n = len(source)
    if n == 0:
        raise ValueError(
            "Expected source to have one tuple (X_source, y_source) at least, got an "
            "empty list: pass source=None for no source."
        )
    for place, each in enumerate(source):
        check_pair(each, f"source[{place}]=(X_source, y_source)")
    if n > 1 and n == _number_of_rows(X):
        raise ValueError(
            f"Expected more or fewer sources than target rows, got {n} of each: "
            f"cross-validation cuts a list that is as long as X as if each entry "
            f"belonged to a row, and this may be what it left. Add target rows, or "
            f"leave a source out."
        )
    every_pairs = _one_for_each(pairs, n, "pairs") if pairs is not None else [None] * n
    transformers = [transformer] * n
    if isinstance(transformer, list):
        transformers = _one_for_each(transformer, n, "source_transformer")
    return [
        Given(*each)
        for each in zip(range(n), source, every_pairs, transformers, strict=True)
    ]


def _one_for_each(values: Any, n: int, name: str) -> list[Any]:
    """Check that there is an entry for every source."""
    if not isinstance(values, list):
        raise TypeError(
            f"Expected {name} beside a list of sources to be a list of as many, None "
            f"for a source without, got {reprlib.repr(values)}."
        )
    if len(values) != n:
        raise ValueError(
            f"Expected as many entries in {name} as sources, got {len(values)} and "
            f"{n}: pass one for each, None for a source without."
        )
    return values


def _number_of_rows(X: Any) -> int:
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)
