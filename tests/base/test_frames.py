"""Frames, transformers that select their columns by name, and raw samples."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skda import source_gain
from skda.heterogeneous import GeoST
from skda.unsupervised import SPL

NUMBERS, Y = make_blobs(60, n_features=3, random_state=0)
LABELS = np.where(np.arange(60) < 30, Y, -1)
COLORS = np.array(["red", "green", "blue"])
SOURCE = NUMBERS[::-1] @ np.ones((3, 4)) + np.arange(60)[:, None] % 7, Y[::-1]
BY_NAME = ColumnTransformer(
    [
        ("number", StandardScaler(), ["a", "b", "c"]),
        ("name", OneHotEncoder(), ["color"]),
    ]
)
NAMES = pytest.mark.filterwarnings("ignore:.*is fitted without a source")


def table(frame=pd.DataFrame):
    """Make a frame of numbers and a color, which says something of the class."""
    columns = dict(zip("abc", NUMBERS.T, strict=True))
    return frame(columns | {"color": COLORS[Y]})


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_transformer_finds_its_columns_in_any_order(frame):
    X = table(frame)
    clf = GeoST(target_transformer=BY_NAME).fit(X, LABELS, source=SOURCE)
    expected = clf.predict_proba(X)
    more = {name: X[name].to_numpy() for name in ("color", "c", "a", "b")}
    shuffled = frame(more | {"further": np.zeros(60)})

    np.testing.assert_array_equal(clf.predict_proba(shuffled), expected)
    with pytest.raises(ValueError, match=r"columns are missing|not in"):
        clf.predict(frame({"a": X["a"].to_numpy(), "b": X["b"].to_numpy()}))


def test_both_domains_are_found_by_name_behind_a_shared_transformer():
    X, source = table(), table()[["color", "c", "b", "a"]]
    clf = SPL(shared_transformer=BY_NAME)
    expected = clf.fit(X, source=(table(), Y)).predict_proba(X)

    clf.fit(X, source=(source, Y))
    np.testing.assert_array_equal(clf.predict_proba(X), expected)


@NAMES
def test_columns_in_another_order_are_refused_where_none_is_selected():
    X = table()[["a", "b", "c"]]
    turned = X[["c", "b", "a"]]
    for transformer in (None, StandardScaler(), FunctionTransformer()):
        clf = GeoST(target_transformer=transformer).fit(X, LABELS)
        with pytest.raises(ValueError, match="feature names should match"):
            clf.predict(turned)


def test_a_raw_source_is_told_what_mends_it():
    raw = table(), Y
    pipe = Pipeline([("prepare", BY_NAME), ("clf", GeoST())])
    with pytest.raises(ValueError, match=r"Pass source_transformer.*a pipeline before"):
        pipe.fit(table(), LABELS, clf__source=raw)


@NAMES
def test_missing_values_are_told_what_mends_them():
    X = NUMBERS.copy()
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Pass target_transformer, a transformer that"):
        GeoST().fit(X, LABELS)
    clf = GeoST(target_transformer=SimpleImputer()).fit(X, LABELS)

    assert np.isfinite(clf.predict_proba(X)).all()


@NAMES
def test_one_row_as_a_series_is_refused():
    X = table()[["a", "b", "c"]]
    for transformer in (None, StandardScaler()):
        clf = GeoST(target_transformer=transformer).fit(X, LABELS)
        with pytest.raises(ValueError, match="a table of samples, got one Series"):
            clf.predict(X.iloc[0])


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_domain_of_zeros_is_refused(side, container):
    domains = {"source": SOURCE[0], "target": NUMBERS}
    domains[side] = container(np.zeros_like(domains[side]))
    with pytest.raises(ValueError, match=f"of all 60 {side} samples is zero"):
        GeoST().fit(domains["target"], LABELS, source=(domains["source"], SOURCE[1]))


def test_the_worth_of_a_source_in_frames_is_measured():
    clf = GeoST(source_transformer=BY_NAME, target_transformer=BY_NAME)
    gains = source_gain(clf, table(), Y, source=(table(), Y), n_splits=2)

    assert len(gains) == 5
