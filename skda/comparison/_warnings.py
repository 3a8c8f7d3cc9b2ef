"""What methods warn of while they are compared."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

__all__ = ["by_row", "listening"]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Remember the warnings that are shown, each once.

    Yields
    ------
    list of str
        What was warned of, as it comes.
    """
    heard: list[str] = []
    with warnings.catch_warnings():
        pass_on = warnings.showwarning

        def show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
            if str(message) not in heard:
                heard.append(str(message))
            pass_on(message, *args, **kwargs)

        warnings.showwarning = show
        yield heard


class _Said(Protocol):
    @property
    def warnings(self) -> tuple[str, ...]:
        """What a fit warned of."""


def by_row(
    labels: Iterable[str], outcomes: Iterable[Sequence[_Said]]
) -> dict[str, list[str]]:
    """List what was warned of, each once.

    Parameters
    ----------
    labels : iterable of str
        Rows of a table.
    outcomes : iterable of sequence of Outcome
        For every row, what came of each split.

    Returns
    -------
    dict of str to list of str
        Rows without a warning are not there.
    """
    once = {
        label: list(dict.fromkeys(text for each in of_row for text in each.warnings))
        for label, of_row in zip(labels, outcomes, strict=True)
    }
    return {label: texts for label, texts in once.items() if texts}
