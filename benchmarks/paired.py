"""The tables of adaptation by co-occurring pairs: DATN, its forms and its baselines.

Every sample has one role: test, pair, labeled or unlabeled source, labeled or
unlabeled target. Accuracy on the test samples, which no fit has seen, as the target has
them; and as the source has them, by the source's classifier, where a method has one.
Last iterate. Each line is appended to ``results/paired.jsonl``; what is there already
is left out. A sweep changes one size or one parameter at a time.

    python -m benchmarks.paired [--tasks T,T] [--methods M;M] [--sweeps S,S] [--again]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import has_fit_parameter

from benchmarks._results import FOLDER, append, data_file, load, sha256
from skda.baselines import SSDAE, TargetNet, TargetOnly
from skda.comparison._engine import seeded_clone
from skda.datasets import load_npz
from skda.heterogeneous import DATN, HHTL, TTI, WSDTN, PairedRidgeTransfer

__all__ = ["METHODS", "SWEEPS", "TASKS"]


class Sizes(NamedTuple):
    """How many samples have which role; what is left is unlabeled, half and half."""

    n_test: int = 500
    n_pairs: int = 300
    n_source: int = 500
    n_target_per_class: int = 2
    n_unlabeled_source: int | None = None


class Task(NamedTuple):
    """Two views of the same samples, and how they are prepared."""

    file: str
    source: str
    target: str
    sizes: Sizes = Sizes()
    transformer: Any = StandardScaler()
    scaling: str | None = "feature"


N_TOPICS = 100


def to_mean_square(X: NDArray[Any]) -> NDArray[Any]:
    """Scale rows of unit length to a mean square of one."""
    return X * np.sqrt(N_TOPICS)


#: Words are rare, so that they are not standardized one by one.
TOPICS = make_pipeline(TruncatedSVD(N_TOPICS, random_state=0), Normalizer())
LONGER = make_pipeline(TOPICS, FunctionTransformer(to_mean_square))
#: What regularizes these is made for rows of that size, and too much for unit rows.
NEED_LONGER = {"SVM", "WSDTN"}
REUTERS = Sizes(n_test=300, n_pairs=300, n_source=300, n_target_per_class=5)
WIKIPEDIA = Sizes(n_test=693, n_pairs=500, n_source=500, n_target_per_class=10)
TASKS = {
    "mfeat fac → zer": Task("mfeat_digits", "X_fac", "X_zer"),
    "mfeat pix → mor": Task("mfeat_digits", "X_pix", "X_mor"),
    "mfeat kar → fou": Task("mfeat_digits", "X_kar", "X_fou"),
    "Wikipedia text → image": Task("wikipedia", "text", "image", WIKIPEDIA),
    "Wikipedia deep text → image": Task(
        "wikipedia", "text_deep", "image_deep", WIKIPEDIA
    ),
} | {
    f"Reuters 0 → {i}": Task(
        "reuters_multilingual_1200", "X_view0", f"X_view{i}", REUTERS, TOPICS, None
    )
    for i in range(1, 5)
}
METHODS = {
    "SVM": TargetOnly(SVC(kernel="linear")),
    "DNN": TargetNet(),
    "SSDAE": SSDAE(),
    "PairedRidgeTransfer, source labels": PairedRidgeTransfer.published(),
    "PairedRidgeTransfer": PairedRidgeTransfer(),
    "HHTL": HHTL(),
    "WSDTN": WSDTN(),
    "TTI": TTI(),
    "DATN": DATN(),
    "DATN (eq. 4)": DATN(source_weight=0.0),
    "DATN (eq. 4), sum over pairs": DATN(source_weight=0.0, pair_reduction="sum"),
    "DATN, source frozen": DATN(freeze_source=True),
    "DATN_sup": DATN(supervised_only=True),
    "DATN_unsup": DATN(unsupervised_only=True),
    "DATN.published()": DATN.published(),
    "PairedRidgeTransfer, no source": PairedRidgeTransfer(),
    "HHTL, no source": HHTL(),
    "WSDTN, no source": WSDTN(),
    "DATN, no source": DATN(),
}
#: What changes, its values, and the methods that are shown.
SWEEPS: dict[str, tuple[list[Any], list[str]]] = {
    "n_source": (
        [20, 50, 150, 500],
        ["DATN", "DATN_sup", "DATN_unsup", "WSDTN", "DNN"],
    ),
    "n_pairs": (
        [30, 100, 200, 300],
        [
            "DATN",
            "DATN_sup",
            "DATN_unsup",
            "PairedRidgeTransfer",
            "HHTL",
            "WSDTN",
            "TTI",
        ],
    ),
    "n_unlabeled_source": ([0, 100, 200, 340], ["DATN"]),
    "alpha": ([0.0, 0.5, 2.0, 10.0], ["DATN"]),
    "beta": ([0.0, 0.5, 2.0, 10.0], ["DATN"]),
    "lambda0": ([0.001, 0.1, 10.0, 1000.0], ["DATN"]),
    "lambda_reg": ([0.0, 1e-4, 1e-3, 1e-2], ["DATN"]),
    "source_weight": ([0.0, 0.3, 1.0, 3.0], ["DATN"]),
}
SWEPT = "mfeat fac → zer"


class Split(NamedTuple):
    """Which sample has which role."""

    test: NDArray[Any]
    pairs: NDArray[Any]
    source: NDArray[Any]
    unlabeled_source: NDArray[Any]
    target: NDArray[Any]
    unlabeled_target: NDArray[Any]


def split(y: NDArray[Any], sizes: Sizes, seed: int) -> Split:
    """Draw the roles."""
    order = np.random.default_rng(seed).permutation(len(y))
    test, rest = np.split(order, [sizes.n_test])
    few = [rest[y[rest] == c][: sizes.n_target_per_class] for c in np.unique(y)]
    target = np.concatenate(few)
    rest = rest[~np.isin(rest, target)]
    ends = np.cumsum([sizes.n_pairs, sizes.n_source])
    pairs, source, rest = np.split(rest, ends)
    unlabeled_source, unlabeled_target = np.array_split(rest, 2)
    return Split(test, pairs, source, unlabeled_source, target, unlabeled_target)


def fewer(roles: Split, sizes: Sizes) -> Split:
    """Take samples away from some roles; a source row without its label stays."""
    source, unlabeled = np.split(roles.source, [sizes.n_source])
    others = roles.unlabeled_source[: sizes.n_unlabeled_source]
    return roles._replace(
        pairs=roles.pairs[: sizes.n_pairs],
        source=source,
        unlabeled_source=np.concatenate([unlabeled, others]),
    )


def main() -> None:
    """Measure what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--methods", help="only these; M;M")
    parser.add_argument("--sweeps", default="none", help="S,S; none; or all")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    done = set() if arguments.again else set(recorded())
    for cell in wanted(arguments):
        task, method, n_splits, sweep, value = cell
        if (task, method, sweep, value) not in done:
            measure(task, method, range(n_splits), sweep, value)


