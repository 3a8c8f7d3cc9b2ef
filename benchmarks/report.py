"""Make the tables of README.md and of the documentation from the results files.

    python -m benchmarks.report [--check]

Only the latest line of every combination counts; older ones stay in the files.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import load
from benchmarks._tables import Table, difference, interval, latest, percent
from benchmarks.boards.pages import readme_table
from benchmarks.overviews import overviews
from benchmarks.paired_report import paired_tables
from benchmarks.papers import texts
from benchmarks.partial_report import partial_tables
from benchmarks.retrieval_report import retrieval_tables
from benchmarks.selection import selection_table
from benchmarks.unsupervised_report import unsupervised_tables
from skda.comparison._lineups import FIRST, PLAIN

__all__ = ["render"]

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
#: Rows of the fits of benchmarks/speed/scale.py.
SCALE = (10_000, 100_000, 1_000_000)
METHODS = [
    PLAIN,
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
    FIRST,
    "SSAN.published()",
    "STN.published()",
]
SOURCES = {"real": "with its source", "none": "no source", "unused": "target only"}


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
    return Table(
        ["Task", "last iterate", "best epoch on the test labels"], rows, has_best=False
    )


def engine_table() -> Table:
    """Show what the engine costs."""
    records = latest(load("speed_engine"), "name").values()
    rows = [[r["name"], interval(r), f"≤ {r['aim']}"] for r in records]
    return Table(["Size", "engine / bare loop", "aim"], rows, has_best=False)


def ssan_table() -> Table:
    """Show what the plain way to write SSAN's step costs."""
    records = latest(load("speed_ssan"), "precision").values()
    rows = [[r["precision"], interval(r), f"≥ {r['aim']}"] for r in records]
    return Table(["Precision", "plain / skda", "aim"], rows, has_best=False)


def batched_table() -> Table:
    """Show what a batched search gains on separate fits."""
    records = latest(load("speed_batched"), "name").values()
    rows = [
        [
            r["name"],
            f"{r['separate_seconds']:.2f}",
            f"{r['batched_seconds']:.2f}",
            interval(r),
            f"≥ {r['aim']:.0f}",
        ]
        for r in records
    ]
    return Table(
        ["Method", "separate, s", "batched, s", "ratio", "aim"], rows, has_best=False
    )


def threads_table() -> Table:
    """Show what a second thread does to a step."""
    rows = [
        [r["name"], f"{r['multiplications']:.0e}", interval(r)]
        for r in latest(load("speed_threads"), "name").values()
    ]
    return Table(
        ["Size", "rows x parameters", "two threads / one"], rows, has_best=False
    )


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
    return Table(["Method and size", "CPU seconds", "MiB"], rows, has_best=False)


def latency_table() -> Table:
    """Show what the prediction of one row takes."""
    rows = [
        [
            r["method"],
            f"{r['milliseconds']:.2f}",
            f"{r['onnx_milliseconds']:.2f}",
            f"{r['onnx_kib']:.0f}",
        ]
        for r in latest(load("speed_latency"), "method").values()
    ]
    return Table(
        ["Method", "predict_proba, ms", "ONNX, ms", "ONNX, KiB"], rows, has_best=False
    )


def auto_table() -> Table:
    """Show time and memory of AutoAdapter as the rows grow."""
    rows = [
        [
            f"{r['situation']}, {r['n_rows']} x {r['n_features']}",
            f"{r['cpu_seconds']:.1f}",
            f"{r['memory_mib']:.0f}",
        ]
        for r in latest(
            load("speed_auto"), "situation", "n_rows", "n_features"
        ).values()
    ]
    return Table(["Situation and size", "CPU seconds", "MiB"], rows, has_best=False)


def growth_table() -> Table:
    """Show what the methods for different features take, and how it grows."""
    found = latest(load("speed_heterogeneous"), "method", "factor")
    rows = []
    for method in sorted({method for method, _ in found}, key=str.lower):
        runs = {factor: found.get((method, factor)) for factor in (1, 2, 4)}
        cells = [*map(_cpu, runs.values()), *map(_mib, runs.values())]
        rows.append([method, *cells, _exponent(runs)])
    header = [f"{unit}, {n}x" for unit in ("CPU s", "MiB") for n in (1, 2, 4)]
    return Table(["Method", *header, "exponent"], rows, has_best=False)


