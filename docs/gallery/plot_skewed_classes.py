"""
A class that is rare
====================

One biopsy in twelve is malignant. Who always says "benign" is right eleven times out of
twelve, and useless. What to measure where classes are skewed, and what to tell the
method?
"""

# %%
# Two laboratories
# ----------------
#
# scikit-learn's breast cancer data have ten measures of cell nuclei, each once as the
# mean of an image and once as the worst in it. Say that one laboratory reports means
# and has diagnoses (the source), the other reports the worst, about other patients, and
# has few (the target). Here malignant cases become rarer and rarer in the target.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

cancer = load_breast_cancer()
names = np.array(["malignant", "benign"])[cancer.target]
half = np.arange(len(names)) % 2 == 0
source = cancer.data[half, :10], names[half]
worst, diagnoses = cancer.data[~half, 20:], names[~half]


def target(share: float) -> tuple[np.ndarray, np.ndarray]:
    """Keep all benign cases, and as many malignant ones as make up the share."""
    benign = np.flatnonzero(diagnoses == "benign")
    malignant = np.flatnonzero(diagnoses == "malignant")
    rows = np.r_[benign, malignant[: round(share / (1 - share) * len(benign))]]
    return worst[rows], diagnoses[rows]


# %%
# Labels as they fall
# -------------------
#
# 24 patients are diagnosed, drawn *at random*: as many of each class would hide from
# the method how rare the rare one is. :class:`~skda.heterogeneous.GeoST` reads the
# shares from the labels. With ``class_weight="balanced"`` an error on the rare class
# counts as much as all errors on the frequent one together.
import pandas as pd
from sklearn.metrics import accuracy_score, recall_score

from skda.heterogeneous import GeoST

methods = {
    "GeoST()": GeoST(),
    'GeoST(class_weight="balanced")': GeoST(class_weight="balanced"),
}
shares = [0.08, 0.12, 0.2, 0.3]
results = []
for share in shares:
    X, y_true = target(share)
    for split in range(8):
        drawn = np.random.default_rng(split).permutation(len(X))[:24]
        if len(set(y_true[drawn])) < 2:
            continue  # no malignant case among the labeled ones
        y = np.full(len(X), None)
        y[drawn] = y_true[drawn]
        hidden = np.setdiff1d(np.arange(len(X)), drawn)
        for name, method in methods.items():
            predicted = method.fit(X, y, source=source).transduction_
            truth, found = y_true[hidden], predicted[hidden].astype(str)
            row = {"method": name, "share": share}
            row["accuracy"] = accuracy_score(truth, found)
            for kind in ("malignant", "benign"):
                row[kind] = recall_score(truth, found, pos_label=kind)
            results.append(row)
results = pd.DataFrame(results)
results["balanced"] = results[["malignant", "benign"]].mean(axis=1)
results.groupby(["share", "method"]).mean().round(2)

# %%
# Accuracy says little
# --------------------
#
# Above, the accuracy, beside that of always saying "benign" where malignant cases are
# rarest. Below, the share of the malignant cases that were found.
from skda.inspection import SensitivityDisplay

figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 6), layout="constrained")
SensitivityDisplay.from_results(
    results,
    "share",
    score="accuracy",
    by="method",
    score_name="Accuracy",
    reference={'always "benign"': 1 - shares[0]},
    ax=top,
)
SensitivityDisplay.from_results(
    results,
    "share",
    score="malignant",
    by="method",
    score_name="Malignant cases found",
    ax=bottom,
)
bottom.set_ylim(top=1)
top.set_xlabel("")
bottom.set_xlabel("Share of malignant cases in the target")
plt.show()

# %%
# What to read from it
# --------------------
#
# By accuracy the balanced method loses, most of all where the class is rare; there it
# finds more of the cases that the laboratory is there for. The balanced accuracy, the
# mean over the classes, prices both errors alike. :func:`skda.compare` reports it
# beside the accuracy, and says in ``table.attrs["skewed"]`` whether it matters.
rarest = results[results["share"] == shares[0]].groupby("method").mean()
plain, balanced = (rarest.loc[name] for name in methods)
assert plain["accuracy"] > balanced["accuracy"]
assert balanced["malignant"] > plain["malignant"]
rarest["balanced"].round(3)

# %%
# When not to
# -----------
#
# Do not balance because classes are skewed, but because errors on the rare one cost
# more. And do not label as many rows of each class: then neither the labels nor the
# method know how rare the rare class is.
