"""Time and memory of a fit as the rows grow, and GeoST's at the size of its aim.

Every fit runs in a process of its own, on one thread; memory is the peak resident set
less that before the fit. GeoST should fit 1123 x 4096 with a source of 958 x 800 in
less than a second, and no method should need memory beyond a line in the rows.

    python -m benchmarks.speed.rows [--record]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch

from benchmarks._results import append
from skda.datasets import label_few
from skda.heterogeneous import (
    CDLS,
    CDSPP,
    DAMA,
    GJDA,
    JMEA,
    SSAN,
    STN,
    GeoST,
    SGWStyle,
)

THIS = (sys.executable, "-m", "benchmarks.speed.rows")
METHODS = {
    "GeoST": GeoST(),
    "SSAN": SSAN(max_epochs=20),
    "STN": STN(max_epochs=20),
    "CDSPP": CDSPP(),
    "CDLS": CDLS(),
    "DAMA": DAMA(),
    "GJDA": GJDA(),
    "JMEA": JMEA(max_epochs=20),
    "SGWStyle": SGWStyle(),
}
SIZES = [(1123, 4096), (1000, 512), (2000, 512), (4000, 512), (8000, 512)]


def fit(name: str, n_rows: int, n_features: int) -> dict[str, float]:
    """Fit once, after a small fit that loads what there is to load."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 10
    X = np.abs(rng.normal(size=(n_rows, n_features)) + 2 * np.eye(10, n_features)[y])
    y_s = np.arange(958) % 10
    source = np.abs(rng.normal(size=(958, 800)) + 2 * np.eye(10, 800)[y_s]), y_s
    few = label_few(y, 3, random_state=0)
    estimator = METHODS[name]
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    small = np.flatnonzero(few >= 0)
    estimator.fit(X[small], few[small], source=source)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    estimator.fit(X, few, source=source)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        / 1024,
    }


def main() -> None:
    """Print, and on demand record, one line per method and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=3, help="method, rows and features")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.fit:
        name, *size = arguments.fit
        print(json.dumps(fit(name, *map(int, size))))
        return
    for name in METHODS:
        for size in SIZES:
            command = [*THIS, "--fit", name, *map(str, size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{name:8} {size[0]:5} x {size[1]:4}   {found['seconds']:6.2f} s wall"
                f"{found['cpu_seconds']:7.2f} s CPU {found['memory_mib']:6.0f} MiB"
            )
            if arguments.record:
                append(
                    "speed_rows",
                    method=name,
                    n_rows=size[0],
                    n_features=size[1],
                    **found,
                )


if __name__ == "__main__":
    main()
