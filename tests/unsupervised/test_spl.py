"""Tests of `skda.unsupervised.SPL`."""

import os
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import eigh
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import Normalizer, normalize

from skda.datasets import load_office_caltech
from skda.unsupervised import SPL, SourceOnly
from skda.utils.class_graph import class_matrices
from skda.utils.k_means import k_means
from skda.utils.labels import UNLABELED
from skda.utils.promotion import select_most_certain
from skda.utils.warnings import NoSourceWarning

UNIT = {"representation": "unit"}
DOMAINS = ["amazon", "caltech", "webcam", "dslr"]

RNG = np.random.default_rng(0)
MEANS, Y = 2 * RNG.standard_normal((4, 10)), np.arange(200) % 4
SOURCE = MEANS[Y] + RNG.standard_normal((200, 10)), Y
X = MEANS[Y] + RNG.standard_normal((200, 10)) + 2 * RNG.standard_normal(10)


def literal(source, target, n_rounds, *, published=False):
    """Run SPL as its docstring puts it, or as its public code does, with W written out.

    The public code centers rows for the principal components, and not on their way to
    them; it selects what is more certain than the row at the end of the share.
    """
    X_source, y = source
    temperature = 1.0 if published else 0.2
    rows = normalize(np.concatenate([X_source, target]))
    pca = PCA().fit(rows)
    rows = rows if published else rows - rows.mean(axis=0)
    rows = normalize(rows @ pca.components_.T)
    n_source, n_target = len(X_source), len(target)
    pseudo = np.full(n_target, UNLABELED)
    for r in range(1, n_rounds + 1):
        labels = np.concatenate([y, pseudo])
        inside = labels != UNLABELED
        X_inside, labels = rows[inside], labels[inside]
        W = (labels[:, None] == labels).astype(float)
        D = np.diag(W.sum(axis=1))
        below = X_inside.T @ (D - W) @ X_inside
        ridge = 1.0 if published else np.trace(below) / len(below)
        below += ridge * np.eye(len(below))
        _, V = eigh(X_inside.T @ D @ X_inside, below)
        Z = normalize(rows @ V - (rows @ V).mean(axis=0))
        z_s, z_t = Z[:n_source], Z[n_source:]
        m = normalize([z_s[y == k].mean(axis=0) for k in range(4)])
        clusters = KMeans(4, init=m, n_init=1, tol=0).fit(z_t).cluster_centers_
        logits = [-cdist(z_t, c) / temperature for c in (m, normalize(clusters))]
        scores = np.maximum(*(softmax(each, axis=1) for each in logits))
        winner, belief = scores.argmax(axis=1), scores.max(axis=1)
        pseudo[:] = UNLABELED
        for k in range(4):
            found = np.flatnonzero(winner == k)
            left_out = int(len(found) * (1 - r / (n_rounds - 1)) + 1e-9)
            if published and r < n_rounds:
                surer = belief[found] > np.sort(belief[found])[left_out]
            else:
                surer = np.argsort(np.argsort(belief[found])) >= left_out
            pseudo[found[surer]] = k
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_rounds", [2, 3, 6])
def test_it_does_what_the_equations_say(n_rounds):
    clf = SPL(n_rounds=n_rounds, **UNIT).fit(X, source=SOURCE)

    expected = literal(SOURCE, X, n_rounds)
    assert_allclose(clf.predict_proba(X), expected, atol=1e-9)


@pytest.mark.parametrize("n_rounds", [2, 4, 11])
def test_published_it_does_what_the_public_code_does(n_rounds):
    away = X + 3.0  # so that the mean matters
    clf = SPL.published(n_rounds=n_rounds).fit(away, source=SOURCE)
    mended = SPL.published(
        n_rounds=n_rounds, center_rows=True, keep_least_certain=True
    ).fit(away, source=SOURCE)

    expected = literal(SOURCE, away, n_rounds, published=True)
    assert_allclose(clf.predict_proba(away), expected, atol=1e-9)
    assert np.abs(mended.predict_proba(away) - expected).max() > 1e-3


def test_one_round_needs_no_pseudo_labels():
    one, two = (SPL(n_rounds=n).fit(X, source=SOURCE) for n in (1, 2))

    assert np.abs(one.components_ - two.components_).max() > 1e-3
    assert np.mean(one.transduction_ == Y) > 0.5


def test_the_matrices_are_those_of_equation_1():
    rng = np.random.default_rng(0)
    rows, labels = rng.standard_normal((9, 3)), rng.integers(3, size=9)
    W = (labels[:, None] == labels).astype(float)
    D = np.diag(W.sum(axis=1))
    total, scatter = class_matrices(rows, np.eye(3)[labels])

    assert_allclose(total, rows.T @ D @ rows)
    assert_allclose(scatter, rows.T @ (D - W) @ rows)


@pytest.mark.parametrize("ridge", [1.0, 50.0])
def test_a_number_is_the_ridge_itself(ridge):
    clf = SPL(n_rounds=1, ridge=ridge, n_components=3, **UNIT).fit(X, source=SOURCE)
    rows = normalize(clf.pca_.transform(normalize(SOURCE[0])))
    total, scatter = class_matrices(rows, np.eye(4)[SOURCE[1]])
    V = clf.components_.T
    left, right = total @ V, (scatter + ridge * np.eye(len(V))) @ V
    mu = np.sum(left * V, axis=0) / np.sum(right * V, axis=0)

    assert_allclose(left, right * mu, atol=1e-8)
    assert (np.diff(mu) < 0).all()