def scale_table() -> Table:
    """Show how CPU seconds grow to a million rows, beside memory and accuracy."""
    found = latest(load("speed_scale"), "method", "n_rows", "exact")
    rows = []
    for method in dict.fromkeys(method for method, *_ in found):
        runs = {n: found.get((method, n, False)) for n in SCALE}
        if not any(runs.values()):
            continue
        largest = next(run for run in reversed(runs.values()) if run)
        compared = [found.get((method, 20_000, exact)) for exact in (False, True)]
        rows.append(
            [
                method,
                *(f"{run['cpu_seconds']:.1f}" if run else "" for run in runs.values()),
                _exponent(runs),
                f"{largest['memory_mib']:.0f}",
                *(f"{100 * run['accuracy']:.1f}" if run else "" for run in compared),
            ]
        )
    header = [f"CPU s, {n:,}" for n in SCALE]
    scores = ["accuracy at 20,000", "of the exact form"]
    return Table(
        ["Method", *header, "exponent", "MiB at most", *scores], rows, has_best=False
    )


def _cpu(run: dict[str, Any] | None) -> str:
    """Write CPU seconds, or the limit that they exceed."""
    if run is None:
        return ""
    seconds = run["cpu_seconds"]
    return f"> {run['limit']}" if seconds is None else f"{seconds:.1f}"


def _mib(run: dict[str, Any] | None) -> str:
    """Write the memory of a fit that came to its end."""
    memory = run and run["memory_mib"]
    return "" if memory is None else f"{memory:.0f}"


def _exponent(runs: dict[int, dict[str, Any] | None]) -> str:
    """Write the slope of log seconds over log rows, if there are two sizes."""
    points = [(n, r["cpu_seconds"]) for n, r in runs.items() if r and r["cpu_seconds"]]
    if len(points) < 2:
        return ""
    slope, _ = np.polyfit(*np.log(points).T, 1)
    return f"{slope:.1f}"


def render() -> dict[Path, str]:
    """Make every generated text: what should stand in which file."""
    order, readme = list(COLUMNS), ROOT / "README.md"
    boards = readme_table(regimes=False)
    tables = retrieval_tables() | unsupervised_tables() | partial_tables()
    tables |= paired_tables()
    return {
        readme: filled(readme.read_text(), "boards", boards.markdown()),
        DOCS / "boards_summary.inc": readme_table().rst(),
        DOCS / "accuracy.inc": accuracy_table(order, METHODS).rst(),
        DOCS / "gain.inc": gain_table(order, METHODS).rst(),
        DOCS / "kinds.inc": kinds_table().rst(),
        DOCS / "best_epoch.inc": best_epoch_table().rst(),
        DOCS / "engine.inc": engine_table().rst(),
        DOCS / "batched.inc": batched_table().rst(),
        DOCS / "ssan.inc": ssan_table().rst(),
        DOCS / "threads.inc": threads_table().rst(),
        DOCS / "rows.inc": rows_table().rst(),
        DOCS / "latency.inc": latency_table().rst(),
        DOCS / "growth.inc": growth_table().rst(),
        DOCS / "auto.inc": auto_table().rst(),
        DOCS / "scale.inc": scale_table().rst(),
        DOCS / "selection.inc": selection_table(load("selection")),
        **{DOCS / f"{name}.inc": table.rst() for name, table in tables.items()},
        **{DOCS / name: text for name, text in texts().items()},
        **_drawn(),
    }


def _drawn() -> dict[Path, str]:
    """Draw the picture at the head of every page."""
    files = {}
    for name, overview in overviews().items():
        files[DOCS / f"{name}.svg"] = overview.svg
        files[DOCS / f"{name}.inc"] = overview.rst(name)
    return files


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
        sys.exit("Run python -m benchmarks.report.")


if __name__ == "__main__":
    main()
