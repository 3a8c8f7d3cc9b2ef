"""
Many tasks, and which methods differ
====================================

Method A is ahead of B on seven of twelve tasks. Is it better, or was it lucky? Ranks
over many tasks, and how far apart they must be to tell.
"""

# %%
# Twelve tasks
# ------------
#
# A task should owe nothing to another one: several splits of one data set are *one*
# task. Ten are drawn by :func:`~skda.datasets.make_heterogeneous_domains`, of other
# sizes, widths, numbers of classes and noise each; two are real, digits in two kinds of
# features and two laboratories' measures of the same kind of cells.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

import skda
from skda.datasets import load_digits_domains, make_heterogeneous_domains

rng = np.random.default_rng(0)
tasks = {}
for seed in range(10):
    made = make_heterogeneous_domains(
        n_target=int(rng.integers(100, 250)),
        n_classes=int(rng.integers(3, 9)),
        n_target_features=int(rng.integers(10, 40)),
        class_sep=float(rng.uniform(0.8, 1.6)),
        noise=float(rng.uniform(0.05, 0.3)),
        random_state=seed,
    )
    tasks[f"made {seed}"] = made.X, made.y_true, made.source
digits = load_digits_domains()
tasks["digits"] = digits.X[:300], digits.y[:300], digits.source
cells, kind = load_breast_cancer(return_X_y=True)
tasks["cells"] = cells[::2, 20:], kind[::2], (cells[1::2, :10], kind[1::2])

# %%
# One call for each
# -----------------
#
# Three draws of three labels per class; a task counts by the mean.
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skda.baselines import TargetOnly
from skda.heterogeneous import CDSPP, GeoST


def control(classifier: object) -> TargetOnly:
    """Make a classifier of the standardized target."""
    return TargetOnly(make_pipeline(StandardScaler(), classifier))


methods = {
    "nearest neighbor": control(KNeighborsClassifier(1)),
    "linear SVM": control(SVC(kernel="linear")),
    "RBF SVM": control(SVC()),
    "logistic regression": control(LogisticRegression(max_iter=1000)),
    "CDSPP": CDSPP(),
    "GeoST": GeoST(),
}
scores = {}
for name, (X, y, source) in tasks.items():
    table = skda.compare(methods, X, y, source=source)
    table = table[table["source"] != "none"]
    scores[name] = table.set_index("method")["accuracy"]
scores = pd.DataFrame(scores).T
scores.round(2)

# %%
# The picture
# -----------
#
# The best rank is on the right. A bar joins methods that these tasks cannot tell apart.
from skda.inspection import CriticalDifferenceDisplay

display = CriticalDifferenceDisplay.from_scores(scores, task_name="12 tasks")
plt.show()

# %%
# What to read from it
# --------------------
#
# The Friedman test says whether there is any difference at all; only then look for who
# differs. A method may be first on most tasks and still share a bar with the second.
assert display.p_value_ < 0.05
print(f"p = {display.p_value_:.1e}, CD = {display.critical_difference_:.2f}")
for group in display.groups_:
    print("not told apart:", ", ".join(group))

# %%
# When not to
# -----------
#
# Ranks forget by how much: a method that is ahead by a hair on eleven tasks and fails
# on one looks excellent. Show the scores, too. And do not fill the list up with splits
# or versions of one data set: the test would take them for evidence.
