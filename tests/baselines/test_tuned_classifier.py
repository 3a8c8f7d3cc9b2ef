"""The plain classifier that a user would tune."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda.baselines import TargetOnly, TunedClassifier
from skda.baselines._tuned_classifier import CANDIDATES, candidates_for

RNG = np.random.default_rng(0)
Y = np.arange(90) % 2
#: A single feature matters, and it is smaller than the others: scaling helps.
X = np.column_stack([Y + RNG.normal(0, 0.1, 90), *RNG.normal(0, 99, (3, 90))])


def test_it_chooses_the_rows_that_folds_prefer():
    clf = TunedClassifier().fit(X, Y)

    assert "standardized" in clf.best_
    assert clf.best_score_ == max(clf.scores_.values()) > 0.95
    assert len(clf.scores_) == len(CANDIDATES) == 27
    assert clf.score(X, Y) > 0.95


def test_too_few_labels_have_logistic_regression_on_standardized_rows():
    few = np.r_[0:4]
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[few], Y[few])
    clf = TunedClassifier().fit(X[few], Y[few])

    assert clf.best_ == "logistic regression C=1, standardized"
    assert clf.scores_ == {}
    assert np.isnan(clf.best_score_)
    np.testing.assert_allclose(clf.predict_proba(X), plain.predict_proba(X), atol=1e-9)


def test_unlabeled_rows_set_the_scale_and_nothing_else():
    y = np.where(np.arange(90) < 4, Y, -1)
    clf = TargetOnly(TunedClassifier(), unlabeled="keep").fit(X, y)

    np.testing.assert_allclose(clf.estimator_.transformer_.mean_, X.mean(axis=0))
    assert clf.classes_.tolist() == [0, 1]
    assert (clf.transduction_[:4] == Y[:4]).all()


def test_every_candidate_gives_probabilities(monkeypatch):
    X, y = load_iris(return_X_y=True)
    for name in CANDIDATES:
        monkeypatch.setattr(
            "skda.baselines._tuned_classifier.DEFAULT", name, raising=True
        )
        clf = TunedClassifier(n_folds=60).fit(X, y)
        proba = clf.predict_proba(X)

        assert clf.best_ == name
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        assert np.mean(proba.argmax(axis=1) == clf.predict(X)) > 0.95


def test_sparse_rows_are_those_of_the_array():
    dense, sparse = (TunedClassifier().fit(rows, Y) for rows in (X, csr_matrix(X)))

    assert dense.best_ == sparse.best_
    np.testing.assert_array_equal(dense.predict(X), sparse.predict(csr_matrix(X)))


def test_wide_rows_do_without_what_takes_minutes():
    left_out = CANDIDATES.keys() - candidates_for(4096).keys()

    assert left_out == {name for name in CANDIDATES if name.startswith("LDA")}


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"two classes or more.*\[1\]"):
        TunedClassifier().fit(X, np.ones(90, dtype=int))
