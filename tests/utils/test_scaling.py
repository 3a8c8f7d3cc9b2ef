"""Tests of `skda.utils.scaling`: what to scale, rows or features."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler

from skda.utils.scaling import effective_n_features, feature_moments, suits_unit_rows


@pytest.fixture(name="X")
def _rows():
    return np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)


def test_a_feature_that_outweighs_the_others_makes_up_the_length_alone(X):
    mixed = X.copy()
    mixed[:, 3] *= 1e6

    assert effective_n_features(X) > 60
    assert effective_n_features(mixed) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_the_unit_of_all_features_does_not_change_what_makes_up_the_length(X, unit):
    assert_allclose(
        effective_n_features(X * X.dtype.type(unit)), effective_n_features(X)
    )


def test_rows_of_many_features_of_one_size_are_scaled_and_others_not(X):
    sparse = np.random.default_rng(0).poisson(0.02, size=(200, 400))

    assert suits_unit_rows(X)
    assert suits_unit_rows(sparse)
    assert not suits_unit_rows(X[:, :15])
    assert not suits_unit_rows(X * np.geomspace(1, 1e6, 64))


def test_moments_are_those_of_a_standard_scaler(X):
    X = np.c_[5 * X[:, :3] + 2, np.full(len(X), 7.0)]
    mean, scale = feature_moments(X)
    scaler = StandardScaler().fit(X[:, :3])

    assert_allclose(mean, [*scaler.mean_, 7.0])
    assert_allclose(scale[:3], scaler.scale_)
    assert scale[3] > 0
