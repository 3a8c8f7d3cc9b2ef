"""Tests of `skda.unsupervised.SubspaceAlignment`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.preprocessing import normalize

from skda.unsupervised import SubspaceAlignment

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
X_SOURCE = 2 * RNG.normal(size=(2, 9))[Y] + RNG.normal(size=(40, 9))
X = X_SOURCE[:30] @ np.linalg.qr(np.eye(9) + 0.2 * RNG.normal(size=(9, 9)))[0]


def directions(rows, d):
    _, _, Vt = np.linalg.svd(rows - rows.mean(axis=0))
    return Vt[:d].T


@pytest.mark.parametrize("d", [1, 3, 9])
def test_it_does_what_the_equation_says(d):
    clf = SubspaceAlignment(n_components=d, representation="unit")
    clf.fit(X, source=(X_SOURCE, Y))
    rows_s, rows_t = normalize(X_SOURCE), normalize(X)
    P_s, P_t = directions(rows_s, d), directions(rows_t, d)
    Z_s = (rows_s - rows_s.mean(axis=0)) @ P_s @ P_s.T @ P_t
    Z_t = (rows_t - rows_t.mean(axis=0)) @ P_t
    Z = clf.transform(X_SOURCE, domain="source")

    assert_allclose(cdist(clf.transform(X), Z), cdist(Z_t, Z_s), atol=1e-5)
    assert (clf.predict(X) == Y[cdist(Z_t, Z_s).argmin(axis=1)]).all()
    assert clf.alignment_.shape == (d, d)


def test_there_are_no_more_directions_than_rows():
    clf = SubspaceAlignment().fit(X[:4], source=(X_SOURCE, Y))

    assert clf.transform(X).shape == (30, 4)


def test_no_direction_is_refused():
    with pytest.raises(ValueError, match="'n_components' parameter of Subspace"):
        SubspaceAlignment(n_components=0).fit(X, source=(X_SOURCE, Y))
