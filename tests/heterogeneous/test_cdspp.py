"""Tests of `skda.heterogeneous.CDSPP`."""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import eigh
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skda.datasets import label_few, load_task, make_heterogeneous_domains
from skda.heterogeneous import CDSPP
from skda.utils.warnings import NoSourceWarning

without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)
with_gaps = pytest.mark.filterwarnings("ignore:No .* sample is labeled:UserWarning")


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        80, 90, n_classes=3, n_labeled_per_class=3, random_state=0
    )


def _laplacian(W):
    return np.diag(W.sum(1)) - W


def _equal(a, b):
    return (a[:, None] == b).astype(float)


def _dense_blocks(X_s, y_s, X_t, y_t, *, alpha=10, lambda0=0.5):
    """Build A and B of Equation 1, entry by entry of the graphs."""
    W = _equal(y_s, y_t)
    L_s = _laplacian(_equal(y_s, y_s)) + lambda0 * np.diag(W.sum(1))
    L_t = _laplacian(_equal(y_t, y_t)) + lambda0 * np.diag(W.sum(0))
    d_s, d_t = X_s.shape[1], X_t.shape[1]
    A = alpha * np.eye(d_s + d_t)
    A[:d_s, :d_s] += X_s.T @ L_s @ X_s
    A[d_s:, d_s:] += X_t.T @ L_t @ X_t
    B = np.zeros_like(A)
    B[:d_s, d_s:] = X_s.T @ W @ X_t
    return A, B + B.T


def _align_signs(P, like):
    return P * np.sign((P * like).sum(axis=0))


@pytest.mark.parametrize("widths", [(20, 30), (200, 30), (20, 300), (150, 250)])
@pytest.mark.parametrize(("alpha", "lambda0"), [(10.0, 0.5), (0.1, 0.0), (1.0, 2.0)])
def test_the_projections_solve_the_generalized_eigenproblem(widths, alpha, lambda0):
    data = make_heterogeneous_domains(
        40,
        50,
        n_classes=3,
        n_source_features=widths[0],
        n_target_features=widths[1],
        random_state=0,
    )
    X_s, y_s = data.source
    clf = CDSPP(alpha=alpha, lambda0=lambda0, n_rounds=1, normalize=True)
    clf.fit(data.X, data.y, source=data.source)
    known = data.y >= 0
    A, B = _dense_blocks(
        normalize(X_s),
        y_s,
        normalize(data.X)[known],
        data.y[known],
        alpha=alpha,
        lambda0=lambda0,
    )
    values, vectors = eigh(B, A)
    leading, expected = values[::-1][:3], vectors[:, ::-1][:, :3]
    P = np.concatenate([clf.projections_["source"], clf.projections_["target"]])

    assert_allclose(clf.eigenvalues_, leading, rtol=1e-7)
    assert values[-4] < 1e-9  # there are no more than there are classes
    assert_allclose(
        _align_signs(P / np.sqrt(2), expected), expected, atol=1e-6 * abs(P).max()
    )


@without_source
@pytest.mark.parametrize("width", [10, 300])
def test_without_a_source_the_target_takes_its_place(width):
    data = make_heterogeneous_domains(
        10, 60, n_classes=3, n_target_features=width, random_state=0
    )
    clf = CDSPP(n_rounds=1, normalize=True).fit(data.X, data.y)
    known = data.y >= 0
    X, W = normalize(data.X)[known], _equal(data.y[known], data.y[known])
    inner = _laplacian(W) + 0.5 * np.diag(W.sum(1))
    A = X.T @ inner @ X + 10 * np.eye(width)
    values, vectors = eigh(X.T @ W @ X, A)
    expected = vectors[:, ::-1][:, :3]

    assert list(clf.projections_) == ["target"]
    assert_allclose(clf.eigenvalues_, values[::-1][:3], rtol=1e-7)
    P = clf.projections_["target"]
    assert_allclose(_align_signs(P, expected), expected, atol=1e-6)


def _take_surest(scores, share):
    """Label, per predicted class, that share of the rows with the largest scores."""
    predicted, best = scores.argmax(1), scores.max(1)
    codes = np.full(len(scores), -1)
    for k in range(scores.shape[1]):
        rows = np.flatnonzero(predicted == k)
        n = int(np.ceil(share * len(rows) - 1e-9))
        codes[rows[np.argsort(-best[rows], kind="stable")][:n]] = k
    return codes


