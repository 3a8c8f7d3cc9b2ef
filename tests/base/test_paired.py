"""Tests of `skda.base.BasePairedClassifier`: what passes for pairs, and how far."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_matrix, csr_array
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skda.base import BasePairedClassifier
from skda.model_selection import HideLabels, LabeledFold
from skda.utils.warnings import NoSourceWarning


class Relay(BasePairedClassifier):
    """Map the target to the source's features by ridge, and remember the pairs."""

    scaling = None

    def __init__(
        self,
        *,
        alpha=1.0,
        pairless=False,
        source_transformer=None,
        target_transformer=None,
    ):
        self.alpha = alpha
        self.pairless = pairless
        self.source_transformer = source_transformer
        self.target_transformer = target_transformer

    def _needs_pairs(self):
        return not self.pairless

    def fit_rows(self, source, target, pairs=None):
        self.pairs_, self.domains_, self.map_ = pairs, (source, target), None
        rows = target.labeled()
        if pairs is not None:
            self.map_ = Ridge(alpha=self.alpha).fit(pairs.target, pairs.source)
            rows = source.labeled()
        self.classifier_ = LogisticRegression().fit(rows.X, rows.labels.values)

    def predict_proba_rows(self, X, domain):
        mapped = domain == "target" and self.map_ is not None
        return self.classifier_.predict_proba(self.map_.predict(X) if mapped else X)


