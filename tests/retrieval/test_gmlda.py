"""Tests of `skda.retrieval.GMLDA`; those of bad input are in `test_mvda.py`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag, eigh

from skda.retrieval import GMLDA


def make_pairs(widths=(6, 5)):
    """Draw views of four classes, of 12 and of 13 pairs."""
    rng = np.random.default_rng(0)
    y = np.arange(50) % 4
    latent = 2 * rng.normal(size=(4, 3))[y] + rng.normal(size=(50, 3))
    views = {}
    for i, width in enumerate(widths):
        X = latent @ rng.normal(size=(3, width))
        views[f"view{i}"] = X + 0.5 * rng.normal(size=X.shape)
    return views, y


def published_problem(views, y, *, coupling, mu, ridge):
    """Build both sides of Equation 1 from sums over rows and classes."""
    classes, means, between, within = np.unique(y), [], [], []
    for X in (X - X.mean(axis=0) for X in views.values()):
        Z = [np.sqrt(np.mean(y == k)) * X[y == k].mean(axis=0) for k in classes]
        inside = np.vstack([X[y == k] - X[y == k].mean(axis=0) for k in classes])
        trace = np.sum(X**2) / len(X)
        means.append(np.array(Z).T)
        between.append(sum(np.outer(z, z) for z in Z))
        B = sum(np.outer(x, x) for x in inside) / len(X)
        within.append(B + ridge * trace / X.shape[1] * np.eye(X.shape[1]))
    A = coupling * np.vstack(means) @ np.vstack(means).T
    A = A - block_diag(*(coupling * Z @ Z.T for Z in means))
    A = A + block_diag(between[0], *(mu * own for own in between[1:]))
    first = np.trace(within[0])
    return A, block_diag(*(first / np.trace(B) * B for B in within))


def test_four_pairs_by_hand():
    views = {
        "a": np.array([[2.0], [0], [-1], [-1]]),  # means 1 and -1, variance 1.5
        "b": np.array([[1.0], [1], [-1], [-1]]),
    }
    gmlda = GMLDA(coupling=10.0, regularization=0.1, scaling=None)
    gmlda.fit(views, [0, 0, 1, 1])

    # B_1 is 1.5 - 1 + 0.15, and gamma makes B_2 as large; A is [[1, 10], [10, 1]].
    assert_allclose(gmlda.discriminants_, [11 / 0.65])
    weight = 1 / np.sqrt(2 * 0.65)
    assert_allclose(np.abs(gmlda.weights_["a"]), [[weight]])
    assert_allclose(gmlda.weights_["b"], gmlda.weights_["a"])


@pytest.mark.parametrize("widths", [(6, 5), (6, 5, 4), (3, 70)])
@pytest.mark.parametrize(("coupling", "mu"), [(10.0, 1.0), (0.5, 3.0)])
def test_the_weights_solve_the_published_problem(widths, coupling, mu):
    views, y = make_pairs(widths)
    gmlda = GMLDA(coupling=coupling, mu=mu, regularization=0.2, scaling=None)
    gmlda.fit(views, y)
    A, B = published_problem(views, y, coupling=coupling, mu=mu, ridge=0.2)

    W = np.vstack(list(gmlda.weights_.values()))
    assert_allclose(A @ W, B @ W * gmlda.discriminants_, atol=1e-7)
    assert_allclose(gmlda.discriminants_, eigh(A, B)[0][:-4:-1])
    assert_allclose(W.T @ B @ W, np.eye(3), atol=1e-7)


def test_coupling_brings_the_means_of_views_together():
    views, y = make_pairs()

    def distance(coupling):
        embedded = GMLDA(coupling=coupling).fit(views, y).transform(views)
        a, b = ([Z[y == k].mean(axis=0) for k in range(4)] for Z in embedded.values())
        cosines = np.sum(np.multiply(a, b), axis=1)
        return 1 - np.mean(
            cosines / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        )

    assert distance(10.0) < 0.5 * distance(0.01)
