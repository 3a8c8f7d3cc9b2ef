"""Tests of the representations of both domains."""

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import ndtri

from skda.auto._domain_views import MOVED, UNMOVED, Views, class_weights, normal_scores

RNG = np.random.default_rng(0)
CODES = np.repeat([0, 1], [30, 10])
SOURCE = RNG.standard_normal((40, 3)) + 4 * CODES[:, None]
TARGET = 2 * (RNG.standard_normal((50, 3)) + 4 * (np.arange(50) % 2)[:, None]) + 7
EVEN = np.array([0.5, 0.5])
VIEWS = (*UNMOVED, *MOVED)


def test_weights_of_the_classes_make_the_shares():
    weights = class_weights(np.array([0, 0, 0, 1]), np.array([0.5, 0.5]))

    assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])


def test_a_class_without_a_share_weighs_nothing():
    assert_allclose(class_weights(np.array([0, 1]), np.array([1.0, 0.0])), [2, 0])


def test_normal_scores_share_the_ranks_of_equal_values():
    values, scores = normal_scores(np.array([3.0, 1.0, 3.0, 7.0]), np.ones(4))

    assert_allclose(values, [1, 3, 7])
    assert_allclose(scores, ndtri([1 / 8, 1 / 2, 7 / 8]))


def test_normal_scores_are_those_of_weighted_ranks():
    _, scores = normal_scores(np.array([1.0, 2.0]), np.array([3.0, 1.0]))

    assert_allclose(scores, ndtri([3 / 8, 3 / 4]))  # the half of 3/4 is 3/8, within 1/4


def test_a_value_of_no_weight_has_a_finite_score():
    _, scores = normal_scores(np.array([1.0, 2.0]), np.array([0.0, 1.0]))

    assert_allclose(scores, ndtri([1 / 4, 1 / 2]))


def test_moments_of_the_source_are_those_of_the_assumed_shares():
    views = Views(("domain", "transport", "ranks")).fit(SOURCE, CODES, TARGET, EVEN)
    weights = class_weights(CODES, EVEN)

    for name in ("domain", "transport"):
        means = [
            np.average(views.source_[name], axis=0, weights=weights),
            views.target_[name].mean(axis=0),
        ]
        assert_allclose(means[0] - means[1], 0, atol=1e-10)
    gap = views.source_["domain"].mean(axis=0) - views.target_["domain"].mean(axis=0)
    assert np.abs(gap).max() > 0.3


def test_weighted_variances_are_those_by_hand():
    views = Views(("domain",)).fit(SOURCE, CODES, TARGET, EVEN)
    weights = class_weights(CODES, EVEN)
    mean = np.average(SOURCE, axis=0, weights=weights)
    scale = np.sqrt(np.average((SOURCE - mean) ** 2, axis=0, weights=weights))
    rows, found = (SOURCE - mean) / scale, views.source_["domain"]

    # Principal components keep all distances of three features.
    assert_allclose(
        np.linalg.norm(found[0] - found[1:], axis=1),
        np.linalg.norm(rows[0] - rows[1:], axis=1),
    )


def test_new_rows_are_represented_as_those_of_the_target():
    views = Views(VIEWS).fit(SOURCE, CODES, TARGET, EVEN)
    again = views.transform(TARGET)

    assert list(again) == list(VIEWS)
    for name in VIEWS:
        assert_allclose(again[name], views.target_[name], atol=1e-10)


def test_ranks_undo_any_increasing_change_of_the_target():
    plain = Views(("ranks",)).fit(SOURCE, CODES, TARGET, EVEN)
    bent = Views(("ranks",)).fit(SOURCE, CODES, np.exp(TARGET / 4), EVEN)

    assert_allclose(bent.target_["ranks"], plain.target_["ranks"], atol=1e-10)


def test_units_of_the_target_do_not_matter_once_domains_are_standardized():
    plain = Views(("domain",)).fit(SOURCE, CODES, TARGET, EVEN)
    scaled = Views(("domain",)).fit(SOURCE, CODES, TARGET * [1, 10, 0.1] - 3, EVEN)

    assert_allclose(scaled.target_["domain"], plain.target_["domain"], atol=1e-8)


def test_many_features_are_reduced():
    wide = RNG.standard_normal((60, 600))
    views = Views(UNMOVED, n_components=8)
    views.fit(wide[:30], np.arange(30) % 2, wide[30:], EVEN)

    assert {rows.shape for rows in views.target_.values()} == {(30, 8)}
