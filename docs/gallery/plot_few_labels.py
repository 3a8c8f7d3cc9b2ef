"""
How far a few labels go
=======================

Labels cost money, rows do not. With one, three or ten labels per class, is it worth to
learn from the unlabeled rows, too? And how many labels does that save?
"""

# %%
# One class at a time, few labels at a time
# -----------------------------------------
#
# The target has handwritten digits as 48 bins of histograms of gradients. In every
# split some labels per class are drawn, and all others hidden. The logistic regression
# learns from the labeled rows alone. :class:`skda.AutoAdapter` has the unlabeled rows
# as well: no source, no pairs, and no parameter to choose. One call of
# :func:`skda.compare` for each number of labels, on 400 rows to be done in seconds:
import warnings

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.linear_model import LogisticRegression

import skda
from skda.baselines import TargetOnly
from skda.datasets import load_digits_domains

digits = load_digits_domains()
X, y = digits.X[:400], digits.y[:400]

methods = {
    "logistic regression": TargetOnly(LogisticRegression(max_iter=1000)),
    "AutoAdapter": skda.AutoAdapter(),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # that one label is hardly any
    tables = {n: skda.compare(methods, X, y, n_per_class=n) for n in (1, 2, 5, 10)}
results = pd.concat(tables, names=["labels"]).reset_index("labels")
results.pivot(index="method", columns="labels", values="accuracy").round(3)

# %%
# The picture
# -----------
#
# Lines are means over the splits, bands their standard deviations. Read it sideways: at
# which number of labels does the lower line reach the height that the upper one has at
# its left end?
from skda.inspection import SensitivityDisplay

SensitivityDisplay.from_results(
    results,
    "labels",
    score="accuracies",
    by="method",
    score_name="Accuracy on the unlabeled rows",
    name="Digits, by the labels of each class",
)
plt.show()

# %%
# The fewer labels there are, the more the unlabeled rows are worth, and what they add
# fades as labels come in:
gain = results.pivot(index="labels", columns="method", values="accuracy")
gain = gain["AutoAdapter"] - gain["logistic regression"]
assert gain.iloc[0] > gain.iloc[-1] > 0
gain.round(3)

# %%
# When not to
# -----------
#
# Unlabeled rows help where classes are clumps or threads of rows, as those of digits
# are. Where neighbors are mostly of other classes they mislead, and with many labels
# per class an ordinary classifier of scikit-learn is enough. Accuracy here is
# *transductive*: the rows that it is measured on took part in the fit, without labels.
