"""skrub makes numbers of tables on their way into an estimator."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skrub import TableVectorizer

from skda.heterogeneous import SSAN, GeoST


def _table(toy, package, *, rows):
    """Make a messy table of some toy rows: names, dates and missing numbers."""
    X = toy.X[rows]
    day = np.datetime64("2024-01-01") + np.arange(len(X)) % 7
    columns = {f"x{j}": X[:, j] for j in range(X.shape[1])}
    columns["x0"] = np.where(np.arange(len(X)) % 9 == 0, np.nan, X[:, 0])
    columns["color"] = np.array(["red", "blue"])[(X[:, 1] > 0).astype(int)]
    columns["day"] = day.astype("datetime64[ms]")
    return package.DataFrame(columns)


def _vectorizer():
    """Make columns of the table, fill in what is missing, and scale them."""
    return make_pipeline(TableVectorizer(), SimpleImputer(), StandardScaler())


@pytest.mark.parametrize("package", [pd, pl], ids=["pandas", "polars"])
@pytest.mark.parametrize(
    "estimator", [GeoST(), SSAN(random_state=0)], ids=["GeoST", "SSAN"]
)
def test_a_table_is_vectorized_on_its_way_in(toy, estimator, package):
    table = _table(toy, package, rows=slice(None))
    estimator.set_params(target_transformer=_vectorizer())
    estimator.fit(table, toy.y, source=toy.source)

    assert estimator.score(table, toy.y_true) > 0.6
    assert estimator.n_features_in_ == table.shape[1]


def test_tables_of_both_domains_are_vectorized(toy):
    X = _table(toy, pd, rows=slice(0, 200))
    X_source = _table(toy, pd, rows=slice(200, 300)).drop(columns="x1")
    clf = GeoST(source_transformer=_vectorizer(), target_transformer=_vectorizer())
    clf.fit(X, toy.y[:200], source=(X_source, toy.y_true[200:]))

    assert clf.predict(X_source, domain="source").shape == (100,)
    assert clf.score(X, toy.y_true[:200]) > 0.6
