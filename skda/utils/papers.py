"""Papers that the docstrings cite: one table of them, and what is written from it."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["bibtex", "papers_of", "reference", "table"]

#: Field that says where a paper appeared, and its kind of entry.
KINDS = {
    "booktitle": "inproceedings",
    "howpublished": "misc",
    "institution": "techreport",
    "journal": "article",
}
#: Numbers of papers, as they are written and in the table.
NUMBERS = {"arXiv": "arxiv", "doi": "doi"}


@cache
def table() -> dict[str, Any]:
    """Read the table.

    Returns
    -------
    dict
        Under "papers" every paper by its key, under "methods" the keys that the
        docstring of every class or function cites. A paper has a "doi" or an "arxiv"
        number only if "read_in" names a document in which it was read.
    """
    return json.loads((files("skda.utils") / "papers.json").read_text("utf-8"))


def papers_of(name: str) -> list[str]:
    """Find the papers behind a method.

    Parameters
    ----------
    name : str
        Name of a class or function, such as "SSAN".

    Returns
    -------
    list of str
        Their keys.
    """
    methods = table()["methods"]
    if name in methods:
        return methods[name]
    lower = {method.lower(): method for method in methods}
    close = [lower[n] for n in get_close_matches(name.lower(), lower, n=3)]
    hint = f"did you mean {' or '.join(close)}?" if close else "others have none."
    raise ValueError(
        f"Expected the name of a class that cites a paper, such as SSAN, got {name}: "
        f"{hint}"
    )


def reference(key: str) -> str:
    """Write a paper as the docstrings cite it.

    Parameters
    ----------
    key : str
        Its key in the table.

    Returns
    -------
    str
        Authors, title, where and when, and its numbers.
    """
    paper = table()["papers"][key]
    volume = f" {paper['volume']}," if "volume" in paper else ""
    where = f"{_where(paper)}{volume} {paper['year']}"
    numbers = [f" {n}:{paper[k]}." for n, k in NUMBERS.items() if k in paper]
    return f'{paper["authors"]}, "{paper["title"]}", {where}.' + "".join(numbers)


def bibtex(key: str) -> str:
    """Write a paper as an entry of BibTeX.

    Parameters
    ----------
    key : str
        Its key in the table.

    Returns
    -------
    str
        The entry, without a line break at its end.
    """
    paper = table()["papers"][key]
    field = next(field for field in KINDS if field in paper)
    authors = re.sub(r", | and ", " and ", paper["authors"])
    volume, _, number = paper.get("volume", "").rstrip(")").partition("(")
    fields = {
        "author": authors.replace(" et al.", " and others"),
        "title": f"{{{paper['title']}}}",  # keeps its capitals
        field: paper[field],
        "volume": volume,
        "number": number,
        "year": paper["year"],
        "doi": paper.get("doi"),
        "eprint": paper.get("arxiv"),
        "archiveprefix": "arXiv" if "arxiv" in paper else None,
    }
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items() if text]
    return "\n".join([f"@{KINDS[field]}{{{key},", *lines, "}"])


def _where(paper: dict[str, Any]) -> str:
    return next(paper[field] for field in KINDS if field in paper)
