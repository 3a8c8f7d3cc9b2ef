"""Tests of the committee for a target without labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skda.auto._from_source import SourceCommittee

RNG = np.random.default_rng(0)
N_CLASSES = 5
MEANS = 3 * RNG.standard_normal((N_CLASSES, 8))
CODES = np.arange(150) % N_CLASSES
SOURCE = MEANS[CODES] + RNG.standard_normal((150, 8))
SHIFT = 0.5 * RNG.standard_normal(8)


def draw(codes):
    return MEANS[codes] + RNG.standard_normal((len(codes), 8)) + SHIFT


FULL = np.arange(120) % N_CLASSES
X_FULL = draw(FULL)
PARTIAL = np.arange(80) % 2
X_PARTIAL = draw(PARTIAL)


@pytest.fixture(scope="module")
def committee():
    return SourceCommittee().fit(SOURCE, CODES, X_FULL, N_CLASSES)


def test_a_full_target_keeps_its_classes(committee):
    assert not committee.is_partial_
    assert_array_equal(committee.kept_classes_, np.arange(N_CLASSES))
    assert (committee.probabilities_.argmax(axis=1) == FULL).mean() > 0.9


def test_classes_that_the_target_lacks_are_left_out():
    found = SourceCommittee().fit(SOURCE, CODES, X_PARTIAL, N_CLASSES)

    assert found.is_partial_
    assert_array_equal(found.kept_classes_, [0, 1])
    assert (found.probabilities_.argmax(axis=1) == PARTIAL).mean() > 0.95
    # Half of what is said by the fit to all classes is left to them.
    lacked = found.probabilities_[:, 2:].sum(axis=1)
    assert lacked.max() <= 0.5
    assert 0 < lacked.mean() < 0.15
    assert_allclose(found.probabilities_.sum(axis=1), 1)


def test_members_of_a_partial_target_are_means_of_two_fits():
    found = SourceCommittee().fit(SOURCE, CODES, X_PARTIAL, N_CLASSES)
    (all_, every, first), (fewer, kept, second) = found._fits
    expected = 0.5 * all_.fitted["kernel, unit"]
    expected[:, kept] += 0.5 * fewer.fitted["kernel, unit"]

    assert_array_equal(every, np.arange(N_CLASSES))
    assert_array_equal(kept, [0, 1])
    assert_allclose(found.members_["kernel, unit"], expected)
    assert_allclose(found.predict_members(X_PARTIAL)["kernel, unit"], expected)
    weight = (first["kernel, unit"] + second["kernel, unit"]) / 2
    assert found.weights_["kernel, unit"] == pytest.approx(weight)


def test_a_rare_class_is_not_taken_for_an_absent_one():
    rng = np.random.default_rng(0)
    rare = np.concatenate([np.arange(120) % 4, [4] * 8])
    apart = 8 * np.eye(N_CLASSES)
    source = apart[CODES] + rng.standard_normal((150, N_CLASSES))
    X = apart[rare] + rng.standard_normal((128, N_CLASSES)) + 0.5
    found = SourceCommittee().fit(source, CODES, X, N_CLASSES)

    assert not found.is_partial_
    assert found.class_shares_[4] < 0.15
    assert (found.probabilities_.argmax(axis=1) == rare).mean() > 0.95


def test_weights_sum_to_one_and_make_the_probabilities(committee):
    expected = sum(committee.weights_[m] * P for m, P in committee.members_.items())

    assert sum(committee.weights_.values()) == pytest.approx(1)
    assert_allclose(committee.probabilities_, expected)
    assert_allclose(committee.probabilities_.sum(axis=1), 1)
    assert_allclose(committee.class_shares_, committee.probabilities_.mean(axis=0))
    assert committee.weights_.keys() == committee.agreement_.keys()
    assert committee.weights_.keys() == committee.source_accuracy_.keys()


def test_agreement_is_the_share_of_rows_of_the_same_class(committee):
    ensemble = committee.probabilities_.argmax(axis=1)
    members = committee.members_

    # The ensemble of the round before may differ in a row or two.
    for name, share in committee.agreement_.items():
        same = (members[name].argmax(axis=1) == ensemble).mean()
        assert share == pytest.approx(same, abs=0.03)


def test_new_rows_are_predicted_like_those_of_the_fit(committee):
    codes = np.arange(200) % N_CLASSES

    assert (committee.predict_proba(draw(codes)).argmax(axis=1) == codes).mean() > 0.9
    again = committee.predict_proba(X_FULL).argmax(axis=1)
    assert (again == committee.probabilities_.argmax(axis=1)).mean() > 0.97


def test_it_has_no_seed(committee):
    again = SourceCommittee().fit(SOURCE, CODES, X_FULL, N_CLASSES)

    assert_array_equal(again.probabilities_, committee.probabilities_)


def test_domains_alike_are_trusted_to_the_plain_members():
    codes = np.arange(150) % N_CLASSES
    X = MEANS[codes] + RNG.standard_normal((150, 8))
    near = SourceCommittee().fit(SOURCE, CODES, X, N_CLASSES)
    far = SourceCommittee().fit(SOURCE, CODES, X + 3, N_CLASSES)

    assert near.domain_distance_ < 0.4
    assert far.domain_distance_ > 0.9
    assert near.weights_["kernel, standard"] > 2 * far.weights_["kernel, standard"]


def test_rows_beyond_the_limit_are_predicted_like_new_ones():
    found = SourceCommittee(max_rows=60).fit(SOURCE, CODES, X_FULL, N_CLASSES)

    assert found.probabilities_.shape == (120, N_CLASSES)
    assert (found.probabilities_.argmax(axis=1) == FULL).mean() > 0.9
    assert found.members_["neighbor, unit"].shape == (120, N_CLASSES)


def test_classes_without_rows_of_the_source_have_no_probability():
    found = SourceCommittee().fit(SOURCE, CODES, X_FULL, N_CLASSES + 1)

    assert_allclose(found.probabilities_[:, N_CLASSES], 0)


@pytest.mark.parametrize(
    ("source", "codes", "X"),
    [
        (SOURCE, np.full(150, 2), X_FULL),
        (SOURCE, CODES, X_FULL[:1]),
        (SOURCE[:5], CODES[:5], X_FULL),
        (np.ones((10, 3)), CODES[:10], np.ones((10, 3))),
        (SOURCE * [0, 1, 1, 1, 1, 1, 1, 1], CODES, X_FULL),
    ],
    ids=["one class", "one row", "one row per class", "equal rows", "constant feature"],
)
def test_poor_data_gives_probabilities(source, codes, X):
    found = SourceCommittee().fit(source, codes, X, N_CLASSES)

    assert_allclose(found.probabilities_.sum(axis=1), 1)
    assert_allclose(found.predict_proba(X[:1]).sum(axis=1), 1)


@pytest.mark.parametrize("seed", [2, 41])
def test_classes_that_all_members_find_again_are_not_left_out(seed):
    rng = np.random.default_rng(seed)
    codes = np.arange(120) % 6
    means = 2 * rng.normal(size=(6, 6))
    source = means[codes] + rng.normal(size=(120, 6))
    shift = rng.choice([2, 4, 8]) * rng.normal(size=6)
    stretch = np.exp(rng.choice([0, 0.7]) * rng.normal(size=6))
    target = stretch * (means[codes] + rng.normal(size=(120, 6))) + shift
    found = SourceCommittee().fit(source, codes, target, 6)
    _, fewer = found._find_classes(source, codes, target)

    # The members that move nothing have collapsed.
    assert len(fewer[0]) < 4
    assert not found.is_partial_
    assert_array_equal(found.kept_classes_, np.arange(6))
    assert (found.probabilities_.argmax(axis=1) == codes).mean() > 0.8
    # What they say of shares is not believed either.
    even = found._fit_members(source, codes, target, np.arange(6), np.full(6, 1 / 6))
    expected = even.panel.fitted["kernel, domain"]
    assert_array_equal(found.members_["kernel, domain"], expected)


def test_members_that_move_nothing_are_believed_where_domains_are_close():
    rng = np.random.default_rng(41)
    codes = np.arange(120) % 6
    means = 2 * rng.normal(size=(6, 6))
    source = means[codes] + rng.normal(size=(120, 6))
    shift = rng.choice([2, 4, 8]) * rng.normal(size=6)
    stretch = np.exp(rng.choice([0, 0.7]) * rng.normal(size=6))
    target = stretch * (means[codes] + rng.normal(size=(120, 6))) + shift
    found = SourceCommittee(far=1.01).fit(source, codes, target, 6)

    assert found.is_partial_  # though it is not, as these are far


def test_a_frequent_class_does_not_keep_absent_ones():
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.zeros(100, dtype=int), np.ones(20, dtype=int)])
    X = MEANS[codes] + rng.standard_normal((120, 8)) + SHIFT
    found = SourceCommittee().fit(SOURCE, CODES, X, N_CLASSES)

    assert found.is_partial_
    assert np.isin([0, 1], found.kept_classes_).all()
    assert not np.isin([2, 3], found.kept_classes_).any()
