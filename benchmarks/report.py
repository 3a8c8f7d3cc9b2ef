"""Make the tables of README.md and of the documentation from the results files.

    python benchmarks/report.py [--check]

Only the latest line of every combination counts; older ones stay in the files.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _results import load
from selection import selection_table

__all__ = ["Table", "render"]

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "benchmarks"
#: Tasks; a dagger where the source holds the very images of the target.
COLUMNS = {
    "amazon_surf:webcam_decaf6": "A SURF → W DeCAF6",
    "caltech_surf:dslr_decaf6": "C SURF → D DeCAF6",
    "webcam_surf:dslr_decaf6": "W SURF → D DeCAF6",
    "webcam_decaf6:webcam_surf": "W DeCAF6 → W SURF †",
    "amazon_squeezenet:amazon_surf": "A SqueezeNet → A SURF †",
    "mfeat_pix:mfeat_fou": "mfeat pix → fou",
    "reuters_0:reuters_4": "Reuters 0 → 4",
}
METHODS = [
    "SVMt",
    "TargetNet",
    "LabelSpreading",
    "BalancedLabelPropagation",
    "BalancedSelfTraining",
    "SeededKMeans",
    "IterativeLabelPropagation",
    "SinkhornCentroids",
    "STN",
    "SSAN",
    "GeoST",
    "GeoST, not averaged",
    "SSAN.published()",
    "STN.published()",
]
SOURCES = {"real": "with its source", "none": "no source", "unused": "target only"}


class Table(NamedTuple):
    """A table, before it is Markdown or reStructuredText."""

    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Spell the table for README.md."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

    def rst(self) -> str:
        """Spell the table for the documentation."""
        lines = [".. list-table::", "   :header-rows: 1", "   :class: results", ""]
        for row in [self.header, *self.rows]:
            first, *others = row
            lines.append(f"   * - {first}")
            lines += [f"     - {cell}".rstrip() for cell in others]
        return "\n".join(lines) + "\n"


def latest(
    records: Iterable[dict[str, Any]], *names: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Keep the last record of every combination of some fields, in order."""
    return {tuple(record[name] for name in names): record for record in records}


def percent(values: list[float]) -> str:
    """Write mean, standard deviation and number of splits."""
    mean, std = 100 * np.mean(values), 100 * np.std(values, ddof=1)
    return f"{mean:.1f} ± {std:.1f} ({len(values)})"


def difference(values: list[float], others: list[float]) -> str:
    """Write the mean paired difference and its standard error."""
    n = min(len(values), len(others))
    gaps = 100 * (np.array(values[:n]) - np.array(others[:n]))
    return f"{gaps.mean():+.1f} ({gaps.std(ddof=1) / np.sqrt(n):.1f})"


def accuracy_table(tasks: list[str], methods: list[str]) -> Table:
    """Show every method, with and without its source, on every task."""
    found = latest(load("heterogeneous"), "task", "method", "source")
    rows = []
    for method in methods:
        for source, label in SOURCES.items():
            cells = [found.get((task, method, source)) for task in tasks]
            twice = source == "none" and method.endswith("not averaged")
            if any(cells) and not twice:  # nothing to average without a source
                values = [percent(cell["values"]) if cell else "" for cell in cells]
                rows.append([f"{method}, {label}", *values])
    return Table(["Method", *(COLUMNS[task] for task in tasks)], rows)


def gain_table(tasks: list[str], methods: list[str]) -> Table:
    """Show what the source is worth to every method that takes one."""
    found = latest(load("heterogeneous"), "task", "method", "source")
    rows = []
    for method in methods:
        cells = []
        for task in tasks:
            pair = [found.get((task, method, kind)) for kind in ("real", "none")]
            cells.append(difference(*(p["values"] for p in pair)) if all(pair) else "")
        if any(cells):
            rows.append([method, *cells])
    return Table(["Method", *(COLUMNS[task] for task in tasks)], rows)