def test_clusters_are_means_and_an_empty_one_stays():
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]])
    centers = k_means(rows, np.array([[0.0, 1.0], [4.0, 0.0], [9.0, 9.0]]))

    assert_allclose(centers, [[1.0, 0.0], [10.0, 0.0], [9.0, 9.0]])
    assert_allclose(k_means(centers[:1], centers), centers)


def test_of_every_class_the_surest_are_selected():
    scores = np.array([[0.9, 0.8], [0.7, 0.1], [0.6, 0.5], [0.2, 0.3]])

    assert select_most_certain(scores, 0.5).tolist() == [0, 0, UNLABELED, 1]
    assert select_most_certain(scores, 1.0, keep_last=False).tolist() == [
        *[0, 0],
        *[UNLABELED, UNLABELED],
    ]


def test_known_labels_of_the_target_join():
    y = np.full(len(X), UNLABELED)
    y[:40] = (Y[:40] + 1) % 4  # which no row would be predicted to be
    clf = SPL(**UNIT).fit(X, y, source=SOURCE)
    Z = clf.transform(np.concatenate([SOURCE[0], X[:40]]))
    labels = np.concatenate([SOURCE[1], y[:40]])
    means = [Z[labels == k].mean(axis=0) for k in range(4)]

    assert (clf.transduction_[:40] == y[:40]).all()
    assert_allclose(clf.class_centers_, normalize(means), atol=1e-5)


def test_a_target_with_every_label_trains():
    clf = SPL().fit(X, Y, source=SOURCE)

    assert clf.score(X, Y) > 0.9


def test_rows_of_the_source_are_judged_by_their_centers():
    clf = SPL().fit(X, source=SOURCE)
    Z = clf.transform(SOURCE[0], domain="source")
    expected = softmax(-5 * cdist(Z, clf.class_centers_), axis=1)
    given = clf.predict_proba(SOURCE[0], domain="source")

    assert_allclose(given, expected, atol=1e-5)
    assert clf.score(*SOURCE, domain="source") > 0.95


def test_the_projection_has_unit_length_and_names():
    clf = SPL(n_components=3).fit(X, source=SOURCE)
    Z = clf.transform(3 * X)

    assert Z.dtype == np.float32
    assert_allclose(np.linalg.norm(Z, axis=1), 1, rtol=1e-5)
    assert clf.get_feature_names_out().tolist() == ["spl0", "spl1", "spl2"]


def test_there_are_six_components_per_class_at_most():
    rng = np.random.default_rng(0)
    rows, labels = rng.standard_normal((60, 40)), np.arange(60) % 3
    clf = SPL(pca_components=30).fit(rows, source=(rows, labels))

    assert clf.components_.shape == (18, 30)


def test_without_a_source_the_labeled_rows_take_its_place():
    y = np.where(np.arange(len(Y)) < 20, Y, UNLABELED)
    with pytest.warns(NoSourceWarning):
        clf = SPL().fit(X, y)

    assert np.mean(clf.transduction_ == Y) > 0.9


def test_one_class_is_always_right():
    clf = SPL().fit(X, source=(SOURCE[0], ["a"] * len(X)))

    assert set(clf.predict(X)) == {"a"}


def test_a_class_may_lack_in_the_target():
    there = Y != 3
    clf = SPL().fit(X[there], source=SOURCE)

    assert np.isfinite(clf.predict_proba(X)).all()
    assert clf.score(X[there], Y[there]) > 0.5


def test_rows_may_be_equal():
    rows = np.ones((6, 3))
    clf = SPL().fit(rows, source=(rows, [0, 0, 1, 1, 2, 2]))

    assert np.isfinite(clf.predict_proba(rows)).all()


def test_every_class_may_be_one_row_over_and_over():
    rows = np.repeat(np.eye(3), 4, axis=0)
    y = np.repeat([0, 1, 2], 4)

    assert SPL().fit(rows, source=(rows, y)).score(rows, y) == 1


def test_there_may_be_fewer_target_rows_than_classes():
    clf = SPL().fit(X[:2], source=SOURCE)

    assert clf.predict(X[:2]).shape == (2,)


def test_it_beats_a_classifier_of_the_source(make_shifted):
    gains = []
    for seed in range(5):
        X, y, source = make_shifted(seed)
        clf = SPL().fit(X, source=source)
        alone = SourceOnly(LogisticRegression(C=10), shared_transformer=Normalizer())
        alone.fit(X, source=source)
        gains.append(clf.score(X, y) - alone.score(X, y))

    assert np.mean(gains) > 0.05


@pytest.mark.filterwarnings("ignore:The data contradict what")
@pytest.mark.skipif("SKDA_DATA" not in os.environ, reason="SKDA_DATA is not set")
def test_it_is_right_about_nine_images_of_ten():
    data = {d: load_office_caltech(d, "squeezenet", return_X_y=True) for d in DOMAINS}
    accuracies = []
    for source, target in permutations(DOMAINS, 2):
        rows, labels = data[target]
        clf = SPL().fit(rows, source=data[source])
        accuracies.append(np.mean(clf.transduction_ == labels))

    assert np.mean(accuracies) > 0.925
