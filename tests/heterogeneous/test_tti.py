"""Tests of `skda.heterogeneous.TTI`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skda.heterogeneous import TTI
from skda.heterogeneous._tti import (
    TranslatorProblem,
    fit_translator,
    shrink_singular_values,
)
from skda.utils.warnings import NoSourceWarning


@pytest.fixture
def problem():
    """Ten pairs of four and three features, and six labeled rows."""
    rng = np.random.default_rng(0)
    X, U, v, labeled = (rng.normal(size=s) for s in ((10, 4), (10, 3), 4, (6, 3)))
    signs = np.array([1.0, -1, 1, -1, -1, 1])
    return TranslatorProblem(X, U, v, labeled, signs, gamma=2.0, lambda_reg=0.7)


def objective(problem, S):
    """Evaluate Equation 2 row by row."""
    rows = zip(problem.labeled, problem.signs, strict=True)
    labeled = sum(np.log1p(np.exp(-y * (problem.votes @ S @ u))) for u, y in rows)
    sides = zip(problem.X, problem.U, strict=True)
    pairs = sum(np.log1p(np.exp(-(x @ S @ u))) for x, u in sides)
    norm = np.linalg.norm(S, "nuc")
    return problem.gamma * labeled + pairs + problem.lambda_reg * norm


def test_the_smooth_part_and_its_gradient_are_those_of_the_equation(problem):
    S = np.random.default_rng(1).normal(size=(4, 3))
    value, gradient = problem.smooth(S)
    norm = problem.lambda_reg * np.linalg.norm(S, "nuc")
    slopes = approx_fprime(S.ravel(), lambda s: problem.smooth(s.reshape(4, 3))[0])

    assert_allclose(value + norm, objective(problem, S))
    assert_allclose(gradient.ravel(), slopes, atol=1e-5)


def test_the_curvature_is_bounded_from_above(problem):
    A = np.einsum("ip,iq->ipq", problem.X, problem.U).reshape(10, 12)
    B = np.einsum("p,jq->jpq", problem.votes, problem.labeled).reshape(6, 12)
    largest = np.linalg.norm(A.T @ A + problem.gamma * B.T @ B, 2) / 4

    assert largest <= problem.curvature() <= 5 * largest


def test_shrinking_takes_its_share_of_every_singular_value():
    S = np.diag([3.0, 1.0, 0.2])
    less, norm = shrink_singular_values(S, 0.5)

    assert_allclose(less, np.diag([2.5, 0.5, 0.0]), atol=1e-12)
    assert norm == pytest.approx(3.0)


def test_the_objective_falls_to_a_stationary_point(problem):
    S, values = fit_translator(problem, max_iter=2000, tol=1e-9)
    curvature = problem.curvature()
    step = S - problem.smooth(S)[1] / curvature

    assert (np.diff(values) <= 0).all()
    assert values[-1] == pytest.approx(objective(problem, S))
    assert_allclose(
        shrink_singular_values(step, problem.lambda_reg / curvature)[0], S, atol=1e-7
    )


def test_an_independent_solver_gets_no_further(problem):
    """The nuclear norm is the least half of squared norms of two factors."""

    def factored(parameters):
        A, B = np.split(parameters, [12])
        S = A.reshape(4, 3) @ B.reshape(3, 3)
        penalty = problem.lambda_reg / 2 * (parameters @ parameters)
        return problem.smooth(S)[0] + penalty

    start = np.random.default_rng(0).normal(size=21)
    found = minimize(factored, start, options={"maxiter": 5000, "gtol": 1e-7})
    _, values = fit_translator(problem, max_iter=2000, tol=1e-9)

    assert values[-1] == pytest.approx(found.fun, abs=1e-5)


def test_a_large_weight_leaves_no_singular_value(problem):
    S, values = fit_translator(problem._replace(lambda_reg=1e3), max_iter=50, tol=1e-6)

    assert_array_equal(S, 0)
    assert values[-1] == values[0]


def test_rows_that_are_all_zeros_teach_nothing():
    none = np.zeros((3, 2))
    problem = TranslatorProblem(none, none, np.zeros(2), none, np.ones(3), 1.0, 1.0)

    assert_array_equal(fit_translator(problem, max_iter=5, tol=1e-6)[0], 0)


def test_every_source_row_votes_for_its_class(paired):
    clf = paired.fit(TTI(scaling=None))
    X_s, u = normalize(paired.source[0]), normalize(paired.X_test)[:5]
    scores = np.zeros((5, 3))
    for x, y in zip(X_s, paired.source[1], strict=True):
        for k, S in enumerate(clf.translators_):
            scores[:, k] += (1 if y == k else -1) * (u @ (x @ S)) / len(X_s)

    shares = expit(scores)

    assert_allclose(
        clf.predict_proba(paired.X_test[:5]),
        shares / shares.sum(axis=1, keepdims=True),
    )


def test_it_learns_from_pairs_that_belong_together(paired):
    score = paired.fit(TTI(), y=None).score(paired.X_test, paired.y_test)
    mixed_up = paired.fit(TTI(), y=None, pairs=paired.mixed_up)

    assert score > 0.75
    assert mixed_up.score(paired.X_test, paired.y_test) < score - 0.2


def test_without_target_labels_all_classes_share_a_translator(paired):
    first, *others = paired.fit(TTI(), y=None).translators_

    for other in others:
        assert_allclose(other, first)


def test_the_singular_values_are_few(paired):
    ranks = [
        np.linalg.matrix_rank(paired.fit(TTI(lambda_reg=w)).translators_[0], tol=1e-8)
        for w in (0.01, 5.0)
    ]

    assert ranks[1] < ranks[0]


def test_source_rows_are_scored_by_the_votes(paired):
    clf = paired.fit(TTI())

    assert clf.score(*paired.source, domain="source") > 0.8


@pytest.mark.parametrize("n_pairs", [1, 5])
def test_few_pairs_are_enough_to_work(paired, n_pairs):
    clf = paired.fit(TTI(), pairs=tuple(side[:n_pairs] for side in paired.pairs))

    assert np.isfinite(clf.predict_proba(paired.X_test)).all()


def test_unlabeled_source_rows_are_left_out(paired):
    X_s, y_s = paired.source
    hidden = np.where(np.arange(len(y_s)) < 20, -1, y_s)
    with pytest.warns(UserWarning, match="TTI leaves out 20 unlabeled source samples"):
        clf = paired.fit(TTI(scaling=None), source=(X_s, hidden))
    others = paired.fit(TTI(scaling=None), source=(X_s[20:], y_s[20:]))

    assert_allclose(clf.votes_, others.votes_)


def test_a_source_without_labels_is_an_error(paired):
    nothing = paired.source[0], np.full(len(paired.source[0]), -1)
    with pytest.raises(ValueError, match="TTI expects labeled source samples, got non"):
        paired.fit(TTI(), source=nothing)


def test_without_a_source_it_is_a_logistic_regression(paired):
    with pytest.warns(NoSourceWarning):
        clf = TTI(scaling=None, normalize=False).fit(paired.X, paired.y)
    alone = LogisticRegression(max_iter=1000).fit(paired.X[:3], paired.y[:3])

    assert clf.translators_ is None
    assert_allclose(
        clf.predict_proba(paired.X_test), alone.predict_proba(paired.X_test)
    )
