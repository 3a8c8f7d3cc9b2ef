"""Tests of `skda.heterogeneous.MMDT`, and of the solver that it shares."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import nnls
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import MMDT
from skda.heterogeneous._squared_hinge import (
    fit_bilinear,
    row_space,
    signs_of,
    with_ones,
)
from skda.utils.warnings import NoSourceWarning

without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)
PLAIN = {"power": 1.0, "normalize": False}


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


def solve_dual(K, signs, cost, offset=0.0):
    """Solve the dual quadratic program of a squared hinge, whose scores are K c + o."""
    Q = K * np.outer(signs, signs) + np.eye(len(K)) / (2 * cost)
    L = np.linalg.cholesky(Q)
    a, _ = nnls(L.T, np.linalg.solve(L, 1 - signs * offset))
    return a * signs


def test_each_column_is_a_linear_svm():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 5)), np.arange(40) % 3
    B, _ = fit_bilinear(
        with_ones(X), None, signs_of(codes, 3), 0.7, tol=1e-8, max_iter=1000, name=""
    )
    svm = LinearSVC(C=0.7, dual=False, tol=1e-10).fit(X, codes)

    assert_allclose(B[:-1].T, svm.coef_, atol=1e-5)
    assert_allclose(B[-1], svm.intercept_, atol=1e-5)


@pytest.mark.parametrize("center", ["zero", "identity"])
def test_the_map_solves_its_quadratic_program(data, center):
    rng = np.random.default_rng(0)
    clf = MMDT(C_t=2.0, center=center, tol=1e-8)
    clf.n_iter_ = 0
    theta, X = rng.normal(size=(3, 6)), rng.normal(size=(7, 4))
    signs = signs_of(np.arange(7) % 3, 3)
    W_0 = np.eye(6, 4) * (center == "identity")
    samples = np.einsum("kp,jq->jkpq", theta, X).reshape(21, -1)  # of theta_k, x_j
    offset = samples @ W_0.ravel()
    a = solve_dual(samples @ samples.T, signs.ravel(), 2.0, offset)
    expected = W_0 + (a @ samples).reshape(6, 4)

    assert_allclose(clf._learn_map(theta, X, signs), expected, atol=1e-5)


def objective(clf, source, target):
    """Evaluate Equation 1 at what a fit has found."""
    theta = np.column_stack([clf.source_coef_, clf.source_intercept_])
    total = (np.sum(theta**2) + np.sum(clf.map_**2)) / 2
    for C, (X, y), V in [
        (clf.C_s, source, theta),
        (clf.C_t, target, theta @ clf.map_),
    ]:
        slack = np.maximum(0, 1 - signs_of(y, 3) * (with_ones(X) @ V.T))
        total += C * np.sum(slack**2)
    return total


def test_every_round_lowers_the_objective(data):
    known = data.y >= 0
    target = data.X[known], data.y[known]
    values = [
        objective(
            MMDT(n_rounds=n, **PLAIN).fit(*target, source=data.source),
            data.source,
            target,
        )
        for n in (1, 2, 4, 8)
    ]

    assert (np.diff(values) < 0).all()


def test_scores_are_those_of_the_mapped_rows(data):
    clf = MMDT(**PLAIN).fit(data.X, data.y, source=data.source)
    mapped = with_ones(data.X) @ clf.map_.T
    theta = np.column_stack([clf.source_coef_, clf.source_intercept_])

    assert_allclose(clf.predict_proba(data.X), softmax(mapped @ theta.T, axis=1))
    assert clf.score(*data.source, domain="source") > 0.8


@without_source
def test_without_a_source_it_is_the_svm_of_the_labeled_rows(data):
    known = data.y >= 0
    clf = MMDT(C_t=0.3, tol=1e-8, **PLAIN).fit(data.X, data.y)
    svm = LinearSVC(C=0.3, dual=False, tol=1e-10).fit(data.X[known], data.y[known])

    assert_allclose(clf.coef_, svm.coef_, atol=1e-5)
    assert clf.map_ is None
    assert clf.source_coef_ is None


@without_source
def test_the_source_changes_the_predictions(data):
    probabilities = MMDT().fit(data.X, data.y, source=data.source).predict_proba(data.X)
    alone = MMDT().fit(data.X, data.y).predict_proba(data.X)

    assert abs(probabilities - alone).max() > 0.01


def test_learns_the_target(data):
    clf = MMDT().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3


@pytest.mark.parametrize("center", ["zero", "identity"])
def test_fewer_rows_than_features_and_equal_rows(center):
    rng = np.random.default_rng(0)
    X, X_s = rng.normal(size=(6, 200)), rng.normal(size=(9, 300))
    X[1] = X[0]  # the rows span less than they might
    clf = MMDT(center=center).fit(
        X, [0, 0, 1, 2, -1, -1], source=(X_s, np.arange(9) % 3)
    )

    assert clf.transduction_[:4].tolist() == [0, 0, 1, 2]
    assert np.isfinite(clf.predict_proba(X)).all()


def test_a_class_that_only_the_source_has_is_scored(data):
    y = np.where(data.y == 2, -1, data.y)
    with pytest.warns(UserWarning, match="No target sample is labeled 2"):
        clf = MMDT().fit(data.X, y, source=data.source)

    assert clf.predict_proba(data.X).shape == (100, 3)


def test_a_step_that_does_not_converge_says_so(data):
    with pytest.warns(ConvergenceWarning, match=r"MMDT .* gradient is .*e[-+]\d+ of"):
        MMDT(max_iter=2).fit(data.X, data.y, source=data.source)


def test_a_target_without_labels_is_refused(data):
    with pytest.raises(ValueError, match="MMDT expects labeled target samples"):
        MMDT().fit(data.X, source=data.source)


def test_a_source_without_labels_is_refused(data):
    X_source = data.source[0]
    with pytest.raises(ValueError, match="MMDT expects labeled source samples"):
        MMDT().fit(data.X, data.y, source=(X_source, np.full(len(X_source), -1)))


def test_rows_are_written_in_a_basis_of_their_space():
    X = np.random.default_rng(0).normal(size=(5, 20))
    X[3] = X[1] + X[2]
    rows, basis = row_space(X)

    assert rows.shape == (5, 4)
    assert_allclose(rows @ basis, X, atol=1e-12)
    assert_allclose(basis @ basis.T, np.eye(4), atol=1e-12)


def test_published_settings_are_those_of_the_public_code():
    clf = MMDT.published()

    assert (clf.C_s, clf.C_t, clf.C_map, clf.n_rounds) == (0.05, 1.0, 5e-5, 2)
    assert (clf.center, clf.power, clf.normalize) == ("identity", 1.0, True)
