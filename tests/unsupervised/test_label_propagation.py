"""Tests of `skda.unsupervised.CenteredLabelPropagation`."""

import os
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import Normalizer, normalize

from skda.datasets import load_office_caltech
from skda.partial import PruneClasses
from skda.preprocessing import RowScaler, cosine_graph, symmetric_normalization
from skda.unsupervised import CenteredLabelPropagation, SourceOnly, TargetCentroids
from skda.utils.labels import UNLABELED
from skda.utils.warnings import NoSourceWarning

DOMAINS = ["amazon", "caltech", "webcam", "dslr"]
UNIT = {"representation": "unit"}
AS_THEY_ARE = {"center": False, "power": None}


def at(*degrees):
    """Place rows of unit length in the plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


@pytest.fixture
def unbalanced(make_shifted):
    """A source of classes of unlike sizes, two of its rows and most targets hidden."""
    X, y, (X_source, y_source) = make_shifted(0, n_rows=60)
    kept = (y_source > 0) | (np.arange(60) < 15)
    y_source = np.where(np.isin(np.arange(60), [17, 20]), UNLABELED, y_source)
    y_some = np.where(np.arange(60) < 6, y, UNLABELED)
    return X, y_some, (X_source[kept], y_source[kept])


def inverse(X, alpha, n_neighbors):
    """Invert the dense matrix of the equation."""
    S = symmetric_normalization(cosine_graph(X, n_neighbors)).toarray()
    return np.linalg.inv(np.eye(len(X)) - alpha * S)


@pytest.mark.parametrize("alpha", [0.3, 0.95])
def test_three_rows_by_hand(alpha):
    # The two labeled rows are at right angles. So votes reach the third by one tie
    # each, of weights 16 : 9, and roots of the degrees leave 4 : 3.
    clf = CenteredLabelPropagation(alpha=alpha, **AS_THEY_ARE)
    clf.fit([[16.0, 9.0]], source=(np.eye(2), ["a", "b"]))

    assert_allclose(clf.label_distributions_, [[1, 0], [0, 1], [4 / 7, 3 / 7]])


@pytest.mark.parametrize("alpha", [0.2, 0.95])
@pytest.mark.parametrize("n_neighbors", [3, 10])
def test_it_solves_the_linear_system(unbalanced, alpha, n_neighbors):
    X, y, (X_source, y_source) = unbalanced
    clf = CenteredLabelPropagation(alpha=alpha, n_neighbors=n_neighbors, **UNIT)
    clf.fit(X, y, source=(X_source, y_source))

    centered = [rows - rows.mean(axis=0) for rows in map(normalize, (X_source, X))]
    labels = np.eye(4)[np.concatenate([y_source, y])][:, :3]
    hidden = ~labels.any(axis=1)
    Y = labels / labels.sum(axis=0)
    F = inverse(np.concatenate(centered), alpha, n_neighbors) @ Y
    expected = (F / F.sum(axis=1, keepdims=True))[hidden]
    assert_allclose(clf.label_distributions_[hidden], expected, atol=1e-6)
    assert_array_equal(clf.label_distributions_[~hidden], labels[~hidden])


def test_every_class_has_the_same_share_to_spread():
    # Nine rows of one class and one of the other, as far from the target row.
    source = np.repeat(at(0, 90), [9, 1], axis=0), np.repeat(["a", "b"], [9, 1])
    clf = CenteredLabelPropagation(n_neighbors=20, alpha=0.01, **AS_THEY_ARE)
    clf.fit(at(45), source=source)
    a, b = clf.label_distributions_[-1]
    ties = np.array([9 * (1 / 9) / np.sqrt(8 + 0.5**0.5), 1 / np.sqrt(0.5**0.5)])

    assert_allclose([a, b], ties / ties.sum(), atol=2e-3)


def test_centering_undoes_a_shift(make_shifted):
    X, _, source = make_shifted(0)
    clf = CenteredLabelPropagation(power=None)
    there, elsewhere = (
        clf.fit(X + shift, source=source).label_distributions_ for shift in (0, 40)
    )

    assert_allclose(there, elsewhere, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The data contradict what")
@pytest.mark.parametrize("seed", range(5))
def test_without_centering_a_far_shift_does_harm(make_shifted, seed):
    X, y, source = make_shifted(seed, shift=10.0)
    without, centered = (
        CenteredLabelPropagation(center=center, **UNIT)
        .fit(X, source=source)
        .transduction_
        for center in (False, True)
    )

    assert np.mean(centered == y) > 0.95
    assert np.mean(without == y) < 0.7


def test_the_mean_is_that_of_the_scaled_rows():
    rows, source = 7 * at(0, 60), (3 * at(90, 90, 30), [0, 0, 1])
    clf = CenteredLabelPropagation(**UNIT).fit(rows, source=source)
    bare = CenteredLabelPropagation(center=False, **UNIT).fit(rows, source=source)

    assert_allclose(clf.target_mean_, at(0, 60).mean(axis=0))
    assert_allclose(clf.source_mean_, at(90, 90, 30).mean(axis=0))
    assert_array_equal([bare.target_mean_, bare.source_mean_], np.zeros((2, 2)))


def test_the_power_comes_before_the_length():
    counts = np.array([[16.0, 9.0], [1.0, 4.0]])
    clf = CenteredLabelPropagation(power=0.5, **UNIT)
    clf.fit(counts, source=(counts, [0, 1]))
    expected = normalize([[4.0, 3.0], [1.0, 2.0]]).mean(axis=0)

    assert_allclose(clf.target_mean_, expected)


def test_known_labels_of_the_target_join_and_stay():
    source = (at(0, 90), ["a", "b"])
    y = [None, "c", None]
    clf = CenteredLabelPropagation(n_neighbors=1, **AS_THEY_ARE)
    with pytest.warns(UserWarning, match="sample is labeled"):
        clf.fit(at(5, 40, 45), y, source=source)

    assert clf.transduction_.tolist() == ["a", "c", "c"]
    assert_array_equal(clf.label_distributions_[3], [0, 0, 1])


def test_unlabeled_rows_of_the_source_pass_labels_on():
    # The target row is at more than a right angle to the only row of class 0 and at
    # one to that of class 1.
    X_source, target = at(0, 60, 200.1), at(110)
    clf = CenteredLabelPropagation(**AS_THEY_ARE)
    tied = clf.fit(target, source=(X_source, [0, UNLABELED, 1])).predict_proba(target)
    alone = clf.fit(target, source=(X_source[::2], [0, 1])).predict_proba(target)

    assert_allclose(tied, [[1, 0]])
    assert_allclose(alone, [[0.5, 0.5]])


@pytest.mark.filterwarnings("ignore:The data contradict what")
@pytest.mark.parametrize("domain", ["source", "target"])
def test_a_new_row_takes_the_mean_of_its_neighbors_by_their_cosines(shifted, domain):
    X, _, source = shifted
    clf = CenteredLabelPropagation(n_neighbors=3, **UNIT).fit(X, source=source)
    rows = {"source": normalize(source[0]), "target": normalize(X)}
    new = X[:1] + X[1:2] if domain == "target" else source[0][:1] + source[0][1:2]
    fitted = np.concatenate([some - some.mean(axis=0) for some in rows.values()])
    cosines = (
        normalize(fitted)
        @ normalize(normalize(new) - rows[domain].mean(axis=0)).ravel()
    )
    nearest = np.argsort(cosines)[-3:]
    expected = np.average(
        clf.label_distributions_[nearest], axis=0, weights=cosines[nearest]
    )

    assert_allclose(clf.predict_proba(new, domain=domain)[0], expected)


def test_two_fits_agree_to_the_last_bit_and_the_order_of_rows_is_nothing(shifted):
    X, _, source = shifted
    one, two, reverse = (
        CenteredLabelPropagation().fit(rows, source=source).label_distributions_
        for rows in (X, X, X[::-1])
    )

    assert_array_equal(one, two)
    assert_allclose(one[len(X) :], reverse[: len(X) - 1 : -1], atol=1e-9)


def test_labels_follow_a_thread_where_centroids_do_not():
    longitude = np.radians(np.tile(np.arange(0, 160, 4), 2))
    y = np.repeat([0, 1], 40)
    X = np.column_stack([np.cos(longitude), np.sin(longitude), 0.4 * y])
    # One labeled row per class, at opposite ends of the two threads.
    ends = [0, 79]
    source = (X[ends], y[ends])
    clf = CenteredLabelPropagation(n_neighbors=3, center=False).fit(X, source=source)
    centroids = TargetCentroids().fit(X, source=source)

    assert np.mean(clf.transduction_ == y) > 0.95
    assert np.mean(centroids.transduction_ == y) < 0.7


@pytest.mark.parametrize("n_target", [1, 2])
def test_there_may_be_fewer_rows_than_neighbors(n_target):
    rows = at(10, 80)[:n_target]
    clf = CenteredLabelPropagation(n_neighbors=50, center=False)
    clf.fit(rows, source=(at(0, 90), [0, 1]))

    assert clf.transduction_.tolist() == [0, 1][:n_target]
    assert clf.neighbors_.n_neighbors == 2 + n_target


def test_one_class_is_always_right():
    source = (at(0, 90), ["a", "a"])
    clf = CenteredLabelPropagation().fit(at(20, 50), source=source)

    assert set(clf.predict(at(20, 100, 200))) == {"a"}


@pytest.mark.parametrize("value", [0.1, 1.0])
@pytest.mark.parametrize("power", [None, 1.0])
def test_rows_at_the_mean_take_equal_shares(value, power):
    # Less their mean, nothing is left of ten rows, but rounding along the source's.
    rows = np.full((10, 3), value)
    source = (np.outer([1, 1, 0, 0], np.ones(3)), [0, 0, 1, 1])
    clf = CenteredLabelPropagation(power=power).fit(rows, source=source)

    assert_array_equal(clf.label_distributions_[4:], np.full((10, 2), 0.5))
    assert_array_equal(clf.predict_proba(rows), np.full((10, 2), 0.5))


def test_rows_of_both_domains_may_be_equal():
    rows = np.ones((6, 2))
    clf = CenteredLabelPropagation().fit(rows, source=(rows, [0, 0, 1, 1, 2, 2]))

    assert_allclose(clf.predict_proba(rows), np.full((6, 3), 1 / 3))


def test_without_a_source_the_labels_of_the_target_spread():
    y = [0, UNLABELED, UNLABELED, 1, UNLABELED]
    with pytest.warns(NoSourceWarning):
        clf = CenteredLabelPropagation(n_neighbors=2).fit(at(20, 30, 50, 100, 110), y)

    assert clf.transduction_.tolist() == [0, 0, 0, 1, 1]
    assert_array_equal(clf.source_mean_, [0, 0])
    assert len(clf.label_distributions_) == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", 0.0),
        ("alpha", 1.0),
        ("n_neighbors", 0),
        ("center", "source"),
        ("power", 0.0),
    ],
)
def test_settings_are_checked(name, value):
    clf = CenteredLabelPropagation(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter of CenteredLabelProp"):
        clf.fit(at(20, 50), source=(at(0, 90), [0, 1]))


@pytest.mark.parametrize(("representation", "least"), [("unit", 0), ("auto", -0.01)])
def test_it_beats_a_classifier_of_the_source(make_shifted, representation, least):
    gains = []
    for seed in range(5):
        X, y, source = make_shifted(seed)
        clf = CenteredLabelPropagation(representation=representation)
        clf.fit(X, source=source)
        alone = SourceOnly(LogisticRegression(C=10), shared_transformer=Normalizer())
        alone.fit(X, source=source)
        gains.append(np.mean(clf.transduction_ == y) - alone.score(X, y))

    assert np.mean(gains) > 0.05
    assert min(gains) >= least


@pytest.mark.filterwarnings("ignore:The data contradict what")
@pytest.mark.skipif("SKDA_DATA" not in os.environ, reason="SKDA_DATA is not set")
def test_it_is_right_about_nine_images_of_ten_and_more_after_pruning():
    data = {d: load_office_caltech(d, "squeezenet", return_X_y=True) for d in DOMAINS}
    closed, partial = [], []
    for source, target in permutations(DOMAINS, 2):
        rows, labels = data[target]
        clf = CenteredLabelPropagation(shared_transformer=RowScaler(1.0))
        clf.fit(rows, source=data[source])
        closed.append(np.mean(clf.transduction_ == labels))
        there = np.isin(labels, np.unique(labels)[:5])
        pruned = PruneClasses(clf).fit(rows[there], source=data[source])
        partial.append(np.mean(pruned.transduction_ == labels[there]))

    assert np.mean(closed) > 0.9
    assert np.mean(partial) > 0.93
