"""The page of a comparison: one file that needs no other, and no network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from skda.comparison._layout import Lines, Report
from skda.utils.escaping import printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["make_page"]

#: Columns whose cells are no scores, of which none is best.
NO_SCORES = {"method", "splits", "seconds", "95 % interval"}
#: More classes than this are folded.
MANY_CLASSES = 12
CONFIDENCE = 0.95
LABELS = ("labels",)
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2026; --faint: #5c6370;
  --line: #dfe2e7; --band: #f6f7f9; --note: #eef4fc; --a: #2a6fbb; --b: #c9621b;
  --c: #6b7280; --d: #27825a; --e: #7652b3; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181d; --ink: #e6e8ec;
  --faint: #a3aab5; --line: #353a43; --band: #1d2027; --note: #1b2838; --a: #6aa9ee;
  --b: #f0975a; --c: #9aa2ae; --d: #5cc397; --e: #b095e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1.5rem 1rem 3rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.verdict { background: var(--note); border-left: 4px solid var(--a);
  padding: .7rem 1rem; border-radius: 4px; font-size: 1.05rem; }
.small, figcaption, caption { color: var(--faint); font-size: .875rem; }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .925rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: .2rem; }
td.text { text-align: left; white-space: normal; min-width: 14rem;
  overflow-wrap: anywhere; }
tbody tr:nth-child(even) { background: var(--band); }
tr.control td { color: var(--faint); }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { fill: currentColor; }
.narrow { display: none; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 0 0 .3rem;
  list-style: none; font-size: .875rem; }
.key i { display: inline-block; width: .7em; height: .7em; border-radius: 50%;
  margin-right: .4em; }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .875rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--band);
  border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; }
summary { cursor: pointer; }
@media (max-width: 40rem) { .narrow { display: block; } .wide { display: none; }
  th, td { padding: .3rem .35rem; } table { font-size: .8rem; }
  th, td:first-child { white-space: normal; } td.text { min-width: 5rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000;
  --faint: #444; --line: #ccc; --band: #f6f7f9; --note: #fff; --a: #2a6fbb;
  --b: #c9621b; --c: #6b7280; --d: #27825a; --e: #7652b3; }
  body { max-width: none; padding: 0; font-size: 10pt; } table { font-size: 9pt; }
  .wide { display: block; } .narrow { display: none; } .scroll { overflow: visible; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; } }
"""


def make_page(
    table: pd.DataFrame,
    report: Report,
    figure: str,
    command: str | None = None,
) -> str:
    """Write the page of a comparison.

    Parameters
    ----------
    table : pandas.DataFrame
        The comparison.
    report : Report
        Its report.
    figure : str
        Its drawing, in HTML.
    command : str, default=None
        What made it.

    Returns
    -------
    str
        HTML.
    """
    parts = [
        f"<h1>Comparison of methods: {_text(report.task)}</h1>",
        _paragraph(report.verdict, "verdict") if report.verdict else "",
        "<h2>At a glance</h2>",
        figure,
        "<h2>All methods</h2>",
        _table(report.cells, _caption(report), _controls(report.cells)),
        *(_paragraph(text, "small") for text in report.legend),
        "<h2>What the source is worth</h2>",
        *_worth(table),
        "<h2>The data</h2>",
        *_data(table.attrs.get("data") or {}, report.record),
        "<h2>Warnings</h2>",
        *_warnings(table.attrs.get("warnings") or {}),
        "<h2>How it was made</h2>",
        *_origin(report.record, command),
    ]
    title = _text(f"skda: {report.task}")
    head = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(filter(None, parts)) + "\n</body>\n</html>\n"


def _text(text: Any) -> str:
    """Show a text as it is, whatever it has in it."""
    return escape(printable(str(text)))


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{_text(text)}</p>' if kind else f"<p>{_text(text)}</p>"


def _caption(report: Report) -> str:
    n_splits = report.record["n_splits"]
    return f"Mean over n = {n_splits} split{'s' * (n_splits != 1)}; the best is bold."


def _controls(lines: Lines) -> set[int]:
    """Find the rows of methods without the source that they could use."""
    return {i for i, line in enumerate(lines[1:]) if line[0].endswith(", no source")}


def _table(
    lines: Lines,
    caption: str,
    faint: set[int] | None = None,
    texts: Sequence[int] = (),
) -> str:
    """Write a table, of which the best score in each column is bold."""
    header, *rows = lines
    best = [
        _best([row[i] for row in rows]) if name not in NO_SCORES and not texts else None
        for i, name in enumerate(header)
    ]
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in header)
    body = []
    for number, row in enumerate(rows):
        cells = []
        for i, cell in enumerate(row):
            shown = _text(cell)
            if best[i] is not None and _number(cell) == best[i]:
                shown = f"<strong>{shown}</strong>"
            cells.append(f'<td class="text">{shown}</td>' if i in texts else shown)
        kind = ' class="control"' if number in (faint or ()) else ""
        tags = (c if c.startswith("<td") else f"<td>{c}</td>" for c in cells)
        body.append(f"<tr{kind}>{''.join(tags)}</tr>")
    return (
        f'<div class="scroll"><table><caption>{_text(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(body)
        + "\n</tbody></table></div>"
    )


