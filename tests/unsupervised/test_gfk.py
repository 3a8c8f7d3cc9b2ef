"""Tests of `skda.unsupervised.GFK`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from skda.unsupervised import GFK
from skda.unsupervised._gfk import geodesic_flow

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
X_SOURCE = 2 * RNG.normal(size=(2, 9))[Y] + RNG.normal(size=(40, 9))
X = X_SOURCE[:30] @ np.linalg.qr(np.eye(9) + 0.2 * RNG.normal(size=(9, 9)))[0]


def orthonormal(d, p):
    return np.linalg.qr(RNG.normal(size=(p, d)))[0].T


def integrated(first, last):
    """Evaluate Equation 1 with the geodesic written out, by Gauss-Legendre."""
    U, cosines, Vt = np.linalg.svd(first @ last.T)
    angles = np.arccos(np.minimum(cosines, 1))[:, None]
    begin, end = U.T @ first, Vt @ last
    nodes, weights = np.polynomial.legendre.leggauss(30)
    G = 0
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        Phi = (np.sin((1 - t) * angles) * begin + np.sin(t * angles) * end) / np.sin(
            angles
        )
        G = G + weight * Phi.T @ Phi
    return G


@pytest.mark.parametrize(("d", "p"), [(1, 5), (3, 9), (4, 8)])
def test_the_kernel_is_the_integral_along_the_geodesic(d, p):
    first, last = orthonormal(d, p), orthonormal(d, p)
    angles, components = geodesic_flow(first, last)

    assert_allclose(components.T @ components, integrated(first, last), atol=1e-10)
    assert_allclose(angles[::-1], subspace_angles(first.T, last.T), atol=1e-7)


def test_a_right_angle_by_hand():
    angles, components = geodesic_flow(np.eye(3)[:1], np.eye(3)[1:2])
    expected = [[0.5, 1 / np.pi, 0], [1 / np.pi, 0.5, 0], [0, 0, 0]]

    assert_allclose(angles, np.pi / 2)
    assert_allclose(components.T @ components, expected, atol=1e-12)


def test_of_one_subspace_the_kernel_is_its_projection():
    basis = orthonormal(3, 6)
    angles, components = geodesic_flow(basis, basis[::-1])

    assert_allclose(angles, 0, atol=1e-7)
    assert_allclose(components.T @ components, basis.T @ basis, atol=1e-7)


def test_subspaces_of_more_than_half_the_features_share_directions():
    first, last = orthonormal(4, 6), orthonormal(4, 6)
    angles, components = geodesic_flow(first, last)

    assert_allclose(angles[:2], 0, atol=1e-6)
    assert_allclose(angles[::-1], subspace_angles(first.T, last.T), atol=1e-6)
    assert np.isfinite(components).all()


def test_the_nearest_rows_are_those_under_the_kernel():
    clf = GFK(n_components=3, representation="unit").fit(X, source=(X_SOURCE, Y))
    unit_s, unit_t = normalize(X_SOURCE), normalize(X)
    first, last = (PCA(3).fit(rows).components_ for rows in (unit_s, unit_t))
    G = integrated(first, last)
    rows_s, rows_t = unit_s - unit_s.mean(axis=0), unit_t - unit_t.mean(axis=0)
    gaps = rows_t[:, None] - rows_s
    nearest = np.einsum("ijp,pq,ijq->ij", gaps, G, gaps).argmin(axis=1)

    assert (clf.predict(X) == Y[nearest]).all()
    assert clf.components_.shape == (6, 9)


def test_there_are_no_more_directions_than_rows():
    clf = GFK().fit(X[:4], source=(X_SOURCE, Y))

    assert clf.angles_.shape == (4,)


def test_no_direction_is_refused():
    with pytest.raises(ValueError, match="'n_components' parameter of GFK must be"):
        GFK(n_components=0).fit(X, source=(X_SOURCE, Y))
