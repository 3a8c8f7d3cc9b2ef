"""What a source is worth: the real one, none, and three that cannot teach.

A method may gain from a source because another domain holds its network in check,
whatever that domain says; a source with renamed classes or permuted labels tells.
Each line of :func:`skda.source_gain` is appended to ``results/source_gain.jsonl``.

    python -m benchmarks.source_gain [--tasks T,T] [--splits 5]
"""

from __future__ import annotations

import argparse

import torch

from benchmarks._results import append
from skda import source_gain
from skda.datasets import load_task
from skda.heterogeneous import SSAN, STN, GeoST

TASKS = [
    "amazon_surf:webcam_decaf6",
    "amazon_squeezenet:amazon_surf",
    "reuters_0:reuters_4",
]
METHODS = {"STN": STN(), "SSAN": SSAN(), "GeoST": GeoST(average=False)}


def main() -> None:
    """Measure every method on every task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for task in arguments.tasks.split(","):
        data = load_task(task)
        for name, estimator in METHODS.items():
            table = source_gain(
                estimator,
                data.X,
                data.y,
                source=data.source,
                n_splits=arguments.splits,
            )
            for row in table.to_dict("records"):
                append(
                    "source_gain",
                    task=task,
                    method=name,
                    params=estimator.get_params(),
                    source=row["source"],
                    metric="transductive accuracy, last iterate",
                    values=row["accuracies"],
                    seconds=row["seconds"],
                    n_per_class=3,
                    random_state=0,
                )
            print(task, name)
            print(table[["source", "accuracy", "gain", "gain_se"]], flush=True)


if __name__ == "__main__":
    main()
