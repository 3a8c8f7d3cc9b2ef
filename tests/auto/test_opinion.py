"""Tests of outside opinions as members of `skda.AutoAdapter`."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import KFold, cross_validate

from skda import AutoAdapter
from skda.unsupervised import PriorTransduction


@pytest.fixture(scope="module")
def clusters():
    """Three clusters, and an opinion on them that is wrong of every fifth row."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    rows = 2 * rng.normal(size=(3, 30))[y] + rng.normal(size=(90, 30))
    opinion = 0.1 + 0.7 * np.eye(3)[np.where(np.arange(90) % 5, y, (y + 1) % 3)]
    return rows, y, opinion


@pytest.fixture(autouse=True)
def _quietly():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "AutoAdapter expects", UserWarning)
        yield


def test_an_opinion_alone_will_do(clusters):
    rows, _, opinion = clusters
    clf = AutoAdapter().fit(rows, probabilities=opinion, classes=list("abc"))
    alone = PriorTransduction().fit(rows, probabilities=opinion, classes=list("abc"))

    assert clf.weights_ == {"opinion": 1.0}
    assert_allclose(clf.label_distributions_, alone.label_distributions_)
    assert_allclose(clf.predict_proba(rows[:5]), alone.predict_proba(rows[:5]))
    assert "no labels and no source" in str(clf.report_)


def test_labels_weigh_an_opinion(clusters):
    rows, y, opinion = clusters
    labels = np.where(np.arange(90) < 30, y, -1)
    right = AutoAdapter().fit(rows, labels, probabilities=opinion)
    wrong = AutoAdapter().fit(rows, labels, probabilities=np.roll(opinion, 1, axis=1))

    assert right.weights_["opinion"] > 2 * wrong.weights_["opinion"]
    assert np.mean(wrong.transduction_ == y) == 1.0


def test_a_source_of_the_same_features_is_a_member_beside_it(clusters):
    rows, y, opinion = clusters
    clf = AutoAdapter().fit(
        rows[:45], source=(rows[45:], y[45:]), probabilities=opinion[:45]
    )

    assert 0 < clf.weights_["opinion"] < 0.5
    assert np.mean(clf.transduction_ == y[:45]) == 1.0
    assert clf.predict(rows[:5]).tolist() == y[:5].tolist()


def test_cross_validation_cuts_the_opinion(clusters):
    rows, y, opinion = clusters
    params = {"probabilities": opinion, "classes": [0, 1, 2]}
    scores = cross_validate(AutoAdapter(), rows, y, cv=KFold(2), params=params)

    assert scores["test_score"].min() > 0.9


def test_bad_opinions_are_refused(clusters):
    rows, _, opinion = clusters
    with pytest.raises(ValueError, match="AutoAdapter expects the names of the cla"):
        AutoAdapter().fit(rows, probabilities=opinion)
    with pytest.raises(ValueError, match="rows sum to one"):
        AutoAdapter().fit(rows, probabilities=2 * opinion, classes=[0, 1, 2])
