"""
Classes that nobody has labeled
===============================

The target has a few labels, but of some classes none at all. The source has labels of
all of them, in other features. :class:`skda.heterogeneous.GeoST` finds the clusters of
the target that are left and names them, so that the classes lie to each other as they
do in the source.
"""

# %%
# Eight classes, five of them labeled
# -----------------------------------
#
# The domains see the same clusters through different features.
import warnings

import numpy as np
from matplotlib import pyplot as plt

from skda.datasets import make_heterogeneous_domains, noise_source
from skda.heterogeneous import GeoST

data = make_heterogeneous_domains(
    n_classes=8, n_latent=6, class_sep=3.0, noise=0.05, random_state=0
)
hidden = [1, 4, 6]
y = np.where(np.isin(data.y, hidden), -1, data.y)


def accuracy(clf: GeoST) -> tuple[float, float]:
    """Accuracy on the rows of hidden classes, and on the others."""
    rows = np.isin(data.y_true, hidden)
    right = clf.transduction_ == data.y_true
    return right[rows].mean().round(2), right[~rows].mean().round(2)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of classes without labels
    ignoring = GeoST().fit(data.X, y, source=data.source)
    inferring = GeoST(unlabeled_classes="infer").fit(data.X, y, source=data.source)
accuracy(ignoring), accuracy(inferring)

# %%
# Ignored, the classes are never predicted; inferred, most of their rows are named
# rightly. Whether that is to be expected is said beforehand: the labels of half of the
# labeled classes are hidden in turns, and this share of them is named rightly.
round(inferring.inference_score_, 2)

# %%
# Where the geometries disagree
# -----------------------------
#
# A source whose classes have one another's names finds the same clusters, but names
# them wrongly. The score says so, and so does a warning.
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    renamed = noise_source(*data.source, "renamed", random_state=0)
    misled = GeoST(unlabeled_classes="infer").fit(data.X, y, source=renamed)
print(said[-1].message)
accuracy(misled), round(misled.inference_score_, 2)

# %%
# A picture of the rows, by their true class and by the one they are given:
from sklearn.decomposition import PCA

from skda.inspection import EmbeddingDisplay

places = PCA(2).fit_transform(data.X)
figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
panels = {
    "true classes": data.y_true,
    "inferred": inferring.transduction_,
    "inferred by the renamed source": misled.transduction_,
}
for ax, (title, labels) in zip(axes, panels.items(), strict=True):
    EmbeddingDisplay({"target": places}, {"target": labels}).plot(ax=ax)
    ax.set_title(title)
plt.show()

# %%
# :class:`skda.AutoAdapter` decides by itself: it infers the classes where the score is
# good and rows stand apart from the labeled classes, and says in ``report_`` which of
# both it took for granted, that the target lacks them or has them unlabeled.
from skda import AutoAdapter

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    auto = AutoAdapter().fit(data.X, y, source=data.source)
print(auto.report_["assumptions"][-1])
