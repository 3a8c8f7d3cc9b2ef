"""Time and memory of the methods for different features, and how they grow by the rows.

The task is SURF caltech -> SqueezeNet amazon with three labels per class: 1123 x 800
and 958 x 512. Larger ones have these rows, then such drawn with replacement, to which
noise of a tenth of a feature's deviation is added; the labeled target rows stay the
same. All methods have their defaults. Every fit runs in a process of its own, on one
thread; memory is the peak resident set less that before the fit. A fit that takes more
than three minutes of CPU time ends there, and larger ones are not tried.

    python -m benchmarks.speed.heterogeneous [--record] [method ...]
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks._results import append
from skda import heterogeneous
from skda.datasets import label_few, load_task

THIS = (sys.executable, "-m", "benchmarks.speed.heterogeneous")
METHODS = (
    "ARCT",
    "CDLS",
    "CDSPP",
    "DAMA",
    "DDACL",
    "GJDA",
    "HFA",
    "JMEA",
    "MMDT",
    "SGWStyle",
    "SHFA",
    "SHFR",
    "TNT",
)
TASK = "caltech_surf:amazon_squeezenet"
FACTORS = (1, 2, 4)
N_LABELS, NOISE, LIMIT = 3, 0.1, 180


def enlarge(
    X: NDArray[Any], y: NDArray[Any], factor: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Add noisy copies of rows until there are ``factor`` times as many."""
    rng = np.random.default_rng(seed)
    copied = rng.integers(len(X), size=(factor - 1) * len(X))
    noise = NOISE * X.std(axis=0) * rng.normal(size=(len(copied), X.shape[1]))
    return np.concatenate([X, X[copied] + noise]), np.concatenate([y, y[copied]])


def fit(name: str, factor: int) -> dict[str, float]:
    """Fit once, after a small fit that loads what there is to load."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    task = load_task(TASK)
    few = label_few(task.y, N_LABELS, random_state=0)
    X, labels = enlarge(task.X, few, factor, seed=0)
    labels[len(few) :] = -1
    source = enlarge(*task.source, factor, seed=1)
    estimator = getattr(heterogeneous, name)()
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    small = np.flatnonzero(few >= 0)
    of_source = np.flatnonzero(label_few(task.source[1], N_LABELS, random_state=0) >= 0)
    small_source = task.source[0][of_source], task.source[1][of_source]
    estimator.fit(X[small], few[small], source=small_source)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + LIMIT, int(cpu) + 2 * LIMIT))
    estimator.fit(X, labels, source=source)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        / 1024,
    }


def measure(name: str, factor: int) -> dict[str, float | None]:
    """Fit in a process of its own, which the system ends when its time is over."""
    command = [*THIS, "--fit", name, str(factor)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == -signal.SIGXCPU:
        return dict.fromkeys(("seconds", "cpu_seconds", "memory_mib"))
    done.check_returncode()
    found: dict[str, float | None] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print, and on demand record, one line per method and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=2, help="method and factor of the rows")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("methods", nargs="*", help="all, if none is named")
    arguments = parser.parse_args()
    if arguments.fit:
        name, factor = arguments.fit
        print(json.dumps(fit(name, int(factor))))
        return
    torch.set_num_threads(1)  # as in the fits, and so in what is recorded
    methods = arguments.methods or list(METHODS)
    for factor in FACTORS:
        for name in list(methods):
            found = measure(name, factor)
            print(name, factor, found, flush=True)
            if arguments.record:
                fields = {"task": TASK, "method": name, "factor": factor}
                append("speed_heterogeneous", **fields, limit=LIMIT, **found)
            if found["cpu_seconds"] is None:
                methods.remove(name)


if __name__ == "__main__":
    main()
