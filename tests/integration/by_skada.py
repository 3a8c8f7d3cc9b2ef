"""Run skada on arrays of one file, and write what it finds into another.

A process of its own, because importing skada changes the configuration of scikit-learn.

    python by_skada.py given.npz found.npz
"""

import sys

import numpy as np
import torch
from skada import (
    ClassRegularizerOTMappingAdapter,
    CORALAdapter,
    LinearOTMappingAdapter,
    SubspaceAlignmentAdapter,
    TransferComponentAnalysisAdapter,
)
from skada.deep import MDDLoss
from skada.deep.losses import dan_loss, deepcoral_loss


def main(given, found):
    data = dict(np.load(given))
    X = np.concatenate([data["X_source"], data["X_target"]])
    n_source, n_target = len(data["X_source"]), len(data["X_target"])
    domains = np.r_[np.ones(n_source, int), np.full(n_target, -2)]
    y = np.r_[data["y_source"], np.full(n_target, -1)]
    adapters = {
        "coral": CORALAdapter(reg=float(data["shrinkage"])),
        "subspace": SubspaceAlignmentAdapter(n_components=4, random_state=0),
        "linear_ot": LinearOTMappingAdapter(reg=0.0),
        "class_ot": ClassRegularizerOTMappingAdapter(
            reg_e=float(data["reg_e"]),
            reg_cl=float(data["reg_cl"]),
            max_inner_iter=10_000,
            tol=1e-13,
        ),
        "tca_of_no_means": TransferComponentAnalysisAdapter(n_components=4, mu=0.0),
    }
    results = {}
    for name, adapter in adapters.items():
        moved = adapter.fit_transform(X, y, sample_domain=domains)
        results[name] = moved

    a, b, *logits = (torch.from_numpy(data[k]) for k in ("a", "b", "p", "q", "v", "w"))
    # In single precision, as its kernels are.
    vertices = (data[k].astype("float32") for k in ("vertices_a", "vertices_b"))
    mdd = MDDLoss(gamma=3.0)
    results["smoothed_mdd_loss"] = mdd(*logits)
    mdd.disc_criterion_t.smoothing = 0.0
    results["mdd_loss"] = mdd(*logits)
    results["coral_loss"] = deepcoral_loss(a, b)
    results["dan_loss"] = dan_loss(
        *map(torch.from_numpy, vertices), sigmas=data["sigmas"].tolist()
    )
    np.savez(found, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
