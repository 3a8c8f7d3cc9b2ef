"""Tests of `skda.heterogeneous.GJDA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag, eigh, subspace_angles
from scipy.sparse.linalg import ArpackNoConvergence
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import SVC

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import GJDA, _gjda
from skda.utils.warnings import NoSourceWarning


def _make(n_source=60, n_target=70, **params):
    return make_heterogeneous_domains(
        n_source, n_target, n_classes=3, random_state=0, **params
    )


@pytest.fixture(scope="module")
def data():
    return _make()


def _dense_projections(X_s, y_s, X_t, y_t, *, lambda0, k):
    """Solve Equation 1 by the matrices that it names."""
    Z, n = block_diag(X_s, X_t), len(X_s) + len(X_t)
    e = np.append(np.full(len(X_s), 1 / len(X_s)), np.full(len(X_t), -1 / len(X_t)))
    M = np.outer(e, e)
    for c in range(3):
        e = np.append(
            (y_s == c) / np.sum(y_s == c), -1.0 * (y_t == c) / np.sum(y_t == c)
        )
        M += np.outer(e, e)
    H = np.eye(n) - 1 / n
    left = Z.T @ (M / np.linalg.norm(M)) @ Z + lambda0 * np.eye(Z.shape[1])
    vectors = eigh(Z.T @ H @ Z, left)[1][:, ::-1][:, :k]
    return vectors / np.sqrt(np.sum(vectors * (Z.T @ H @ Z @ vectors), axis=0))


@pytest.mark.parametrize("max_dense", [300, 0])
@pytest.mark.parametrize("widths", [(20, 30), (150, 30), (90, 120)])
def test_the_projections_are_those_of_the_dense_eigenproblem(
    widths, max_dense, monkeypatch
):
    monkeypatch.setattr(_gjda, "MAX_DENSE", max_dense)
    data = _make(n_source_features=widths[0], n_target_features=widths[1])
    X_s, y_s = data.source
    clf = GJDA(n_components=4, n_rounds=1, lambda0=0.3, normalize=True)
    clf.fit(data.X, data.y, source=data.source)
    P = np.concatenate([clf.projections_["source"], clf.projections_["target"]])
    expected = _dense_projections(
        normalize(X_s), y_s, normalize(data.X), data.y, lambda0=0.3, k=4
    )

    signs = np.sign((P * expected).sum(axis=0))
    assert_allclose(P * signs, expected, atol=1e-6 * abs(expected).max())


def test_what_lanczos_does_not_find_a_dense_decomposition_does(data, monkeypatch):
    usual = GJDA(n_components=3).fit(data.X, data.y, source=data.source)

    def give_up(*args, **kwargs):
        raise ArpackNoConvergence("no convergence", np.empty(0), np.empty((0, 0)))

    monkeypatch.setattr(_gjda, "MAX_DENSE", 0)
    monkeypatch.setattr(_gjda, "svds", give_up)
    clf = GJDA(n_components=3).fit(data.X, data.y, source=data.source)

    angles = subspace_angles(clf.projections_["target"], usual.projections_["target"])
    assert_allclose(angles, 0, atol=1e-6)


def test_the_means_of_the_classes_come_closer(data):
    def gap(**params):
        clf = GJDA(n_components=5, **params).fit(data.X, data.y, source=data.source)
        Z_s = clf.transform(data.source[0], domain="source")
        Z_t = clf.transform(data.X)
        return sum(
            np.linalg.norm(
                Z_s[data.source[1] == c].mean(0) - Z_t[data.y_true == c].mean(0)
            )
            for c in range(3)
        )

    assert gap(lambda0=0.01) < 0.5 * gap(lambda0=1e4)


def test_rounds_label_the_target_anew_until_nothing_changes(data):
    one = GJDA(n_rounds=1, n_components=6).fit(data.X, data.y, source=data.source)
    many = GJDA(n_rounds=50, n_components=6).fit(data.X, data.y, source=data.source)

    assert one.n_iter_ == 1
    assert 1 < many.n_iter_ < 50
    assert abs(one.predict_proba(data.X) - many.predict_proba(data.X)).max() > 1e-3


def test_learns_the_target(data):
    clf = GJDA().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.7


def test_without_a_source_the_classifier_knows_the_labeled_rows(data):
    with pytest.warns(NoSourceWarning):
        clf = GJDA(normalize=True).fit(data.X, data.y)
    known = data.y >= 0
    svm = SVC(kernel="linear").fit(normalize(data.X)[known], data.y[known])
    expected = svm.decision_function(normalize(data.X)).argmax(axis=1)

    assert np.mean(clf.predict(data.X) == expected) == 1
    assert not hasattr(clf, "projections_")


@pytest.mark.parametrize(
    "params",
    [
        {"lambda0": 10.0},
        {"n_components": 2},
        {"power": 0.5},
        {"normalize": False},
        {"estimator": KNeighborsClassifier(1)},
    ],
)
def test_every_switch_changes_the_predictions(data, params):
    usual, other = (
        GJDA(**given).fit(data.X, data.y, source=data.source).predict_proba(data.X)
        for given in ({}, params)
    )

    assert abs(usual - other).max() > 1e-3


def test_more_directions_than_the_rows_have_there_are_not():
    data = _make(8, 9, n_source_features=40, n_target_features=50)
    clf = GJDA(n_components=100).fit(data.X, data.y, source=data.source)

    assert clf.transform(data.X).shape[1] < 17
    assert np.isfinite(clf.transform(data.X)).all()
