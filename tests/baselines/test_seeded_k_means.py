"""Tests of `skda.baselines.SeededKMeans`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import entr, softmax
from sklearn.datasets import make_blobs
from sklearn.preprocessing import normalize

from skda.baselines import SeededKMeans
from skda.datasets import label_few
from skda.utils.labels import UNLABELED

X, Y_TRUE = make_blobs(90, n_features=6, centers=3, cluster_std=6.0, random_state=0)
Y = label_few(Y_TRUE, 3, random_state=0)
HIDDEN = Y == UNLABELED
ROWS = normalize(normalize(X) - normalize(X).mean(axis=0))


def test_it_starts_from_the_labeled_rows():
    seeds = normalize(np.eye(4)[Y][:, :3].T @ ROWS)
    shares = np.eye(4)[Y][:, :3]
    shares[HIDDEN] = softmax(ROWS[HIDDEN] @ seeds.T / 0.1, axis=1)

    clf = SeededKMeans.published(temperature=0.1, max_iter=1).fit(X, Y)

    assert_allclose(clf.centroids_[0], normalize(shares.T @ ROWS))


@pytest.mark.parametrize("temperature", [0.01, 0.1])
def test_it_climbs_to_where_shares_and_centroids_agree(temperature):
    def fitted(max_iter):
        return SeededKMeans.published(temperature=temperature, max_iter=max_iter).fit(
            X, Y
        )

    def objective(clf):
        shares = clf.label_distributions_
        fit = np.sum(shares * (ROWS @ clf.centroids_[0].T))
        return fit + temperature * entr(shares).sum()

    heights = [objective(fitted(max_iter)) for max_iter in (1, 2, 4, 8, 500)]
    last = fitted(500)

    assert last.n_iter_ < 500
    assert (np.diff(heights) >= -1e-6).all()
    assert heights[-1] > heights[0]
    assert_allclose(
        last.centroids_[0], normalize(last.label_distributions_.T @ ROWS), atol=1e-3
    )


def test_a_new_row_has_the_shares_that_the_formula_gives_it():
    clf = SeededKMeans.published(temperature=0.1).fit(X, Y)

    assert_allclose(
        clf.predict_proba(X), softmax(ROWS @ clf.centroids_[0].T / 0.1, axis=1)
    )
    assert_allclose(clf.predict_proba(X)[HIDDEN], clf.label_distributions_[HIDDEN])


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"max_iter": 0}])
def test_settings_are_positive(settings):
    with pytest.raises(
        ValueError, match=f"{next(iter(settings))}' parameter of Seeded"
    ):
        SeededKMeans.published(**settings).fit(X, Y)
