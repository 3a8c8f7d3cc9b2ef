import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs

from skda.auto import _few_labels
from skda.auto._few_labels import FewLabelsCommittee


def _problem(n_labels=3, n_classes=3, std=1.5):
    """Draw blobs; their classes, and codes with a few labels of every class."""
    X, y = make_blobs(
        150,
        5,
        centers=n_classes,
        cluster_std=std,
        random_state=0,
        center_box=(-4, 4),
    )
    codes = np.full(len(y), -1)
    for k in range(n_classes):
        rows = np.flatnonzero(y == k)[:n_labels]
        codes[rows] = k
    return X, y, codes


def _accuracy(P, y, codes):
    hidden = codes == -1
    return np.mean(P[hidden].argmax(axis=1) == y[hidden])


def test_it_learns_blobs_from_one_label_each_and_labels_new_rows():
    X, y, codes = _problem(n_labels=1, std=1)
    fit = np.arange(len(X)) < 120

    committee = FewLabelsCommittee().fit(X[fit], codes[fit], 3)

    assert _accuracy(committee.probabilities_, y[fit], codes[fit]) > 0.9
    new = committee.predict_proba(X[~fit])
    assert np.mean(new.argmax(axis=1) == y[~fit]) > 0.9
    np.testing.assert_allclose(new.sum(axis=1), 1)


def test_the_result_is_the_weighted_mean_of_the_members():
    X, _, codes = _problem(n_labels=4)

    committee = FewLabelsCommittee().fit(X, codes, 3)

    assert len(committee.members_) == len(committee.weights_) == 16
    assert sum(committee.weights_.values()) == pytest.approx(1)
    mean = sum(committee.weights_[k] * P for k, P in committee.members_.items())
    np.testing.assert_allclose(committee.probabilities_, mean)
    assert set(committee.fold_accuracy_) == set(committee.members_)
    np.testing.assert_allclose(committee.shares_, mean.mean(axis=0))


def test_below_three_labels_per_class_weights_are_the_prior_ones():
    X, _, codes = _problem(n_labels=2)

    committee = FewLabelsCommittee().fit(X, codes, 3)

    assert committee.fold_accuracy_ is None
    for name, weight in committee.weights_.items():
        half = name.startswith("smooth")
        assert weight == pytest.approx(0.05 if half else 0.1)


def test_a_class_without_a_label_is_never_predicted():
    X, _, codes = _problem()
    codes[codes == 1] = -1

    committee = FewLabelsCommittee().fit(X, codes, 4)

    for P in (committee.probabilities_, committee.predict_proba(X)):
        assert P.shape == (len(X), 4)
        assert not P[:, [1, 3]].any()
        np.testing.assert_allclose(P.sum(axis=1), 1)


def test_a_single_labeled_class_is_everywhere():
    X, _, codes = _problem()
    codes[codes != 2] = -1

    committee = FewLabelsCommittee().fit(X, codes, 3)

    np.testing.assert_allclose(committee.predict_proba(X)[:, 2], 1)


def test_rows_that_are_all_equal_get_finite_probabilities():
    codes = np.array([0, 1, -1, -1, -1, -1])

    committee = FewLabelsCommittee().fit(np.ones((6, 3)), codes, 2)

    np.testing.assert_allclose(committee.probabilities_, 0.5, atol=1e-6)


def test_rows_without_labels_are_refused():
    with pytest.raises(ValueError, match="expects labeled rows, got none"):
        FewLabelsCommittee().fit(np.eye(3), np.full(3, -1), 2)


def test_a_second_fit_gives_the_same():
    X, _, codes = _problem(std=3)

    first, second = (FewLabelsCommittee().fit(X, codes, 3) for _ in range(2))

    np.testing.assert_array_equal(first.probabilities_, second.probabilities_)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_a_member_from_outside_that_knows_more_gets_most_weight():
    X, y, codes = _problem(n_labels=5, std=9)
    outside = np.full((len(X), 3), 0.02)
    outside[np.arange(len(X)), y] = 0.96

    alone = FewLabelsCommittee().fit(X, codes, 3)
    committee = FewLabelsCommittee().fit(X, codes, 3, extra={"source": outside})

    assert max(committee.weights_, key=committee.weights_.get) == "source"
    assert committee.weights_["source"] > 0.3
    better = _accuracy(committee.probabilities_, y, codes)
    assert better > _accuracy(alone.probabilities_, y, codes) + 0.1
    new = committee.predict_proba(X, extra={"source": outside})
    without = _accuracy(committee.predict_proba(X), y, codes)
    assert _accuracy(new, y, codes) > without + 0.1
    # Without the outside member, new rows are left to the others.
    np.testing.assert_allclose(committee.predict_proba(X).sum(axis=1), 1)


def test_the_geometry_of_the_classes_is_averaged_with_none(monkeypatch):
    X, _, codes = _problem(std=4)
    seen = []

    class Spy(_few_labels.Regression):
        def __init__(self, C=100.0, geometry=None):
            super().__init__(C, geometry)
            seen.append(geometry)

    monkeypatch.setattr(_few_labels, "Regression", Spy)
    prior = np.array([[1, 0.8, -0.8], [0.8, 1, -0.8], [-0.8, -0.8, 1]])

    given = FewLabelsCommittee().fit(X, codes, 3, geometry=prior)

    assert any(each is None for each in seen)
    assert any(each is not None and np.array_equal(each, prior) for each in seen)
    alone = FewLabelsCommittee().fit(X, codes, 3)
    assert not np.allclose(given.probabilities_, alone.probabilities_)


def test_the_machines_draw_nothing_from_the_global_generator():
    X, y = load_digits(return_X_y=True)
    X, codes = X[:150], np.where(np.arange(150) < 60, y[:150], -1)
    before = np.random.get_state()  # noqa: NPY002
    committee = FewLabelsCommittee().fit(X, codes, 10)
    after = np.random.get_state()  # noqa: NPY002

    assert any(name.startswith("radial") for name in committee.members_)
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]
