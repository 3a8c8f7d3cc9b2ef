"""Run cca-zoo on arrays of one file, and write what it finds into another.

python by_cca_zoo.py given.npz found.npz
"""

import sys

import numpy as np
from cca_zoo.linear import MCCA, PLS, RidgeCCA


def main(given, found):
    data = dict(np.load(given))
    n_components = int(data["n_components"])
    shrinkage = float(data["shrinkage"])
    three = [data[name] for name in ("image", "text", "sound")]
    two, wide = three[:2], [data["wide_image"], data["wide_text"]]
    models = {
        "cca": (RidgeCCA(n_components), two),
        "ridge_cca": (RidgeCCA(n_components, shrinkage=shrinkage), two),
        "wide_ridge_cca": (RidgeCCA(n_components, shrinkage=shrinkage), wide),
        "pls": (PLS(n_components), two),
        "mcca": (MCCA(n_components, shrinkage=shrinkage, pca=False), three),
    }
    results = {}
    for name, (model, views) in models.items():
        model.fit(views)
        for i, weights in enumerate(model.weights_):
            results[f"{name}_{i}"] = weights
    np.savez(found, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
