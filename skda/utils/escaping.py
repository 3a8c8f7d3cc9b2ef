"""Names of files and views in reports: as they are, and never read as anything else."""

from __future__ import annotations

import re

__all__ = ["escape_markdown", "escape_mathtext", "printable"]

#: What Markdown reads as more than a character. An underscore within a word is one.
_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITY = re.compile(r"&(?=#?\w+;)")


def printable(text: str) -> str:
    r"""Write out what a terminal would obey: control characters and line ends.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text in one line, which can be encoded, whatever bytes a file name had.

    Examples
    --------
    >>> from skda.utils.escaping import printable
    >>> print(printable("a\x1b[2J\nb.csv"))
    a\x1b[2J\nb.csv
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def escape_markdown(text: str) -> str:
    r"""Escape what Markdown, or a browser that shows it, would take for markup.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Markdown that shows the text.

    Examples
    --------
    >>> from skda.utils.escaping import escape_markdown
    >>> print(escape_markdown("my_data.csv -> *<b>.csv"))
    my_data.csv -> \*&lt;b>.csv
    """
    escaped = _MARKUP.sub(r"\\\g<0>", printable(text))
    return _ENTITY.sub("&amp;", escaped).replace("<", "&lt;")


def escape_mathtext(text: str) -> str:
    r"""Escape what Matplotlib would set as a formula.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        What shows the text in a figure.

    Examples
    --------
    >>> from skda.utils.escaping import escape_mathtext
    >>> print(escape_mathtext("$1 or $2.csv"))
    \$1 or \$2.csv
    """
    return printable(text).replace("$", r"\$")
