"""Tests of `skda.heterogeneous.SGWStyle`."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import SGWStyle
from skda.utils.warnings import NoSourceWarning

pytest.importorskip("ot")


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(40, 50, n_classes=3, random_state=0)


def _gradient(data, plan, alpha):
    """Differentiate Equation 1, but for the entropy, by sums over all four rows."""
    C_s, C_t = (
        cdist(X, X, "sqeuclidean") for X in map(normalize, (data.source[0], data.X))
    )
    C_s, C_t = C_s / C_s.max(), C_t / C_t.max()
    X_t, y_s = normalize(data.X), data.source[1]
    means = np.array([X_t[data.y == k].mean(axis=0) for k in range(3)])
    M = cdist(means, X_t, "sqeuclidean")
    M = M[y_s] / M.max()
    gaps = (C_s[:, None, :, None] - C_t[None, :, None, :]) ** 2  # i, j, k, l
    return (1 - alpha) * M + 2 * alpha * np.einsum("ijkl,kl->ij", gaps, plan)


def test_every_row_has_the_same_mass(data):
    plan = SGWStyle().fit(data.X, data.y, source=data.source).plan_

    assert plan.min() >= 0
    assert_allclose(plan.sum(axis=0), 1 / 50, rtol=1e-3)
    assert_allclose(plan.sum(axis=1), 1 / 40, rtol=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_plan_is_stationary(data, alpha):
    """There, log T + gradient / epsilon is a sum of a term per row and per column."""
    clf = SGWStyle(alpha=alpha, epsilon=0.1, normalize=True, tol=1e-8, max_steps=500)
    plan = clf.fit(data.X, data.y, source=data.source).plan_
    potentials = np.log(plan) + _gradient(data, plan, alpha) / 0.1
    centered = potentials - potentials.mean(axis=0)
    centered -= centered.mean(axis=1, keepdims=True)

    assert_allclose(centered, 0, atol=1e-3)


def test_source_rows_move_to_the_mean_of_where_their_mass_goes(data):
    clf = SGWStyle(normalize=True).fit(data.X, data.y, source=data.source)
    moved = clf.transform(data.source[0], domain="source")

    assert_allclose(moved, 40 * clf.plan_ @ normalize(data.X), atol=1e-4)
    assert_allclose(clf.transform(data.X), normalize(data.X))
    near = data.source[0] * 1.001
    assert_array_equal(clf.transform(near, domain="source"), moved)


def test_rows_move_to_the_labeled_rows_of_their_class(data):
    clf = SGWStyle(alpha=0.1).fit(data.X, data.y, source=data.source)
    moved = clf.transform(data.source[0], domain="source")
    X = clf.transform(data.X)
    means = np.array([X[data.y == k].mean(axis=0) for k in range(3)])
    nearest = cdist(moved, means).argmin(axis=1)

    assert np.mean(nearest == data.source[1]) > 0.9


def test_learns_the_target(data):
    clf = SGWStyle().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.6  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.5


def test_the_source_changes_the_predictions(data):
    with_it = SGWStyle().fit(data.X, data.y, source=data.source)
    with pytest.warns(NoSourceWarning):
        alone = SGWStyle().fit(data.X, data.y)

    assert not hasattr(alone, "plan_")
    p, q = (clf.predict_proba(data.X) for clf in (with_it, alone))
    assert abs(p - q).max() > 1e-3


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 0.05},
        {"epsilon": 0.5},
        {"power": 0.5},
        {"normalize": False},
        {"estimator": LogisticRegression()},
    ],
)
def test_every_switch_changes_the_predictions(data, params):
    usual, other = (
        SGWStyle(**given).fit(data.X, data.y, source=data.source).predict_proba(data.X)
        for given in ({}, params)
    )

    assert abs(usual - other).max() > 1e-3


def test_a_plan_that_has_not_converged_is_warned_of(data):
    with pytest.warns(ConvergenceWarning, match="its last change is .* of it"):
        SGWStyle(max_steps=1).fit(data.X, data.y, source=data.source)


def test_an_epsilon_that_is_too_small_is_refused(data):
    with pytest.raises(ValueError, match="some rows lose their mass: raise it"):
        SGWStyle(epsilon=1e-5).fit(data.X, data.y, source=data.source)


def test_the_package_that_solves_is_named_if_it_is_not_there(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    monkeypatch.setitem(sys.modules, "ot.gromov", None)

    with pytest.raises(ModuleNotFoundError, match="SGWStyle solves for its plan with"):
        SGWStyle().fit(data.X, data.y, source=data.source)
