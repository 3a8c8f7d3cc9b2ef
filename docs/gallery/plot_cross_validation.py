"""
Cross-validation without a leak
===============================

A number that is too good to be true is not true. How are rows split where most labels
are unknown, and what do the wrong ways pretend?
"""

# %%
# The truth, for once
# -------------------
#
# Torn forms: the source has the upper halves of digits, with labels; the target has
# lower halves, eight of each class with a label. Some digits were found whole: pairs.
# The labels that are hidden from all fits tell the truth.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, cross_val_score

from skda.datasets import label_few
from skda.heterogeneous import PairedRidgeTransfer
from skda.model_selection import LabeledFold

images, digits = load_digits(return_X_y=True)
upper, lower = np.hsplit(images / 16, 2)

X, y = lower[:300], label_few(digits[:300], n_per_class=8, random_state=0)
honest = {
    "source": (upper[600:900], digits[600:900]),
    "pairs": (upper[900:960], lower[900:960]),
}
method = PairedRidgeTransfer()
fitted = method.fit(X, y, **honest)
known = y >= 0
truth = np.mean(fitted.transduction_[~known] == digits[:300][~known])

# %%
# The right way
# -------------
#
# :class:`~skda.model_selection.LabeledFold` tests on labeled rows only, and leaves the
# unlabeled ones in every training fold. The source and the tuple of pairs go whole into
# each fit, and contain nothing of the rows that are tested.
scores = {
    "LabeledFold": cross_val_score(method, X, y, cv=LabeledFold(5), params=honest)
}

# %%
# Wrong: to count unlabeled rows as errors
# ----------------------------------------
#
# With -1 among the labels, ordinary folds and ``scoring="accuracy"`` compare
# predictions with -1. What comes out is the share of the rows that are labeled.
plain = {"cv": KFold(5, shuffle=True, random_state=0), "scoring": "accuracy"}
scores["-1 counts as a class"] = cross_val_score(method, X, y, **plain, params=honest)

# %%
# Wrong: to test on the rows of the fit
# -------------------------------------
#
# ``transduction_`` has the labels that were given. On labeled rows it is always right.
scores["labeled rows of the fit"] = [np.mean(fitted.transduction_[known] == y[known])]

# %%
# Wrong: to pass the answers along
# --------------------------------
#
# Here the pairs are the target's own digits, and the source has their labels. A fold
# cuts neither. Every row that is tested is in the fit, by its other half, with its
# label. It looks like a good method, and it is a leak.
leaking = {"source": (upper[:300], digits[:300]), "pairs": (upper[:300], lower[:300])}
scores["tested rows among the pairs"] = cross_val_score(
    method, X, y, cv=LabeledFold(5), params=leaking
)

# %%
# What each of them pretends
# --------------------------
#
# The dashed line is the truth. Hollow dots are folds, filled ones their mean.
figure, ax = plt.subplots(figsize=(6.8, 2.9), layout="constrained")
for place, (name, shares) in enumerate(scores.items()):
    color = "C0" if name == "LabeledFold" else "C3"
    folds = 100 * np.asarray(shares)
    ax.plot(folds, [place] * len(folds), "o", mfc="white", mec=color, ms=4)
    ax.plot(folds.mean(), place, "o", color=color, ms=8)
    ax.annotate(
        f"{folds.mean():.0f}", (folds.mean(), place), (0, 8), textcoords="offset points"
    )
ax.axvline(100 * truth, color="0.35", linestyle="--", linewidth=1.2)
ax.set_yticks(range(len(scores)), scores)
ax.set(
    xlim=(0, 103),
    ylim=(3.5, -0.6),
    xlabel="Accuracy, in % (dashed: on the hidden labels)",
)
ax.spines[["left", "right", "top"]].set_visible(False)
ax.tick_params(axis="y", length=0)
plt.show()

# %%
# The honest number is coarse, as 80 labels are few, but it errs to either side. The
# others err to one. Of pairs that are rows of ``X`` as well, pass the second form, one
# array with a row for each row of ``X``: it is cut with the folds (:ref:`pairs`).
means = {name: np.mean(folds) for name, folds in scores.items()}
assert means["tested rows among the pairs"] > means["LabeledFold"] + 0.05
assert abs(means["LabeledFold"] - truth) < 0.1

# %%
# When not to
# -----------
#
# If the hidden labels are at hand, as in an experiment, do not cross-validate: hide
# them, fit once to all rows, and score the hidden ones. :func:`skda.compare` does.
