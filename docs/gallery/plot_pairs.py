"""
What a few pairs teach
======================

Some samples are known in both domains: a photograph with its caption, a patient whom
both laboratories have measured. Nobody needs to know their labels. How many does it
take, and what do they teach?
"""

# %%
# From gradients to pixels
# ------------------------
#
# The source has labeled images of digits as 64 pixels; the target has images as 48 bins
# of histograms of gradients, and not a single label. Some images are known as both.
# :class:`~skda.heterogeneous.PairedRidgeTransfer` learns from them how pixels follow
# from gradients, and then asks a classifier of the pixels.
import matplotlib.pyplot as plt
import numpy as np

from skda.datasets import load_digits_domains
from skda.heterogeneous import PairedRidgeTransfer

digits = load_digits_domains(n_pairs=200)
pixels, gradients = digits.pairs
ridge = PairedRidgeTransfer().fit(digits.X, source=digits.source, pairs=digits.pairs)
print(f"{np.mean(ridge.transduction_ == digits.y):.1%} without a label of the target")

# %%
# ``transform`` takes rows of either domain to the features of the source. So for a row
# of the target the most similar image of the source can be found. Above, ten target
# rows as they are; below, what they find: an image of the same digit, mostly.
from sklearn.neighbors import NearestNeighbors

X_source, y_source = digits.source
rows = [int(np.flatnonzero(digits.y == k)[0]) for k in range(10)]
places = NearestNeighbors(n_neighbors=1, metric="cosine")
places.fit(ridge.transform(X_source, domain="source"))
found = places.kneighbors(ridge.transform(digits.X[rows]), return_distance=False)[:, 0]

figure, axes = plt.subplots(2, 10, figsize=(8, 2.1), layout="constrained")
for column, (row, other) in enumerate(zip(rows, found, strict=True)):
    axes[0, column].imshow(digits.X[row].reshape(4, 12), cmap="gray_r", aspect="auto")
    axes[1, column].imshow(X_source[other].reshape(8, 8), cmap="gray_r")
    axes[0, column].set_title(f"a {digits.y[row]}", fontsize="medium")
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("target")
axes[1, 0].set_ylabel("source")
plt.show()

# %%
# How many does it take?
# ----------------------
#
# One call of :func:`skda.compare` for each number of pairs, with no label of the
# target. The dashed line is what three labels of each class are worth to a classifier
# that has neither source nor pairs.
import pandas as pd
from sklearn.linear_model import LogisticRegression

import skda
from skda.baselines import TargetOnly
from skda.heterogeneous import HHTL

tables = []
for n in (10, 20, 50, 100, 200):
    few = (pixels[:n], gradients[:n])
    table = skda.compare(
        {"PairedRidgeTransfer": PairedRidgeTransfer(), "HHTL": HHTL()},
        digits.X,
        digits.y,
        source=digits.source,
        pairs=few,
        n_per_class=0,
        n_splits=1,
    )
    tables.append(table.assign(pairs=n))
results = pd.concat(tables, ignore_index=True)

control = {"3 labels per class": TargetOnly(LogisticRegression(max_iter=1000))}
labels = skda.compare(control, digits.X, digits.y, n_per_class=3)

# %%
# sphinx_gallery_thumbnail_number = 2
from skda.inspection import SensitivityDisplay

SensitivityDisplay.from_results(
    results,
    "pairs",
    score="accuracy",
    by="method",
    score_name="Accuracy on the target",
    reference=dict(zip(labels["method"], labels["accuracy"], strict=True)),
    name="Digits: without a label of the target",
)
plt.show()

# %%
# When not to
# -----------
#
# Pairs pay where features of one domain follow from those of the other. Few of them can
# not settle a map of many features: the curve tells when that is. And beware of a leak:
# a pair whose source side is labeled and whose target side is tested gives the answer
# away, see :ref:`sphx_glr_auto_gallery_plot_cross_validation.py`.
accuracy = results.pivot(index="pairs", columns="method", values="accuracy")
assert (
    accuracy["PairedRidgeTransfer"].iloc[-1] > accuracy["PairedRidgeTransfer"].iloc[0]
)
accuracy.round(3)
