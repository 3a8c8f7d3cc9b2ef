"""The tables of cross-modal retrieval, for ``report.py``."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest, percent

__all__ = ["retrieval_tables"]

COLUMNS = {
    "wikipedia": "Wikipedia, SIFT and LDA",
    "wikipedia_deep": "Wikipedia, deep",
    "mfeat:fou-kar": "mfeat, fou and kar",
    "bbcsport": "BBC Sport",
}
SETTINGS = {
    "source": "known categories alone",
    "pairs": "all pairs, unlabeled",
    "source + new": "known and new",
    "new": "new pairs alone",
}
REFERENCE = ("RidgeCCA", "new")
Found = dict[tuple[Any, ...], dict[str, Any]]


def results() -> Found:
    """Read the latest line of every combination."""
    return latest(load("retrieval"), "task", "method", "setting")


def rows_of(found: Found, keys: list[tuple[str, str]]) -> Table:
    """Show the mean average precision of methods in settings, chance first."""
    chances = [found[task, *REFERENCE]["chance"] for task in COLUMNS]
    rows = [["chance", *(f"{100 * np.mean(chance):.1f}" for chance in chances)]]
    for method, setting in keys:
        cells = [found.get((task, method, setting)) for task in COLUMNS]
        if any(cells):
            values = [percent(cell["values"]) if cell else "" for cell in cells]
            rows.append([f"{method}, {SETTINGS[setting]}", *values])
    return Table(["Method and setting", *COLUMNS.values()], rows)


def gap_table(found: Found, keys: list[tuple[str, str]]) -> Table:
    """Show paired differences to canonical correlations of the new pairs alone."""
    rows = []
    for method, setting in keys:
        if (method, setting) == REFERENCE or method.endswith("()"):
            continue
        cells = []
        for task in COLUMNS:
            run, reference = found.get((task, method, setting)), found[task, *REFERENCE]
            cells.append(difference(run["values"], reference["values"]) if run else "")
        rows.append([f"{method}, {SETTINGS[setting]}", *cells])
    return Table(["Method and setting", *COLUMNS.values()], rows)


def gain_table(found: Found) -> Table:
    """Show what the source is worth to every method that takes one."""
    rows = []
    for method in dict.fromkeys(method for _, method, _ in found):
        cells = []
        for task in COLUMNS:
            pair = [found.get((task, method, s)) for s in ("source + new", "new")]
            cells.append(difference(*(p["values"] for p in pair)) if all(pair) else "")
        if any(cells):
            rows.append([method, *cells])
    return Table(["Method", *COLUMNS.values()], rows)


def published_table(found: Found) -> Table:
    """Show DMTL at the size of its paper beside the small one, on the same split."""
    rows = []
    for (task, method, setting), run in found.items():
        if method == "DMTL.published()":
            small = found[task, "DMTL", setting]
            rows.append(
                [
                    f"{COLUMNS[task]}, {SETTINGS[setting]}",
                    f"{100 * run['values'][0]:.1f}",
                    f"{100 * small['values'][0]:.1f}",
                    f"{100 * run['chance'][0]:.1f}",
                    f"{run['seconds']:.0f}",
                ]
            )
    header = ["Data and setting", "as published", "small", "chance", "seconds"]
    return Table(header, rows, has_best=False)


def index_table() -> Table:
    """Show what it takes to search a large gallery."""
    rows = [
        [
            f"{r['backend']}, {r['gallery']}",
            f"{r['search_cpu_seconds']:.0f}",
            f"{r['memory_mib']:.0f}",
        ]
        for r in latest(load("speed_index"), "backend", "gallery").values()
    ]
    return Table(
        ["Backend and gallery", "CPU seconds", "peak MiB"], rows, has_best=False
    )


def step_table() -> Table:
    """Show what the engine costs in DMTL."""
    records = latest(load("speed_retrieval"), "name").values()
    rows = [[r["name"], interval(r), f"≤ {r['aim']}"] for r in records]
    return Table(["Size", "engine / bare loop", "aim"], rows, has_best=False)


def retrieval_tables() -> dict[str, Table]:
    """Make every table of retrieval, by the name of its file."""
    found = results()
    order = list(SETTINGS)
    methods = list(dict.fromkeys(method for _, method, _ in found))
    keys = sorted(
        {(method, setting) for _, method, setting in found},
        key=lambda key: (order.index(key[1]), methods.index(key[0])),
    )
    usual = [key for key in keys if not key[0].endswith("()")]
    return {
        "retrieval": rows_of(found, usual),
        "retrieval_gap": gap_table(found, usual),
        "retrieval_gain": gain_table(found),
        "retrieval_published": published_table(found),
        "retrieval_index": index_table(),
        "retrieval_step": step_table(),
    }
