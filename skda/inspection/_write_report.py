"""The page of a comparison that can be sent, written from its table."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

from skda.comparison._layout import Report
from skda.comparison._page import make_page
from skda.comparison._report import (
    AdaptationSettings,
    RetrievalSettings,
    report_adaptation,
    report_retrieval,
)
from skda.inspection._comparison import STYLES, ComparisonDisplay
from skda.utils.files import write_whole
from skda.utils.optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["page_of", "write_report"]

NEED = "skda.inspection.write_report draws with matplotlib"
#: Widths of the drawing, in inches, by the window that it is for.
WIDTHS = {"wide": 8.2, "narrow": 4.3}
#: What the page has for a color of the drawing, so that it suits a dark one as well.
INKS = {
    "#ffffff": "--paper",
    "#000000": "--ink",
    "#f9f9f9": "--band",
    "#ebebeb": "--line",
    "#cccccc": "--line",
    "#2a6fbb": "--a",
    "#e07b39": "--b",
    "#737373": "--c",
    "#2e9468": "--d",
    "#7c5cbf": "--e",
}


def write_report(
    table: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    command: str | None = None,
) -> None:
    """Write a comparison as one page of HTML, which can be sent.

    It has what to take and how sure that is; a drawing of all methods, the table, and
    what the source is worth; what was compared on; what the methods warned of; and the
    versions. It needs no other file and no network, and can be printed.

    Parameters
    ----------
    table : pandas.DataFrame
        What :func:`skda.compare` or :func:`skda.compare_retrieval` returns.
    path : str or path-like
        The file. What is there already is replaced.
    title : str, default=None
        Name of the data; None is that of the task, if it is one.
    command : str, default=None
        What made the table, to be shown.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If the table does not say what it was made from.

    See Also
    --------
    ComparisonDisplay : Draws the table alone.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from skda import compare
    >>> from skda.baselines import TargetOnly
    >>> from skda.inspection import write_report
    >>> table = compare({"SVMt": TargetOnly(SVC(kernel="linear"))}, n_splits=2)
    >>> write_report(table, "page.html")  # doctest: +SKIP
    """
    report = _report_of(table, title)
    write_whole(path, page_of(table, report, command).encode())


def page_of(table: pd.DataFrame, report: Report, command: str | None = None) -> str:
    """Draw a comparison, and write its page; see :func:`write_report`.

    Parameters
    ----------
    table : pandas.DataFrame
        The comparison.
    report : Report
        Its report.
    command : str, default=None
        What made it.

    Returns
    -------
    str
        HTML.
    """
    display = ComparisonDisplay(table)
    drawn = [
        f'<div class="{window}">{_draw(display, window, width)}</div>'
        for window, width in WIDTHS.items()
    ]
    shown = {
        style["label"]: style["color"]
        for source, style in STYLES.items()
        if source in display.sources
    }
    key = "".join(
        f'<li><i style="background: {_ink(color)}"></i>{label}</li>'
        for label, color in shown.items()
    )
    figure = (
        f'<figure><ul class="key">{key}</ul>{"".join(drawn)}<figcaption>'
        f"{display.caption}</figcaption></figure>"
    )
    return make_page(table, report, figure, command)


def _report_of(table: pd.DataFrame, title: str | None) -> Report:
    """Find what the report says in what the table was made from."""
    data = table.attrs.get("data")
    if data is None:
        raise ValueError(
            'Expected a table whose attrs have "data", got one without: pass what '
            "skda.compare or skda.compare_retrieval returned, as it is."
        )
    n_splits = int(table["n_splits"].max())
    if "setting" in table:
        views = {each["name"]: each["n_features"] for each in data["domains"]}
        name = title or ", ".join(views)
        settings = RetrievalSettings(
            name, {}, views, n_splits, data["has_test"], data["seed"], None
        )
        return report_retrieval(table, settings)
    return report_adaptation(
        table,
        AdaptationSettings(
            title or data["task"] or "data of your own",
            {},
            n_splits,
            data["n_per_class"],
            data["seed"],
            None,
            data["n_pairs"],
            data["target_classes"],
        ),
    )


def _draw(display: ComparisonDisplay, window: str, width: float) -> str:
    """Draw into HTML; the same table makes the same drawing."""
    mpl = import_optional("matplotlib", NEED)
    figures = import_optional("matplotlib.figure", NEED)
    rc: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": f"skda {window}"}
    with mpl.rc_context(rc):
        height = display.height - 0.5  # without title and legend
        figure = figures.Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        display.plot(axes)
        axes.get_legend().remove()
        axes.set_xlabel("")
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace("<svg ", '<svg role="img" ', 1)
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawn, count=1)
    drawn = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1)
    return re.sub("#[0-9a-f]{6}", lambda found: _ink(found[0]), drawn)


def _ink(color: str) -> str:
    """Choose the page's color for one of the drawing."""
    return f"var({INKS[color]}, {color})" if color in INKS else color