def recorded() -> Iterator[tuple[str, str, str | None, Any]]:
    """Tell what has been measured."""
    if (FOLDER / "paired.jsonl").exists():
        for line in load("paired"):
            yield line["task"], line["method"], line["sweep"], line["value"]


def wanted(
    arguments: argparse.Namespace,
) -> Iterator[tuple[str, str, int, str | None, Any]]:
    """Go through the cells that are asked for."""
    only = arguments.methods.split(";") if arguments.methods else METHODS
    for task in arguments.tasks.split(","):
        for method in METHODS:
            if method in only and arguments.sweeps == "none":
                yield task, method, arguments.splits, None, None
    sweeps = {"none": [], "all": list(SWEEPS)}.get(
        arguments.sweeps, arguments.sweeps.split(",")
    )
    for sweep in sweeps:
        values, methods = SWEEPS[sweep]
        for value in values:
            for method in methods:
                if method in only:
                    yield SWEPT, method, 3, sweep, value


def measure(
    name: str, method: str, seeds: range, sweep: str | None, value: Any
) -> None:
    """Measure one method on one task, on every split."""
    task = TASKS[name]
    if task.transformer is TOPICS and method.partition(",")[0] in NEED_LONGER:
        task = task._replace(transformer=LONGER)
    data = load_npz(task.file)
    sizes, estimator = task.sizes, METHODS[method]
    if sweep in Sizes._fields:
        sizes = sizes._replace(**{str(sweep): value})
    elif sweep:
        estimator = clone(estimator).set_params(**{sweep: value})
    runs = []
    for seed in seeds:
        roles = fewer(split(data.y, task.sizes, seed), sizes)
        copy = seeded_clone(estimator, seed)
        alone = method.endswith("no source")
        runs.append(one_run(copy, task, data, roles, alone=alone))
    fields = {key: [each[key] for each in runs] for key in runs[0]}
    append(
        "paired",
        task=name,
        data={task.file: sha256(data_file(task.file))},
        method=method,
        params=estimator.get_params(),
        sweep=sweep,
        value=value,
        sizes=sizes._asdict(),
        metric="inductive accuracy on test samples, last iterate",
        seeds=list(seeds),
        **fields,
    )
    accuracies = 100 * np.array(fields["values"])
    print(
        f"{name:30} {method:30} {sweep or '':20} {value if sweep else '':8} "
        f"{accuracies.mean():5.1f} ± {accuracies.std(ddof=1):4.1f} "
        f"source {100 * np.mean(fields['source_values']):5.1f} "
        f"{np.mean(fields['seconds']):6.2f} s",
        flush=True,
    )


def one_run(
    estimator: Any, task: Task, data: Any, roles: Split, *, alone: bool = False
) -> dict[str, Any]:
    """Fit once, and look at both views of the test samples."""
    X_s, X_t = data[task.source].astype(float), data[task.target].astype(float)
    y = data.y
    own = np.concatenate([roles.source, roles.unlabeled_source])
    rows = np.concatenate([roles.target, roles.unlabeled_target])
    y_s = np.where(np.isin(own, roles.source), y[own], -1)
    y_t = np.where(np.isin(rows, roles.target), y[rows], -1)
    source = X_s[own], y_s
    given: dict[str, Any] = {}
    settings = {
        "source_transformer": task.transformer,
        "target_transformer": task.transformer,
        "scaling": task.scaling,
    }
    known = {k: v for k, v in settings.items() if k in estimator.get_params()}
    estimator.set_params(**known)
    if "target_transformer" not in known:  # SVM, whose rows come prepared
        X_t = clone(task.transformer).fit(X_t[rows]).transform(X_t)
    if has_fit_parameter(estimator, "pairs") and not alone:
        pairs = X_s[roles.pairs], X_t[roles.pairs]
        given = {"source": source, "pairs": pairs}
    start = time.perf_counter()
    estimator.fit(X_t[rows], y_t, **given)
    seconds = time.perf_counter() - start
    correct = estimator.predict(X_t[roles.test]) == y[roles.test]
    found: dict[str, Any] = {
        "seconds": seconds,
        "values": float(correct.mean()),
        "class_accuracies": [
            float(correct[y[roles.test] == c].mean()) for c in np.unique(y)
        ],
        "source_values": float("nan"),
    }
    if getattr(estimator, "n_features_in_source_", None):
        there = estimator.predict(X_s[roles.test], domain="source")
        found["source_values"] = float(np.mean(there == y[roles.test]))
    return found


if __name__ == "__main__":
    main()
