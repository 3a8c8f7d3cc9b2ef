"""Tests of `skda.base`: domains of the same features, and what they share."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skda.model_selection import HideLabels
from skda.preprocessing import DomainScaler
from skda.unsupervised import DANN, MCC, SourceOnly, SymNets


@pytest.fixture
def domains(toy):
    """Source and target rows of nine features each."""
    X_source = np.hstack([toy.source[0], toy.source[0][:, :3]])
    return toy._replace(source=(X_source, toy.source[1]))


@pytest.fixture
def make_clf():
    """Build a classifier that fits at once."""

    def make(**params):
        return MCC(**({"max_epochs": 3, "n_components": 8, "random_state": 0} | params))

    return make


SEEN = []


class Remembers(FunctionTransformer):
    """Pass rows on, and remember those of every fit."""

    def fit(self, X, y=None):
        SEEN.append(np.asarray(X))
        return super().fit(X, y)


def test_domains_of_different_width_belong_elsewhere(toy, make_clf):
    with pytest.raises(
        ValueError,
        match=r"got 6 source features and 9 target features.*of skda\.heterogeneous",
    ):
        make_clf().fit(toy.X, toy.y, source=toy.source)


def test_a_method_may_expect_a_subset_of_the_classes_of_the_source(domains, make_clf):
    class SubsetMCC(MCC):
        target_classes = "subset"

    X_source, y_source = domains.source
    source = X_source[y_source != 0], y_source[y_source != 0]
    params = make_clf().get_params()
    one_class = X_source[y_source == 0], y_source[y_source == 0]
    with pytest.warns(UserWarning, match="No source sample is labeled 0"):
        every_class = MCC(**params).fit(domains.X, domains.y, source=source).classes_

    assert 0 in every_class
    with pytest.raises(ValueError, match="SubsetMCC expects a target whose classes"):
        SubsetMCC(**params).fit(domains.X, domains.y, source=source)
    with pytest.raises(ValueError, match="SubsetMCC expects a source of two classes"):
        SubsetMCC(**params).fit(domains.X, source=one_class)


def test_a_transformer_may_make_them_equal(toy, make_clf):
    clf = make_clf(source_transformer=PCA(5), target_transformer=PCA(5))
    clf.fit(toy.X, source=toy.source)

    assert (clf.n_features_in_, clf.n_features_in_source_) == (9, 6)
    assert clf.predict(toy.source[0], domain="source").shape == (300,)


def test_the_shared_transformer_sees_both_domains(domains, make_clf):
    SEEN.clear()
    scaler, clf = StandardScaler(), make_clf(shared_transformer=Remembers())
    clf.fit(domains.X, source=domains.source)
    scaler.fit(np.vstack([domains.X, domains.source[0]]))
    scaled = make_clf(shared_transformer=StandardScaler())
    scaled.fit(domains.X, source=domains.source)
    by_hand = make_clf()
    by_hand.fit(
        scaler.transform(domains.X),
        source=(scaler.transform(domains.source[0]), domains.source[1]),
    )

    (seen,) = SEEN
    assert_allclose(
        np.sort(seen[:, 0]), np.sort(np.r_[domains.X, domains.source[0]][:, 0])
    )
    assert_allclose(scaled.shared_transformer_.mean_, scaler.mean_)
    assert_allclose(
        scaled.predict_proba(domains.X),
        by_hand.predict_proba(scaler.transform(domains.X)),
        rtol=1e-4,
        atol=1e-6,
    )
    assert_allclose(
        scaled.predict_proba(domains.source[0], domain="source"),
        by_hand.predict_proba(scaler.transform(domains.source[0])),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_shared_transformer_may_tell_the_domains_apart(domains, make_clf):
    X_source, y_source = domains.source
    y_source = np.where(np.arange(len(y_source)) % 5, y_source, -1)
    scaler = DomainScaler(class_prior="balanced", shared_transformer=StandardScaler())
    clf = make_clf(shared_transformer=scaler)
    with pytest.warns(UserWarning, match="leaves out"):
        clf.fit(domains.X, source=(X_source, y_source))
    by_hand = clone(scaler).fit(domains.X, source=(X_source, y_source))
    plain = make_clf()
    with pytest.warns(UserWarning, match="leaves out"):
        plain.fit(
            by_hand.transform(domains.X),
            source=(by_hand.transform(X_source, domain="source"), y_source),
        )

    assert_allclose(clf.shared_transformer_.mean_source_, by_hand.mean_source_)
    assert_allclose(
        clf.predict_proba(domains.X), plain.predict_proba(by_hand.transform(domains.X))
    )
    assert_allclose(
        clf.predict_proba(X_source, domain="source"),
        plain.predict_proba(by_hand.transform(X_source, domain="source")),
    )


def test_a_domains_own_transformer_comes_first(domains, make_clf):
    clf = make_clf(
        target_transformer=FunctionTransformer(lambda X: X + 100.0),
        shared_transformer=StandardScaler(),
    )
    clf.fit(domains.X, source=domains.source)

    assert_allclose(
        clf.shared_transformer_.mean_,
        (domains.X.mean(0) + 100 + domains.source[0].mean(0)) / 2,
        rtol=1e-5,
    )


def test_without_a_source_it_is_fitted_on_the_target(domains, make_clf):
    with pytest.warns(UserWarning, match="without a source"):
        clf = make_clf(shared_transformer=StandardScaler()).fit(domains.X, domains.y)

    assert_allclose(clf.shared_transformer_.mean_, domains.X.mean(0), atol=1e-6)


def test_it_sees_no_test_row_in_cross_validation(domains, make_clf):
    SEEN.clear()
    clf = HideLabels(make_clf(shared_transformer=Remembers()))
    cross_val_score(
        clf, domains.X, domains.y_true, cv=3, params={"source": domains.source}
    )

    assert [len(X) for X in SEEN] == [500, 500, 500]


def test_it_can_be_searched(domains, make_clf):
    grid = {"estimator__shared_transformer": [None, StandardScaler()]}
    search = GridSearchCV(HideLabels(make_clf()), grid, cv=2)
    search.fit(domains.X, domains.y_true, source=domains.source)

    assert len(search.cv_results_["params"]) == 2


@pytest.mark.parametrize(
    "form", [pd.DataFrame, pl.DataFrame, csr_array, np.ndarray.tolist]
)
def test_it_takes_rows_in_any_form(domains, make_clf, form):
    def made(X):
        if form in (pd.DataFrame, pl.DataFrame):
            return form({f"feature {i}": column for i, column in enumerate(X.T)})
        return form(X)

    scaler = StandardScaler(with_mean=False)
    clf, plain = (make_clf(shared_transformer=scaler) for _ in range(2))
    clf.fit(made(domains.X), source=(made(domains.source[0]), domains.source[1]))
    plain.fit(domains.X, source=domains.source)

    assert_allclose(
        clf.predict_proba(made(domains.X)),
        plain.predict_proba(domains.X),
        rtol=1e-4,
        atol=1e-6,
    )


def test_it_may_mend_what_would_be_refused(domains, make_clf):
    X, X_source = domains.X.copy(), domains.source[0].copy()
    X[::7, 2] = X_source[::5, 1] = np.nan
    clf = make_clf(shared_transformer=SimpleImputer())
    clf.fit(X, source=(X_source, domains.source[1]))

    assert np.isfinite(clf.predict_proba(X)).all()


def test_what_it_makes_is_checked(domains, make_clf):
    clf = make_clf(shared_transformer=FunctionTransformer(np.log))
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match="X_target contains NaN"),
    ):
        clf.fit(domains.X, source=domains.source)


def test_what_it_makes_may_be_too_large(domains, make_clf):
    X = domains.X.copy()
    X[3, 1] = 1e300
    as_it_is = FunctionTransformer()

    with pytest.raises(ValueError, match=r"Input X_target .* too large for .*float32"):
        make_clf(shared_transformer=as_it_is).fit(X, source=domains.source)
    with pytest.raises(ValueError, match=r"the target samples, .* square overflows"):
        SourceOnly(LogisticRegression(), shared_transformer=as_it_is).fit(
            X, source=domains.source
        )


def test_a_source_without_labels_is_no_source(domains, make_clf):
    nothing = np.full(300, -1)
    with pytest.raises(ValueError, match="expects labeled source samples, got 300 unl"):
        make_clf().fit(domains.X, domains.y, source=(domains.source[0], nothing))


@pytest.mark.parametrize("cls", [SourceOnly, DANN, SymNets])
def test_no_label_anywhere(domains, cls):
    nothing = np.full(300, -1)
    with pytest.raises(ValueError, match="Every label is missing"):
        cls().fit(domains.X, nothing, source=(domains.source[0], nothing))
    with pytest.raises(ValueError, match="label some target samples, or pass source="):
        cls().fit(domains.X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shared_transformer", "scale"),
        ("module", "resnet"),
        ("extractor_lr", -1.0),
        ("lambda0", -1.0),
        ("n_components", 0),
        ("num_workers", -1),
        ("train_transform", "flip"),
        ("temperature", 0.0),
    ],
)
def test_parameters_out_of_range_are_named(domains, make_clf, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MCC must be"):
        make_clf(**{name: value}).fit(domains.X, source=domains.source)


def test_target_rows_of_another_width_in_prediction(domains, make_clf):
    clf = make_clf().fit(domains.X, source=domains.source)
    with pytest.raises(ValueError, match="X has 5 features, but MCC is expecting 9"):
        clf.predict(domains.X[:, :5])


def test_some_labels_of_the_target_are_used_and_kept(domains, make_clf):
    clf = make_clf(max_epochs=20).fit(domains.X, domains.y, source=domains.source)
    known = domains.y >= 0

    assert_array_equal(clf.transduction_[known], domains.y[known])
    assert "target_risk" in clf.history_
