"""Tests of the members of a committee."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from skda.auto._members import (
    PENALTIES,
    Domains,
    KernelRidge,
    Neighbor,
    Projection,
    Propagation,
)
from skda.unsupervised import CenteredLabelPropagation

RNG = np.random.default_rng(0)
CODES = np.arange(60) % 3
MEANS = 3 * RNG.standard_normal((3, 5))
SOURCE = MEANS[CODES] + RNG.standard_normal((60, 5))
TARGET = MEANS[CODES] + RNG.standard_normal((60, 5)) + 0.5
DOMAINS = Domains(SOURCE, CODES, TARGET, np.ones(60), 3)
MEMBERS = [KernelRidge, Neighbor, Projection, Propagation]


def ridge_by_hand(K, Y, weights, penalty):
    """Solve for the coefficients of weighted squared errors around weighted means."""
    mean = np.average(Y, axis=0, weights=weights)
    D = np.diag(weights)
    return np.linalg.solve(D @ K + penalty * np.eye(len(K)), D @ (Y - mean)), mean


@pytest.mark.parametrize("make", MEMBERS)
def test_members_find_the_classes_and_say_so_of_new_rows(make):
    member = make().fit(DOMAINS)

    assert (member.probabilities_.argmax(axis=1) == CODES).mean() > 0.9
    assert_allclose(member.probabilities_.sum(axis=1), 1)
    new = member.predict_proba(TARGET + 0.01)
    assert (new.argmax(axis=1) == CODES).mean() > 0.9
    assert 0.85 < member.source_accuracy_ <= 1


@pytest.mark.parametrize("make", MEMBERS)
def test_rows_that_are_all_equal_are_no_error(make):
    member = make().fit(
        Domains(np.ones((6, 2)), np.arange(6) % 2, np.ones((4, 2)), np.ones(6), 2)
    )

    assert np.isfinite(member.probabilities_).all()
    assert np.isfinite(member.predict_proba(np.zeros((1, 2)))).all()


@pytest.mark.parametrize("n_landmarks", [1000, 59])
def test_a_row_is_left_out_of_its_own_prediction(n_landmarks):
    # A row with a wrong class is predicted by the others, which are right.
    codes = CODES.copy()
    codes[0] = 1
    member = KernelRidge(n_landmarks).fit(DOMAINS._replace(codes=codes))

    assert member.source_probabilities_[0].argmax() == 0


def test_kernel_ridge_regression_is_the_one_by_hand():
    weights = np.where(CODES == 0, 2.0, 0.5)
    member = KernelRidge().fit(DOMAINS._replace(weights=weights))
    distances = cdist(SOURCE, SOURCE, "sqeuclidean")
    scale = np.median(distances[distances > 0])
    K, K_t = (
        np.exp(-cdist(X, SOURCE, "sqeuclidean") / scale) for X in (SOURCE, TARGET)
    )
    scores = np.log(member.probabilities_) * member.temperature_
    matches = []
    for penalty in PENALTIES:
        A, mean = ridge_by_hand(K, np.eye(3)[CODES], weights, penalty)
        expected = K_t @ A + mean
        gaps = scores - expected  # the same for all classes of a row, if they agree
        matches.append(np.ptp(gaps, axis=1).max() < 1e-6)

    assert sum(matches) == 1


def test_left_out_scores_are_those_of_fits_without_the_row():
    member = KernelRidge().fit(DOMAINS)
    distances = cdist(SOURCE, SOURCE, "sqeuclidean")
    K = np.exp(-distances / np.median(distances[distances > 0]))
    Y = np.eye(3)[CODES] - np.eye(3)[CODES].mean(axis=0)
    errors, scores = [], []
    for penalty in PENALTIES:
        left_out = np.empty_like(Y)
        for i in range(60):
            rest = np.arange(60) != i
            A = np.linalg.solve(K[np.ix_(rest, rest)] + penalty * np.eye(59), Y[rest])
            left_out[i] = K[i, rest] @ A
        scores.append(left_out + np.eye(3)[CODES].mean(axis=0))
        errors.append(((left_out - Y) ** 2).mean())
    best = scores[int(np.argmin(errors))]
    logs = np.log(member.source_probabilities_) * member.temperature_

    assert_allclose(np.ptp(logs - best, axis=1), 0, atol=1e-6)


def test_few_landmarks_predict_nearly_the_same():
    full, few = KernelRidge().fit(DOMAINS), KernelRidge(30).fit(DOMAINS)

    assert len(few.landmarks_) == 30
    agree = full.probabilities_.argmax(axis=1) == few.probabilities_.argmax(axis=1)
    assert agree.mean() > 0.95


def test_the_nearest_row_decides_and_is_left_out_of_its_own_accuracy():
    member = Neighbor().fit(DOMAINS)
    nearest = KNeighborsClassifier(1).fit(SOURCE, CODES)
    distances = cdist(SOURCE, SOURCE)
    np.fill_diagonal(distances, np.inf)

    assert_array_equal(member.probabilities_.argmax(axis=1), nearest.predict(TARGET))
    assert member.source_accuracy_ == pytest.approx(
        (CODES[distances.argmin(axis=1)] == CODES).mean()
    )


def test_labels_spread_as_centered_label_propagation_has_it():
    expected = CenteredLabelPropagation(
        n_neighbors=10, alpha=0.95, center=True, power=None
    ).fit(TARGET, source=(SOURCE, CODES))
    member = Propagation().fit(DOMAINS)

    assert_allclose(
        member.probabilities_, expected.label_distributions_[60:], atol=1e-6
    )
    new = TARGET + RNG.standard_normal(TARGET.shape)
    assert_allclose(member.predict_proba(new), expected.predict_proba(new), atol=1e-5)


def test_the_mean_of_the_source_is_the_weighted_one():
    # Without weights, the large class of the source moves onto the wrong ones.
    codes = np.repeat([0, 1, 2], [120, 10, 10])
    source = MEANS[codes] + 0.1 * RNG.standard_normal((140, 5))
    target = MEANS[CODES] + 0.1 * RNG.standard_normal((60, 5)) + 5
    weights = np.where(codes == 0, 1 / 12, 1.0)
    right = Propagation().fit(Domains(source, codes, target, weights, 3))
    center = np.average(source, axis=0, weights=weights)

    assert (right.probabilities_.argmax(axis=1) == CODES).all()
    assert_allclose(center, MEANS.mean(axis=0), atol=0.1)
    assert_allclose(right.mean_, target.mean(axis=0))


def test_projected_rows_lose_the_weighted_mean_of_both_domains():
    weights = np.where(CODES == 0, 2.0, 0.5)
    member = Projection().fit(DOMAINS._replace(weights=weights))
    S = np.concatenate([SOURCE, TARGET])
    rows = S / np.linalg.norm(S, axis=1, keepdims=True) @ member.axes_
    both = np.concatenate([weights / weights.mean(), np.ones(60)])

    assert_allclose(member.center_, np.average(rows, axis=0, weights=both))
