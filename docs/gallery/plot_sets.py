"""
Sets of classes that keep a promise
===================================

:class:`skda.model_selection.AdaptiveSets` predicts as many classes as it takes to have
the true one nine times out of ten, or as often as you like.
"""

# %%
# One method, sets instead of labels
# ----------------------------------
#
# 100 of 900 digits, drawn at random, are labeled.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skda.baselines import TargetOnly
from skda.model_selection import AdaptiveSets

X, truth = load_digits(return_X_y=True)
X, truth = X[:900], truth[:900]
y = np.full(900, -1)
labeled = np.random.default_rng(0).permutation(900)[:100]
y[labeled] = truth[labeled]
rest = np.flatnonzero(y == -1)

classifier = TargetOnly(LogisticRegression(C=0.01, max_iter=1000))
sets = AdaptiveSets(classifier, alpha=0.1).fit(X, y)
inside = sets.predict_set(X[rest])
float(inside[np.arange(len(rest)), truth[rest]].mean())

# %%
# The price of a promise
# ----------------------
#
# ``alpha`` does not matter to the fit. The more is promised, the larger the sets.
promises = np.array([0.8, 0.85, 0.9, 0.95, 0.98])
coverage, size = [], []
for promise in promises:
    inside = sets.set_params(alpha=1 - promise).predict_set(X[rest])
    coverage.append(inside[np.arange(len(rest)), truth[rest]].mean())
    size.append(inside.sum(axis=1).mean())

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
left.plot(promises, coverage, "o-")
left.plot(promises, promises, color="gray", linestyle=":")
left.set(xlabel="promise", ylabel="share of sets with the true class")
right.plot(promises, size, "o-")
right.set(xlabel="promise", ylabel="classes in a set")
plt.show()

# %%
# Too few labels
# --------------
#
# With 15 labels nobody can promise 98 %. The fit says so, and sets have all classes.
import warnings

few = np.where(np.isin(np.arange(900), labeled[:15]), truth, -1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    sets.set_params(alpha=0.02).fit(X, few)
print(caught[-1].message)
