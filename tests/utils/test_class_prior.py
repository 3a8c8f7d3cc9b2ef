"""Tests of `skda.utils.class_prior`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler, normalize

from skda.utils.class_prior import estimate_class_prior, warn_about_shares
from skda.utils.labels import UNLABELED, check_labels

X, Y_TRUE = make_blobs(
    [60, 20, 10], n_features=4, centers=None, cluster_std=3.0, random_state=0
)
Y = np.full(90, UNLABELED)  # three labels per class
for k in range(3):
    Y[(k == Y_TRUE).nonzero()[0][:3]] = k
CLASSES = np.arange(3)


def test_the_estimate_is_the_mean_of_two_logistic_regressions():
    known = Y != UNLABELED
    means = [
        LogisticRegression(C=C)
        .fit(rows[known], Y[known])
        .predict_proba(rows[~known])
        .mean(axis=0)
        for rows, C in ((normalize(X), 10), (StandardScaler().fit_transform(X), 1))
    ]
    expected = (81 * np.mean(means, axis=0) + 1 / 3) / 82

    assert_allclose(
        estimate_class_prior(X, check_labels(Y, X), CLASSES), expected, atol=1e-3
    )


def test_roots_of_mostly_zeros_are_all_that_is_taken_of_texts():
    words = np.hstack([np.where(X > 5, X, 0), np.zeros((90, 60))])
    known = Y != UNLABELED
    rows = normalize(np.sqrt(words))
    model = LogisticRegression(C=10).fit(rows[known], Y[known])
    expected = (81 * model.predict_proba(rows[~known]).mean(axis=0) + 1 / 3) / 82
    found = estimate_class_prior(words, check_labels(Y, words), CLASSES)

    assert_allclose(found, expected, atol=1e-3)


def test_the_estimate_does_not_depend_on_units():
    labels = check_labels(Y, X)

    assert_allclose(
        estimate_class_prior(X * 2.0**90, labels, CLASSES),
        estimate_class_prior(X, labels, CLASSES),
    )


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.where(Y == 2, UNLABELED, Y), None),  # a class of which no row is labeled
        (np.where(Y == 0, 0, UNLABELED), [87 + 1 / 3, 1 / 3, 1 / 3]),
        (Y_TRUE, [60 + 1 / 3, 20 + 1 / 3, 10 + 1 / 3]),
    ],
)
def test_every_class_has_a_share(y, expected):
    found = estimate_class_prior(X, check_labels(y, X), CLASSES)

    assert found.min() > 0
    assert_allclose(found.sum(), 1)
    if expected is not None:
        assert_allclose(found, np.array(expected) / np.sum(expected))


def test_few_rows_are_too_few_to_contradict_shares(recwarn):
    rows = np.r_[np.flatnonzero(Y != UNLABELED), 20:24]
    labels = check_labels(Y[rows], X[rows])
    shares = np.full(3, 1 / 3)
    warn_about_shares(
        "X", "balanced", shares, X=X[rows], labels=labels, classes=CLASSES
    )

    assert not recwarn
