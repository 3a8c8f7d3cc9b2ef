"""Tests of `skda.baselines.SinkhornCentroids`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.datasets import make_blobs
from sklearn.preprocessing import normalize

from skda.baselines import SinkhornCentroids
from skda.datasets import label_few
from skda.utils.labels import UNLABELED

X, Y_TRUE = make_blobs(90, n_features=6, centers=3, cluster_std=6.0, random_state=0)
Y = label_few(Y_TRUE, 3, random_state=0)
HIDDEN = Y == UNLABELED
ROWS = normalize(normalize(X) - normalize(X).mean(axis=0))
PRIOR = np.array([0.2, 0.3, 0.5])


@pytest.mark.parametrize("step", [0.2, 1.0])
def test_it_is_a_transport_and_a_step_by_turns(step):
    ot = pytest.importorskip("ot")
    shares = np.eye(4)[Y][:, :3]
    n_hidden = HIDDEN.sum()

    def transport():
        costs, mass = -ROWS[HIDDEN] @ centroids.T, np.full(n_hidden, 1 / n_hidden)
        shares[HIDDEN] = n_hidden * ot.sinkhorn(mass, PRIOR, costs, reg=0.2)

    centroids = normalize(shares.T @ ROWS)
    for _ in range(3):
        transport()
        means = normalize(shares.T @ ROWS)
        centroids = normalize((1 - step) * centroids + step * means)
    transport()

    clf = SinkhornCentroids.published(
        temperature=0.2, step=step, max_iter=3, class_prior=PRIOR
    )
    clf.fit(X, Y)

    assert_allclose(clf.centroids_[0], centroids, atol=1e-5)
    assert_allclose(clf.label_distributions_, shares, atol=1e-5)


def test_a_new_row_is_not_balanced():
    clf = SinkhornCentroids.published(temperature=0.1, class_prior=PRIOR).fit(X, Y)
    shares = softmax(ROWS @ clf.centroids_[0].T / 0.1, axis=1)

    assert_allclose(clf.predict_proba(X), shares)
    assert np.abs(shares - clf.label_distributions_)[HIDDEN].max() > 0.01


def test_it_stops_where_the_centroids_rest():
    clf = SinkhornCentroids.published(step=1.0, max_iter=500).fit(X, Y)

    assert clf.n_iter_ < 500
    assert_allclose(
        clf.centroids_[0], normalize(clf.label_distributions_.T @ ROWS), atol=1e-3
    )


@pytest.mark.parametrize("step", [0.0, 1.1])
def test_a_step_goes_no_farther_than_the_means(step):
    with pytest.raises(ValueError, match="'step' parameter of SinkhornCentroids"):
        SinkhornCentroids.published(step=step).fit(X, Y)
