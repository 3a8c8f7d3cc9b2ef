"""What the tables of unsupervised and of partial adaptation have in common."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Bunch
from skorch.callbacks import Callback

from benchmarks._results import FOLDER, append, data_file, load, sha256
from skda.auto import AutoAdapter
from skda.baselines import TunedClassifier
from skda.comparison._engine import seeded_clone
from skda.datasets import load_npz
from skda.datasets._domains import DOMAIN_FILES
from skda.datasets._target_classes import cut_to_long_tail
from skda.preprocessing import RowScaler

__all__ = ["Group", "load_domain", "run"]


#: Files of the domains that have another name.
FILES = {name: file for files in DOMAIN_FILES.values() for name, file in files.items()}


def load_domain(file: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Load samples, half precision as single, and their classes."""
    data = load_npz(file)
    X = data.X.astype(np.float32) if data.X.dtype == np.float16 else data.X
    return X, data.y


class Group(NamedTuple):
    """Tables with the same columns: what is measured, on what and how.

    Parameters
    ----------
    tasks : list of str
        Columns, as "source:target": domains of :func:`skda.datasets.load_task`, or
        names of their files.
    methods : dict of str to estimator
        Rows.
    power : float, default=1.0
        Power of the features before rows are scaled to unit length; 0.5 for counts,
        None for images.
    n_shared : int, default=None
        How many of the classes the target has; None is all of them.
    long_tail : float, default=None
        How many times as frequent a class of the target is as another, after rows were
        left out as :func:`skda.datasets.load_task` does; None leaves none out.
    load : callable, default=load_domain
        What loads the samples and the classes of a file, by its name.
    """

    tasks: list[str]
    methods: dict[str, Any]
    power: float | None = 1.0
    n_shared: int | None = None
    long_tail: float | None = None
    load: Callable[[str], tuple[NDArray[Any], NDArray[Any]]] = load_domain


class Epochs(Callback):  # type: ignore[misc]
    """Remembers what the epochs of the last phase predict for the target.

    The epoch with the least mean entropy is what the public codes of BA3US and ISRA
    choose, without labels.

    Parameters
    ----------
    X : ndarray of shape (n_target, n_features)
        Target rows, as the network sees them.
    """

    def __init__(self, X: NDArray[Any]) -> None:
        self.X = X

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget earlier phases."""
        self.epochs: list[tuple[float, NDArray[Any]]] = []

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look at the target."""
        p = net.evaluate(
            lambda X: net.module_(X).softmax(dim=1), self.X.astype("float32")
        )
        entropy = -np.sum(p * np.log(p + 1e-12), axis=1).mean()
        self.epochs.append((float(entropy), p.argmax(axis=1)))


def run(file: str, groups: dict[str, Group], title: str) -> None:
    """Measure what the command line asks for and is not there yet."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--groups", default=",".join(groups))
    parser.add_argument("--tasks", help="only these, of the groups; T,T")
    parser.add_argument("--methods", help="only these; M;M")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    earlier = {} if arguments.again else recorded(file)
    for name, task, method, seeds in wanted(groups, arguments):
        before = earlier.get((name, task, method), {})
        left = [seed for seed in seeds if seed not in before.get("seeds", [])]
        if left:
            fields = measure(groups[name], task, method, left, arguments.device)
            append(file, group=name, **join(before, fields))


def recorded(file: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Find what has been measured of every cell from the most seeds."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    if (FOLDER / f"{file}.jsonl").exists():
        for line in load(file):
            key = line["group"], line["task"], line["method"]
            if key not in found or len(line["seeds"]) >= len(found[key]["seeds"]):
                found[key] = line
    return found


def join(before: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Put seeds behind earlier ones, if the method and the data are the same."""
    for same in ("params", "data", "power", "device") if before else ():
        if json.loads(json.dumps(fields[same], default=repr)) != before[same]:
            raise ValueError(
                f"Expected {same} of {fields['method']} on {fields['task']} to be what "
                f"earlier seeds had, got {fields[same]} after {before[same]}: measure "
                f"all seeds, by --again."
            )
    commits = {"commit_of_earlier_seeds": before["commit"]} if before else {}
    lists = {key: value for key, value in fields.items() if isinstance(value, list)}
    return fields | {key: before.get(key, []) + lists[key] for key in lists} | commits


def wanted(
    groups: dict[str, Group], arguments: argparse.Namespace
) -> Iterator[tuple[str, str, str, list[int]]]:
    """Go through the cells that are asked for."""
    for group in arguments.groups.split(","):
        for task in groups[group].tasks:
            if task not in (arguments.tasks or task).split(","):
                continue
            for name, estimator in groups[group].methods.items():
                if name in (arguments.methods or name).split(";"):
                    n_seeds = arguments.seeds if is_seeded(estimator) else 1
                    yield group, task, name, list(range(n_seeds))


