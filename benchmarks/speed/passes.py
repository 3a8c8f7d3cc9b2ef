"""What a step costs of networks that pass their rows more often than their like.

JAN has a kernel for each of two layers where DAN has one, and ADDA's second phase
updates its discriminator and then its features where DANN does both at once. Both of a
pair train the same layers on the same rows in one thread and in turns; epochs are timed
by the CPU time of their process. A ratio is the median over the turns.

    python -m benchmarks.speed.passes [--turns 15] [--record]
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any, NamedTuple

import torch

from benchmarks._results import append
from benchmarks.speed.against_skada import (
    LR,
    N_COMPONENTS,
    N_EPOCHS,
    N_ROWS,
    CpuTimer,
    make_rows,
)
from skda.unsupervised import ADDA, DAN, DANN, JAN


class Pair(NamedTuple):
    """A method, what it is like, and how often it passes what that passes once."""

    name: str
    method: Any
    like: Any
    n_passes: int


PAIRS = [
    Pair("JAN / DAN", JAN(), DAN(), 2),
    Pair("JAN(adversarial=True) / DAN", JAN(adversarial=True), DAN(), 2),
    Pair("ADDA / DANN", ADDA(), DANN(), 2),
]


def milliseconds(estimator: Any, batch_size: int) -> float:
    """Measure a step of the last phase."""
    X_source, labels, X_target = make_rows()
    estimator.set_params(
        n_components=N_COMPONENTS,
        batch_size=batch_size,
        lr=LR,
        max_epochs=N_EPOCHS,
        callbacks=[CpuTimer()],
        device="cpu",
        random_state=0,
    )
    estimator.fit(X_target.numpy(), source=(X_source.numpy(), labels.numpy()))
    seconds = estimator.history_["cpu_seconds"][-N_EPOCHS // 2 :]
    return 1000 * statistics.mean(seconds) * batch_size / N_ROWS


def main() -> None:
    """Measure the ratios."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for pair in PAIRS:
        for batch_size in (128, N_ROWS):
            turns = [
                (
                    milliseconds(pair.method, batch_size),
                    milliseconds(pair.like, batch_size),
                )
                for _ in range(given.turns)
            ]
            ratios = [float(mine / like) for mine, like in turns]
            record = {
                "name": pair.name,
                "batch_size": batch_size,
                "n_passes": pair.n_passes,
                "ratio": statistics.median(ratios),
                "lowest": min(ratios),
                "highest": max(ratios),
                "milliseconds": float(statistics.median(mine for mine, _ in turns)),
                "turns": given.turns,
            }
            print(record)
            if given.record:
                append("speed_passes", **record)


if __name__ == "__main__":
    main()
