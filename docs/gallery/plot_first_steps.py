"""
First steps
===========

Two domains know the same ten digits through different features. The target has three
labels per class. Does a labeled source help, and by how much?
"""

# %%
# Two domains
# -----------
#
# scikit-learn's handwritten digits come as two domains that have no image in common.
# The source knows its images as 64 pixels, the target as 48 bins of histograms of
# gradients. No column of one means what a column of the other does, so the rows cannot
# be stacked.
import matplotlib.pyplot as plt

from skda.datasets import label_few, load_digits_domains

digits = load_digits_domains()
X_source, y_source = digits.source
print("source:", X_source.shape, " target:", digits.X.shape)

figure, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.8), layout="constrained")
left.imshow(X_source[0].reshape(8, 8), cmap="gray_r")
left.set(title=f"A {y_source[0]} of the source", xticks=[], yticks=[])
right.imshow(digits.X[0].reshape(4, 12), cmap="gray_r", aspect="auto")
right.set(title=f"A {digits.y[0]} of the target", xlabel="Orientation, in degrees")
right.set_xticks(range(0, 12, 3), [0, 90, 180, 270])
right.set_yticks(range(4), ["top left", "top right", "bottom left", "bottom right"])
plt.show()

# %%
# An estimator of skda is a classifier of the target
# --------------------------------------------------
#
# ``X, y`` are the target, with -1 where a label is unknown. The source is one keyword
# beside it. Three labels per class are left, drawn at random.
from skda.heterogeneous import STN

y = label_few(digits.y, n_per_class=3, random_state=0)
hidden = y == -1
stn = STN(n_components=64, random_state=0).fit(digits.X, y, source=digits.source)
print(f"{stn.score(digits.X[hidden], digits.y[hidden]):.1%} of the hidden labels")

# %%
# Is that good?
# -------------
#
# One figure alone does not tell. :func:`skda.compare` hides the labels anew in every
# split, and holds the methods against controls: classifiers that know the target only,
# which :class:`~skda.baselines.TargetOnly` makes of any classifier of scikit-learn, and
# each method once more without its source.
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

import skda
from skda.baselines import TargetOnly
from skda.heterogeneous import GeoST

methods = {
    "Linear SVM": TargetOnly(SVC(kernel="linear")),
    "Logistic regression": TargetOnly(LogisticRegression()),
    "GeoST": GeoST(),
    "STN": STN(n_components=64),
}
table = skda.compare(methods, digits.X, digits.y, source=digits.source, n_splits=4)
table[["method", "source", "accuracy", "std", "seconds"]].round(3)

# %%
# Filled dots are means, hollow ones the splits.
#
# sphinx_gallery_thumbnail_number = 2
from skda.inspection import ComparisonDisplay

ComparisonDisplay.from_frame(table, name="Digits: pixels to gradients")
plt.show()

# %%
# Both methods are far ahead of the controls, with the source and without: most of what
# they gain, they learn from the unlabeled target rows. What is left to the source is
# small here, and the splits vary by more. How to tell whether it is worth anything is
# the subject of :ref:`sphx_glr_auto_gallery_plot_source_gain.py`.
#
# The space that the domains share
# --------------------------------
#
# STN maps the rows of both domains into one space. Brought down to two dimensions, most
# rows of the target (dots) lie with the source rows of their class (crosses). Where
# classes overlap, the target's few labels leave it undecided.
from skda.inspection import EmbeddingDisplay

EmbeddingDisplay.from_estimator(stn, digits.X, digits.y, digits.source)
plt.show()
