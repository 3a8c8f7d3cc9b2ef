"""Tests of `skda.heterogeneous.CDLS`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad, minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, NuSVC

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import CDLS
from skda.heterogeneous._common_space import Coded
from skda.heterogeneous._landmarks import (
    LandmarkProblem,
    Landmarks,
    project_to_masses,
    select_landmarks,
)
from skda.utils.row_space import row_space
from skda.utils.warnings import NoSourceWarning


def _make(n_source=60, n_target=70, **params):
    return make_heterogeneous_domains(
        n_source, n_target, n_classes=3, random_state=0, **params
    )


@pytest.fixture(scope="module")
def data():
    return _make()


def _mean(rows, weights):
    return weights @ rows / weights.sum()


def _equation_1(source, target, known):
    """Add up the terms of Equation 1 pair by pair, and the gaps of the means."""
    (Z, y_s, alpha), (T, y_t, w) = source, target
    total = np.sum((_mean(Z, alpha) - _mean(T, w)) ** 2)
    for k in range(3):
        s, t = y_s == k, y_t == k
        if not (s.any() and t.any()):
            continue
        total += np.sum((_mean(Z[s], alpha[s]) - _mean(T[t], w[t])) ** 2)
        a, b, n = alpha[s].sum(), w[t & ~known].sum(), np.sum(t & known)
        distances = np.sum((Z[s][:, None] - T[t]) ** 2, axis=2)
        total += alpha[s] @ distances @ w[t] / (a * b + b * n + n * a)
    return total


@pytest.mark.parametrize("with_classes", [False, True])
@pytest.mark.parametrize("n_features", [4, 90])
def test_the_map_minimizes_its_equation(n_features, with_classes):
    data, rng = _make(n_source_features=n_features), np.random.default_rng(0)
    X, y_s = data.source
    known = data.y >= 0
    y_t = np.where(known | with_classes, data.y_true, -1)
    T = data.X[:, :3]
    clf = CDLS(lambda_reg=0.3)
    clf.projections_ = {"target": np.eye(30)[:, :3]}
    clf.source_weights_ = rng.uniform(size=60)
    clf.target_weights_ = np.where(known, 1, rng.uniform(size=70))
    counts = np.bincount(data.y[known], minlength=3)
    clf._learn_map(row_space(X), y_s, Coded(data.X, y_t), counts)
    weights = clf.source_weights_, clf.target_weights_
    A = clf.projections_["source"]

    def objective(A):
        source, target = (X @ A, y_s, weights[0]), (T, y_t, weights[1])
        gaps = _equation_1(source, target, known)
        return gaps + 0.3 * np.sum(A**2)

    for direction in rng.normal(size=(10, *A.shape)):
        step = 1e-4 * direction
        slope = (objective(A + step) - objective(A - step)) / 2
        curvature = objective(A + step) + objective(A - step) - 2 * objective(A)
        assert abs(slope) < 1e-4 * curvature


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 0, 0, 1, 1, 1, 0, 0])
    is_source = np.arange(16) < 9
    labeled = rng.normal(size=(5, 4)) + 1
    return Landmarks(
        rng.normal(size=(16, 4)),
        codes,
        is_source,
        labeled,
        np.array([0, 1, 1, 2, 2]),
        delta=0.5,
    )


def _equation_2(w, rows):
    """Evaluate Equation 2, whose denominators the constraints fix."""
    total, n = 0.0, np.bincount(rows.labels)
    a, b = rows.masses()
    alpha, beta = w[rows.is_source], w[~rows.is_source]
    Z, U, T = rows.Z[rows.is_source], rows.Z[~rows.is_source], rows.labeled
    y_s, y_u = rows.codes[rows.is_source], rows.codes[~rows.is_source]
    gap = alpha @ Z / a.sum() - (T.sum(0) + beta @ U) / (b + n).sum()
    total += np.sum(gap**2)
    for k in range(3):
        s, u, t = y_s == k, y_u == k, rows.labels == k
        gap = alpha[s] @ Z[s] / a[k] - (T[t].sum(0) + beta[u] @ U[u]) / (b + n)[k]
        total += np.sum(gap**2)
        sides = [(Z[s], alpha[s]), (T[t], np.ones(t.sum())), (U[u], beta[u])]
        e = a[k] * b[k] + b[k] * n[k] + n[k] * a[k]
        for i, j in ((0, 1), (1, 2), (2, 0)):
            (P, p), (Q, q) = sides[i], sides[j]
            total += p @ np.sum((P[:, None] - Q) ** 2, axis=2) @ q / e
    return total


def test_the_objective_of_the_weights_is_their_equation(rows):
    problem, rng = LandmarkProblem(rows), np.random.default_rng(1)
    w, v = rng.uniform(size=(2, 16))

    expected = _equation_2(w, rows) - _equation_2(v, rows)
    assert problem.value(w) - problem.value(v) == pytest.approx(expected)
    assert check_grad(problem.value, problem.gradient, w) < 1e-5


def test_the_weights_are_those_of_a_general_solver(rows):
    w, residual = select_landmarks(rows, tol=1e-9, max_iter=5000)
    problem, masses = LandmarkProblem(rows), rows.masses().ravel()
    sums = np.eye(6)[problem.groups].T
    reference = minimize(
        problem.value,
        np.full(16, 0.5),
        jac=problem.gradient,
        bounds=[(0, 1)] * 16,
        constraints={"type": "eq", "fun": lambda w: (sums @ w - masses)[masses > 0]},
        options={"ftol": 1e-14, "maxiter": 1000},
    )

    assert residual < 1e-9
    assert_allclose(sums @ w, masses, atol=1e-9)
    assert problem.value(w) <= problem.value(reference.x) + 1e-7
    assert w.min() >= 0
    assert w.max() <= 1


@pytest.mark.parametrize("scale", [0.0, 1e-40])
def test_a_flat_objective_keeps_the_masses(rows, scale):
    flat = rows._replace(Z=scale * rows.Z, labeled=scale * rows.labeled)
    w, _ = select_landmarks(flat, tol=1e-3, max_iter=100)
    sums = np.eye(6)[LandmarkProblem(flat).groups].T @ w

    assert_allclose(sums, rows.masses().ravel(), atol=1e-9)


def test_weights_are_projected_to_their_masses():
    v = np.array([3.0, 0.4, 0.2, -1.0, 5.0])
    groups = np.array([0, 0, 0, 1, 1])
    w = project_to_masses(v, groups, np.array([1.5, 1.0]))

    # In group 0 the threshold is 0.05: 1 + 0.35 + 0.15; in group 1 all goes to one.
    assert_allclose(w, [1, 0.35, 0.15, 0, 1], atol=1e-9)


def test_landmarks_keep_the_share_of_every_class(data):
    clf = CDLS(delta=0.25).fit(data.X, data.y, source=data.source)
    alpha, w, known = clf.source_weights_, clf.target_weights_, data.y >= 0
    counts = np.bincount(data.source[1])

    assert_allclose(np.bincount(data.source[1], alpha), counts / 4, atol=1e-6)
    assert_array_equal(w[known], 1)
    assert w[~known].sum() == pytest.approx(np.sum(~known) / 4)
    assert len(np.unique(alpha)) > 2


def test_a_share_of_one_selects_nothing(data):
    clf = CDLS(delta=1.0).fit(data.X, data.y, source=data.source)

    assert_array_equal(clf.source_weights_, 1)
    assert_array_equal(clf.target_weights_, 1)


def test_learns_the_target(data):
    clf = CDLS().fit(data.X, data.y, source=data.source)

    assert isinstance(clf.estimator_, NuSVC)
    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.7
    assert clf.transform(data.source[0], domain="source").shape == (60, 30)


def test_the_source_changes_the_predictions(data):
    with_it = CDLS().fit(data.X, data.y, source=data.source)
    with pytest.warns(NoSourceWarning):
        alone = CDLS().fit(data.X, data.y)

    assert isinstance(alone.estimator_, NuSVC)
    p, q = (clf.predict_proba(data.X) for clf in (with_it, alone))
    assert abs(p - q).max() > 1e-3


@pytest.mark.parametrize(
    "params",
    [
        {"delta": 0.2},
        {"lambda_reg": 5.0},
        {"n_components": 2},
        {"n_rounds": 1},
        {"power": 0.5},
        {"normalize": False},
        {"estimator": LogisticRegression()},
        {"estimator": KNeighborsClassifier(1)},  # which takes no weights
    ],
)
def test_every_switch_changes_the_predictions(data, params):
    usual, other = (
        CDLS(**given).fit(data.X, data.y, source=data.source).predict_proba(data.X)
        for given in ({}, params)
    )

    assert abs(usual - other).max() > 1e-3


def test_weights_that_have_not_converged_are_warned_of(data):
    with pytest.warns(ConvergenceWarning, match="after 1 steps, the last"):
        CDLS(max_steps=1, tol=1e-9).fit(data.X, data.y, source=data.source)


def test_where_no_nu_machine_exists_an_ordinary_one_does():
    data = _make()
    y = np.where(np.arange(70) < 60, data.y_true, -1)
    y[np.flatnonzero(y == 1)[1:]] = -1
    y[np.flatnonzero(y == 2)[1:]] = -1
    X_s, y_s = data.source
    few = np.append(
        np.flatnonzero(y_s == 0), [np.argmax(y_s == 1), np.argmax(y_s == 2)]
    )
    clf = CDLS(delta=1.0).fit(data.X, y, source=(X_s[few], y_s[few]))

    assert type(clf.estimator_) is SVC


def test_rounding_does_not_decide_the_intercept():
    y = np.arange(12) % 3
    X = np.random.default_rng(0).normal(scale=3, size=(3, 5))[y]
    X = X + np.random.default_rng(1).normal(size=X.shape)
    few, source = np.where(np.arange(12) < 6, y, -1), X[::-1, :4] + 1
    once, again = (
        CDLS().fit(X * scale, few, source=(source, y[::-1])).predict_proba(X)
        for scale in (1.0, 1 + 1e-12)
    )

    assert_allclose(once, again, atol=1e-6)
