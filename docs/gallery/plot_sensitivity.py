"""
Does this parameter matter?
===========================

A table of one number per method hides how it was tuned. A curve over a parameter shows
whether a method needs luck: how wide is the range in which it is good, and is that the
same range on other data?
"""

# %%
# One parameter, three data sets
# ------------------------------
#
# ``alpha`` says how far :class:`~skda.heterogeneous.GeoST` moves a row towards its
# neighbors. The targets are three data sets of scikit-learn, with three labels per
# class, and no source, which has no part in this. Four draws of the labels each.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skda
from skda.baselines import TargetOnly
from skda.heterogeneous import GeoST

data = {
    "digits": load_digits(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "breast cancer": load_breast_cancer(return_X_y=True),
}
alphas = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.99]
results = []
for name, (X, y) in data.items():
    methods = {str(alpha): GeoST(alpha=alpha) for alpha in alphas}
    table = skda.compare(methods, X[:400], y[:400], n_splits=4)
    for method, found in zip(table["method"], table["accuracies"], strict=True):
        results.append({"alpha": float(method), "data": name, "accuracy": found})

# %%
# The picture
# -----------
#
# Dashed lines are a logistic regression of the standardized rows, which has no graph.
from skda.inspection import SensitivityDisplay

control = {"plain": TargetOnly(make_pipeline(StandardScaler(), LogisticRegression()))}
reference = {
    f"control, {name}": skda.compare(control, X[:400], y[:400], n_splits=4)[
        "accuracy"
    ].iloc[0]
    for name, (X, y) in data.items()
}
SensitivityDisplay.from_results(
    results,
    "alpha",
    score="accuracy",
    by="data",
    score_name="Accuracy on the unlabeled rows",
    reference=reference,
    name="GeoST: how far rows move to their neighbors",
)
plt.show()

# %%
# What to read from it
# --------------------
#
# Over most of its range the parameter moves the accuracy by less than the draw of the
# labels does, which is the width of the bands; only at its upper end the data sets
# disagree. So the default, in the middle, is no matter of luck. The range of the means
# below 0.9, in points, beside the spread of the draws:
import pandas as pd

means = pd.DataFrame(results).explode("accuracy").astype({"accuracy": float})
inner = means[means["alpha"] < 0.9].groupby(["data", "alpha"])["accuracy"]
moved = 100 * inner.mean().groupby("data").agg(np.ptp)
drawn = 100 * inner.std().groupby("data").mean()
assert (moved < drawn).all()
pd.DataFrame({"parameter": moved, "draw": drawn}).round(1)

# %%
# When not to
# -----------
#
# The curve is drawn with the hidden labels. It tells whether a parameter matters, and
# must not choose its value: for that, see
# :ref:`sphx_glr_auto_gallery_plot_grid_search.py`.
