"""Tests of `skda.unsupervised.PriorTransduction`."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate

from skda.unsupervised import PriorTransduction
from skda.utils.warnings import NoSourceWarning

UNIT = {"representation": "unit"}
X = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
P = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])


@pytest.fixture(scope="module")
def clusters():
    """Three clusters, and an opinion on them that is wrong of every fifth row."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    rows = 2 * rng.normal(size=(3, 60))[y] + rng.normal(size=(90, 60))
    opinion = 0.1 + 0.7 * np.eye(3)[np.where(np.arange(90) % 5, y, (y + 1) % 3)]
    return rows, y, opinion


def _row_update(means, variances, z):
    """Update every row of four once, by the formula."""
    nearest = {0: 1, 1: 2, 2: 1, 3: 2}
    pulls = np.zeros((4, 2))
    for i, j in nearest.items():
        pulls[i] += X[i] @ X[j] * z[j] / 2
        pulls[j] += X[i] @ X[j] * z[i] / 2
    density = -((X[:, None] - means) ** 2 / variances).sum(axis=2) / 2
    return softmax(np.log(P) + density / 5 + pulls, axis=1)


def test_one_round_by_hand():
    clf = PriorTransduction.published(
        n_rounds=1, n_steps=1, n_neighbors=1, temperature=5.0
    ).fit(X, probabilities=P, classes=["a", "b"])

    def unit(means):
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    z = _row_update(unit(P.T @ X), np.array([0.5, 0.5]), P)
    means = unit(z.T @ X)
    variances = (z[:, :, None] * (X[:, None] - means) ** 2).sum(axis=(0, 1)) / 4

    assert_allclose(clf.means_, means)
    assert_allclose(clf.variances_, variances)
    assert_allclose(clf.label_distributions_, _row_update(means, variances, z))


def test_numbers_equal_those_of_the_public_code():
    # TransCLIP_solver/TransCLIP_utils.py of MaxZanella/transduction-for-vlms, the
    # functions of its solver in their order, in double precision.
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(3, 6)) + 1
    rows = centers[np.arange(30) % 3] + 0.8 * rng.normal(size=(30, 6)) + 1
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    opinion = rng.dirichlet(np.ones(3), 30)
    clf = PriorTransduction.published()
    clf.fit(rows, probabilities=opinion, classes=[0, 1, 2])
    first = [
        [0.309353, 0.546046, 0.144602],
        [0.102294, 0.432408, 0.465297],
        [0.088833, 0.510152, 0.401015],
    ]
    variances = [0.096417, 0.028319, 0.043429, 0.05731, 0.020605, 0.023579]

    assert_allclose(clf.label_distributions_[:3], first, atol=1e-6)
    assert_allclose(clf.variances_, variances, atol=1e-6)


def test_a_wrong_opinion_on_rows_of_clear_clusters_is_corrected(clusters):
    rows, y, opinion = clusters
    clf = PriorTransduction().fit(rows, probabilities=opinion, classes=[0, 1, 2])

    assert np.mean(opinion.argmax(axis=1) == y) == 0.8
    assert np.mean(clf.transduction_ == y) == 1.0


def test_smoothing_lets_a_certain_opinion_be_corrected(clusters):
    rows, y, opinion = clusters
    certain = np.eye(3)[opinion.argmax(axis=1)]
    sure = {"probabilities": certain, "classes": [0, 1, 2]}
    kept = PriorTransduction(smoothing=0.0).fit(rows, **sure)
    corrected = PriorTransduction(smoothing=0.3).fit(rows, **sure)

    assert np.mean(kept.transduction_ == y) == 0.8
    assert np.mean(corrected.transduction_ == y) > 0.9


def test_equal_opinions_give_a_class_more_rows_to_start_from_than_the_first(clusters):
    rows, y, opinion = clusters
    order = np.r_[0:90:5, np.flatnonzero(np.arange(90) % 5)]  # wrong ones come first
    clf = PriorTransduction()
    clf.fit(rows[order], probabilities=opinion[order], classes=[0, 1, 2])

    assert np.mean(clf.transduction_ == y[order]) == 1.0


def test_columns_are_named_by_classes_in_any_order(clusters):
    rows, _, opinion = clusters
    clf = PriorTransduction()
    names = ["c", "a", "b"]
    turned = opinion[:, [1, 2, 0]]
    straight = clf.fit(rows, probabilities=turned, classes=list("abc"))
    expected = straight.label_distributions_
    expected_new = straight.predict_proba(
        rows[:9], probabilities=opinion[:9, [1, 2, 0]]
    )
    clf.fit(rows, probabilities=opinion, classes=names)

    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert_allclose(clf.label_distributions_, expected)
    new = clf.predict_proba(rows[:9], probabilities=opinion[:9])
    assert_allclose(new, expected_new)


