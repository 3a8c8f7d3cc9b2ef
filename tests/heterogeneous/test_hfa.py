"""Tests of `skda.heterogeneous.HFA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag, sqrtm
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import HFA
from skda.heterogeneous._augmented import _width
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


class Two:
    """A source and a target of two classes, and the kernels of their rows."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.y_s, self.y = np.arange(20) % 2, np.arange(8) % 2
        self.X_s = rng.normal(size=(20, 4)) + self.y_s[:, None]
        self.X = rng.normal(size=(8, 3)) + self.y[:, None]
        self.X_new = rng.normal(size=(30, 3))
        self.signs = 2.0 * np.concatenate([self.y_s, self.y]) - 1
        self.K_s, self.K_t = self.kernel(self.X_s), self.kernel(self.X)

    def kernel(self, X, Z=None):
        rows = X if Z is None else Z
        return rbf_kernel(X, rows, gamma=1 / np.mean(cdist(rows, rows) ** 2))

    def fit(self, **params):
        return HFA(**params, **PLAIN).fit(self.X, self.y, source=(self.X_s, self.y_s))


def solve_by_cutting_planes(two, bound, n_planes=60):
    """Collect metrics of rank one, and weigh them, as the papers do."""
    root = np.real(block_diag(sqrtm(two.K_s), sqrtm(two.K_t)))
    n = len(root)
    planes = [np.ones(n) / np.sqrt(n)]
    for _ in range(n_planes):
        h = np.sqrt(bound) * np.array(planes).T
        d = np.full(len(planes), 1 / len(planes))
        for _ in range(100):
            H = h * d @ h.T
            svm = SVC(kernel="precomputed", tol=1e-8)
            svm.fit(root @ (H + np.eye(n)) @ root, two.signs)
            beta = np.zeros(n)
            beta[svm.support_] = svm.dual_coef_[0]
            v = root @ beta
            d = d * np.abs(h.T @ v)
            d /= d.sum()
        planes.append(v / np.linalg.norm(v))
    K_new = np.column_stack([np.zeros((30, 20)), two.kernel(two.X_new, two.X)])
    return K_new @ (beta + np.linalg.solve(root, H @ v)) + svm.intercept_


def test_the_closed_form_is_what_the_cutting_planes_come_to():
    two = Two()
    clf = two.fit(lambda_reg=5.0, tol=1e-8)

    expected = solve_by_cutting_planes(two, 5.0)
    assert_allclose(clf._scores(two.X_new, "target")[:, 1], expected, atol=0.01)


def test_the_coefficients_meet_the_conditions_of_the_dual():
    two = Two()
    clf = two.fit(lambda_reg=5.0, C_s=0.3, C_t=0.7, tol=1e-8)
    alpha = np.concatenate([clf.source_dual_coef_[1], clf.dual_coef_[1]]) * two.signs
    alpha /= 1 + 5
    bound = np.repeat([0.3, 0.7], [20, 8])
    margin = two.signs * np.concatenate(
        [clf._scores(two.X_s, "source")[:, 1], clf._scores(two.X, "target")[:, 1]]
    )

    assert alpha @ two.signs == pytest.approx(0, abs=1e-8)
    assert (alpha >= 0).all()
    assert (alpha <= bound + 1e-9).all()
    assert (margin[alpha < 1e-9] > 1 - 1e-6).all()
    assert (margin[alpha > bound - 1e-9] < 1 + 1e-6).all()
    inside = (alpha > 1e-9) & (alpha < bound - 1e-9)
    assert inside.any()
    assert_allclose(margin[inside], 1, atol=1e-6)


def test_the_bound_and_the_source_change_the_predictions():
    two = Two()
    usual = two.fit(lambda_reg=5.0).predict_proba(two.X_new)
    tight = two.fit(lambda_reg=0.0).predict_proba(two.X_new)
    weak = two.fit(lambda_reg=5.0, C_s=1e-6).predict_proba(two.X_new)

    assert abs(usual - tight).max() > 0.01
    assert abs(usual - weak).max() > 1e-3


@without_source
def test_without_a_source_it_is_the_machine_of_the_labeled_rows(data):
    known = data.y >= 0
    X, y = data.X[known], data.y[known]
    clf = HFA(lambda_reg=5.0, tol=1e-8, **PLAIN).fit(data.X, data.y)
    svm = SVC(C=6.0, gamma=1 / _width(X), tol=1e-8).fit(X, y == 1)

    expected = svm.decision_function(data.X)
    intercept = svm.intercept_[0]
    scores = clf._scores(data.X, "target")[:, 1]
    assert_allclose(scores - clf.intercept_[1], expected - intercept, atol=1e-5)
    assert clf.source_dual_coef_.shape == (3, 0)


def test_learns_both_domains(data):
    clf = HFA().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8


def test_the_width_is_the_mean_squared_distance():
    X = np.random.default_rng(0).normal(size=(7, 3))

    assert _width(X) == pytest.approx(np.mean(cdist(X, X) ** 2))
    assert _width(X[:1]) == 1


def test_equal_rows_fewer_than_their_features(data):
    X = np.repeat(np.random.default_rng(0).normal(size=(2, 50)), 3, axis=0)
    clf = HFA().fit(X, [0, 0, 0, 1, 1, -1], source=(X[:, :40], [0, 0, 0, 1, 1, 1]))

    assert clf.transduction_.tolist() == [0, 0, 0, 1, 1, 1]


def test_published_settings_are_those_of_the_public_code():
    clf = HFA.published()

    assert (clf.C_s, clf.C_t, clf.lambda_reg, clf.tol) == (1.0, 1.0, 100.0, 1e-3)
    assert (clf.power, clf.normalize) == (1.0, True)
