"""Tests of `skda.heterogeneous.SHFR`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import nnls
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from skda.base import Rows
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import SHFR
from skda.heterogeneous._shfr import draw_codes, explain
from skda.heterogeneous._squared_hinge import with_ones
from skda.utils.labels import check_labels
from skda.utils.warnings import NoSourceWarning

without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)


def fit_machines(clf, X, y):
    """Fit the machines of rows that are all labeled."""
    return clf._fit_machines(Rows(X, check_labels(y, X)))


PLAIN = {"power": 1.0, "normalize": False}


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.fixture
def weights():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 6)), rng.normal(size=(4, 6))


def test_each_lasso_is_a_quadratic_program(weights):
    W_s, W_t = weights  # fewer codes than features of the source
    penalty = 0.1 * (W_s @ W_t.T).max()
    G, _ = explain(W_s, W_t, 0.1, tol=1e-12, max_iter=10_000)
    # A lasso over what is not negative is least squares with one more equation each,
    # once its penalty is part of the product with the wanted weights.
    L = np.linalg.cholesky(W_s @ W_s.T + 1e-9 * np.eye(9))
    for g, w in zip(G.T, W_t, strict=True):
        expected, _ = nnls(L.T, np.linalg.solve(L, W_s @ w - penalty))
        assert_allclose(g, expected, atol=1e-4)


def test_the_map_meets_the_conditions_of_the_lasso(weights):
    W_s, W_t = weights
    G, n_iter = explain(W_s, W_t, 0.05, tol=1e-12, max_iter=10_000)
    slope = W_s @ (W_t.T - W_s.T @ G) - 0.05 * (W_s @ W_t.T).max()

    assert (G >= 0).all()
    assert 0 < np.mean(G > 0) < 1
    assert_allclose(slope[G > 0], 0, atol=1e-6)
    assert (slope <= 1e-6).all()
    assert n_iter > 1


def test_weights_that_nothing_explains(weights):
    W_s, _ = np.abs(weights[0]), weights[1]
    G, n_iter = explain(W_s, -W_s[:4], 0.05, tol=1e-6, max_iter=10)

    assert not G.any()
    assert n_iter == 1


def test_lassos_that_do_not_converge_say_so(weights):
    with pytest.warns(ConvergenceWarning, match=r"SHFR .* violated by .*e[-+]\d+"):
        explain(*weights, 0.001, tol=1e-12, max_iter=2)


@pytest.mark.parametrize(("n_classes", "n_codes"), [(2, 1), (3, 5), (10, 50)])
def test_codes_part_the_classes(n_classes, n_codes):
    codes = draw_codes(n_classes, n_codes, 0)

    assert codes.shape == (n_classes, n_codes)
    assert (np.abs(codes) == 1).all()
    assert (np.abs(codes.sum(axis=0)) < n_classes).all()
    assert len(np.unique(codes, axis=0)) == n_classes


def test_scores_are_those_of_mapped_rows_under_the_machines_of_the_source(data):
    clf = SHFR(random_state=0, **PLAIN).fit(data.X, data.y, source=data.source)
    mapped = with_ones(data.X) @ clf.map_.T
    X_s, y_s = data.source
    probabilities = softmax(mapped @ clf.source_coef_.T, axis=1)
    svm = LinearSVC(C=1.0, dual=False, tol=1e-8).fit(X_s, clf.codes_[y_s, 0])

    assert_allclose(clf.predict_proba(data.X), probabilities)
    expected = np.append(svm.coef_, svm.intercept_)
    assert_allclose(fit_machines(clf, X_s, y_s)[:, 0], expected, atol=0.03)


@without_source
def test_without_a_source_the_machines_of_the_target_decide(data):
    clf = SHFR(random_state=0, **PLAIN).fit(data.X, data.y)
    known = data.y >= 0
    W = fit_machines(clf, data.X[known], data.y[known])

    assert clf.map_ is None
    assert clf.source_coef_ is None
    assert_allclose(clf.coef_, clf.codes_ @ W.T / 50, atol=1e-8)


@without_source
def test_the_source_and_the_penalty_change_the_predictions(data):
    def predictions(source=data.source, **params):
        clf = SHFR(random_state=0, **params).fit(data.X, data.y, source=source)
        return clf.predict_proba(data.X)

    usual = predictions()

    assert abs(predictions(source=None) - usual).max() > 0.01
    assert abs(predictions(lambda_reg=0.3) - usual).max() > 0.01


def test_the_largest_penalty_leaves_nothing(data):
    clf = SHFR(lambda_reg=1.0, random_state=0).fit(data.X, data.y, source=data.source)

    assert_allclose(clf.map_, 0, atol=1e-8)


def test_learns_both_domains(data):
    clf = SHFR(random_state=0).fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8


def test_fewer_rows_than_features_and_equal_rows():
    rng = np.random.default_rng(0)
    X, X_s = rng.normal(size=(6, 60)), rng.normal(size=(9, 70))
    X[1] = X[0]
    clf = SHFR(random_state=0).fit(
        X, [0, 0, 1, 2, -1, -1], source=(X_s, np.arange(9) % 3)
    )

    assert clf.map_.shape == (71, 61)
    assert np.isfinite(clf.predict_proba(X)).all()


def test_published_settings_differ_in_the_rows_alone():
    clf = SHFR.published()

    assert (clf.power, clf.normalize) == (1.0, True)
    assert (clf.n_codes, clf.lambda_reg, clf.C) == (50, 0.03, 1.0)
