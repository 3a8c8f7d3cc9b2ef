"""Tests of `skda.unsupervised.OTClassifier`."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.preprocessing import normalize

from skda.unsupervised import OTClassifier
from skda.unsupervised._ot_classifier import class_transport

ot = pytest.importorskip("ot", reason="POT is not installed")

RNG = np.random.default_rng(0)
MEANS, Y = 2 * RNG.normal(size=(3, 5)), np.arange(30) % 3
X_SOURCE = MEANS[Y] + RNG.normal(size=(30, 5))
X = MEANS[Y[:20]] + RNG.normal(size=(20, 5)) + 1.0
SOLVER = {"n_rounds": 10, "max_iter": 2000}


def relative_cost(rows, others):
    cost = cdist(normalize(rows), normalize(others), "sqeuclidean")
    return cost / cost.mean()


@pytest.mark.parametrize("eta", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("epsilon", [0.1, 0.5])
def test_the_plan_is_that_of_pot(epsilon, eta):
    cost = relative_cost(X_SOURCE, X)
    plan, _ = class_transport(cost, np.eye(3)[Y], epsilon=epsilon, eta=eta, **SOLVER)
    uniform = np.full(30, 1 / 30), np.full(20, 1 / 20)
    expected = ot.da.sinkhorn_lpl1_mm(
        uniform[0], Y, uniform[1], cost, epsilon, eta, 10, 2000
    )

    assert_allclose(plan, expected, atol=1e-6)
    assert_allclose(plan.sum(axis=1), uniform[0], atol=1e-6)


def test_classes_are_kept_apart_by_their_weight():
    def largest_share(eta):
        cost = relative_cost(X_SOURCE, X)
        plan, _ = class_transport(cost, np.eye(3)[Y], epsilon=0.3, eta=eta, **SOLVER)
        masses = np.eye(3)[Y].T @ plan
        return (masses.max(axis=0) / masses.sum(axis=0)).mean()

    assert largest_share(1.0) > largest_share(0.0) + 0.02


def test_rows_of_the_source_go_to_the_mean_of_what_they_are_sent_to():
    clf = OTClassifier(eta=0.0, max_iter=2000, representation="unit")
    clf.fit(X, source=(X_SOURCE, Y))
    uniform = np.full(30, 1 / 30), np.full(20, 1 / 20)
    plan = ot.sinkhorn(*uniform, relative_cost(X_SOURCE, X), reg=0.1, numItermax=2000)
    expected = 30 * plan @ normalize(X)

    assert_allclose(clf.moved_rows_, expected, atol=1e-5)
    assert_allclose(clf.transform(X_SOURCE, domain="source"), expected, atol=1e-5)
    assert_allclose(clf.transform(X), normalize(X), atol=1e-6)


def test_a_new_row_of_the_source_moves_as_its_neighbor_does():
    clf = OTClassifier(representation="unit").fit(X, source=(X_SOURCE, Y))
    near = normalize(X_SOURCE[:1]) + 1e-3
    moves = clf.moved_rows_ - clf.source_rows_

    assert_allclose(
        clf.transform(near, domain="source"), normalize(near) + moves[:1], atol=1e-6
    )


def test_a_sharp_plan_does_not_fail():
    clf = OTClassifier(epsilon=1e-3).fit(X, source=(X_SOURCE, Y))

    assert np.isfinite(clf.moved_rows_).all()


def test_it_says_how_to_install_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot.bregman", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'skda\[ot\]'"):
        OTClassifier().fit(X, source=(X_SOURCE, Y))


def test_no_entropy_is_refused():
    with pytest.raises(ValueError, match="'epsilon' parameter of OTClassifier must be"):
        OTClassifier(epsilon=0.0).fit(X, source=(X_SOURCE, Y))
