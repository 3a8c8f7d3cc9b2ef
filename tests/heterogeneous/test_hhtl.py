"""Tests of `skda.heterogeneous.HHTL`."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skda.heterogeneous import HHTL, PairedRidgeTransfer
from skda.heterogeneous._hhtl import fit_denoiser, hidden_layer
from skda.utils.warnings import NoSourceWarning


def every_corruption(X, p):
    """List all corruptions of all rows, what they were, and how likely each is."""
    masks = np.array(list(product([0, 1], repeat=X.shape[1])))
    likely = np.prod(np.where(masks, 1 - p, p), axis=1)
    corrupted = (X[:, None] * masks).reshape(-1, X.shape[1])
    originals = np.repeat(X, len(masks), axis=0)
    return corrupted, originals, np.tile(likely, len(X))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_denoiser_is_the_best_over_all_corruptions(p):
    X = np.random.default_rng(0).normal(size=(30, 4)) @ np.diag([1, 2, 3, 0.5]) + 1
    corrupted, originals, likely = every_corruption(X, p)
    rows = np.column_stack([corrupted, np.ones(len(corrupted))])
    root = np.sqrt(likely)[:, None]
    best = np.linalg.lstsq(root * rows, root * originals, rcond=None)[0]

    assert_allclose(fit_denoiser(X, p), best, atol=1e-6)


def test_the_denoiser_is_what_many_random_corruptions_come_to():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3)) + 1
    many = np.repeat(X, 5000, axis=0)
    rows = np.column_stack([many * (rng.random(many.shape) > 0.3), np.ones(len(many))])
    average = np.linalg.lstsq(rows, many, rcond=None)[0]

    assert_allclose(fit_denoiser(X, 0.3), average, atol=0.02)


def test_without_corruption_there_is_nothing_to_mend():
    X = np.random.default_rng(0).normal(size=(30, 4))

    assert_allclose(fit_denoiser(X, 0.0), np.eye(5)[:, :4], atol=1e-6)


def test_features_that_are_always_zero_stay_zero():
    X = np.random.default_rng(0).normal(size=(30, 4)) * [1, 1, 0, 1]
    W = fit_denoiser(X, 0.5)

    assert np.isfinite(W).all()
    assert_allclose(W[:, 2], 0, atol=1e-12)


def test_rows_are_stacked_with_their_hidden_layers(paired):
    clf = paired.fit(HHTL(n_layers=2, corruption=0.3, lambda_reg=2.0, scaling=None))
    X_s, X_t = (np.concatenate([paired.source[0], paired.pairs[0]]),
                np.concatenate([paired.X, paired.pairs[1]]))  # fmt: skip
    layers, sides, expected = {}, {}, []
    for name, X, side in (("s", X_s, paired.pairs[0]), ("t", X_t, paired.pairs[1])):
        first = fit_denoiser(X, 0.3)
        second = fit_denoiser(hidden_layer(X, first), 0.3)

        def stacked(rows, first=first, second=second):
            one = np.tanh(rows @ first[:-1] + first[-1])
            return [rows, one, np.tanh(one @ second[:-1] + second[-1])]

        layers[name], sides[name] = stacked, stacked(side)
    for target, source, h in zip(
        sides["t"], sides["s"], layers["t"](paired.X_test), strict=True
    ):
        center = target.mean(axis=0)
        gram = (target - center).T @ (target - center) + 2.0 * np.eye(8)
        G = np.linalg.solve(gram, (target - center).T @ (source - source.mean(axis=0)))
        expected.append((h - center) @ G + source.mean(axis=0))

    assert_allclose(
        clf.transform(paired.X_test), np.hstack(expected), rtol=1e-5, atol=1e-6
    )
    assert_allclose(
        clf.transform(paired.source[0], domain="source"),
        np.hstack(layers["s"](paired.source[0])),
        rtol=1e-5,
    )


def test_without_layers_it_is_the_linear_map(paired):
    both = paired.fit(HHTL(n_layers=0)), paired.fit(PairedRidgeTransfer())

    assert_allclose(*(clf.predict_proba(paired.X_test) for clf in both), rtol=1e-6)


def test_target_rows_of_pairs_are_not_counted_twice(paired):
    aligned = np.full((len(paired.X), 10), np.nan)
    aligned[:80] = paired.pairs[0]
    clf = paired.fit(HHTL(scaling=None), pairs=aligned)

    assert_allclose(clf.target_weights_[0], fit_denoiser(paired.X, 0.1))


def test_unlabeled_rows_shape_the_layers(paired):
    X_s, y_s = paired.source
    more = np.concatenate([X_s, X_s[:30] ** 3]), np.concatenate([y_s, np.full(30, -1)])
    weights = [
        paired.fit(HHTL(scaling=None), source=s).source_weights_[0]
        for s in (paired.source, more)
    ]

    assert not np.allclose(*weights)


def test_it_learns_from_pairs_that_belong_together(paired):
    clf = HHTL.published(n_layers=2)
    score = paired.fit(clf).score(paired.X_test, paired.y_test)
    mixed_up = paired.fit(clf, pairs=paired.mixed_up)

    assert score > 0.75
    assert mixed_up.score(paired.X_test, paired.y_test) < score - 0.2


@pytest.mark.parametrize("n_pairs", [1, 5])
def test_few_pairs_are_enough_to_work(paired, n_pairs):
    clf = paired.fit(HHTL(), pairs=tuple(side[:n_pairs] for side in paired.pairs))

    assert np.isfinite(clf.predict_proba(paired.X_test)).all()


def test_no_labeled_target_row_is_needed(paired):
    clf = paired.fit(HHTL(LogisticRegression()), y=None)

    assert clf.score(paired.X_test, paired.y_test) > 0.7


def test_without_a_source_there_are_no_layers(paired):
    with pytest.warns(NoSourceWarning):
        clf = HHTL().fit(paired.X, paired.y)

    assert not hasattr(clf, "ridges_")
    assert_array_equal(clf.predict(paired.X[:3]), paired.y[:3])
