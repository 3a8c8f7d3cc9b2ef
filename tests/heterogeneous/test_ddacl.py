"""Tests of `skda.heterogeneous.DDACL`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import check_grad
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import DDACL
from skda.heterogeneous._ddacl import Weights, _norm_of_alignment, _side, evaluate
from skda.utils.warnings import NoSourceWarning

without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)
BETA, TAU, DECAY = 0.3, 0.2, 0.1


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


class Small:
    """Eight source rows, six target rows of which three are labeled, three classes."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.X_s, self.X_t = rng.normal(size=(8, 4)), rng.normal(size=(6, 5))
        self.y_s = np.array([0, 1, 2, 0, 1, 2, 2, 2])
        self.y_t = np.array([0, 1, 2, -1, -1, -1])
        self.assumed = np.array([0, 1, 2, 1, 1, 0])
        shapes = (2, 3), (3,), (4, 2), (5, 2)
        W, b, *maps = (rng.normal(size=shape) for shape in shapes)
        self.weights = Weights(W, b, maps)
        self.sides = [
            _side(self.X_s, self.y_s, self.y_s, 3),
            _side(self.X_t, self.y_t, self.assumed, 3),
        ]
        everything = np.ones(3, dtype=bool)
        self.norm = _norm_of_alignment(self.y_s, self.assumed, everything)

    def alignment_matrix(self):
        """Form the matrix of Equation 2, as the public code does."""
        M = 0
        for k in (None, 0, 1, 2):
            e = [
                np.ones(len(y)) if k is None else (y == k).astype(float)
                for y in (self.y_s, self.assumed)
            ]
            e = np.concatenate([e[0] / e[0].sum(), -e[1] / e[1].sum()])
            M = M + np.outer(e, e)
        return M

    def dense_objective(self):
        """Evaluate Equation 1 by traces, as the public code does."""
        W, b, (P_s, P_t) = self.weights
        M = self.alignment_matrix()
        Z = np.concatenate([self.X_s @ P_s, self.X_t @ P_t])
        L = np.eye(3) - (np.ones((3, 3)) - np.eye(3)) / 2
        value = BETA / 2 * np.trace(Z.T @ M @ Z) / np.linalg.norm(M)
        for X, y, assumed, P in [
            (self.X_s, self.y_s, self.y_s, P_s),
            (self.X_t, self.y_t, self.assumed, P_t),
        ]:
            log_p = log_softmax(X @ P @ W + b, axis=1)[y >= 0]
            value -= np.mean(log_p[np.arange(len(log_p)), y[y >= 0]])
            means = np.array([X[assumed == k].mean(axis=0) for k in range(3)])
            value -= TAU / 2 * np.trace(P.T @ means.T @ L @ means @ P)
        return value + DECAY / 2 * sum(np.sum(A**2) for A in (W, P_s, P_t))


def test_the_objective_is_that_of_traces():
    small = Small()
    beta = BETA / small.norm
    value, _ = evaluate(small.weights, small.sides, beta, [TAU, TAU], DECAY)

    assert value == pytest.approx(small.dense_objective())


def test_the_norm_of_the_alignment_needs_no_matrix():
    small = Small()

    assert small.norm == pytest.approx(np.linalg.norm(small.alignment_matrix()))


@pytest.mark.parametrize("n_sides", [1, 2])
def test_the_gradient_is_that_of_differences(n_sides):
    small = Small()
    weights = small.weights._replace(maps=small.weights.maps[-n_sides:])
    part = (small.sides[-n_sides:], BETA, [TAU, TAU], DECAY)

    error = check_grad(
        lambda v: evaluate(weights.unpack(v), *part)[0],
        lambda v: evaluate(weights.unpack(v), *part)[1].pack(),
        weights.pack(),
    )
    assert error < 1e-5


