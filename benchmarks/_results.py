"""Results files: a line of JSON for every run, appended and never edited."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

__all__ = ["append", "circumstances", "data_file", "load", "sha256", "write"]

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("torch", "scikit-learn", "skorch", "numpy", "skda")


def append(file: str, /, **fields: Any) -> None:
    """Add a line to ``results/<file>.jsonl``, with all that a figure depends on."""
    write(file, fields | circumstances(fields.get("device", "cpu")))


def write(file: str, record: dict[str, Any]) -> None:
    """Add a line that says itself what its figures depend on."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{file}.jsonl").open("a") as lines:
        lines.write(json.dumps(record, default=repr) + "\n")


def circumstances(device: str = "cpu") -> dict[str, Any]:
    """Say what a figure depends on beside data and method."""
    return {
        "device": device,
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES},
        "commit": _git("rev-parse", "--short", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--", "skda")),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def load(name: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of ``results/<name>.jsonl``, oldest first."""
    with (FOLDER / f"{name}.jsonl").open() as file:
        yield from map(json.loads, file)


def data_file(name: str) -> Path:
    """Find a data file."""
    return Path(os.environ["SKDA_DATA"]) / f"{name}.npz"


def sha256(path: str | Path) -> str:
    """Tell which version of a data file was used."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def _git(*arguments: str) -> str:
    root = Path(__file__).parent
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
