"""Tests of the support vector machines of the committee for few labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skda.auto import _margins
from skda.auto._few_labels import FewLabelsCommittee
from skda.auto._margins import Margins, share_of_margins

RNG = np.random.default_rng(0)
Y = np.arange(120) % 3
X = [1, 10, 1, 1] * (2.5 * np.eye(3, 4)[Y] + RNG.standard_normal((120, 4)))
LABELED = np.arange(30)
SPLITS = [
    (np.flatnonzero(np.arange(30) % 5 != r), np.flatnonzero(np.arange(30) % 5 == r))
    for r in range(5)
]


@pytest.fixture(scope="module")
def margins():
    return Margins().fit(X, LABELED, Y[:30], SPLITS)


def test_machines_say_what_those_of_scikit_learn_say(margins):
    fitted = margins.probabilities_
    Z = StandardScaler().fit_transform(X)
    expected = SVC(C=10).fit(Z[:30], Y[:30]).predict(Z)

    assert_array_equal(fitted["radial margin, standard"].argmax(axis=1), expected)


def test_every_machine_gives_probabilities_of_all_rows(margins):
    fitted, held_out = margins.probabilities_, margins.held_out_

    assert fitted.keys() == held_out.keys()
    assert len(fitted) == 4
    for name, P in fitted.items():
        assert P.shape == (120, 3)
        assert_allclose(P.sum(axis=1), 1)
        assert_allclose(held_out[name].sum(axis=1), 1)
        assert np.mean(P.argmax(axis=1) == Y) > 0.6


def test_held_out_rows_are_not_learned_from(margins):
    _, test = SPLITS[0]
    changed = Y[:30].copy()
    changed[test] = np.roll(changed[test], 1)
    again = Margins().fit(X, LABELED, changed, SPLITS).held_out_

    for name, P in margins.held_out_.items():
        before, after = (each[test].argmax(axis=1) for each in (P, again[name]))
        assert_array_equal(before, after)


def test_a_class_that_a_fold_lacks_has_no_probability_there():
    labels = Y[:30].copy()
    test = np.flatnonzero(labels == 2)
    train = np.setdiff1d(np.arange(30), test)
    held_out = Margins().fit(X, LABELED, labels, [(train, test)]).held_out_

    for P in held_out.values():
        assert not P[test, 2].any()
        assert_allclose(P[test].sum(axis=1), 1)


def test_a_fold_of_one_class_leaves_the_machines_out():
    fold = np.arange(0, 30, 3), np.arange(1, 30, 3)
    found = Margins().fit(X, LABELED, Y[:30], [fold])

    assert found.probabilities_ == found.held_out_ == found.predict_proba(X) == {}


def test_text_has_no_machines():
    text = np.where(RNG.random((120, 40)) < 0.05, 1.0, 0.0) + X[:, :1] * np.eye(40)[0]
    found = Margins().fit(text, LABELED, Y[:30], SPLITS)

    assert found.probabilities_ == found.held_out_ == {}


def test_new_rows_are_judged_like_those_of_the_fit(margins):
    again = margins.predict_proba(X[40:50])

    for name, P in margins.probabilities_.items():
        assert_allclose(again[name], P[40:50])


def test_sure_machines_that_err_are_made_unsure():
    scores = 20.0 * np.eye(2)[[0, 0, 0, 1, 1, 0]]
    labels = np.array([0, 0, 0, 1, 1, 1])

    assert _margins._choose_temperature(scores, labels) == 5
    assert (
        _margins._choose_temperature(scores / 20, np.array([0, 0, 0, 1, 1, 0])) == 0.1
    )


def test_of_many_labeled_rows_some_are_learned_from(monkeypatch):
    sizes = []

    class Spy(SVC):
        def fit(self, X, y):
            sizes.append(len(X))
            return super().fit(X, y)

    monkeypatch.setattr(_margins, "_MACHINES", {"spied": Spy})
    monkeypatch.setattr(_margins, "_MAX_ROWS", 12)
    Margins().fit(X, LABELED, Y[:30], SPLITS)

    assert set(sizes) == {12}


def test_machines_count_more_with_more_labels():
    assert share_of_margins(10) == 0.5
    assert share_of_margins(3) == pytest.approx(3 / 13)


@pytest.mark.parametrize(("n_labels", "n_machines"), [(2, 0), (4, 4)])
def test_machines_join_the_committee_where_there_are_folds(n_labels, n_machines):
    codes = np.full(120, -1)
    codes[: 3 * n_labels] = Y[: 3 * n_labels]
    committee = FewLabelsCommittee(prior_strength=1e9).fit(X, codes, 3)
    shares = [w for name, w in committee.weights_.items() if "margin" in name]

    assert len(shares) == n_machines
    if n_machines:  # the prior ones, by so strong a prior
        assert sum(shares) == pytest.approx(share_of_margins(n_labels), abs=1e-6)


def test_machines_are_believed_where_they_alone_are_right():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(-1, 1, (300, 2)), rng.standard_normal((300, 2))])
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    codes = np.where(np.arange(300) < 80, y, -1)
    committee = FewLabelsCommittee().fit(X, codes, 2)
    own = committee.predict_proba(X)
    mass = sum(w for name, w in committee.weights_.items() if "margin" in name)

    assert mass > 0.5
    # New rows hear them, too.
    assert np.mean((own.argmax(axis=1) == y)[80:]) > 0.75
