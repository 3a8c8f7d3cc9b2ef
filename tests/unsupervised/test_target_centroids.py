"""Tests of `skda.unsupervised.TargetCentroids`."""

import os
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import Normalizer
from sklearn.svm import SVC

from skda.datasets import load_office_caltech
from skda.unsupervised import SourceOnly, TargetCentroids
from skda.utils.labels import UNLABELED
from skda.utils.warnings import NoSourceWarning

NEAREST = KNeighborsClassifier(n_neighbors=1)
UNIT = {"representation": "unit"}
DOMAINS = ["amazon", "caltech", "webcam", "dslr"]


def at(*degrees):
    """Place rows of unit length in the plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


# The nearest source row is that of class 1 for the target row at 50 degrees, but it
# is nearer to the centroid of class 0.
SOURCE = (at(0, 90), ["a", "b"])
X = 7 * at(20, 30, 50, 100, 110)


@pytest.mark.parametrize(
    ("n_rounds", "angles"), [(1, (20, 30)), (2, (20, 30, 50)), (3, (20, 30, 50))]
)
def test_a_few_rows_by_hand(n_rounds, angles):
    clf = TargetCentroids(NEAREST, n_rounds=n_rounds, **UNIT).fit(X, source=SOURCE)
    total = at(*angles).sum(axis=0)

    assert_allclose(clf.centroids_[0], total / np.linalg.norm(total))
    assert clf.transduction_.tolist() == ["a", "a", "a", "b", "b"]
    assert clf.estimator_.predict(at(50)).tolist() == [1]


@pytest.mark.filterwarnings("ignore:The data contradict what")
def test_the_classifier_is_a_logistic_regression_by_default(shifted):
    target, _, source = shifted
    clf = TargetCentroids(n_rounds=1, **UNIT).fit(target, source=source)
    regression = LogisticRegression(C=10, max_iter=1000)
    regression.fit(Normalizer().transform(source[0]), source[1])
    rows = Normalizer().transform(target)
    means = regression.predict_proba(rows).T @ rows

    assert_allclose(clf.centroids_, Normalizer().transform(means))


def test_known_labels_of_the_target_stay():
    y = np.array(["a", None, "b", None, None])
    clf = TargetCentroids(NEAREST, **UNIT).fit(X, y, source=SOURCE)

    assert_allclose(clf.centroids_[0], at(25)[0])
    assert clf.transduction_.tolist() == ["a", "a", "b", "b", "b"]


def test_known_labels_of_the_target_teach_the_classifier():
    source = (at(0, 90), [0, 1])
    y = [UNLABELED, UNLABELED, UNLABELED, 2, UNLABELED]
    with pytest.warns(UserWarning, match="sample is labeled"):
        clf = TargetCentroids(NEAREST, **UNIT).fit(X, y, source=source)

    assert clf.transduction_.tolist() == [0, 0, 1, 2, 2]
    assert clf.predict(at(100), domain="source").tolist() == [2]


def test_a_target_with_every_label_has_the_centroids_of_its_classes():
    clf = TargetCentroids(**UNIT).fit(X, ["a", "a", "a", "b", "b"], source=SOURCE)

    assert_allclose(clf.centroids_[1], at(105)[0])


def test_a_class_without_rows_keeps_the_centroid_of_its_labels():
    source = (at(0, 90, 225), [0, 1, 2])
    clf = TargetCentroids(NEAREST, **UNIT).fit(X, source=source)

    assert_allclose(clf.centroids_[2], at(225)[0])
    assert clf.transduction_.tolist() == [0, 0, 0, 1, 1]


def test_probabilities_are_the_softmax_of_cosines():
    clf = TargetCentroids(NEAREST, temperature=0.3, **UNIT).fit(X, source=SOURCE)
    expected = softmax(at(10, 70) @ clf.centroids_.T / 0.3, axis=1)

    assert_allclose(clf.predict_proba(5 * at(10, 70)), expected)


def test_rows_of_the_source_are_for_the_classifier():
    clf = TargetCentroids(NEAREST, **UNIT).fit(X, source=SOURCE)

    assert clf.predict(at(50), domain="source").tolist() == ["b"]
    assert clf.predict(at(50)).tolist() == ["a"]


def test_the_power_comes_before_the_length():
    counts = np.array([[16.0, 9.0], [1.0, 4.0]])
    clf = TargetCentroids(NEAREST, power=0.5, **UNIT).fit(
        counts, source=(counts, [0, 1])
    )

    assert_allclose(clf.centroids_[0], [0.8, 0.6])


def test_without_a_source_the_labeled_rows_teach():
    y = [0, UNLABELED, UNLABELED, 1, UNLABELED]
    with pytest.warns(NoSourceWarning):
        clf = TargetCentroids(NEAREST).fit(X, y)

    assert clf.transduction_.tolist() == [0, 0, 0, 1, 1]


def test_one_class_is_always_right():
    clf = TargetCentroids().fit(X, source=(at(0, 90), ["a", "a"]))

    assert set(clf.predict(X)) == {"a"}


@pytest.mark.parametrize("rows", [np.ones((6, 2)), np.repeat(at(10, 80), 3, axis=0)])
def test_rows_may_be_equal(rows):
    clf = TargetCentroids().fit(rows, source=(rows, [0, 0, 1, 1, 2, 2]))

    assert np.isfinite(clf.predict_proba(rows)).all()


def test_the_classifier_has_to_give_probabilities():
    with pytest.raises(ValueError, match="'estimator' parameter of TargetCentroids"):
        TargetCentroids(SVC()).fit(X, source=SOURCE)


def test_it_beats_the_classifier_that_it_starts_from(make_shifted):
    gains = []
    for seed in range(5):
        X, y, source = make_shifted(seed)
        clf = TargetCentroids().fit(X, source=source)
        alone = SourceOnly(LogisticRegression(C=10), shared_transformer=Normalizer())
        alone.fit(X, source=source)
        gains.append(clf.score(X, y) - alone.score(X, y))

    assert np.mean(gains) > 0.05


@pytest.mark.skipif("SKDA_DATA" not in os.environ, reason="SKDA_DATA is not set")
@pytest.mark.parametrize(("representation", "least"), [("unit", 0.92), ("auto", 0.9)])
def test_it_is_right_about_nine_images_of_ten(representation, least):
    data = {d: load_office_caltech(d, "squeezenet", return_X_y=True) for d in DOMAINS}
    accuracies = []
    for source, target in permutations(DOMAINS, 2):
        rows, labels = data[target]
        clf = TargetCentroids(representation=representation)
        clf.fit(rows, source=data[source])
        accuracies.append(np.mean(clf.transduction_ == labels))

    assert np.mean(accuracies) > least
