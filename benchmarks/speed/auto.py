"""Time and memory of AutoAdapter, in every situation, as the rows grow.

Every fit runs in a process of its own, on one thread; memory is the peak resident set
less that before the fit. Aims: 1,000 x 500 in at most 5 seconds, 20,000 x 64 in at most
60 seconds and 2 GiB.

    python -m benchmarks.speed.auto [--record]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import torch

from benchmarks._results import append
from skda.auto import AutoAdapter
from skda.datasets import label_few

THIS = (sys.executable, "-m", "benchmarks.speed.auto")
SITUATIONS = ("few labels", "no labels", "few labels, same features")
SIZES = [(1000, 500), (4000, 500), (5000, 64), (20_000, 64)]
N_CLASSES, N_LABELS = 10, 3


def make_data(situation: str, n_rows: int, n_features: int) -> dict[str, Any]:
    """Make classes that overlap, in two domains of which one is shifted."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(N_CLASSES, n_features)) * 2 / np.sqrt(n_features) ** 0.5
    y = np.arange(n_rows) % N_CLASSES
    X, X_source = (means[y] + rng.normal(size=(n_rows, n_features)) for _ in range(2))
    data: dict[str, Any] = {"X": 1.2 * X + 0.5}
    if situation != "no labels":
        data["y"] = label_few(y, N_LABELS, random_state=0)
    if situation != "few labels":
        data["source"] = X_source, y
    return data


def fit(situation: str, n_rows: int, n_features: int) -> dict[str, float]:
    """Fit once, after a small fit that loads what there is to load."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    AutoAdapter().fit(**make_data(situation, 100, 5))
    data = make_data(situation, n_rows, n_features)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    AutoAdapter().fit(**data)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        / 1024,
    }


def main() -> None:
    """Print, and on demand record, one line per situation and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=3, help="situation, rows and features")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.fit:
        situation, *size = arguments.fit
        print(json.dumps(fit(situation, *map(int, size))))
        return
    for situation in SITUATIONS:
        for size in SIZES:
            command = [*THIS, "--fit", situation, *map(str, size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{situation:26} {size[0]:6} x {size[1]:3} {found['seconds']:6.2f} s "
                f"wall{found['cpu_seconds']:7.2f} s CPU {found['memory_mib']:6.0f} MiB",
                flush=True,
            )
            if arguments.record:
                append(
                    "speed_auto",
                    situation=situation,
                    n_rows=size[0],
                    n_features=size[1],
                    **found,
                )


if __name__ == "__main__":
    main()
