"""Parts of a page of results: text, tables, and pictures with their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks._tables import Table

__all__ = ["Part", "Picture", "draw", "heading", "spell"]


class Picture(NamedTuple):
    """A figure that is drawn when it is asked for.

    Parameters
    ----------
    name : str
        Name of its file, without an ending.
    alt : str
        What it shows, in words.
    make : callable
        Draws it, and returns the matplotlib Figure.
    """

    name: str
    alt: str
    make: Callable[[], Any]


Part = str | Table | Picture


def heading(text: str, line: str = "-") -> str:
    """Write a heading."""
    return f"{text}\n{line * len(text)}"


def spell(parts: Iterable[Part]) -> str:
    """Write the parts in reStructuredText."""
    texts = []
    for part in parts:
        if isinstance(part, Table):
            texts.append(part.rst().rstrip())
        elif isinstance(part, Picture):
            texts.append(
                f".. image:: /benchmarks/{part.name}.svg\n   :alt: {part.alt}\n"
                f"   :align: center"
            )
        else:
            texts.append(part)
    return "\n\n".join(texts) + "\n"


def draw(parts: Iterable[Part], folder: Path, ending: str = "svg") -> None:
    """Draw the pictures."""
    # The same results make the same file.
    with mpl.rc_context({"svg.hashsalt": "skda"}):
        for part in parts:
            if isinstance(part, Picture):
                figure = part.make()
                metadata = {"Date": None} if ending == "svg" else {}
                figure.savefig(
                    folder / f"{part.name}.{ending}",
                    metadata=metadata,
                    bbox_inches="tight",
                )
                plt.close(figure)
