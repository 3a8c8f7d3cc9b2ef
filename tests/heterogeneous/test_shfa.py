"""Tests of `skda.heterogeneous.SHFA`, and of the quadratic programs that it solves."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import SHFA
from skda.heterogeneous._nonnegative_qp import solve_nonnegative_qp
from skda.heterogeneous._shfa import Labeling
from skda.utils.warnings import NoSourceWarning

without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        60, 60, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("free", [True, False])
def test_the_quadratic_program_is_solved_as_by_nnls(seed, free):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(30, 15 + seed))
    Q = A @ A.T + 0.1 * np.eye(30)
    L = np.linalg.cholesky(Q)
    expected, _ = nnls(L.T, np.linalg.solve(L, np.ones(30)))
    x = solve_nonnegative_qp(Q, np.full(30, free), max_iter=100, name="")

    assert_allclose(x, expected, atol=1e-8 * expected.max())


def test_a_quadratic_program_that_is_not_solved_says_so():
    A = np.random.default_rng(0).normal(size=(30, 15))
    Q = A @ A.T + 0.1 * np.eye(30)
    with pytest.warns(ConvergenceWarning, match=r"SHFA .* violated by .*e[-+]\d+"):
        x = solve_nonnegative_qp(Q, np.ones(30, dtype=bool), max_iter=1, name="SHFA")

    assert (x >= 0).all()


class Small:
    """Four source rows, two labeled target rows and six without a label."""

    def __init__(self):
        rng = np.random.default_rng(1)
        y = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        X = rng.normal(size=(12, 2)) + 1.5 * y[:, None]
        kernel = rbf_kernel(X, gamma=0.3)
        kernel[:4, 4:] = kernel[4:, :4] = 0
        self.K = 2 * kernel + 1
        self.costs = np.repeat([1.0, 0.3], 6)
        self.labels = Labeling(np.arange(6, 12), 3)
        self.signs = 2.0 * y - 1

    def every_labeling(self):
        for chosen in combinations(range(6, 12), 3):
            y = self.signs.copy()
            y[6:] = -1
            y[list(chosen)] = 1
            yield y


def test_the_mixture_comes_near_the_one_of_all_labelings():
    small, clf = Small(), SHFA(tol=1e-6)
    clf.n_iter_ = 1
    everything = list(small.every_labeling())
    d, free = np.full(20, 1 / 20), np.ones(12, dtype=bool)
    best = clf._fit_mixture(small.K, small.costs, everything, d, free)[-1]
    single = [
        clf._fit_mixture(small.K, small.costs, [y], np.ones(1), free)[-1]
        for y in everything
    ]
    mixtures = []
    fit = clf._fit_mixture
    clf._fit_mixture = lambda *args: mixtures.append(fit(*args)) or mixtures[-1]
    clf._fit_class(small.K, small.costs, everything[7], small.labels)
    found = mixtures[-1][-1]

    assert best - 1e-6 <= found < single[7] - 0.01
    assert found < best + 0.15 * (max(single) - best)


def test_weights_of_the_labelings_are_optimal():
    small, clf = Small(), SHFA(tol=1e-9)
    mixture = list(small.every_labeling())[:4]
    a, d, value = clf._fit_mixture(
        small.K, small.costs, mixture, np.full(4, 0.25), np.ones(12, dtype=bool)
    )
    q = np.array([(a * y) @ small.K @ (a * y) for y in mixture])

    assert d.sum() == pytest.approx(1)
    assert value == pytest.approx(
        a.sum() - (d @ q + np.sum(a**2 / small.costs)) / 2, rel=1e-6
    )
    used = d > 0.01  # those that are used are the best, and equally good
    assert_allclose(q[used], q.max(), rtol=0.02)


def test_every_labeling_keeps_the_labels_and_the_share():
    small = Small()
    y = small.labels.complete(small.signs, np.arange(12.0))

    assert_array_equal(y[:6], small.signs[:6])
    assert_array_equal(y[6:], [-1, -1, -1, 1, 1, 1])


def test_the_ascent_raises_the_norm():
    small = Small()
    a = np.random.default_rng(0).random(12)
    start = next(small.every_labeling())
    y = small.labels.ascend(small.K, a, start)
    norms = [(a * s) @ small.K @ (a * s) for s in (start, y)]

    assert norms[1] > norms[0]
    assert (y[6:] == 1).sum() == 3


@without_source
def test_unlabeled_rows_and_the_source_change_the_predictions(data):
    def predictions(source=data.source, **params):
        clf = SHFA(**params).fit(data.X, data.y, source=source)
        return clf.predict_proba(data.X)

    usual = predictions()
    assert abs(predictions(C_u=1e-9) - usual).max() > 1e-4
    assert abs(predictions(source=None) - usual).max() > 1e-3
    assert abs(predictions(sigma=10.0) - usual).max() > 1e-3


def test_learns_both_domains(data):
    clf = SHFA().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8
    assert 1 <= clf.n_iter_ <= 50


def test_the_labels_of_the_test_rows_are_not_seen(data):
    clf = SHFA(class_prior="labeled").fit(data.X, data.y, source=data.source)

    assert_allclose(clf.class_prior_, 1 / 3)


def test_without_unlabeled_rows_there_is_one_labeling(data):
    clf = SHFA().fit(data.X, data.y_true, source=data.source)

    assert clf.n_iter_ == 1


def test_too_few_labelings_are_warned_of():
    small, clf = Small(), SHFA(tol=1e-12, max_iter=2)
    clf.n_iter_ = 1
    first = list(small.every_labeling())[7]
    with pytest.warns(ConvergenceWarning, match=r"with 2 labelings: .* by .*e[-+]\d+"):
        clf._fit_class(small.K, small.costs, first, small.labels)


def test_a_singular_kernel_whose_errors_weigh_too_much():
    rng = np.random.default_rng(0)
    X, y = np.repeat(rng.normal(size=(3, 5)), 20, axis=0), np.repeat([0, 1, -1], 20)
    clf = SHFA(C_s=1e18, C_t=1e18, C_u=1e18).fit(X, y, source=(X[:40], y[:40]))

    assert clf.transduction_[:40].tolist() == y[:40].tolist()
    assert np.isfinite(clf.predict_proba(X)).all()


def test_equal_rows_fewer_than_their_features():
    X = np.repeat(np.random.default_rng(0).normal(size=(2, 50)), 3, axis=0)
    clf = SHFA().fit(X, [0, 0, 0, 1, 1, -1], source=(X[:, :40], [0, 0, 0, 1, 1, 1]))

    assert clf.transduction_.tolist()[:5] == [0, 0, 0, 1, 1]
    assert np.isfinite(clf.predict_proba(X)).all()


def test_published_settings_are_those_of_the_public_code():
    clf = SHFA.published()

    assert (clf.C_s, clf.C_t, clf.C_u) == (1.0, 1.0, 0.001)
    assert (clf.sigma, clf.p, clf.max_iter, clf.tol) == (100.0, 1.5, 50, 1e-3)
    assert (clf.class_prior, clf.power, clf.normalize) == ("labeled", 1.0, True)
