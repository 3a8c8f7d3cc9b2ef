"""The docstring of a class as data: its prose, its parameters, its attributes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

__all__ = ["Docstring", "Entry"]


class Entry(NamedTuple):
    """What a section says of one name, or of several that share a description.

    Parameters
    ----------
    names : tuple of str
        What is described.
    type : str
        Its type; empty if that is to be read from the declaration.
    text : tuple of str
        Lines of the description, indented.
    """

    names: tuple[str, ...]
    type: str
    text: tuple[str, ...]

    def about(self, names: Iterable[str]) -> Entry:
        """Keep the entry of some of the names."""
        wanted = set(names)
        return self._replace(names=tuple(n for n in self.names if n in wanted))

    def lines(self) -> list[str]:
        """Write the entry as numpydoc reads it."""
        return [f"{', '.join(self.names)} : {self.type}", *self.text]


class Docstring(NamedTuple):
    """A class's docstring in its parts.

    Parameters
    ----------
    head : list of str
        Lines of the summary and of what follows it.
    parameters, attributes : list of Entry
        Entries of the sections of these names.
    tail : list of str
        Lines of the remaining sections.
    """

    head: list[str]
    parameters: list[Entry]
    attributes: list[Entry]
    tail: list[str]

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read a docstring in numpydoc's form.

        Parameters
        ----------
        text : str or None
            The docstring; None, as under ``python -OO``, is an empty one.

        Returns
        -------
        Docstring
            Its parts.
        """
        (_, head), *sections = _sections(inspect.cleandoc(text or "").split("\n"))
        entries: dict[str, list[Entry]] = {"Parameters": [], "Attributes": []}
        tail: list[str] = []
        for title, lines in sections:
            if title in entries:
                entries[title] = list(_entries(lines))
            else:
                tail += [title, "-" * len(title), *lines]
        return cls(head, entries["Parameters"], entries["Attributes"], tail)

    def render(self) -> str:
        """Write the docstring, indented as in the body of a class."""
        sections = {"Parameters": self.parameters, "Attributes": self.attributes}
        lines = [*self.head, *([""] if self.head[-1] else [])]
        for title, entries in sections.items():
            if entries:
                lines += [title, "-" * len(title)]
                lines += [line for entry in entries for line in entry.lines()]
                lines.append("")
        lines += self.tail
        indented = [f"    {line}".rstrip() for line in lines]
        return "\n".join(indented).strip() + "\n    "


def _sections(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Cut a docstring at its underlined titles; what comes first has none."""
    underlines = [
        i
        for i, line in enumerate(lines)
        if i and len(line) > 2 and line == "-" * len(lines[i - 1])
    ]
    starts = [0, *(i + 1 for i in underlines)]
    ends = [*(i - 1 for i in underlines), len(lines)]
    titles = ["", *(lines[i - 1] for i in underlines)]
    return [
        (title, lines[start:end])
        for title, start, end in zip(titles, starts, ends, strict=True)
    ]


def _entries(lines: list[str]) -> Iterator[Entry]:
    """Read the entries of a section: a line of names and type, then indented text."""
    starts = [i for i, line in enumerate(lines) if line and not line.startswith(" ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        names, _, kind = lines[start].partition(" : ")
        text = [*lines[start + 1 : end]]
        while text and not text[-1]:
            text.pop()
        yield Entry(tuple(n.strip() for n in names.split(",")), kind, tuple(text))