@without_source
def test_every_term_and_the_source_change_the_predictions(data):
    def predictions(source=data.source, **params):
        clf = DDACL(n_components=8, random_state=0, **params)
        return clf.fit(data.X, data.y, source=source).predict_proba(data.X)

    usual = predictions()
    for changed in (
        {"beta": 0.0},
        {"beta": 0.1},
        {"tau": 0.0},
        {"lambda_reg": 0.01},
        {"n_rounds": 1},
        {"source": None},
    ):
        assert abs(predictions(**changed) - usual).max() > 1e-3, changed


def test_learns_both_domains(data):
    clf = DDACL(n_components=8, random_state=0)
    clf.fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8
    assert clf.transform(data.source[0], domain="source").shape == (100, 8)
    scores = clf.transform(data.X) @ clf.coef_.T + clf.intercept_
    probabilities = np.exp(log_softmax(scores, axis=1))
    assert_allclose(clf.predict_proba(data.X), probabilities)


@without_source
def test_without_a_source_it_is_a_classifier_of_the_labeled_rows(data):
    known = data.y >= 0
    kwargs = {"power": 1.0, "normalize": False, "n_components": 8, "random_state": 0}
    all_rows = DDACL(**kwargs).fit(data.X, data.y)
    labeled = DDACL(**kwargs).fit(data.X[known], data.y[known])

    assert all_rows.source_map_ is None
    agree = all_rows.predict(data.X) == labeled.predict(data.X)
    assert agree.mean() > 0.9


@pytest.mark.parametrize("missing", ["source", "target"])
def test_a_class_that_a_domain_lacks_does_not_poison(data, missing):
    y, (X_s, y_s) = data.y, data.source
    if missing == "target":
        y = np.where(y == 2, -1, y)
    else:
        X_s, y_s = X_s[y_s < 2], y_s[y_s < 2]
    with pytest.warns(UserWarning, match=f"No {missing} sample is labeled 2"):
        clf = DDACL(n_components=8, random_state=0).fit(data.X, y, source=(X_s, y_s))

    assert np.isfinite(clf.predict_proba(data.X)).all()


def test_fewer_rows_than_features_and_equal_rows():
    rng = np.random.default_rng(0)
    X, X_s = rng.normal(size=(6, 200)), rng.normal(size=(9, 300))
    X[1] = X[0]
    y = [0, 0, 1, 2, -1, -1]
    clf = DDACL(random_state=0).fit(X, y, source=(X_s, np.arange(9) % 3))

    assert clf.target_map_.shape == (200, 100)
    assert clf.transduction_[:4].tolist() == [0, 0, 1, 2]


def test_tau_is_lowered_where_the_objective_has_no_minimum():
    small, clf = Small(), DDACL(tau=2.0, lambda_reg=0.1)
    for side in small.sides:
        tau = clf._bounded_tau(side)
        form = 0.1 * np.eye(side.apart.shape[1]) - tau * side.apart.T @ side.apart

        assert tau < 2
        assert np.linalg.eigvalsh(form).min() == pytest.approx(0.01)
    few = DDACL(tau=1e-4, lambda_reg=0.1)
    assert few._bounded_tau(small.sides[0]) == 1e-4
    assert DDACL(tau=2.0, bounded=False)._bounded_tau(small.sides[0]) == 2


def test_a_round_that_does_not_converge_says_so(data):
    clf = DDACL(n_components=4, random_state=0, max_iter=3)
    with pytest.warns(ConvergenceWarning, match=r"DDACL .* gradient is .*e[-+]\d+"):
        clf.fit(data.X, data.y, source=data.source)


def test_published_settings_are_those_of_the_public_code():
    clf = DDACL.published()

    assert (clf.beta, clf.tau, clf.lambda_reg) == (0.001, 0.002, 0.001)
    assert (clf.n_components, clf.n_rounds, clf.max_iter) == (100, 5, 20)
    assert not clf.bounded
    assert (clf.power, clf.normalize, clf.init_std) == (1.0, True, 0.01)
