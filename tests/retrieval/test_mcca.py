"""Tests of `skda.retrieval.MCCA`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag, eigh, inv, sqrtm, svd

from skda.metrics import chance_average_precision
from skda.retrieval import MCCA

RAW = {"regularization": 0.0, "weighted": False, "scaling": None}


def make_pairs(n_pairs=60, widths=(6, 5), noise=0.5, seed=0):
    """Draw views of the same four classes in three dimensions."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_pairs) % 4
    latent = 2 * rng.normal(size=(4, 3))[y] + rng.normal(size=(n_pairs, 3))
    views = {}
    for i, width in enumerate(widths):
        X = latent @ rng.normal(size=(3, width))
        views[f"view{i}"] = X + noise * rng.normal(size=X.shape)
    return views, y


def ridged(X, c):
    C = np.atleast_2d(np.cov(X.T, bias=True))
    return (1 - c) * C + c * np.trace(C) / len(C) * np.eye(len(C))


def same_up_to_signs(actual, expected):
    signs = np.sign(np.sum(actual * expected, axis=0))
    assert_allclose(actual, signs * expected, rtol=1e-6, atol=1e-8)


# The equations


def test_two_features_and_one_by_hand():
    views = {
        "x": np.array([[2.0, 1], [2, -1], [-2, 1], [-2, -1]]),  # variances 4 and 1
        "y": np.array([[1.0], [1], [-1], [-1]]),
    }
    mcca = MCCA(regularization=0.5, scaling=None).fit(views)

    rho = 2 / np.sqrt(3.25)  # the ridge makes 3.25 of the variance 4
    assert_allclose(mcca.correlations_, [rho])
    sign = np.sign(mcca.weights_["y"])
    assert_allclose(mcca.weights_["x"], sign * [[rho / np.sqrt(3.25)], [0]], atol=1e-12)
    assert_allclose(mcca.weights_["y"], sign * rho)


@pytest.mark.parametrize("c", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("weighted", [True, False])
def test_two_views_are_canonical_correlation_analysis(c, weighted):
    views, _ = make_pairs()
    mcca = MCCA(regularization=c, weighted=weighted, scaling=None).fit(views)
    X, Y = (V - V.mean(axis=0) for V in views.values())
    root_x, root_y = (inv(sqrtm(ridged(V, c))).real for V in (X, Y))
    U, s, Vt = svd(root_x @ (X.T @ Y / len(X)) @ root_y, full_matrices=False)

    assert_allclose(mcca.correlations_, s, atol=1e-8)
    scale = s if weighted else 1
    same_up_to_signs(mcca.transform(views)["view0"], X @ root_x @ U * scale)
    same_up_to_signs(mcca.transform(views)["view1"], Y @ root_y @ Vt.T * scale)


@pytest.mark.parametrize("n_pairs", [60, 12])
def test_three_views_solve_the_generalized_eigenproblem(n_pairs):
    views, _ = make_pairs(n_pairs, widths=(9, 4, 20))
    mcca = MCCA(n_components=3, regularization=0.3, scaling=None).fit(views)
    A = np.cov(np.hstack(list(views.values())).T, bias=True)
    A = A - block_diag(*(np.cov(X.T, bias=True) for X in views.values()))
    roots, vectors = eigh(A, block_diag(*(ridged(X, 0.3) for X in views.values())))
    rho = roots[:-4:-1] / 2

    assert_allclose(mcca.correlations_, rho)
    expected = np.sqrt(3) * vectors[:, :-4:-1] * rho
    same_up_to_signs(np.vstack(list(mcca.weights_.values())), expected)


def test_variates_without_ridge_have_unit_variance_and_no_correlation():
    views, _ = make_pairs()
    embeddings = MCCA(**RAW).fit(views).transform(views)

    for rows in embeddings.values():
        assert_allclose(np.cov(rows.T, bias=True), np.eye(5), atol=1e-5)


def test_the_published_form_leaves_variates_unweighted():
    assert MCCA.published().weighted is False
    assert MCCA.published(n_components=3).n_components == 3


# What comes in


def test_the_source_joins_the_pairs_and_labels_do_not_matter():
    views, y = make_pairs()
    old = {name: X[y < 2] for name, X in views.items()}
    new = {name: X[y >= 2] for name, X in views.items()}
    both = {name: np.vstack([old[name], new[name]]) for name in views}
    apart = MCCA().fit(new, y[y >= 2], source=(old, y[y < 2]))
    together = MCCA().fit(both)

    assert_allclose(apart.weights_["view1"], together.weights_["view1"])


def test_rows_of_one_view_need_no_other():
    views, _ = make_pairs(widths=(6, 5, 4))
    mcca = MCCA().fit(views)
    alone = mcca.transform({"view2": views["view2"][:3]})["view2"]

    assert_allclose(alone, mcca.transform(views)["view2"][:3], rtol=1e-6)


def test_a_constant_column_weighs_nothing():
    views, _ = make_pairs()
    wide = {**views, "view0": np.insert(views["view0"], 2, 7.0, axis=1)}
    weights = MCCA(regularization=0.0).fit(wide).weights_["view0"]

    assert_allclose(weights[2], 0, atol=1e-12)
    expected = MCCA(regularization=0.0).fit(views).weights_["view0"]
    same_up_to_signs(np.delete(weights, 2, axis=0), expected)


def test_pairs_that_come_twice_change_nothing():
    views, _ = make_pairs()
    once = MCCA().fit(views)
    twice = MCCA().fit({name: np.repeat(X, 2, axis=0) for name, X in views.items()})

    assert_allclose(twice.correlations_, once.correlations_)
    same_up_to_signs(twice.weights_["view0"], once.weights_["view0"])


def test_redundant_features_leave_fewer_dimensions():
    views, _ = make_pairs(noise=0.0)
    mcca = MCCA(regularization=0.0, n_components=5).fit(views)

    assert mcca.n_components_ == 3
    assert_allclose(mcca.correlations_, 1)


def test_views_that_do_not_agree_are_embedded_at_zero():
    views = {"x": np.array([[1.0], [1], [-1], [-1]]), "y": [[1.0], [-1], [1], [-1]]}
    mcca = MCCA(regularization=0.0).fit(views)

    assert_allclose(mcca.correlations_, [0], atol=1e-12)
    assert_allclose(mcca.transform(views)["x"], 0, atol=1e-12)


@pytest.mark.parametrize("n_views", [2, 3])
def test_new_rows_find_their_class_in_another_view(n_views):
    views, y = make_pairs(400, widths=(20, 15, 10)[:n_views])
    mcca = MCCA().fit({name: X[:200] for name, X in views.items()})
    score = mcca.score({name: X[200:] for name, X in views.items()}, y[200:])

    assert score > 2 * chance_average_precision(y[200:], y[200:])


def test_many_dimensions_are_an_error():
    views, _ = make_pairs()

    with pytest.raises(ValueError, match="n_components of at most 5, the"):
        MCCA(n_components=6).fit(views)


def test_a_constant_view_is_an_error():
    views, _ = make_pairs()

    with pytest.raises(ValueError, match="View 'view1' is the same in all 60 pairs"):
        MCCA().fit({**views, "view1": np.ones((60, 2))})
