"""
A grid search on thirty labels
==============================

A method has parameters, the target has three labels per class, and scikit-learn has
:class:`~sklearn.model_selection.GridSearchCV`. What can be chosen with so few labels,
and how much is the choice to be trusted?
"""

# %%
# Folds that leave the unlabeled rows alone
# -----------------------------------------
#
# :class:`~skda.model_selection.LabeledFold` puts labeled rows only into test folds, and
# leaves every unlabeled row in each training fold. The source is no matter of folds: it
# is passed to ``fit``, and goes whole into each of them. The default comes first in
# either list, as the search takes the first of equals.
import matplotlib.pyplot as plt
from sklearn.model_selection import GridSearchCV

from skda.datasets import label_few, load_digits_domains
from skda.heterogeneous import GeoST
from skda.model_selection import LabeledFold

digits = load_digits_domains()
X, y_true = digits.X[:500], digits.y[:500]
y = label_few(y_true, n_per_class=3, random_state=0)

grid = {"n_neighbors": [10, 3, 30], "alpha": [0.5, 0.1, 0.8, 0.95]}
search = GridSearchCV(GeoST(), grid, cv=LabeledFold(3))
search.fit(X, y, source=digits.source)
search.best_params_

# %%
# Look before you take it
# -----------------------
#
# :class:`~skda.inspection.SensitivityDisplay` draws the search. Thirty rows are tested,
# so that the score moves in steps of a thirtieth.
from skda.inspection import SensitivityDisplay

SensitivityDisplay.from_cv_results(
    search.cv_results_,
    ["n_neighbors", "alpha"],
    score_name="Accuracy on the folds",
    name="GeoST: chosen on 30 labels",
)
plt.show()

# %%
# What it was worth
# -----------------
#
# Nobody can do this at home: the same candidates, on the labels that were hidden.
import numpy as np
import pandas as pd
from sklearn.base import clone

hidden = y == -1
results = []
for params in search.cv_results_["params"]:
    clf = clone(search.estimator).set_params(**params)
    guesses = clf.fit(X, y, source=digits.source).transduction_
    results.append(params | {"hidden": np.mean(guesses[hidden] == y_true[hidden])})
results = pd.DataFrame(results)

SensitivityDisplay.from_results(
    results,
    ["n_neighbors", "alpha"],
    score="hidden",
    score_name="Accuracy on the hidden rows",
    name="GeoST: what the hidden labels say",
)
plt.show()

# %%
# The default, the choice, and the best of all, which nobody knows:
chosen = search.best_index_
pd.Series(
    {
        "default": results["hidden"][0],
        "chosen": results["hidden"][chosen],
        "best": results["hidden"].max(),
    }
).round(3)

# %%
# When not to
# -----------
#
# Report ``best_score_`` never: it is the best of twelve coarse numbers, and the largest
# of them is too large. And do not search where candidates differ by less than the
# deviation that the cells show; the default is as good a guess. How
# much a search gained on average is told in :ref:`three_labels`.