def _number(cell: str) -> float | None:
    found = re.match(r"[+-]?\d+(\.\d+)?", cell.strip())
    return float(found[0]) if found else None


def _best(cells: Sequence[str]) -> float | None:
    """Find the largest number, if there is anything to choose from."""
    numbers = [number for cell in cells if (number := _number(cell)) is not None]
    return max(numbers) if len(numbers) > 1 else None


def _worth(table: pd.DataFrame) -> list[str]:
    """Hold every method against itself without the source."""
    kind, scores, real, none = (
        ("setting", "mAPs", "source + new", "new")
        if "setting" in table
        else ("source", "accuracies", "real", "none")
    )
    found = {
        (row["method"], row[kind]): 100 * np.array(row[scores])
        for row in table.to_dict("records")
    }
    pairs = {
        method: (found[method, real], found[method, none])
        for method in table["method"].unique()
        if {(method, real), (method, none)} <= found.keys()
    }
    if not pairs:
        return [
            _paragraph(
                "No method was fitted both with a source and without one, so nothing "
                "can be said. Without any label of the target there is nothing that "
                "could be learned without a source."
            )
        ]
    lines: Lines = [("method", "with", "without", "difference", "95 % interval")]
    surely = []
    for method, (with_source, without) in pairs.items():
        gains = with_source - without
        low, high = _interval(gains)
        surely += [method] if low > 0 else []
        means = f"{with_source.mean():.1f}", f"{without.mean():.1f}"
        reach = "" if np.isnan(low) else f"{low:+.1f} to {high:+.1f}"
        lines.append((method, *means, f"{gains.mean():+.1f}", reach))
    n_splits = len(next(iter(pairs.values()))[0])
    caption = f"In percent, by the same n = {n_splits} splits; the best is bold."
    return [_paragraph(_said_of_worth(surely, len(pairs))), _table(lines, caption)]


def _said_of_worth(surely: Sequence[str], n_methods: int) -> str:
    """Name the methods that the source helps."""
    if not surely:
        return "No method gains by the source for certain: no interval is above zero."
    if len(surely) == n_methods:
        return "The source helps for certain: all intervals are above zero."
    return (
        f"The interval is above zero, so that the source helps for certain, for "
        f"{', '.join(surely)}; for the others it is not."
    )


def _interval(gains: Any) -> tuple[float, float]:
    """Bound the mean of paired differences, by Student's distribution."""
    n = len(gains)
    if n < 2:
        return float("nan"), float("nan")
    error = float(np.std(gains, ddof=1) / np.sqrt(n))
    reach = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    return float(gains.mean() - reach), float(gains.mean() + reach)


def _data(data: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """Describe both domains, or all views."""
    domains = data.get("domains", [])
    views = "views" in record  # of which half of the categories are labeled
    lines: Lines = [("", "rows", "features", "classes", *LABELS[views:], "skew")]
    for each in domains:
        counts = sorted(each["classes"].values())
        n_features = "-" if each["n_features"] is None else f"{each['n_features']:,}"
        skew = f"{counts[-1] / counts[0]:.1f} : 1" if counts else "-"
        sizes = f"{each['n_rows']:,}", n_features, str(len(counts))
        labels = [f"{each['n_labels']:,}"][views:]
        lines.append((each["name"], *sizes, *labels, skew))
    shown = "" if views else "Labels: those shown to the methods. "
    caption = f"{shown}Skew: largest by smallest class."
    told = [_table(lines, caption, None, [0])]
    if data.get("n_pairs"):
        told.append(_paragraph(f"Beside them, {data['n_pairs']} pairs."))
    told += [_classes(domains)] if domains else []
    told += [
        f"<p>{_text(role)}: <code>{_text(file)}</code></p>"
        for role, file in record.get("files", {}).items()
    ]
    return told


def _classes(domains: Sequence[Mapping[str, Any]]) -> str:
    """List the rows of every class, folded if there are many."""
    alike = all(each["classes"] == domains[0]["classes"] for each in domains)
    shown = domains[:1] if alike else domains
    names = dict.fromkeys(name for each in shown for name in each["classes"])
    header = ("class", *("rows" if alike else each["name"] for each in shown))
    lines: Lines = [header]
    for name in names:
        lines.append((name, *(str(each["classes"].get(name, 0)) for each in shown)))
    table = _table(lines, "Rows of known class.", None, [0])
    opened = "" if len(names) > MANY_CLASSES else " open"
    return f"<details{opened}><summary>{len(names)} classes</summary>{table}</details>"


def _warnings(said: Mapping[str, Sequence[str]]) -> list[str]:
    if not said:
        return [_paragraph("No method has warned of anything, and none has failed.")]
    lines: Lines = [("method", "warning")]
    lines += [(label, text) for label, texts in said.items() for text in texts]
    return [_table(lines, "What the methods warned of; none has failed.", None, [1])]


def _origin(record: Mapping[str, Any], command: str | None) -> list[str]:
    versions = ", ".join(f"{name} {v}" for name, v in record["versions"].items())
    on = f"{record['device']} ({record['machine']}), {record['torch_threads']} threads"
    told = [
        f"{versions}; {on}; seed {record['seed']}; {record['time']}.",
    ]
    shown = [f"<pre>{_text(command)}</pre>"] if command else []
    return [*shown, *(_paragraph(text, "small") for text in told)]
