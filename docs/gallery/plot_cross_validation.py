"""
Cross-validation without a leak
===============================

A number that is too good to be true is not true. How are labels split where most are
unknown, and what do the wrong ways pretend?
"""

# %%
# The truth, for once
# -------------------
#
# The target has five labels per class. Its images are known to the source, too, as
# pixels, and that is what makes it easy to fool oneself. Images that are in no fit tell
# the truth about the method on new rows.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from skda.datasets import label_few, load_digits_domains
from skda.heterogeneous import PairedRidgeTransfer
from skda.model_selection import LabeledFold

digits = load_digits_domains(n_pairs=60)
X, y_true = digits.X[:400], digits.y[:400]
X_new, y_new = digits.X[400:], digits.y[400:]
y = label_few(y_true, n_per_class=5, random_state=0)
method = PairedRidgeTransfer()
fitting = {"source": digits.source, "pairs": digits.pairs}
truth = method.fit(X, y, **fitting).score(X_new, y_new)

# %%
# The right way
# -------------
#
# :class:`~skda.model_selection.LabeledFold` tests on labeled rows only, and leaves the
# unlabeled ones in every training fold.
scores = {}
scores["LabeledFold"] = cross_val_score(method, X, y, cv=LabeledFold(5), params=fitting)

# %%
# Wrong: to test on unlabeled rows
# --------------------------------
#
# With -1 among the labels, ``cv=5`` and ``scoring="accuracy"`` compare predictions with
# -1, and count all of them as wrong.
plain = {"cv": KFold(5, shuffle=True, random_state=0), "scoring": "accuracy"}
scores["plain folds, with -1"] = cross_val_score(method, X, y, **plain, params=fitting)

# %%
# Wrong: to pass the answers along
# --------------------------------
#
# The 60 pairs are images of neither domain. If a tuple of pairs has the target's own
# images, and the source their labels, every tested row is in the fit, with its label.
half_known = digits.source[0][:400], digits.source[1][:400]
