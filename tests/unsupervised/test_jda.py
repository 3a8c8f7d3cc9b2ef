"""Tests of `skda.unsupervised.JDA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import eig
from scipy.spatial.distance import cdist, pdist
from sklearn.preprocessing import normalize

from skda.unsupervised import JDA, TCA
from skda.utils.labels import UNLABELED

RNG = np.random.default_rng(0)
MEANS, Y = 2 * RNG.normal(size=(3, 6)), np.arange(30) % 3
X_SOURCE = MEANS[Y] + RNG.normal(size=(30, 6))
X = MEANS[Y[:20]] + RNG.normal(size=(20, 6)) + 2.0
SOURCE = X_SOURCE, Y
UNIT = {"representation": "unit"}


def literal(n_rounds, mu, n_components):
    """Run JDA as its docstring puts it, with every matrix written out."""
    F = normalize(np.concatenate([X_SOURCE, X]))
    H = np.eye(50) - np.full((50, 50), 1 / 50)
    found = np.full(20, UNLABELED)
    for _ in range(n_rounds):
        e = np.r_[np.full(30, 1 / 30), np.full(20, -1 / 20)]
        M = 3 * np.outer(e, e)
        for k in range(3):
            if (found == k).any():
                shares = (k == Y) / sum(k == Y), (k == found) / sum(k == found)
                e = np.r_[shares[0], -shares[1]]
                M += np.outer(e, e)
        metric = F.T @ (M / np.linalg.norm(M)) @ F + mu * np.eye(6)
        values, vectors = eig(np.linalg.solve(metric, F.T @ H @ F))
        W = vectors.real[:, np.argsort(-values.real)[:n_components]]
        Z = normalize(H @ F @ W / np.sqrt(np.einsum("ik,ij,jk->k", W, metric, W)))
        found = Y[cdist(Z[30:], Z[:30]).argmin(axis=1)]
    return Z, found


@pytest.mark.parametrize("n_rounds", [1, 2, 5])
@pytest.mark.parametrize("mu", [0.1, 1.0])
def test_it_does_what_the_equations_say(n_rounds, mu):
    clf = JDA(n_rounds=n_rounds, mu=mu, n_components=4, **UNIT).fit(X, source=SOURCE)
    Z = np.concatenate([clf.transform(X_SOURCE, domain="source"), clf.transform(X)])
    expected, found = literal(n_rounds, mu, 4)

    assert_allclose(pdist(Z), pdist(expected), rtol=1e-3, atol=1e-5)
    assert_array_equal(clf.transduction_, found)


def test_one_round_is_transfer_component_analysis():
    one = JDA(n_rounds=1, **UNIT).fit(X, source=SOURCE)
    tca = TCA(**UNIT).fit(X, source=SOURCE)

    assert_allclose(abs(one.coefficients_), abs(tca.coefficients_), rtol=1e-6)


def test_the_rounds_bring_the_means_of_the_classes_together():
    gaps = []
    for n_rounds in (1, 5):
        clf = JDA(n_rounds=n_rounds, n_components=4, **UNIT).fit(X, source=SOURCE)
        Z, Z_source = clf.transform(X), clf.transform(X_SOURCE, domain="source")
        gaps += [
            sum(
                np.linalg.norm(Z[Y[:20] == k].mean(axis=0) - Z_source[k == Y].mean(0))
                for k in range(3)
            )
        ]

    assert gaps[1] < gaps[0]


def test_known_labels_of_the_target_count_from_the_second_round_on():
    y = (Y[:20] + 1) % 3  # which no row would be predicted to be
    known, hidden = (
        JDA(n_rounds=2, n_components=3, **UNIT).fit(X, labels, source=SOURCE)
        for labels in (y, None)
    )

    assert abs(pdist(known.transform(X)) - pdist(hidden.transform(X))).max() > 0.01


def test_a_class_that_the_target_lacks_is_left_out():
    there = Y[:20] != 2
    clf = JDA(**UNIT).fit(X[there], source=SOURCE)

    assert clf.score(X[there], Y[:20][there]) > 0.6


def test_published_are_the_settings_of_the_public_code():
    clf = JDA.published()

    assert (clf.kernel, clf.n_components, clf.mu, clf.n_rounds) == (
        "primal",
        100,
        0.1,
        10,
    )
