"""The table of cross-modal retrieval: every method in every setting, the same splits.

Half of the categories are known, the others new; queries and gallery are test rows of
the new ones. Each line is appended to ``results/retrieval.jsonl``, from which
``report.py`` makes the tables; what is there already is left out.

    python -m benchmarks.retrieval [--tasks T,T] [--methods "M;M"] [--again]
"""

from __future__ import annotations

import argparse
import warnings
from functools import partial
from typing import Any, NamedTuple

import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from benchmarks._results import FOLDER, append, load
from skda.comparison._retrieval import Retrieval, retrieval_row
from skda.comparison._splits import category_splits
from skda.datasets import load_pairs
from skda.retrieval import (
    ACMR,
    DADN,
    DCCA,
    DCCAE,
    DMTL,
    GMLDA,
    MCCA,
    PLS,
    ClusterRetrieval,
    MvDA,
    RidgeCCA,
)

__all__ = ["METHODS", "TASKS"]

#: Preprocessing of every task, beside each method's own scaling.
TASKS: dict[str, dict[str, Any]] = {
    "wikipedia": {},
    "wikipedia_deep": {},
    "mfeat:fou-kar": {},
    "bbcsport": {
        "shared_transformer": make_pipeline(Normalizer(), PCA(90, svd_solver="full")),
        "scaling": "view",
    },
}
PLAIN = {  # as in the paper, but for the size and the learning rate
    "similarity": "euclidean",
    "temperature": 1.0,
    "dropout": 0.0,
    "optimizer": "adam",
    "weight_decay": 0.0,
}
CONTRASTIVE = {"lambda1": 0.0, "lambda2": 0.0}
CLASSIFYING = {"matching_weight": 0.0, "lambda2": 0.0}
CSA = {  # as in the paper, with as many directions as the other linear methods
    "similarity": "csa",
    "correlation_power": 0.5,
    "regularization": 0.0,
    "source_weight": 0.0,
    "n_components": 10,
}
WIDE = {"hidden_layer_sizes": (512, 512), "n_components": 128}


class Method(NamedTuple):
    """A row of the table, its settings, and on how many splits it is measured."""

    estimator: Any
    settings: tuple[str, ...]
    n_splits: int = 10


UNLABELED = ("source", "pairs", "new")
TWO_DOMAINS = ("source", "source + new", "new")
dmtl = partial(DMTL, **WIDE)
METHODS = {
    "PLS": Method(PLS(n_components=10), UNLABELED),
    "MCCA, unweighted": Method(MCCA(n_components=10, weighted=False), UNLABELED),
    "RidgeCCA": Method(RidgeCCA(), ("source", "pairs", "source + new", "new")),
    "RidgeCCA, canonical similarity": Method(RidgeCCA(similarity="csa"), TWO_DOMAINS),
    "CSA": Method(RidgeCCA(**CSA), UNLABELED),
    "RidgeCCA, relayed": Method(RidgeCCA(n_relays=30), TWO_DOMAINS),
    "ClusterRetrieval": Method(ClusterRetrieval(), TWO_DOMAINS),
    "ClusterRetrieval, K known": Method(ClusterRetrieval(n_clusters=5), TWO_DOMAINS),
    "ClusterRetrieval, relayed": Method(ClusterRetrieval(n_relays=30), TWO_DOMAINS),
    "MvDA": Method(MvDA(), ("source",)),
    "MvDA-VC": Method(MvDA(view_consistency=1.0), ("source",)),
    "GMLDA": Method(GMLDA(), ("source",)),
    "ACMR": Method(ACMR(**WIDE), ("source",), 5),
    "DADN": Method(DADN(), ("source",), 5),
    "DADN.published()": Method(DADN.published(), ("source",), 1),
    "DCCA": Method(DCCA(), UNLABELED, 5),
    "DCCAE": Method(DCCAE(), UNLABELED, 5),
    "DMTL": Method(dmtl(**PLAIN), TWO_DOMAINS),
    "DMTL without L_t": Method(dmtl(**PLAIN, lambda2=0.0), ("source + new",), 5),
    "DMTL, L_m alone": Method(dmtl(**PLAIN, **CONTRASTIVE), ("source + new",), 5),
    "DMTL, L_s alone": Method(dmtl(**PLAIN, **CLASSIFYING), ("source + new",), 5),
    "DMTL, regularized": Method(dmtl(), TWO_DOMAINS),
    "DMTL.published()": Method(DMTL.published(), ("source", "source + new"), 1),
}
N_NEW = {"bbcsport": 3}  # five in the others


def main() -> None:
    """Measure the rows and columns asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=",".join(TASKS))
    usual = [name for name in METHODS if "(" not in name]
    parser.add_argument("--methods", default=";".join(usual), help="M;M")
    parser.add_argument("--again", action="store_true", help="what is there as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    # Features of Wikipedia are nearly constant in places: the splits are what varies.
    warnings.simplefilter("ignore", ConvergenceWarning)
    there = set()
    if (FOLDER / "retrieval.jsonl").exists() and not arguments.again:
        there = {(r["task"], r["method"], r["setting"]) for r in load("retrieval")}
    for task in arguments.tasks.split(","):
        for name in arguments.methods.split(";"):
            for setting in METHODS[name].settings:
                if (task, name, setting) not in there:
                    measure(task, name, setting)


def measure(task: str, name: str, setting: str) -> None:
    """Measure one method in one setting on every split of a task."""
    method = METHODS[name]
    estimator = method.estimator.set_params(**TASKS[task])
    if name.endswith("K known"):
        estimator.set_params(n_clusters=N_NEW.get(task, 5))
    pairs = load_pairs(task)
    splits = category_splits(pairs.y, method.n_splits, test=pairs.test)
    experiment = Retrieval(pairs.views, pairs.y)
    row = retrieval_row(name, setting, estimator)
    found = [experiment.evaluate(row, split) for split in splits]
    scores = {key: [run.scores[key] for run in found] for key in found[0].scores}
    append(
        "retrieval",
        task=task,
        method=name,
        setting=setting,
        params=estimator.get_params(),
        metric="mAP over the full ranking, test rows of the new categories",
        scores=scores,
        values=scores["mAP"],
        chance=scores["chance"],
        seconds=sum(run.seconds for run in found) / len(found),
        random_state=0,
    )
    mean = sum(scores["mAP"]) / len(splits)
    print(f"{task:16} {name:28} {setting:13} {mean:.3f} ({len(splits)})", flush=True)


if __name__ == "__main__":
    main()
