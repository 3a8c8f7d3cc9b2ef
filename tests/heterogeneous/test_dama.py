"""Tests of `skda.heterogeneous.DAMA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag, eigh
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import DAMA
from skda.utils.warnings import NoSourceWarning


def _make(**params):
    return make_heterogeneous_domains(60, 70, n_classes=3, random_state=0, **params)


@pytest.fixture(scope="module")
def data():
    return _make()


def _laplacian(W):
    return np.diag(W.sum(1)) - W


def _neighbors(X, k):
    """Join every row to its nearest ones, itself not counted."""
    distances = pairwise_distances(X)
    np.fill_diagonal(distances, np.inf)
    near = distances <= np.sort(distances, axis=1)[:, k - 1 : k]
    return (near | near.T).astype(float)


def _dense_problem(X_s, y_s, X_t, y_t, *, mu, alpha):
    """Build both sides of Equation 1 from the graphs of all rows."""
    Z, y = block_diag(X_s, X_t), np.append(y_s, y_t)
    known = np.outer(y >= 0, y >= 0)
    same = y[:, None] == y
    topology = block_diag(_neighbors(X_s, 10), _neighbors(X_t, 10))
    inner = mu * _laplacian(topology) + _laplacian(1.0 * (known & same))
    A = Z.T @ inner @ Z + alpha * np.eye(Z.shape[1])
    return Z.T @ _laplacian(1.0 * (known & ~same)) @ Z, A


@pytest.mark.parametrize("widths", [(20, 30), (150, 30), (20, 200)])
def test_the_projections_solve_the_generalized_eigenproblem(widths):
    data = _make(n_source_features=widths[0], n_target_features=widths[1])
    X_s, y_s = data.source
    clf = DAMA(n_components=5, mu=0.7, alpha=2.0, normalize=True)
    clf.fit(data.X, data.y, source=data.source)
    B, A = _dense_problem(
        normalize(X_s), y_s, normalize(data.X), data.y, mu=0.7, alpha=2.0
    )
    values, vectors = eigh(B, A)
    P = np.concatenate([clf.projections_["source"], clf.projections_["target"]])
    expected = vectors[:, ::-1][:, :5]

    assert_allclose(clf.eigenvalues_, values[::-1][:5], rtol=1e-7)
    signs = np.sign((P * expected).sum(axis=0))
    assert_allclose(P * signs, expected, atol=1e-6 * abs(expected).max())


def test_learns_the_target(data):
    clf = DAMA().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.6  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8
    assert_allclose(np.linalg.norm(clf.transform(data.X), axis=1), 1)


def test_without_a_source_the_classifier_knows_the_labeled_rows(data):
    with pytest.warns(NoSourceWarning):
        clf = DAMA(normalize=True).fit(data.X, data.y)
    known = data.y >= 0
    svm = SVC(kernel="linear").fit(normalize(data.X)[known], data.y[known])
    expected = svm.decision_function(normalize(data.X)).argmax(axis=1)

    assert np.mean(clf.predict(data.X) == expected) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"mu": 0.0},
        {"alpha": 0.1},
        {"n_components": 2},
        {"n_neighbors": 2},
        {"power": 0.5},
        {"normalize": False},
        {"estimator": KNeighborsClassifier(1)},
    ],
)
def test_every_switch_changes_the_predictions(data, params):
    usual, other = (
        DAMA(**given).fit(data.X, data.y, source=data.source).predict_proba(data.X)
        for given in ({}, params)
    )

    assert abs(usual - other).max() > 1e-3


def test_more_directions_than_features_there_are_not(data):
    clf = DAMA(n_components=500).fit(data.X, data.y, source=data.source)

    assert clf.transform(data.X).shape == (70, 50)
