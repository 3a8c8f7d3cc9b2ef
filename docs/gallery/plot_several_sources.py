"""
Several sources, one of them useless
====================================

A target may have more than one source. Passed as a list, each is judged without a test
label, and left out if it is no better than with its classes renamed.
"""

# %%
# Three sources of the same digits
# --------------------------------
#
# The target sees every other pixel of an image. One source knows the upper half of
# other images, one the lower half. A third knows the upper half as well, but somebody
# has mixed up the names of its classes. For a hundred images the target's pixels and
# those of each source are known: the pairs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skda.datasets import label_few, noise_source

images, names = load_digits(n_class=6, return_X_y=True)
images = images.reshape(-1, 8, 8)
upper = images[:, :4].reshape(-1, 32)
lower = images[:, 4:].reshape(-1, 32)
target = images[:, ::2, ::2].reshape(-1, 16)

known, paired, new = slice(0, 200), slice(200, 300), slice(300, 700)
sources = {
    "upper": (upper[known], names[known]),
    "lower": (lower[known], names[known]),
}
sources["renamed"] = noise_source(*sources["upper"], "renamed", random_state=0)
pairs = {
    "upper": (upper[paired], target[paired]),
    "lower": (lower[paired], target[paired]),
    "renamed": (upper[paired], target[paired]),
}
X, y = target[new], names[new]

# %%
# Each alone, and all of them
# ---------------------------
#
# With no label of the target, the agreement of the sources tells which one is odd. With
# one label per class, the labels do.
from skda.heterogeneous import PairedRidgeTransfer

choices = [["upper"], ["lower"], ["renamed"], ["upper", "lower", "renamed"]]
labelings = {
    "no label": np.full(len(y), -1),
    "one label per class": label_few(y, 1, random_state=0),
}
found = {}
for title, labels in labelings.items():
    hidden, found[title] = labels == -1, []
    for chosen in choices:
        clf = PairedRidgeTransfer().fit(
            X,
            labels,
            source=[sources[name] for name in chosen],
            pairs=[pairs[name] for name in chosen],
        )
        found[title].append(np.mean(clf.transduction_[hidden] == y[hidden]))
    print(title, "weights:", clf.source_weights_.round(2))

# %%
# The renamed source is left out, and the two halves know more than either.
fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharex=True, sharey=True)
for ax, (title, results) in zip(axes, found.items(), strict=True):
    heights = 100 * np.array(results)
    colors = ["0.65", "0.65", "0.65", "C0"]
    bars = ax.barh(["upper", "lower", "renamed", "all three"], heights, color=colors)
    ax.bar_label(bars, fmt="%.0f", padding=3)
    ax.set(title=title, xlabel="Accuracy in %", xlim=(0, 100))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
fig.tight_layout()
plt.show()

# %%
# Which source to believe, and why
# --------------------------------
#
# ``source_evidence_`` says by how much each source was better than itself with its
# classes renamed, and how much would have been enough.
import pandas as pd

clf = PairedRidgeTransfer().fit(X, source=[*sources.values()], pairs=[*pairs.values()])
pd.DataFrame(clf.source_evidence_, index=list(sources)).round(2)

# %%
# Two sources alone, without a label, could not have told which one is wrong: an
# agreement needs a third.
