"""Tests of `skda.utils.sinkhorn`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

from skda.utils.sinkhorn import balancing_bias

PRIOR = np.array([0.5, 0.3, 0.2])
LOGITS = np.random.default_rng(0).normal(size=(40, 3))


def balanced(logits, prior):
    return softmax(logits + balancing_bias(logits, prior), axis=1)


def test_the_plan_is_that_of_optimal_transport():
    ot = pytest.importorskip("ot")
    uniform = np.full(40, 1 / 40)
    plan = ot.sinkhorn(uniform, PRIOR, M=-LOGITS, reg=1.0, stopThr=1e-12)

    assert_allclose(balanced(LOGITS, PRIOR), 40 * plan, atol=1e-5)


@pytest.mark.parametrize("scale", [1, 10, 300])
def test_every_class_has_its_share_however_sharp_the_scores(scale):
    shares = balanced(scale * LOGITS, PRIOR).mean(axis=0)

    assert_allclose(shares, PRIOR, atol=1e-5)


def test_what_is_in_balance_stays():
    shares = softmax(LOGITS, axis=1)
    bias = balancing_bias(LOGITS, shares.mean(axis=0))

    assert_allclose(bias, 0, atol=1e-5)


def test_a_class_that_no_row_prefers_gets_its_share():
    logits = np.tile([0.0, np.log(1e-12)], (10, 1))

    assert_allclose(balanced(logits, np.array([0.5, 0.5])), 0.5, atol=1e-5)


def test_one_class_has_every_row():
    assert_array_equal(balanced(LOGITS[:, :1], np.ones(1)), 1)


@pytest.mark.parametrize("n_rows", [0, 1, 2])
def test_fewer_rows_than_classes_are_left_alone(n_rows):
    assert_array_equal(balancing_bias(LOGITS[:n_rows], PRIOR), 0)
