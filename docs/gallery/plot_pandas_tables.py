"""
Two tables with categories and gaps
===================================

Your customers are in two tables that have no column in common: one of the branches, one
of the app. Both have words among the numbers, and gaps. How do they get into a fit?
"""

# %%
# The tables
# ----------
#
# The branches know the segment of every customer. The app knows other customers, by
# other columns, and the segment of four of each. Customers are drawn at random here:
# read your own with :func:`pandas.read_csv`.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
SEGMENTS = np.array(["family", "retired", "student", "urban"])


def pick(rows: np.ndarray, options: list[str], chances: list[list[float]]) -> list[str]:
    """Draw a word for each customer; segments have different chances."""
    return [rng.choice(options, p=chances[k]) for k in rows]


k = rng.integers(4, size=400)
branch = pd.DataFrame(
    {
        "age": rng.normal(np.array([42, 70, 23, 33])[k], 6).round(),
        "income": rng.lognormal(np.array([8.4, 7.8, 7.0, 8.5])[k], 0.3).round(),
        "housing": pick(
            k,
            ["owner", "tenant", "shared"],
            [[0.7, 0.3, 0.0], [0.8, 0.2, 0.0], [0.0, 0.2, 0.8], [0.1, 0.7, 0.2]],
        ),
        "segment": SEGMENTS[k],
    }
)
k = rng.integers(4, size=300)
app = pd.DataFrame(
    {
        "logins": rng.poisson(np.array([9, 3, 25, 18])[k]),
        "night_share": rng.beta(np.array([2, 1, 6, 4])[k], 8).round(2),
        "spending": rng.lognormal(np.array([6.8, 6.0, 5.2, 6.5])[k], 0.4).round(),
        "device": pick(
            k,
            ["phone", "tablet", "desktop"],
            [[0.5, 0.3, 0.2], [0.1, 0.5, 0.4], [0.9, 0.0, 0.1], [0.8, 0.1, 0.1]],
        ),
        "plan": pick(
            k,
            ["basic", "plus", "joint"],
            [[0.1, 0.2, 0.7], [0.6, 0.2, 0.2], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1]],
        ),
    }
)
truth = SEGMENTS[k]
for table, columns in ((branch, ["income", "housing"]), (app, ["spending", "device"])):
    for column in columns:
        table[column] = table[column].mask(rng.random(len(table)) < 0.1)
app.head()

# %%
# One transformer for each table
# ------------------------------
#
# Earlier steps of a pipeline would see the app alone. So every estimator has a
# ``source_transformer`` and a ``target_transformer``: here the same recipe, fitted to
# either table by itself. The labels are words, and ``None`` where unknown.
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skda import AutoAdapter
from skda.datasets import label_few

recipe = make_column_transformer(
    (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        make_column_selector(dtype_include="number"),
    ),
    (
        make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
        ),
        make_column_selector(dtype_exclude="number"),
    ),
)
source = branch.drop(columns="segment"), branch["segment"]
y = label_few(truth, n_per_class=2, random_state=0)
clf = AutoAdapter(source_transformer=recipe, target_transformer=recipe)
clf.fit(app, y, source=source)
print(clf.report_)

# %%
# Predictions are words, too, also for a customer of tomorrow who lacks a value.
tomorrow = pd.DataFrame([[30, 0.6, np.nan, "phone", "basic"]], columns=app.columns)
clf.predict(tomorrow)

# %%
# What the branches add
# ---------------------
#
# The same estimator without the branches, and classifiers of the app alone, on the same
# draws of two labels per segment:
import warnings

import skda
from skda.baselines import TargetOnly, TunedClassifier
from skda.heterogeneous import GeoST
from skda.inspection import ComparisonDisplay

domains = {"source_transformer": recipe, "target_transformer": recipe}
methods = {
    "Tuned classifier": TargetOnly(make_pipeline(recipe, TunedClassifier())),
    "GeoST": GeoST(**domains),
    "AutoAdapter": AutoAdapter(**domains),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    table = skda.compare(methods, app, truth, source=source, n_per_class=2, n_splits=5)
ComparisonDisplay.from_frame(table, name="Segments of the customers of the app")
plt.show()

# %%
# What to read from it
# --------------------
#
# Few labels decide much: the splits of one method, hollow, differ by more than the
# methods. The branches have no column of the app, and say no more than which of four
# segments are alike, so that a fit with them is hardly better than one without. More
# classes, pairs (:ref:`sphx_glr_auto_gallery_plot_pairs.py`) or columns in common would
# tell more.
accuracy = table.set_index(["method", "source"])["accuracy"].unstack()
gain = (accuracy["real"] - accuracy["none"]).dropna()
assert gain.abs().max() < 0.05
gain.round(3)

# %%
# When not to
# -----------
#
# Columns that both tables have, under one name and in one unit, are best given in the
# same order and with ``same_features=True``. From a shell, ``skda compare --source
# branch.csv --target app.csv --label segment --impute`` does all of this to two files.