def kinds_table() -> Table:
    """Show what each kind of source adds to a fit without one."""
    found = latest(load("source_gain"), "task", "method", "source")
    kinds = ["real", "renamed", "shuffled", "gaussian"]
    rows = []
    for task, method in dict.fromkeys((task, method) for task, method, _ in found):
        runs = [found[task, method, kind]["values"] for kind in ["none", *kinds]]
        cells = [difference(values, runs[0]) for values in runs[1:]]
        rows.append([f"{method}, {COLUMNS[task]}", percent(runs[0]), *cells])
    return Table(["Method and task", "no source", *kinds], rows)


def best_epoch_table() -> Table:
    """Show the last iterate of SSAN as published beside its best epoch."""
    rows = [
        [
            COLUMNS[task].strip(" †"),
            percent(record["values"]),
            percent(record["best_epochs"]),
        ]
        for (task, method, source), record in latest(
            load("heterogeneous"), "task", "method", "source"
        ).items()
        if method == "SSAN.published()" and source == "real"
    ]
    return Table(["Task", "last iterate", "best epoch on the test labels"], rows)


def interval(record: dict[str, Any]) -> str:
    """Write the median and the range of a ratio."""
    return f"{record['ratio']:.2f} [{record['lowest']:.2f}, {record['highest']:.2f}]"


def engine_table() -> Table:
    """Show what the engine costs."""
    records = latest(load("speed_engine"), "name").values()
    rows = [[r["name"], interval(r), f"≤ {r['aim']}"] for r in records]
    return Table(["Size", "engine / bare loop", "aim"], rows)


def ssan_table() -> Table:
    """Show what the plain way to write SSAN's step costs."""
    records = latest(load("speed_ssan"), "precision").values()
    rows = [[r["precision"], interval(r), f"≥ {r['aim']}"] for r in records]
    return Table(["Precision", "plain / skda", "aim"], rows)


def threads_table() -> Table:
    """Show what a second thread does to a step."""
    rows = [
        [r["name"], f"{r['multiplications']:.0e}", interval(r)]
        for r in latest(load("speed_threads"), "name").values()
    ]
    return Table(["Size", "rows x parameters", "two threads / one"], rows)


def rows_table() -> Table:
    """Show time and memory of a fit as the rows grow."""
    rows = [
        [
            f"{r['method']}, {r['n_rows']} x {r['n_features']}",
            f"{r['cpu_seconds']:.2f}",
            f"{r['memory_mib']:.0f}",
        ]
        for r in latest(load("speed_rows"), "method", "n_rows", "n_features").values()
    ]
    return Table(["Method and size", "CPU seconds", "MiB"], rows)


def render() -> dict[Path, str]:
    """Make every generated text: what should stand in which file."""
    order, readme = list(COLUMNS), ROOT / "README.md"
    main = [name for name in METHODS if "(" not in name]
    text = filled(
        readme.read_text(), "heterogeneous", accuracy_table(order, main).markdown()
    )
    return {
        readme: filled(text, "gain", gain_table(order, main).markdown()),
        DOCS / "accuracy.inc": accuracy_table(order, METHODS).rst(),
        DOCS / "gain.inc": gain_table(order, METHODS).rst(),
        DOCS / "kinds.inc": kinds_table().rst(),
        DOCS / "best_epoch.inc": best_epoch_table().rst(),
        DOCS / "engine.inc": engine_table().rst(),
        DOCS / "ssan.inc": ssan_table().rst(),
        DOCS / "threads.inc": threads_table().rst(),
        DOCS / "rows.inc": rows_table().rst(),
        DOCS / "selection.inc": selection_table(load("selection")),
    }


def filled(text: str, name: str, table: str) -> str:
    """Replace what stands between the markers of a table."""
    start = f"<!-- table: {name} -->"
    pattern = re.escape(start) + ".*?<!-- end -->"
    if not re.search(pattern, text, flags=re.DOTALL):
        raise ValueError(f"Expected the markers {start} and <!-- end -->, got neither.")
    return re.sub(pattern, f"{start}\n{table}<!-- end -->", text, flags=re.DOTALL)


def main() -> None:
    """Write the generated texts, or say which of them are out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = [
        (path, text)
        for path, text in render().items()
        if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)} is out of date")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    if check and stale:
        sys.exit("Run python benchmarks/report.py.")


if __name__ == "__main__":
    main()
