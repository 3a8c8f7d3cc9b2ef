"""All results in one file, for the page of the documentation that searches them.

    python -m benchmarks.everything FILE

The file is a script of one statement, ``skdaResults = {...}``, so that a page that is
opened from a disk can read it as well. It is made when the documentation is built, and
needs nothing but the results files. Of every combination the latest line counts.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

__all__ = ["COLUMNS", "PREFIX", "command_of", "gather", "write"]

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SPLIT = HERE / "boards" / "split.json"
PREFIX = "skdaResults = "
COLUMNS = (
    "family",
    "task",
    "method",
    "setting",
    "score",
    "std",
    "n",
    "metric",
    "seconds",
    "commit",
    "date",
    "command",
)
#: Columns whose values repeat, of which a row has the number in a list.
NAMED = ("family", "task", "method", "setting", "metric", "commit", "date", "command")
#: What else makes a line another combination, with what it is called.
SETTINGS = {
    "group": "{}",
    "source": "source: {}",
    "setting": "{}",
    "sweep": "{}",
    "parameter": "{}",
    "value": "= {}",
    "n_per_class": "{} per class",
    "params": "{}",
    "factor": "{} times the rows",
    "batch_size": "batch {}",
    "dropout": "dropout {}",
    "n_rows": "{} rows",
    "n_features": "{} features",
    "precision": "{}",
    "attention": "{}",
    "threads": "{} threads",
    "gallery": "{}",
    "scale": "scale {}",
    "seed": "seed {}",
}
#: Settings that are told of some files only: of the others they are no choice.
ONLY_SPEED = ("batch_size", "dropout", "n_rows", "n_features", "threads", "factor")
WITH_GROUPS = ("unsupervised", "partial")
WITHOUT_CHOICE = ("selection", "source_gain")
#: Scripts that have another name than their file.
SCRIPTS = {"speed_skada": "speed.against_skada"}
#: Groups that another script measures.
OTHERS = {"pretrained": "pretrained", "fine_tuned": "pretrained"}


def gather(folder: Path = RESULTS) -> dict[str, Any]:
    """Collect all results.

    Parameters
    ----------
    folder : Path
        Where the files are.

    Returns
    -------
    dict
        "columns"; "names", the lists of the columns whose values repeat; and "rows".
    """
    names: dict[str, dict[str, int]] = {column: {} for column in NAMED}
    rows = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        read = _read_board if path.stem.startswith("boards_") else _read
        # A combination that was measured again stands where it was.
        latest = {row[:4]: row for row in read(path.stem, lines)}
        for row in latest.values():
            fields = dict(zip(COLUMNS, row, strict=True))
            for column, known in names.items():
                fields[column] = known.setdefault(str(fields[column]), len(known))
            rows.append(list(fields.values()))
    return {
        "columns": COLUMNS,
        "names": {column: list(known) for column, known in names.items()},
        "rows": rows,
    }


def command_of(file: str, fields: dict[str, Any]) -> str:
    """Say how to measure a line again, with "{task}" and "{method}" for its own.

    Parameters
    ----------
    file : str
        Name of the results file.
    fields : dict
        The line.

    Returns
    -------
    str
        The command; of some scripts it measures other lines, too.
    """
    group = fields.get("group")
    script = OTHERS.get(str(group)) or SCRIPTS.get(file) or file.replace("_", ".", 1)
    if file in ("source_gain", *WITH_GROUPS):
        script = OTHERS.get(str(group), file)
    if file.startswith("boards_"):
        script = "boards.run"
    command = f"python -m benchmarks.{script}"
    if file.startswith("speed_"):
        return f"{command} --record"
    if file in WITHOUT_CHOICE:
        return command
    if file.startswith("boards_"):
        command += f" --group {file.removeprefix('boards_')} --side {fields['side']}"
    if group is not None:
        command += f" --groups {group}"
    if fields.get("sweep"):
        command += f" --sweeps {fields['sweep']}"
    again = "" if file == "heterogeneous" else " --again"
    return f"{command} --tasks '{{task}}' --methods '{{method}}'{again}"


def _read(file: str, lines: Iterator[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Read a file of which every line is complete."""
    for line in lines:
        fields = line | line.get("cell", {})
        fields.setdefault("task", fields.get("situation", ""))
        fields.setdefault("method", fields.get("name", fields.get("backend", "")))
        values = _values(fields)
        if values:
            metric = str(fields.get("metric", "ratio of times"))
            setting = _setting(fields, file, line)
            seconds = fields.get("cpu_seconds") or fields.get("seconds")
            fields |= {"metric": metric, "seconds": seconds}
            yield _row(file, fields, setting, values)


def _values(fields: dict[str, Any]) -> list[float]:
    """Find the numbers of a line: accuracies, a ratio or else seconds."""
    for name in ("values", "accuracy", "ratio", "cpu_seconds", "search_cpu_seconds"):
        found = fields.get(name)
        if found is not None:
            if "seconds" in name:
                fields.setdefault("metric", "CPU seconds")
            values = found if isinstance(found, list) else [found]
            return [v for v in values if v is not None and math.isfinite(v)]
    return []


def _setting(fields: dict[str, Any], file: str, line: dict[str, Any]) -> str:
    """Write what a line has beside its task and its method."""
    told = []
    for name, text in SETTINGS.items():
        value = fields.get(name)
        if value is None or (name in ONLY_SPEED and not file.startswith("speed_")):
            continue
        if name == "params":
            changed = line.get("cell", {}).get("params", {})
            told += [f"{key} = {each}" for key, each in changed.items()]
        elif name == "value" and told:
            told[-1] += f" {text.format(value)}"
        else:
            told.append(text.format(value))
    return ", ".join(told)


def _read_board(
    file: str, lines: Iterator[dict[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    """Read a file whose lines name those of their run."""
    sides = json.loads(SPLIT.read_text(encoding="utf-8"))
    side_of = {
        f"{group}/{data}": side
        for side in ("choosing", "confirming")
        for group, members in sides[side].items()
        for data in members
    }
    runs: dict[str, dict[str, Any]] = {}
    for line in lines:
        if "task" not in line:
            runs[line["fit"]] = line
        elif line.get("score") is not None:
            side = side_of.get(line["task"].rpartition("/")[0], "choosing")
            fields = line | {"side": side}
            fields |= {name: runs[line["run"]].get(name) for name in ("commit", "time")}
            metric = "mAP" if file == "boards_retrieval" else "transductive accuracy"
            yield _row(file, fields | {"metric": metric}, side, [line["score"]])


def _row(
    file: str, fields: dict[str, Any], setting: str, values: list[float]
) -> tuple[Any, ...]:
    """Write a row, in the order of the columns."""
    seconds = fields["seconds"]
    if isinstance(seconds, list):
        seconds = fmean(seconds) if seconds else None
    return (
        file.replace("_", ": ", 1) if file.startswith(("boards", "speed")) else file,
        fields["task"],
        fields["method"],
        setting,
        round(fmean(values), 4),
        round(stdev(values), 4) if len(values) > 1 else None,
        len(values),
        fields["metric"].partition(",")[0],
        None if seconds is None else round(seconds, 2),
        fields["commit"],
        fields["time"][:10],
        command_of(file, fields),
    )


def write(path: Path, folder: Path = RESULTS) -> None:
    """Write all results as a script.

    Parameters
    ----------
    path : Path
        The file.
    folder : Path
        Where the results are.
    """
    text = json.dumps(gather(folder), separators=(",", ":"), ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{PREFIX}{text};\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