def test_labels_name_the_columns_and_stay(clusters):
    rows, y, opinion = clusters
    given = np.full(90, -1)
    given[[0, 1, 5]] = y[[0, 1, 5]]
    clf = PriorTransduction().fit(rows, given, probabilities=opinion)

    assert_array_equal(clf.classes_, [0, 1, 2])
    assert_array_equal(clf.label_distributions_[:2], np.eye(3)[:2])
    assert clf._exponent == 0.5
    clf = PriorTransduction(lambda_prior=2.0).fit(rows, given, probabilities=opinion)
    assert clf._exponent == 2.0


def test_without_probabilities_a_classifier_of_the_source_has_the_opinion(clusters):
    rows, y, _ = clusters
    estimator = LogisticRegression(C=0.1)
    clf = PriorTransduction(estimator, temperature=1e6, smoothing=0.0, **UNIT)
    clf.fit(rows[:60], source=(rows[60:], y[60:]))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    plain = estimator.fit(unit[60:], y[60:])

    assert_allclose(
        clf.predict_proba(rows[60:], domain="source"), plain.predict_proba(unit[60:])
    )
    logits = np.log(plain.predict_proba(unit[:60])) + clf._graph(60) @ (
        clf.label_distributions_
    )
    assert_allclose(clf.label_distributions_, softmax(logits, axis=1), atol=1e-3)


def test_new_rows_have_an_opinion_of_their_own_or_their_neighbors(clusters):
    rows, y, opinion = clusters
    clf = PriorTransduction()
    clf.fit(rows[:60], probabilities=opinion[:60], classes=[0, 1, 2])
    own = clf.predict_proba(rows[60:], probabilities=np.eye(3)[(y[60:] + 1) % 3])

    assert clf.score(rows[60:], y[60:]) == 1.0
    assert clf.score(rows[60:], y[60:], probabilities=opinion[60:]) == 1.0
    assert own[np.arange(30), y[60:]].mean() < 0.999


def test_cross_validation_cuts_the_opinion_with_the_rows(clusters):
    rows, y, opinion = clusters
    params = {"probabilities": opinion, "classes": [0, 1, 2]}
    plain = cross_validate(PriorTransduction(), rows, y, cv=KFold(3), params=params)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            PriorTransduction(), rows, y, cv=KFold(3), params=params
        )

    assert plain["test_score"].mean() > 0.9
    assert routed["test_score"].mean() > 0.9


def test_a_class_without_any_probability_is_left_out(clusters):
    rows, _, opinion = clusters
    never = np.column_stack([opinion, np.zeros(90)])
    clf = PriorTransduction()
    with pytest.warns(UserWarning, match="No row has a probability of 'd'"):
        clf.fit(rows, probabilities=never, classes=list("abcd"))

    assert not clf.label_distributions_[:, 3].any()
    assert not clf.predict_proba(rows)[:, 3].any()
    assert_allclose(
        clf.label_distributions_[:, :3],
        PriorTransduction()
        .fit(rows, probabilities=opinion, classes=list("abc"))
        .label_distributions_,
    )


def test_no_label_is_missed_where_there_is_an_opinion(clusters, recwarn):
    rows, y, opinion = clusters
    given = np.where(y == 0, 0, -1)
    PriorTransduction().fit(rows, given, probabilities=opinion, classes=[0, 1, 2])

    assert not recwarn.list


def test_labels_alone_will_do(clusters):
    rows, y, _ = clusters
    with pytest.warns(NoSourceWarning):
        clf = PriorTransduction().fit(rows, np.where(np.arange(90) < 9, y, -1))

    assert np.mean(clf.transduction_ == y) == 1.0


NAMES = {"classes": ["a", "b"]}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"probabilities": P[:, :1], **NAMES},
            r"of shape \(4, 2\).* got shape \(4, 1\)",
        ),
        ({"probabilities": P[:3], **NAMES}, r"got shape \(3, 2\)"),
        ({"probabilities": 2 * P, **NAMES}, "rows sum to one, got a sum of 2 in row 0"),
        ({"probabilities": P - 0.3, **NAMES}, "got -0.2 in row 0, column 1.*softmax"),
        ({"probabilities": P * [1, np.nan], **NAMES}, "NaN or infinity in 4 rows"),
        ({"probabilities": [["x", "y"]] * 4, **NAMES}, "got no array of numbers"),
        ({"probabilities": P}, "expects the names of the classes"),
        ({"probabilities": P, "classes": ["a", "a"]}, "every class once"),
        ({"probabilities": P, "classes": [0, -1]}, "a mark of unlabeled"),
        ({"probabilities": P, "y": list("abca"), **NAMES}, "got 'c' beside"),
        ({"classes": ["a", "b"], "y": list("abab")}, "classes without probabilities"),
        ({}, "requires y to be passed"),
    ],
)
def test_bad_input_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        PriorTransduction().fit(X, **params)


def test_rows_of_the_source_take_no_opinion(clusters):
    rows, y, opinion = clusters
    clf = PriorTransduction().fit(rows, source=(rows, y))
    with pytest.raises(ValueError, match="of target samples"):
        clf.predict(rows, domain="source", probabilities=opinion)
