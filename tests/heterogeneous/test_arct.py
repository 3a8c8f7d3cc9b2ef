"""Tests of `skda.heterogeneous.ARCT`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import nnls
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import ARCT
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


def solve_dual(X_s, X_t, signs, gamma):
    """Solve the dual of Equation 1 over all pairs of rows, for the map."""
    pairs = np.einsum("ip,jq->ijpq", X_s, X_t).reshape(signs.size, -1)
    signed = pairs * signs.reshape(-1, 1)
    L = np.linalg.cholesky(signed @ signed.T + np.eye(signs.size) / gamma)
    a, _ = nnls(L.T, np.linalg.solve(L, np.ones(signs.size)))
    return (a @ signed).reshape(X_s.shape[1], X_t.shape[1])


@pytest.mark.parametrize("n_features", [3, 30])
def test_the_map_solves_the_dual_over_all_pairs(n_features):
    rng = np.random.default_rng(0)
    X_s, X_t = rng.normal(size=(8, n_features)), rng.normal(size=(5, n_features + 1))
    y_s, y_t = np.arange(8) % 3, np.arange(5) % 3
    clf = ARCT(gamma=2.0, tol=1e-8, **PLAIN).fit(X_t, y_t, source=(X_s, y_s))
    signs = np.where(y_s[:, None] == y_t, 1.0, -1.0)

    assert_allclose(clf.map_, solve_dual(X_s, X_t, signs, 2.0), atol=1e-5)


def test_the_nearest_source_rows_of_a_class_score_it(data):
    X_s, y_s = data.source
    clf = ARCT(n_neighbors=2, **PLAIN).fit(data.X, data.y, source=data.source)
    similarities = data.X @ clf.map_.T @ X_s.T
    scores = [
        [np.mean(sorted(row[y_s == k])[-2:]) for k in range(3)] for row in similarities
    ]

    assert_allclose(clf.predict_proba(data.X), softmax(scores, axis=1))


def test_one_neighbor_is_the_nearest_source_row(data):
    X_s, y_s = data.source
    clf = ARCT(n_neighbors=1, **PLAIN).fit(data.X, data.y, source=data.source)
    nearest = (data.X @ clf.map_.T @ X_s.T).argmax(axis=1)

    assert (clf.predict(data.X) == y_s[nearest]).all()


@without_source
def test_the_source_and_the_weight_change_the_predictions(data):
    def predictions(source=data.source, **params):
        return ARCT(**params).fit(data.X, data.y, source=source).predict_proba(data.X)

    usual = predictions()

    assert abs(predictions(source=None) - usual).max() > 0.01
    assert abs(predictions(gamma=0.01) - usual).max() > 0.01
    assert abs(predictions(n_neighbors=20) - usual).max() > 0.01


@without_source
def test_without_a_source_the_labeled_rows_stand_in_its_place(data):
    known = data.y >= 0
    clf = ARCT(**PLAIN).fit(data.X, data.y)

    assert_allclose(clf.source_rows_, data.X[known])
    assert clf.map_.shape == (30, 30)
    assert_allclose(clf.map_, clf.map_.T, atol=1e-2)


def test_learns_the_target(data):
    clf = ARCT().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3


def test_a_class_without_a_source_row_is_never_predicted(data):
    X_s, y_s = data.source
    with pytest.warns(UserWarning, match="No source sample is labeled 2"):
        clf = ARCT().fit(data.X, data.y, source=(X_s[y_s < 2], y_s[y_s < 2]))

    assert_allclose(clf.predict_proba(data.X)[:, 2], 0)


def test_fewer_rows_than_features_and_equal_rows():
    rng = np.random.default_rng(0)
    X, X_s = rng.normal(size=(6, 200)), rng.normal(size=(9, 300))
    X[1], X_s[3] = X[0], X_s[0]
    y = [0, 0, 1, 2, -1, -1]
    clf = ARCT().fit(X, y, source=(X_s, np.arange(9) % 3))

    assert clf.map_.shape == (300, 200)
    assert clf.predict(X[:4]).tolist() == [0, 0, 1, 2]


def test_a_map_that_does_not_converge_is_warned_of(data):
    with pytest.warns(ConvergenceWarning, match=r"ARCT .* gradient is .*e[-+]\d+ of"):
        ARCT(max_iter=2).fit(data.X, data.y, source=data.source)


def test_published_settings_are_those_of_the_public_code():
    clf = ARCT.published()

    assert (clf.gamma, clf.n_neighbors) == (10.0, 1)
    assert (clf.power, clf.normalize) == (1.0, True)