def is_seeded(estimator: Any) -> bool:
    """Tell networks from what comes out the same at every seed."""
    return bool(parameters(estimator, "max_epochs"))


def parameters(estimator: Any, name: str) -> list[str]:
    """Find a parameter of an estimator, or of the one inside that trains a network."""
    inner = getattr(estimator, "estimator", None)
    if inner is not None and type(estimator).__name__ == "SourceOnly":
        return []  # a classifier of the source: its other parameters do nothing
    return [p for p in estimator.get_params() if p.split("__")[-1] == name]


def represents_rows(estimator: Any) -> bool:
    """Tell what chooses the representation of rows by itself, and gets raw ones."""
    automatic = [
        value
        for name, value in estimator.get_params().items()
        if name.split("__")[-1] == "representation"
    ]
    inner = getattr(estimator, "estimator", None)
    representation = getattr(inner, "representation", None)
    by_itself = isinstance(estimator, AutoAdapter) or isinstance(inner, TunedClassifier)
    return by_itself or "auto" in [*automatic, representation]


def measure(
    group: Group, task: str, name: str, seeds: list[int], device: str
) -> dict[str, Any]:
    """Measure one method on one task."""
    files = [file_of(domain) for domain in task.split(":")]
    (X_s, y_s), (X, y) = load_domains(group, files)
    estimator = group.methods[name]
    power = None if represents_rows(estimator) else group.power
    if power is not None:
        X_s, X = (RowScaler(power).fit_transform(rows) for rows in (X_s, X))
    estimator.set_params(**dict.fromkeys(parameters(estimator, "device"), device))
    runs = []
    for seed in seeds:
        copy = seeded_clone(estimator, seed)
        if group.n_shared and is_seeded(copy):
            (callbacks,) = parameters(copy, "callbacks")
            copy.set_params(**{callbacks: [Epochs(X)]})
        runs.append(
            one_run(copy, (X, y), (X_s, y_s), by_class=group.long_tail is not None)
        )
    fields = {key: [each[key] for each in runs] for key in runs[0]}
    accuracies = 100 * np.array(fields["values"])
    print(
        f"{task:42} {name:30} {accuracies.mean():5.1f} ± {accuracies.std():4.1f} "
        f"({len(seeds)}) {np.mean(fields['seconds']):.2f} s",
        flush=True,
    )
    return fields | {
        "task": task,
        "data": {file: sha256(data_file(file)) for file in files},
        "method": name,
        "power": power,
        "params": estimator.get_params(),
        "metric": "transductive accuracy, last iterate",
        "seeds": seeds,
        "device": device,
    }


def file_of(domain: str) -> str:
    """Name the file of a domain."""
    file = FILES.get(domain, domain)
    return file if file in FILES.values() else f"office_caltech_{file}"


def load_domains(group: Group, files: list[str]) -> tuple[Any, Any]:
    """Load the source, and the target with the classes and shares of the group."""
    (X_s, y_s), (X, y) = map(group.load, files)
    if group.n_shared:
        shared = np.isin(y, np.unique(y_s)[: group.n_shared])
        X, y = X[shared], y[shared]
    if group.long_tail is not None:
        cut = cut_to_long_tail(Bunch(X=X, y=y), group.long_tail, random_state=0)
        X, y = cut.X, cut.y
    return (X_s, y_s), (X, y)


def one_run(
    estimator: Any, target: Any, source: Any, *, by_class: bool = False
) -> dict[str, Any]:
    """Fit once, and look at the last iterate and at the one chosen without labels."""
    X, y = target
    start = time.perf_counter()
    estimator.fit(X, source=source)
    found = {
        "seconds": time.perf_counter() - start,
        "values": float(np.mean(estimator.transduction_ == y)),
    }
    classes = np.unique(y)
    lacks_classes = len(classes) < len(estimator.classes_)
    if by_class or lacks_classes:
        correct = [estimator.transduction_[y == c] == c for c in classes]
        found["class_accuracies"] = [float(c.mean()) for c in correct]
    if lacks_classes:
        found |= {
            "inside": float(np.isin(estimator.transduction_, classes).mean()),
            "n_kept": len(getattr(estimator, "kept_classes_", estimator.classes_)),
        }
        if hasattr(estimator, "receptor_r2_"):
            found["receptor_r2"] = float(np.median(estimator.receptor_r2_))
    trained = getattr(estimator, "estimator_", estimator)
    (seen,) = getattr(getattr(trained, "net_", None), "callbacks", None) or [None]
    if isinstance(seen, Epochs):
        observed = [c for _, c in trained.net_.callbacks_ if isinstance(c, Epochs)]
        _, codes = min(observed[0].epochs, key=lambda epoch: epoch[0])
        found["selected"] = float(np.mean(trained.classes_[codes] == y))
    return found