@pytest.fixture(scope="module")
def data():
    """Twelve target rows of three features; six of them have a source side."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3))
    y = np.arange(12) % 2
    X[:, 0] += 4 * y
    views = X @ rng.normal(size=(3, 5))
    pairs = np.where(np.arange(12)[:, None] % 2 == np.arange(12)[:, None] // 6 % 2,
                     views, np.nan)  # fmt: skip
    return X, y, (views[::-1], y[::-1]), pairs


@pytest.fixture
def there(data):
    return ~np.isnan(data[3]).all(axis=1)


# Forms


def test_a_method_standardizes_the_features_of_either_domain_unless_told_otherwise(
    data,
):
    X, y, source, _ = data

    class Scaled(Relay):
        scaling = "feature"

    clf = Scaled().fit(100 * X, y, source=source, pairs=(source[0][:4], 100 * X[:4]))

    for rows in clf.domains_:
        assert_allclose(rows.X.std(axis=0), 1)
    assert_allclose(clf.pairs_.target, clf.domains_[1].X[:4])


def test_a_tuple_of_both_sides(data):
    X, y, source, _ = data
    clf = Relay().fit(X, y, source=source, pairs=(source[0][:4], X[:4] + 1))

    assert_array_equal(clf.pairs_.source, source[0][:4])
    assert_array_equal(clf.pairs_.target, X[:4] + 1)
    assert not clf.pairs_.aligned


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        np.float32,
        lambda pairs: pairs.astype(object),
        np.ndarray.tolist,
        csr_array,
        coo_matrix,
        pd.DataFrame,
        lambda pairs: pd.DataFrame(pairs).convert_dtypes(),
        pl.DataFrame,
        lambda pairs: pl.DataFrame(pairs, nan_to_null=True),
    ],
    ids=[
        "array", "float32", "objects", "list", "csr", "triplets", "pandas", "nullable",
        "polars", "nulls",
    ],
)  # fmt: skip
def test_one_array_with_gaps(data, there, form):
    X, y, source, pairs = data
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has feature names", UserWarning)
        clf = Relay().fit(X, y, source=source, pairs=form(pairs))

    assert clf.pairs_.aligned
    assert_allclose(clf.pairs_.source, pairs[there], rtol=1e-6)
    assert_array_equal(clf.pairs_.target, X[there])


def test_either_form_fits_the_same(data, there):
    X, y, source, pairs = data
    one = Relay().fit(X, y, source=source, pairs=pairs)
    two = Relay().fit(X, y, source=source, pairs=(pairs[there], X[there]))

    assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_no_pair_of_a_method_that_needs_none(data):
    X, y, source, _ = data

    assert Relay(pairless=True).fit(X, y, source=source).pairs_ is None


def test_pairs_go_through_the_transformers_of_their_domains(data, there):
    X, y, source, pairs = data
    scalers = {f"{name}_transformer": StandardScaler() for name in ("source", "target")}
    scaled = StandardScaler().fit(source[0]).transform(pairs[there])
    for given in (pairs, (pairs[there], X[there])):
        clf = Relay(**scalers).fit(X, y, source=source, pairs=given)

        assert_allclose(clf.pairs_.source, scaled)
        assert_allclose(clf.pairs_.target, StandardScaler().fit(X).transform(X)[there])


def test_a_transformer_may_mend_a_source_side(data, there):
    X, y, source, pairs = data
    gappy = pairs.copy()
    gappy[np.flatnonzero(there)[0], 0] = np.nan
    clf = Relay(source_transformer=SimpleImputer())
    clf.fit(X, y, source=source, pairs=gappy)

    assert clf.pairs_.source.shape == (there.sum(), 5)
    assert clf.pairs_.source[0, 0] == pytest.approx(source[0][:, 0].mean())


def test_a_transformer_may_make_numbers_of_a_source_side(data):
    X, y, _, _ = data
    words = pd.DataFrame({"word": np.where(y, "yes", "no"), "count": 1.0 * y})
    encoder = make_column_transformer((OneHotEncoder(), ["word"]), ("drop", ["count"]))
    pairs = words.astype(object)
    pairs.iloc[7:] = None
    clf = Relay(source_transformer=encoder).fit(X, y, source=(words, y), pairs=pairs)

    assert_array_equal(clf.pairs_.source, np.eye(2)[y[:7]])


def test_pairs_may_join_their_domains_unlabeled(data, there):
    X, y, source, pairs = data
    for given, n_more in ((pairs, 0), ((pairs[there], X[there]), 6)):
        clf = Relay().fit(X, y, source=source, pairs=given)
        joined_s, joined_t = clf.pairs_.join(*clf.domains_)

        assert_array_equal(joined_s.X, np.concatenate([source[0], pairs[there]]))
        assert_array_equal(joined_s.labels.known, [True] * 12 + [False] * 6)
        assert_array_equal(joined_s.labels.values, source[1])
        assert len(joined_t.X) == len(joined_t.labels.known) == 12 + n_more


# Errors


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        (None, r"got a source without any: pass pairs=\(X_source_pairs, X_target_pa"),
        (lambda s, t: (s[:4], t[:3]), "got 4 source rows and 3 target rows"),
        (lambda s, t: (s[:0], t[:0]), "expects at least one pair, got none"),
        (lambda s, t: s + np.nan, "expects at least one pair, got none"),
        (lambda s, t: (t, s), "the source side of pairs to have the 5 features.*got 3"),
        (lambda s, t: (s, s), "the target side of pairs to have the 3 features.*got 5"),
        (lambda s, t: t, "the source side of pairs to have the 5 features.*got 3"),
        (lambda s, t: s[:5], "as many rows in pairs as in X, got 5 and 12"),
        (lambda s, t: [s, t], r"2D array as pairs, got a list of shape \(\)"),
        (lambda s, t: 7, r"2D array as pairs, got a int of shape \(\)"),
        (lambda s, t: (s[:, 0], t), r"2D array as pairs, got a ndarray of shape \(12,"),
        (
            lambda s, t: np.where(s > s.max() - 1e-9, np.nan, s),
            "Some source rows of pa",
        ),
        (lambda s, t: np.where(s > s.max() - 1e-9, np.inf, s), "contains infinity"),
        (lambda s, t: (s, t + np.nan), "Some target rows of pairs lack"),
    ],
)
def test_pairs_that_will_not_do(data, flaw, message):
    X, y, source, _ = data
    pairs = None if flaw is None else flaw(source[0], X)
    with pytest.raises(ValueError, match=message):
        Relay().fit(X, y, source=source, pairs=pairs)


def test_a_tuple_must_have_two_sides(data):
    X, y, source, _ = data
    with pytest.raises(TypeError, match=r"Expected pairs=\(X_source_pairs, X_targ"):
        Relay().fit(X, y, source=source, pairs=(source[0], X, y))


@pytest.mark.parametrize("pairless", [False, True])
def test_pairs_without_a_source(data, pairless):
    X, y, _, pairs = data
    with pytest.raises(ValueError, match="got pairs without a source: pass source="):
        Relay(pairless=pairless).fit(X, y, pairs=pairs)


def test_without_source_and_pairs_the_target_is_alone(data):
    X, y, _, _ = data
    with pytest.warns(NoSourceWarning):
        clf = Relay().fit(X, y)

    assert clf.pairs_ is None
    assert clf.score(X, y) == 1.0


# How far pairs get


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def _expected(data, there, train):
    return data[3][train][there[train]], data[0][train][there[train]]


@pytest.mark.parametrize("n_rows", [12, 9])
def test_cross_validation_cuts_the_array_and_leaves_the_tuple(
    data, there, routing, n_rows
):
    X, y, source, pairs = data
    whole = source[0][:n_rows], X[:n_rows]  # as many rows as X, or fewer
    cv = KFold(3)
    for given in (pairs, whole):
        folds = cross_validate(
            Relay(), X, y, cv=cv, params={"source": source, "pairs": given},
            return_estimator=True, error_score="raise",
        )  # fmt: skip
        for clf, (train, _) in zip(folds["estimator"], cv.split(X), strict=True):
            expected = whole if given is whole else _expected(data, there, train)

            assert_array_equal(clf.pairs_.source, expected[0])
            assert_array_equal(clf.pairs_.target, expected[1])


def test_a_search_over_a_pipeline_cuts_the_array(data, there, routing):
    X, y, source, pairs = data
    names = ("source", "pairs") if routing else ("relay__source", "relay__pairs")
    pipeline = Pipeline([("scale", StandardScaler()), ("relay", Relay())])
    search = GridSearchCV(
        pipeline, {"relay__alpha": [0.1, 1.0]}, cv=KFold(3), error_score="raise"
    )
    search.fit(X, y, **dict(zip(names, (source, pairs), strict=True)))
    seen = search.best_estimator_["relay"].pairs_

    assert_array_equal(seen.source, pairs[there])
    assert_allclose(seen.target, StandardScaler().fit_transform(X)[there])


def test_a_pipeline_hands_pairs_on(data, there):
    X, y, source, pairs = data
    pipeline = make_pipeline(StandardScaler(), Relay())
    pipeline.fit(X, y, relay__source=source, relay__pairs=pairs)

    assert len(pipeline[-1].pairs_.source) == there.sum()


def test_hidden_labels_and_labeled_folds_hand_pairs_on(data, routing):
    X, y, source, pairs = data
    metadata = {"source": source, "pairs": pairs}
    hidden = HideLabels(Relay()).fit(X, y, **metadata)
    few = np.where(np.arange(12) < 8, y, -1)
    folds = cross_validate(
        Relay(), X, few, cv=LabeledFold(2), params=metadata, error_score="raise",
        return_estimator=True,
    )  # fmt: skip

    assert hidden.score(X, y) > 0.5
    assert all(len(clf.domains_[1].X) == 8 for clf in folds["estimator"])
