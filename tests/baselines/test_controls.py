"""Tests of what the controls share that learn from every row of the target."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.preprocessing import FunctionTransformer

from skda.baselines import (
    BalancedLabelPropagation,
    BalancedSelfTraining,
    IterativeLabelPropagation,
    SeededKMeans,
    SinkhornCentroids,
)
from skda.datasets import label_few, load_office_caltech
from skda.utils.labels import UNLABELED

X, Y_TRUE = make_blobs(150, n_features=8, centers=3, cluster_std=5.0, random_state=0)
Y = label_few(Y_TRUE, 5, random_state=0)
KNOWN = Y != UNLABELED
CONTROLS = [
    BalancedLabelPropagation(),
    BalancedLabelPropagation(balance=False),
    IterativeLabelPropagation(),
    BalancedSelfTraining(),
    SeededKMeans(),
    SinkhornCentroids(),
]
BALANCED = [
    BalancedLabelPropagation(),
    IterativeLabelPropagation(),
    SinkhornCentroids(),
]

all_controls = pytest.mark.parametrize("control", CONTROLS, ids=repr)
all_sharing = pytest.mark.parametrize(
    "control", [*BALANCED, BalancedSelfTraining()], ids=repr
)
all_balanced = pytest.mark.parametrize("control", BALANCED, ids=repr)


def former(control):
    """Copy a control, to learn from unit rows and the shares of the labels alone."""
    settings = {"standardize": False, "class_prior": "labeled"}
    known = control.get_params(deep=False)
    return clone(control).set_params(**{n: settings[n] for n in settings if n in known})


def assert_distributions(probabilities):
    assert (probabilities >= 0).all()
    assert_allclose(probabilities.sum(axis=1), 1)


@all_controls
def test_few_labels_are_enough(control):
    clf = clone(control).fit(X, Y)

    assert (clf.transduction_ == Y_TRUE)[~KNOWN].mean() > 0.8
    assert clf.score(X, Y_TRUE) > 0.8


@all_controls
def test_new_rows_are_predicted_one_by_one(control):
    new = ~KNOWN & (np.arange(150) % 2 == 0)
    clf = clone(control).fit(X[~new], Y[~new])
    together = clf.predict_proba(X[new])

    assert clf.score(X[new], Y_TRUE[new]) > 0.8
    assert_distributions(together)
    assert_allclose(
        np.vstack([clf.predict_proba(row[None]) for row in X[new]]), together
    )


@all_controls
def test_labels_that_were_given_stay(control):
    y = Y.copy()
    y[np.flatnonzero(KNOWN)[0]] = 2  # which is wrong
    clf = clone(control).fit(X, y)

    assert_array_equal(clf.transduction_[KNOWN], y[KNOWN])


@all_controls
def test_the_source_is_ignored(control):
    plain = clone(control).fit(X, Y)
    given = clone(control).fit(X, Y, source=(X[:, :2], Y_TRUE))

    assert_array_equal(plain.predict_proba(X), given.predict_proba(X))
    assert_array_equal(plain.transduction_, given.transduction_)
    assert given.n_features_in_source_ is None


@all_controls
def test_two_fits_are_one(control):
    first, second = clone(control).fit(X, Y), clone(control).fit(X, Y)

    assert_array_equal(first.predict_proba(X), second.predict_proba(X))


@all_controls
@pytest.mark.parametrize("y", [None, np.full(150, UNLABELED)])
def test_a_target_without_labels_is_an_error_even_with_a_source(control, y):
    message = f"{type(control).__name__} requires y.* label some target samples"
    with pytest.raises(ValueError, match=message):
        clone(control).fit(X, y, source=(X, Y_TRUE))


@all_controls
def test_a_fully_labeled_target_is_learned(control):
    clf = clone(control).fit(X, Y_TRUE)

    assert_array_equal(clf.transduction_, Y_TRUE)
    assert clf.score(X, Y_TRUE) > 0.8


@all_controls
def test_a_single_class_takes_every_row(control):
    clf = clone(control).fit(X, np.full(150, "cat"))

    assert_array_equal(clf.predict_proba(X), 1)


@all_controls
def test_two_classes_are_enough(control):
    rows = Y_TRUE != 1
    clf = clone(control).fit(X[rows], Y[rows])

    assert_distributions(clf.predict_proba(X[rows]))
    assert clf.score(X[rows], Y_TRUE[rows]) > 0.8


@all_controls
@pytest.mark.filterwarnings("ignore:.* few labels say little about rare classes")
def test_a_class_may_have_no_unlabeled_rows(control):
    rows = (Y_TRUE != 2) | KNOWN
    clf = clone(control).fit(X[rows], Y[rows])

    assert_array_equal(clf.classes_, [0, 1, 2])
    assert_distributions(clf.predict_proba(X))


@all_controls
@pytest.mark.parametrize("n_unlabeled", [0, 1, 3])
def test_fewer_rows_than_neighbors_will_do(control, n_unlabeled):
    rows = np.append(np.eye(3), np.eye(3)[:n_unlabeled] + 0.01, axis=0) - 0.1
    y = np.append([0, 1, 2], np.full(n_unlabeled, UNLABELED))
    clf = clone(control).fit(rows, y)

    assert_distributions(clf.predict_proba(rows))
    assert_array_equal(clf.transduction_, [0, 1, 2, 0, 1, 2][: len(rows)])


@all_controls
def test_a_single_row_will_do(control):
    clf = clone(control).fit(X[:1], ["cat"])

    assert_array_equal(clf.predict(X), "cat")


@all_controls
@pytest.mark.filterwarnings("ignore:.* estimates the classes to have:UserWarning")
@pytest.mark.parametrize("zero", [KNOWN, ~KNOWN, KNOWN & (Y == 0)])
def test_rows_of_zeros_are_harmless(control, zero):
    clf = clone(control).fit(np.where(zero[:, None], 0, X), Y)

    assert_distributions(clf.predict_proba(np.vstack([X, np.zeros(8)])))


@all_controls
def test_features_that_are_never_negative_give_way_to_their_roots(control):
    counts = np.exp(X / 10)
    plain = former(control)
    roots = clone(plain).fit(counts, Y)
    plain.set_params(power=1.0)
    mended = clone(plain).fit(np.sqrt(counts), Y)
    plain.fit(counts, Y)

    assert_allclose(roots.predict_proba(counts), mended.predict_proba(np.sqrt(counts)))
    assert (
        np.abs(roots.predict_proba(counts) - plain.predict_proba(counts)).max() > 0.01
    )


@all_controls
def test_rows_may_stay_as_they_are(control):
    own = FunctionTransformer(lambda rows: rows / np.linalg.norm(rows, axis=1)[:, None])
    scaled = former(control).fit(X, Y)
    unscaled = former(control).set_params(power=None, target_transformer=own).fit(X, Y)

    assert_allclose(unscaled.predict_proba(X), scaled.predict_proba(X))


@all_controls
def test_features_of_unlike_units_are_standardized_as_well(control):
    units = X * 10.0 ** np.arange(8)
    accuracies = [
        (clone(control).set_params(standardize=wanted).fit(units, Y).transduction_)[
            ~KNOWN
        ]
        == Y_TRUE[~KNOWN]
        for wanted in ("auto", True, False)
    ]
    automatic, standardized, unit = (right.mean() for right in accuracies)

    assert automatic == standardized > unit + 0.05


@all_controls
def test_rows_of_mostly_zeros_are_not_standardized(control):
    words = np.hstack([np.where(np.abs(X) > 8, X, 0), np.zeros((150, 40))])
    automatic = clone(control).fit(words, Y)
    unit = clone(control).set_params(standardize=False).fit(words, Y)

    assert np.mean(words == 0) > 0.9
    assert_array_equal(automatic.predict_proba(words), unit.predict_proba(words))


@all_controls
def test_the_published_settings_stay_what_they_were(control):
    params = type(control).published().get_params(deep=False)

    assert params["power"] == "auto"
    assert params["standardize"] is False
    if isinstance(control, BalancedSelfTraining):
        assert params["class_prior"] is params["class_weight"] is None
        assert repr(params["estimator"]) == "LinearSVC(random_state=0)"
    elif "class_prior" in params:
        assert params["class_prior"] == "labeled"


@all_balanced
@pytest.mark.parametrize(
    ("class_prior", "expected"),
    [
        ("labeled", [5 / 12, 5 / 12, 2 / 12]),
        ("balanced", [1 / 3, 1 / 3, 1 / 3]),
        ([2, 1, 1], [0.5, 0.25, 0.25]),
    ],
)
def test_the_unlabeled_rows_have_the_class_prior(control, class_prior, expected):
    y = Y.copy()
    y[np.flatnonzero(Y == 2)[2:]] = UNLABELED
    clf = former(control).set_params(class_prior=class_prior).fit(X, y)
    shares = clf.label_distributions_[y == UNLABELED].mean(axis=0)

    assert_allclose(clf.class_prior_, expected)
    assert_allclose(shares, expected, atol=1e-5)


@all_sharing
def test_the_class_prior_is_estimated(control):
    rows = np.flatnonzero(KNOWN | (Y_TRUE == 0) | (np.arange(150) % 5 == 0))
    with pytest.warns(UserWarning, match="few labels say little about rare classes"):
        clf = clone(control).fit(X[rows], Y[rows])
    hidden = rows[~KNOWN[rows]]
    true = np.bincount(Y_TRUE[hidden]) / len(hidden)

    assert true.max() > 0.6
    assert np.abs(clf.class_prior_ - true).sum() < 0.5 * np.abs(1 / 3 - true).sum()
    assert (clf.transduction_ == Y_TRUE[rows])[~KNOWN[rows]].mean() > 0.8


@all_sharing
@pytest.mark.parametrize(
    "shares", [[0.5, 0.5], [1.0, 0.0, 1.0], [1.0, np.nan, 1.0], [[1.0, 1.0, 1.0]]]
)
def test_a_class_prior_has_one_positive_share_per_class(control, shares):
    with pytest.raises(ValueError, match="one positive share for each of the 3"):
        clone(control).set_params(class_prior=shares).fit(X, Y)


@all_sharing
def test_a_class_prior_is_one_of_the_known_words(control):
    with pytest.raises(ValueError, match="'class_prior' parameter of"):
        clone(control).set_params(class_prior="equal").fit(X, Y)


@all_sharing
def test_labels_that_no_equal_classes_have_are_warned_of(control):
    y = np.where((Y_TRUE == 0) | KNOWN, Y_TRUE, UNLABELED)
    balanced = clone(control).set_params(class_prior="balanced")
    with pytest.warns(UserWarning, match=r"equally frequent.* 83 %, 8 %, 8 %.*labeled"):
        balanced.fit(X, y)


@all_sharing
@pytest.mark.parametrize("class_prior", ["balanced", "labeled"])
def test_rows_that_look_like_other_shares_are_warned_of(control, class_prior):
    rows = (Y_TRUE == 0) | KNOWN
    equal = clone(control).set_params(class_prior=class_prior)
    with pytest.warns(UserWarning, match=r"rather look like .*class_prior='estimate'"):
        equal.fit(X[rows], Y[rows])


@all_sharing
def test_an_estimate_far_from_the_shares_of_the_labels_is_warned_of(control):
    rows = (Y_TRUE == 0) | KNOWN
    with pytest.warns(UserWarning, match=r"estimates .* where they have 33 %, 33 %"):
        clone(control).fit(X[rows], Y[rows])


def test_shares_that_nothing_goes_by_are_not_warned_of(recwarn):
    rows = (Y_TRUE == 0) | KNOWN
    plain = BalancedLabelPropagation(balance=False, class_prior="balanced")
    plain.fit(X[rows], Y[rows])

    assert not recwarn


@all_sharing
@pytest.mark.parametrize("class_prior", ["balanced", "labeled", "estimate", [1, 1, 1]])
def test_equal_classes_are_not_warned_of(control, class_prior, recwarn):
    clone(control).set_params(class_prior=class_prior).fit(X, Y)

    assert not recwarn


@all_balanced
@pytest.mark.parametrize(
    ("former", "meant"), [("labeled", "labeled"), (None, "balanced"), ([1, 2, 3],) * 2]
)
def test_the_class_prior_is_taken_by_its_former_name(control, former, meant):
    renamed = clone(clone(control).set_params(prior=former))
    message = rf"write class_prior={re.escape(repr(meant))} instead of prior="
    with pytest.warns(FutureWarning, match=message):
        renamed.fit(X, Y)
    expected = clone(control).set_params(class_prior=meant).fit(X, Y)

    assert renamed.get_params()["prior"] == former
    assert_array_equal(renamed.predict_proba(X), expected.predict_proba(X))
    with pytest.warns(FutureWarning, match="is now class_prior_"):
        assert_array_equal(renamed.prior_, expected.class_prior_)


@all_balanced
def test_the_former_name_goes_with_the_published_settings(control):
    renamed = type(control).published(prior=[1, 2, 3])
    with pytest.warns(FutureWarning, match="is now class_prior"):
        renamed.fit(X, Y)

    assert_allclose(renamed.class_prior_, [1 / 6, 1 / 3, 1 / 2])


@all_balanced
def test_both_names_of_the_class_prior_are_an_error(control):
    both = clone(control).set_params(prior=None, class_prior="labeled")
    with pytest.raises(ValueError, match="class_prior='labeled' and prior=None: leave"):
        both.fit(X, Y)


@pytest.mark.parametrize(
    ("control", "accuracy", "deviation"),
    [
        (BalancedLabelPropagation.published(balance=False), 0.945, 0.025),
        (BalancedLabelPropagation.published(), 0.943, 0.017),
        (IterativeLabelPropagation.published(), 0.940, 0.007),
        (BalancedSelfTraining.published(), 0.923, 0.042),
        (SeededKMeans.published(), 0.930, 0.050),
        (SinkhornCentroids.published(), 0.907, 0.023),
    ],
    ids=repr,
)
def test_office_caltech_is_within_a_deviation_of_the_known_accuracy(
    control, accuracy, deviation
):
    name = "office_caltech_webcam_decaf6.npz"
    if not Path(os.environ.get("SKDA_DATA", ""), name).is_file():
        pytest.skip(f"SKDA_DATA, a folder with {name}, is not set")
    rows, y_true = load_office_caltech("webcam", "decaf6", return_X_y=True)
    accuracies = []
    for seed in range(3):
        y = label_few(y_true, 3, random_state=seed)
        right = clone(control).fit(rows, y).transduction_ == y_true
        accuracies.append(right[y == UNLABELED].mean())

    assert np.mean(accuracies) == pytest.approx(accuracy, abs=deviation)
