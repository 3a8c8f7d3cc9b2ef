"""Tests of `skda.datasets.load_digits_domains`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from skda.datasets import label_few, load_digits_domains
from skda.datasets._digits import _orientation_histograms

RAMP = np.tile(np.arange(8.0), (8, 1))  # brighter to the right


def test_every_digit_is_in_one_domain_only():
    digits = load_digits_domains()
    X_source, y_source = digits.source
    whole = load_digits()

    assert_array_equal(X_source, whole.data[: len(y_source)] / 16)
    assert_array_equal(np.append(y_source, digits.y), whole.target)
    assert len(digits.X) == len(digits.y)


def test_domains_have_different_features_and_all_classes():
    digits = load_digits_domains()

    assert digits.X.shape == (882, 48)
    assert digits.source[0].shape == (915, 64)
    assert_array_equal(np.unique(digits.y), digits.target_names)
    assert_array_equal(np.unique(digits.source[1]), digits.target_names)
    assert str(len(digits.X)) in digits.DESCR


@pytest.mark.parametrize(
    ("image", "orientation"),
    [(RAMP, 0), (RAMP.T, 3), (-RAMP, 6), (-RAMP.T, 9), (RAMP.T - 2 * RAMP, 5)],
)
def test_a_cell_of_a_ramp_votes_for_one_orientation(image, orientation):
    slope = np.hypot(*np.gradient(image))[0, 0]

    histograms = _orientation_histograms(image[None]).reshape(4, 12)

    assert_allclose(histograms, 16 * slope * np.eye(12)[[orientation] * 4])


def test_cells_are_the_quadrants_of_the_image():
    image = np.zeros((8, 8))
    image[:3, 5:] = RAMP[:3, 5:]  # nothing else than in the top right corner

    histograms = _orientation_histograms(image[None]).reshape(4, 12)

    assert histograms.any(axis=1).tolist() == [False, True, False, False]


def test_target_can_be_learned_but_not_from_three_labels_per_class():
    X, y = load_digits_domains().X, load_digits_domains().y
    svc = SVC(kernel="linear")
    accuracies = []
    for seed in range(5):
        labeled = label_few(y, 3, random_state=seed) >= 0
        svc.fit(X[labeled], y[labeled])
        accuracies.append(svc.score(X[~labeled], y[~labeled]))

    assert cross_val_score(svc, X, y).mean() > 0.85
    assert 0.65 < np.mean(accuracies) < 0.8
