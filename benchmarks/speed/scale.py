"""Seconds, memory and accuracy of fits from ten thousand rows to a million.

Every fit runs in a process of its own; memory is the peak resident set of that
process, the rows and the libraries included. There are ten classes in 64 features (two
views of 32 for retrieval), ten labels of each, and a source of a tenth as many rows. A
network trains on 512 features in a file, for one epoch, by all labels. At 20,000 rows
the accuracy stands beside that of the exact form: all neighbors compared, nothing left
to a part of the rows. On a busy machine only the CPU seconds mean anything, those of
one thread, as two wait for each other there.

    python -m benchmarks.speed.scale [--record] [--threads 1] [--methods A B]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from benchmarks._results import append
from skda import AutoAdapter
from skda.baselines import BalancedLabelPropagation
from skda.heterogeneous import GeoST
from skda.retrieval import ClusterRetrieval
from skda.unsupervised import (
    SPL,
    CenteredLabelPropagation,
    SourceOnly,
    TargetCentroids,
)

THIS = (sys.executable, "-m", "benchmarks.speed.scale")
METHODS: dict[str, Any] = {
    "GeoST": GeoST(),
    "BalancedLabelPropagation": BalancedLabelPropagation(),
    "SPL": SPL(),
    "TargetCentroids": TargetCentroids(),
    "CenteredLabelPropagation": CenteredLabelPropagation(),
    "ClusterRetrieval": ClusterRetrieval(random_state=0),
    "AutoAdapter": AutoAdapter(),
    "SourceOnly, in a file": SourceOnly(max_epochs=1, batch_size=1024, random_state=0),
}
N_CLASSES, N_FEATURES, N_LATENT, N_LABELS = 10, 64, 16, 10
SIZES = (10_000, 20_000, 100_000, 1_000_000)
#: Where the exact form is measured, too.
COMPARED = 20_000
#: Seconds that a fit may take at most, and MiB.
LIMITS = {"AutoAdapter": 600}
LIMIT, MEMORY_LIMIT = 180, 6 * 1024
N_QUERIES = 2000
WIDTH_IN_FILE = 512
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def draw(
    n_rows: int, rng: np.random.Generator, shift: float = 0.0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw rows of classes that overlap, in few directions of many features."""
    world = np.random.default_rng(0)
    mixing = world.normal(size=(N_LATENT, N_FEATURES))
    means = 1.2 * world.normal(size=(N_CLASSES, N_LATENT))
    y = rng.integers(N_CLASSES, size=n_rows)
    X = rng.standard_normal((n_rows, N_FEATURES))
    X += (means[y] + rng.standard_normal((n_rows, N_LATENT))) @ mixing
    X += shift * world.normal(size=N_FEATURES)
    return X, y


def fit(name: str, n_rows: int) -> dict[str, float]:
    """Fit once, after a small fit that loads what there is to load."""
    if name == "SourceOnly, in a file":
        return fit_from_file(METHODS[name], n_rows)
    rng = np.random.default_rng(1)
    X, y = draw(n_rows, rng)
    estimator = METHODS[name]
    few = np.full(n_rows, -1)
    for k in range(N_CLASSES):
        few[np.flatnonzero(y == k)[:N_LABELS]] = k
    source = draw(n_rows // 10, rng, shift=2.0)
    if name == "ClusterRetrieval":
        estimator.fit(X[:200])
        seconds = _timed(lambda: estimator.fit(X))
        new, categories = draw(N_QUERIES, rng)
        return seconds | {"accuracy": estimator.score(new, categories)}
    small = np.flatnonzero(few >= 0)
    estimator.fit(X[small], few[small], source=(source[0][:200], source[1][:200]))
    seconds = _timed(lambda: estimator.fit(X, few, source=source))
    hidden = few < 0
    return seconds | {
        "accuracy": float(np.mean(estimator.transduction_[hidden] == y[hidden]))
    }


def fit_from_file(estimator: Any, n_rows: int) -> dict[str, float]:
    """Train a network for one epoch on rows of a file, and predict them."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((N_FEATURES, WIDTH_IN_FILE)).astype(np.float32)
    y = np.empty(n_rows, dtype=np.int64)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        with path.open("wb") as file:
            for rows in gen_batches(n_rows, 10_000):
                X, y[rows] = draw(rows.stop - rows.start, rng)
                file.write((X.astype(np.float32) @ mixing).tobytes())
        on_disk = np.memmap(path, np.float32, "r", shape=(n_rows, WIDTH_IN_FILE))
        seconds = _timed(lambda: estimator.fit(on_disk, source=(on_disk, y)))
        accuracy = float(np.mean(estimator.predict(on_disk) == y))
        return seconds | _memory() | {"accuracy": accuracy}


def _memory() -> dict[str, float]:
    return {"memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _timed(run: Any) -> dict[str, float]:
    """Measure the seconds of a run, and the peak of memory so far."""
    start, cpu = time.perf_counter(), time.process_time()
    run()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
    } | _memory()


def main() -> None:
    """Print, and on demand record, one line per method and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=2, help="method and rows")
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    arguments = parser.parse_args()
    if arguments.fit:
        warnings.simplefilter("ignore")
        name, size = arguments.fit
        limit = int(size) * 10 if arguments.exact else 10_000
        with patch("skda.utils.many_rows.EXACT_UP_TO", limit):
            print(json.dumps(fit(name, int(size))))
        return
    for size in arguments.sizes:
        for name in arguments.methods:
            for exact in (False, True)[: 1 + (size == COMPARED)]:
                found = _measure(name, size, arguments.threads, exact=exact)
                if arguments.record:
                    append("speed_scale", **found)


def _measure(name: str, size: int, n_threads: int, *, exact: bool) -> dict[str, Any]:
    """Run one fit in a process of its own, and print what it took."""
    command = [*THIS, "--fit", name, str(size), *["--exact"] * exact]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | dict.fromkeys(THREADS, str(n_threads)),
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{name:25} {size:8} {'exact' * exact:5} {found['seconds']:7.1f} s wall"
        f"{found['cpu_seconds']:8.1f} s CPU {found['memory_mib']:6.0f} MiB "
        f"{found['accuracy']:.4f}",
        flush=True,
    )
    return found | {
        "method": name,
        "n_rows": size,
        "n_features": N_FEATURES,
        "exact": exact,
        "n_threads": n_threads,
        "load_average": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
