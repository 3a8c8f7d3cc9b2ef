"""Time and memory of searches in a large gallery.

A gallery of 100,000 x 512 should answer 10,000 queries with ten neighbors each within
4 GiB. Every search runs in a process of its own; the memory is the peak resident set
of that process, the rows and the libraries included. The usual gallery is random; in
the other one all rows are equal, so that every tie has to be looked into. On a busy
machine only the CPU seconds and the memory mean anything: the load is recorded, too.

    python -m benchmarks.speed.index [--record]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np

from benchmarks._results import append
from skda.retrieval import GalleryIndex

THIS = (sys.executable, "-m", "benchmarks.speed.index")
BACKENDS = ["sklearn", "faiss"]
GALLERIES = ["random", "all rows equal"]
N_ROWS, N_QUERIES, N_COMPONENTS = 100_000, 10_000, 512


def search(backend: str, gallery: str) -> dict[str, float]:
    """Fit an index to a gallery and search it once."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((N_ROWS, N_COMPONENTS), dtype=np.float32)
    queries = rng.standard_normal((N_QUERIES, N_COMPONENTS), dtype=np.float32)
    if gallery == "all rows equal":
        rows[:] = rows[0]
    start = time.perf_counter()
    index = GalleryIndex(backend=backend, n_neighbors=10).fit(rows)
    fitted, cpu = time.perf_counter(), time.process_time()
    index.search(queries)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "fit_seconds": fitted - start,
        "search_seconds": done - fitted,
        "search_cpu_seconds": time.process_time() - cpu,
        "memory_mib": peak,
    }


def main() -> None:
    """Print, and on demand record, one line per backend and gallery."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--search", nargs=2, help="backend and gallery")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.search:
        print(json.dumps(search(*arguments.search)))
        return
    for backend in BACKENDS:
        if backend == "faiss" and find_spec("faiss") is None:
            print("faiss is not installed")
            continue
        for gallery in GALLERIES:
            command = [*THIS, "--search", backend, gallery]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{backend:8} {gallery:15} {found['fit_seconds']:6.2f} s fit"
                f"{found['search_seconds']:8.2f} s search"
                f"{found['search_cpu_seconds']:8.2f} s CPU"
                f"{found['memory_mib']:7.0f} MiB"
            )
            if arguments.record:
                append(
                    "speed_index",
                    backend=backend,
                    gallery=gallery,
                    n_rows=N_ROWS,
                    n_queries=N_QUERIES,
                    n_components=N_COMPONENTS,
                    n_neighbors=10,
                    load_average=os.getloadavg()[0],
                    **found,
                )


if __name__ == "__main__":
    main()
