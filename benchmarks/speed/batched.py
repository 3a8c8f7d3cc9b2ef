"""What a batched search gains on separate fits of small networks.

Sixteen networks that differ in their seeds are trained by ``GridSearchCV`` and by
``BatchedSearchCV``, in one thread and in turns, by the CPU time of their process. A
ratio is the median over the turns. The scores of both must be equal.

    python -m benchmarks.speed.batched [--turns 5] [--record]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GridSearchCV

from benchmarks._results import append
from skda.heterogeneous import SSAN, STN
from skda.model_selection import BatchedSearchCV
from skda.unsupervised import CDAN, DAN, DANN, MCC

AIM = 4.0
N_MODELS, N_ROWS, N_FEATURES, N_CLASSES, N_LABELED = 16, 128, 16, 3, 12
SMALL = {"n_components": 16, "batch_size": 32}
ADVERSARY = {"discriminator_layer_sizes": (16,)}
METHODS: list[Any] = [
    DANN(**SMALL, **ADVERSARY),
    CDAN(**SMALL, **ADVERSARY),
    DAN(**SMALL),
    MCC(**SMALL),
    SSAN(n_components=16, n_hidden=16, max_epochs=200),
    STN(n_components=16, n_hidden=16, max_epochs=200),
]


def make_data() -> tuple[Any, Any, tuple[Any, Any]]:
    """Draw two domains of the same classes, and label a few target rows."""
    rng = np.random.default_rng(0)
    y = np.arange(N_ROWS) % N_CLASSES
    centers = rng.normal(size=(N_CLASSES, N_FEATURES))
    source, target = (
        centers[y] + shift + rng.normal(size=(N_ROWS, N_FEATURES)) for shift in (0, 1)
    )
    known = np.arange(N_ROWS) < N_LABELED
    return target, np.where(known, y, -1), (source, y)


def search(search_class: Any, estimator: Any) -> tuple[float, Any]:
    """Measure a search over seeds on one split, and return its scores."""
    X, y, source = make_data()
    split = [(np.arange(N_ROWS), np.arange(N_LABELED))]
    grid = {"random_state": [*range(N_MODELS)]}
    start = time.process_time()
    found = search_class(
        estimator.set_params(device="cpu"), grid, cv=split, refit=False
    )
    found.fit(X, y, source=source)
    return time.process_time() - start, found.cv_results_["mean_test_score"]


def main() -> None:
    """Measure the ratios."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for estimator in METHODS:
        separate, batched = [], []
        for _ in range(given.turns):
            seconds, scores = search(GridSearchCV, estimator)
            separate.append(seconds)
            seconds, found = search(BatchedSearchCV, estimator)
            batched.append(seconds)
            np.testing.assert_allclose(found, scores, atol=1e-6)
        ratios = [a / b for a, b in zip(separate, batched, strict=True)]
        record = {
            "name": type(estimator).__name__,
            "n_models": N_MODELS,
            "aim": AIM,
            "ratio": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
            "separate_seconds": statistics.median(separate),
            "batched_seconds": statistics.median(batched),
            "turns": given.turns,
        }
        print(record)
        if given.record:
            append("speed_batched", **record)


if __name__ == "__main__":
    main()
