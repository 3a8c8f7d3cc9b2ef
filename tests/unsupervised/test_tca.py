"""Tests of `skda.unsupervised.TCA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import eig
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import normalize

from skda.unsupervised import TCA

RNG = np.random.default_rng(0)
Y = np.arange(30) % 3
X_SOURCE = 2 * RNG.normal(size=(3, 6))[Y] + RNG.normal(size=(30, 6))
X = X_SOURCE[:20] + RNG.normal(size=(20, 6)) + 2.0
BOTH = normalize(np.concatenate([X_SOURCE, X]))


def textbook(F, mu, n_components):
    """Solve Equation 1 with every matrix written out."""
    e = np.r_[np.full(30, 1 / 30), np.full(20, -1 / 20)]
    M = np.outer(e, e) / np.linalg.norm(np.outer(e, e))
    H = np.eye(50) - np.full((50, 50), 1 / 50)
    metric = F.T @ M @ F + mu * np.eye(F.shape[1])
    values, vectors = eig(np.linalg.solve(metric, F.T @ H @ F))
    W = vectors.real[:, np.argsort(-values.real)[:n_components]]
    return F @ W / np.sqrt(np.einsum("ik,ij,jk->k", W, metric, W))


@pytest.mark.parametrize("kernel", ["primal", "linear", "rbf"])
@pytest.mark.parametrize("mu", [0.1, 3.0])
def test_it_does_what_the_equation_says(kernel, mu):
    clf = TCA(kernel=kernel, mu=mu, n_components=4, representation="unit")
    clf.fit(X, source=(X_SOURCE, Y))
    centered = BOTH - BOTH.mean(axis=0)
    gamma = 1 / np.mean(cdist(BOTH, BOTH, "sqeuclidean"))
    F = {
        "primal": BOTH,
        "linear": centered @ centered.T,
        "rbf": rbf_kernel(BOTH, gamma=gamma),
    }[kernel]
    expected = textbook(F, mu, 4)
    Z = np.concatenate([clf.transform(X_SOURCE, domain="source"), clf.transform(X)])

    # A component may have the other sign.
    assert_allclose(pdist(Z), pdist(expected), rtol=1e-3, atol=1e-5)
    nearest = cdist(expected[30:], expected[:30]).argmin(axis=1)
    assert_array_equal(clf.predict(X), Y[nearest])


def test_the_means_come_close_as_the_ridge_falls():
    gaps = []
    for mu in (100.0, 1.0, 0.01):
        clf = TCA(mu=mu, n_components=3, representation="unit")
        clf.fit(X, source=(X_SOURCE, Y))
        Z, Z_source = clf.transform(X), clf.transform(X_SOURCE, domain="source")
        gap = np.linalg.norm(Z.mean(axis=0) - Z_source.mean(axis=0))
        gaps.append(gap / np.linalg.norm(Z.std(axis=0)))

    assert gaps[0] > gaps[1] > gaps[2]


def test_the_factor_of_the_distance_is_a_parameter():
    wide, narrow = (
        TCA(kernel="rbf", gamma=gamma).fit(X, source=(X_SOURCE, Y))
        for gamma in (0.1, 10.0)
    )

    assert abs(pdist(wide.transform(X)) - pdist(narrow.transform(X))).max() > 0.01


def test_there_are_as_many_components_as_there_may_be():
    few = TCA(n_components=2, pca_components=4).fit(X, source=(X_SOURCE, Y))
    all_of_them = TCA(pca_components=4).fit(X, source=(X_SOURCE, Y))

    assert few.coefficients_.shape == (4, 2)
    assert all_of_them.coefficients_.shape == (4, 4)


def test_a_kernel_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="'kernel' parameter of TCA must be"):
        TCA(kernel="poly").fit(X, source=(X_SOURCE, Y))
