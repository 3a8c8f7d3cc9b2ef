"""Tests of `skda.unsupervised.CORAL`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import fractional_matrix_power
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from skda.unsupervised import CORAL
from skda.unsupervised._coral import power_of_covariance

RNG = np.random.default_rng(0)


def regularized(rows, ridge):
    C = np.cov(rows.T)
    return C + ridge * np.trace(C) / len(C) * np.eye(len(C))


@pytest.mark.parametrize("n_rows", [4, 20])  # fewer and more than features
@pytest.mark.parametrize("power", [0.5, -0.5])
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_a_power_is_that_of_the_whole_matrix(n_rows, power, ridge):
    rows, others = RNG.normal(size=(n_rows, 7)), RNG.normal(size=(5, 7))
    root = power_of_covariance(rows - rows.mean(axis=0), ridge, power)
    expected = fractional_matrix_power(regularized(rows, ridge), power)

    assert_allclose(root.apply(others), others @ expected, atol=1e-9)


@pytest.mark.parametrize(("n_rows", "width"), [(40, 6), (30, 50)])
def test_it_does_what_the_equation_says(n_rows, width):
    y = np.arange(n_rows) % 2
    X_source = 2 * RNG.normal(size=(2, width))[y] + RNG.normal(size=(n_rows, width))
    X = X_source * RNG.uniform(0.5, 2, size=width) + 1.0
    clf = CORAL(representation="unit", ridge=0.5).fit(X, source=(X_source, y))
    rows_s, rows_t = normalize(X_source), normalize(X)
    A = fractional_matrix_power(regularized(rows_s, 0.5), -0.5).real
    A = A @ fractional_matrix_power(regularized(rows_t, 0.5), 0.5).real
    Z_s, Z_t = (rows_s - rows_s.mean(axis=0)) @ A, rows_t - rows_t.mean(axis=0)
    svm = LinearSVC(random_state=0).fit(Z_s, y)

    assert_allclose(clf.transform(X_source, domain="source"), Z_s, atol=1e-5)
    assert_allclose(clf.transform(X), Z_t, atol=1e-6)
    assert (clf.predict(X) == svm.predict(Z_t)).mean() > 0.95


def test_the_source_has_the_covariance_of_the_target_without_a_ridge():
    rows_s = RNG.normal(size=(50, 4)) @ RNG.normal(size=(4, 4))
    rows_t = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))
    clf = CORAL(ridge=1e-9, representation="unit")
    clf.fit(rows_t, source=(rows_s, np.arange(50) % 2))
    moved, stays = clf.transform(rows_s, domain="source"), clf.transform(rows_t)

    assert_allclose(np.cov(moved.T), np.cov(stays.T), atol=1e-5)


def test_no_ridge_is_refused():
    X = RNG.normal(size=(10, 3))
    with pytest.raises(ValueError, match="'ridge' parameter of CORAL must be"):
        CORAL(ridge=0).fit(X, source=(X, np.arange(10) % 2))
