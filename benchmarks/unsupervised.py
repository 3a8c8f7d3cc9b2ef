"""The tables of unsupervised adaptation: every method, and classifiers of the source.

No target row is labeled. Accuracy on the target rows of the fit, last iterate, settings
the same for all tasks of a group; networks from several seeds. Each method on each task
is a line of ``results/unsupervised.jsonl``; what has one already is skipped, so that
the tables can be made in parts.

    python benchmarks/unsupervised.py [--groups G,G] [--tasks T,T] [--methods M;M]
        [--seeds 3] [--device cpu] [--again]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from _results import FOLDER, append, load, sha256
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from torch import nn

from skda._protocol import seeded_clone
from skda.datasets import load_npz
from skda.preprocessing import RowScaler
from skda.unsupervised import (
    CDAN,
    DANN,
    MCC,
    SPL,
    DomainConfusion,
    SourceOnly,
    SymNets,
    TargetCentroids,
)

__all__ = ["GROUPS", "Group"]


class Group(NamedTuple):
    """Tables with the same columns: what is measured, on what and how.

    Parameters
    ----------
    tasks : list of str
        Columns, as "source:target".
    methods : dict of str to estimator
        Rows.
    power : float, default=1.0
        Power of the features before rows are scaled to unit length; 0.5 for counts.
    """

    tasks: list[str]
    methods: dict[str, Any]
    power: float | None = 1.0


def small_network() -> nn.Sequential:
    """Build a feature extractor for images of 64 x 64 pixels."""
    layers: list[nn.Module] = []
    for n_in, n_out in ((3, 32), (32, 64), (64, 128), (128, 128)):
        convolution = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


END_TO_END: dict[str, Any] = {"module": small_network, "max_epochs": 30}
CONTROLS = {
    "1-NN": SourceOnly(KNeighborsClassifier(n_neighbors=1)),
    "logistic regression": SourceOnly(LogisticRegression(C=10, max_iter=1000)),
    "linear SVM": SourceOnly(LinearSVC()),
    "SourceOnly": SourceOnly(),
}
FEATURES = CONTROLS | {
    "DomainConfusion": DomainConfusion(),
    "DANN": DANN(),
    "CDAN": CDAN(entropy_weighting=False),
    "CDAN+E": CDAN(),
    "SymNets": SymNets(),
    "SymNets-V2": SymNets(symmetric_entropy=True),
    "MCC": MCC(),
    "TargetCentroids": TargetCentroids(),
    "SPL": SPL(),
    "SPL.published()": SPL.published(),
}
#: Rows of Table 4 of SymNets that are no rows of the table of all methods.
ABLATION = {
    "SourceOnly + entropy": SourceOnly(entropy_weight=1.0),
    "DomainConfusion + entropy": DomainConfusion(entropy_weight=1.0),
    "SymNets w/o E_t": SymNets(cross_domain=False),
    "SymNets w/o M": SymNets(entropy_weight=0.0),
    "SymNets w/o confusion": SymNets(confusion="no"),
    "SymNets w/o category confusion": SymNets(confusion="domain"),
}
IMAGES = {
    "SourceOnly": SourceOnly(**END_TO_END),
    "DANN": DANN(**END_TO_END),
    "CDAN+E": CDAN(**END_TO_END),
    # Nothing is pretrained, so its extractor learns as fast as the others'.
    "SymNets": SymNets(**END_TO_END, lr=0.01, extractor_lr=1.0),
}
OFFICE = list(permutations(["amazon", "caltech", "webcam", "dslr"], 2))
PAIRS = [f"{source}_squeezenet:{target}_squeezenet" for source, target in OFFICE]
GROUPS = {
    "squeezenet": Group(PAIRS, FEATURES),
    "ablation": Group(PAIRS, ABLATION),
    "surf": Group(
        [
            "amazon_surf:caltech_surf",
            "caltech_surf:amazon_surf",
            "amazon_surf:webcam_surf",
            "caltech_surf:dslr_surf",
        ],
        FEATURES,
        power=0.5,
    ),
    "digits": Group(
        ["digits_mnist256:digits_usps256", "digits_usps256:digits_mnist256"], FEATURES
    ),
    "images64": Group(
        [
            "amazon_images64:webcam_images64",
            "webcam_images64:dslr_images64",
            "dslr_images64:webcam_images64",
        ],
        IMAGES,
        power=None,
    ),
}


def main() -> None:
    """Measure what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--tasks", help="only these, of the groups; T,T")
    parser.add_argument("--methods", help="only these; M;M")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    done = set() if arguments.again else set(recorded())
    for group, task, method, seeds in wanted(arguments):
        if (task, method, len(seeds)) not in done:
            measure(group, task, method, seeds, arguments.device)


def recorded() -> Iterator[tuple[str, str, int]]:
    """Tell what has been measured, from how many seeds."""
    if (FOLDER / "unsupervised.jsonl").exists():
        for line in load("unsupervised"):
            yield line["task"], line["method"], len(line["values"])


def wanted(
    arguments: argparse.Namespace,
) -> Iterator[tuple[str, str, str, list[int]]]:
    """Go through the cells that are asked for."""
    for group in arguments.groups.split(","):
        tasks, methods, _ = GROUPS[group]
        for task in tasks:
            if task not in (arguments.tasks or task).split(","):
                continue
            for name, estimator in methods.items():
                if name in (arguments.methods or name).split(";"):
                    n_seeds = arguments.seeds if is_seeded(estimator) else 1
                    yield group, task, name, list(range(n_seeds))


def is_seeded(estimator: Any) -> bool:
    """Tell networks from what comes out the same at every seed."""
    return getattr(estimator, "estimator", None) is None and hasattr(
        estimator, "random_state"
    )


def measure(group: str, task: str, name: str, seeds: list[int], device: str) -> None:
    """Measure one method on one task."""
    files = [
        "office_caltech_" * ("digits" not in name) + name for name in task.split(":")
    ]
    source, target = (load_npz(file) for file in files)
    _, methods, power = GROUPS[group]
    scaler = None if power is None else RowScaler(power)
    estimator = methods[name].set_params(shared_transformer=scaler)
    if is_seeded(estimator):
        estimator.set_params(device=device)
    values, seconds = [], []
    for seed in seeds:
        copy = seeded_clone(estimator, seed)
        start = time.perf_counter()
        copy.fit(target.X, source=(source.X, source.y))
        seconds.append(time.perf_counter() - start)
        values.append(float(np.mean(copy.transduction_ == target.y)))
    append(
        "unsupervised",
        group=group,
        task=task,
        data={file: sha256(path(file)) for file in files},
        method=name,
        params=estimator.get_params(),
        metric="transductive accuracy, last iterate",
        values=values,
        seeds=seeds,
        seconds=seconds,
        device=device,
    )
    accuracy = f"{100 * np.mean(values):5.1f} ± {100 * np.std(values):4.1f}"
    print(
        f"{task:42} {name:30} {accuracy} ({len(values)}) {np.mean(seconds):.2f} s",
        flush=True,
    )


def path(file: str) -> Path:
    """Find a data file."""
    return Path(os.environ["SKDA_DATA"]) / f"{file}.npz"


if __name__ == "__main__":
    main()