def _by_the_equations(data, n_rounds, *, clusters):
    """Follow the docstring in the plainest way."""
    X_s, y_s = normalize(data.source[0]), data.source[1]
    X_t, y_t = normalize(data.X), data.y.copy()
    unlabeled = data.y < 0
    for r in range(1, n_rounds + 1):
        seen = y_t >= 0
        A, B = _dense_blocks(X_s, y_s, X_t[seen], y_t[seen])
        P = eigh(B, A)[1][:, ::-1][:, :3]
        Z_s, Z_t = X_s @ P[: X_s.shape[1]], X_t @ P[X_s.shape[1] :]
        center = np.concatenate([Z_s, Z_t[seen]]).mean(0)
        Z_s, Z_t = normalize(Z_s - center), normalize(Z_t - center)
        Z, y = np.concatenate([Z_s, Z_t[seen]]), np.append(y_s, y_t[seen])
        means = normalize([Z[y == k].mean(0) for k in range(3)])
        scores = softmax(-cdist(Z_t, means), axis=1)
        if clusters:
            found = KMeans(3, init=means, n_init=1, algorithm="lloyd", tol=0).fit(Z_t)
            centers = normalize(found.cluster_centers_)
            scores = np.maximum(scores, softmax(-cdist(Z_t, centers), axis=1))
        y_t[unlabeled] = _take_surest(scores[unlabeled], r / n_rounds)
    return scores / scores.sum(1, keepdims=True)


@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("n_rounds", [1, 4])
def test_the_rounds_are_those_of_the_equations(data, n_rounds, clusters):
    clf = CDSPP(n_rounds=n_rounds, clusters=clusters, normalize=True)
    clf.fit(data.X, data.y, source=data.source)

    assert_allclose(
        clf.predict_proba(data.X),
        _by_the_equations(data, n_rounds, clusters=clusters),
        atol=1e-6,
    )


def test_learns_the_target(data):
    clf = CDSPP().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.8  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8


SWITCHES = [
    {"alpha": 0.1},
    {"lambda0": 5.0},
    {"n_components": 1},
    {"n_rounds": 1},
    {"clusters": True},
    {"power": 0.5},
    {"normalize": False},
    {"estimator": LogisticRegression()},
]


def test_every_switch_changes_the_predictions(data, subtests):
    def predictions(**params):
        clf = CDSPP(**params).fit(data.X, data.y, source=data.source)
        return clf.predict_proba(data.X)

    usual = predictions()
    for switch in SWITCHES:
        with subtests.test(**switch):
            assert abs(predictions(**switch) - usual).max() > 1e-3


@without_source
def test_the_source_changes_the_predictions(data):
    with_it = CDSPP().fit(data.X, data.y, source=data.source).predict_proba(data.X)
    alone = CDSPP().fit(data.X, data.y).predict_proba(data.X)

    assert abs(with_it - alone).max() > 1e-3


def test_rows_of_both_domains_are_transformed_to_unit_length(data):
    clf = CDSPP(n_components=2).fit(data.X, data.y, source=data.source)
    Z_t, Z_s = clf.transform(data.X), clf.transform(data.source[0], domain="source")

    assert Z_t.shape == (90, 2)
    assert Z_s.shape == (80, 2)
    assert_allclose(np.linalg.norm(np.concatenate([Z_t, Z_s]), axis=1), 1)
    assert len(clf.get_feature_names_out()) == 2


def test_more_directions_than_classes_there_are_not(data):
    clf = CDSPP(n_components=50).fit(data.X, data.y, source=data.source)

    assert clf.transform(data.X).shape == (90, 3)


@with_gaps
def test_a_class_of_the_source_alone_may_be_found_in_the_target(data):
    y = np.where(data.y == 1, -1, data.y)
    first = CDSPP(n_rounds=1).fit(data.X, y, source=data.source)
    last = CDSPP(n_rounds=2).fit(data.X, y, source=data.source)

    assert_array_equal(last.classes_, [0, 1, 2])
    assert first.eigenvalues_.shape == (2,)
    assert last.eigenvalues_.shape == (3,)  # some rows were found in the class
    assert_allclose(last.predict_proba(data.X).sum(axis=1), 1)


@with_gaps
def test_domains_without_a_class_in_common_are_refused(data):
    X_s, y_s = data.source

    with pytest.raises(ValueError, match="a class that is labeled in both domains"):
        CDSPP().fit(data.X, data.y, source=(X_s, y_s + 7))


def test_published_settings_are_those_of_the_public_code():
    clf = CDSPP.published()

    assert (clf.alpha, clf.lambda0, clf.n_components) == (10, 0.5, None)
    assert (clf.n_rounds, clf.clusters) == (5, False)
    assert (clf.power, clf.normalize) == (1.0, True)


@without_source
def test_webcam_is_learned_as_well_as_in_the_trials():
    """97.2 % was the mean of other splits, with clusters and plain rows."""
    if not os.environ.get("SKDA_DATA"):
        pytest.skip("SKDA_DATA does not name a folder of data")
    task = load_task("amazon_surf:webcam_decaf6")
    clf, accuracies = CDSPP(power=1.0, clusters=True), []
    for seed in range(3):
        few = label_few(task.y, 3, seed)
        clf.fit(task.X, few, source=task.source)
        accuracies.append(np.mean(clf.transduction_[few < 0] == task.y[few < 0]))

    assert np.mean(accuracies) > 0.972 - 0.02
