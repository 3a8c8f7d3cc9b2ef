"""Tests of `skda.unsupervised.LinearOT`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm
from scipy.spatial.distance import pdist
from sklearn.preprocessing import normalize

from skda.unsupervised import LinearOT

RNG = np.random.default_rng(0)
Y = np.arange(60) % 2
X_SOURCE = 2 * RNG.normal(size=(2, 5))[Y] + RNG.normal(size=(60, 5))
X = X_SOURCE[:50] @ (np.eye(5) + 0.2 * RNG.normal(size=(5, 5))) + 1.0


def covariance(rows, ridge):
    C = np.cov(rows.T, bias=True)
    return C + ridge * np.trace(C) / len(C) * np.eye(len(C))


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_it_does_what_the_equation_says(ridge):
    clf = LinearOT(ridge=ridge, representation="unit").fit(X, source=(X_SOURCE, Y))
    rows_s, rows_t = normalize(X_SOURCE), normalize(X)
    root = sqrtm(covariance(rows_s, ridge))
    inverse = np.linalg.inv(root)
    A = inverse @ sqrtm(root @ covariance(rows_t, ridge) @ root) @ inverse
    moved = (rows_s - rows_s.mean(axis=0)) @ A

    # Principal components are turned.
    assert_allclose(
        pdist(clf.transform(X_SOURCE, domain="source")), pdist(moved), atol=1e-5
    )
    assert_allclose(pdist(clf.transform(X)), pdist(rows_t), atol=1e-5)


def test_the_map_is_that_of_pot():
    ot = pytest.importorskip("ot", reason="POT is not installed")
    clf = LinearOT(ridge=0.0, representation="unit").fit(X, source=(X_SOURCE, Y))
    rows = [clf.pca_.transform(normalize(each)) for each in (X_SOURCE, X)]
    A, b = ot.gaussian.empirical_bures_wasserstein_mapping(*rows, reg=1e-12)
    moved = clf.transform(X_SOURCE, domain="source") + clf.transport_.mean_

    assert_allclose(moved, rows[0] @ A + b, atol=1e-4)


def test_the_number_of_components_is_bounded():
    clf = LinearOT(pca_components=2).fit(X, source=(X_SOURCE, Y))

    assert clf.transform(X).shape == (50, 2)
    assert clf.transport_.map_.shape == (2, 2)


def test_a_negative_ridge_is_refused():
    with pytest.raises(ValueError, match="'ridge' parameter of LinearOT must be"):
        LinearOT(ridge=-1.0).fit(X, source=(X_SOURCE, Y))


def test_one_row_has_no_covariance():
    with pytest.raises(ValueError, match="expects two samples of each domain"):
        LinearOT().fit(X[:1], source=(X_SOURCE, Y))
