"""Tests of `skda.retrieval.MvDA`, and of what it shares with `GMLDA`."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import block_diag, eigh, inv

from skda.metrics import chance_average_precision
from skda.retrieval import GMLDA, MvDA
from skda.retrieval._mvda import consistency

BOTH = pytest.mark.parametrize("Analysis", [MvDA, GMLDA])


def make_pairs(n_pairs=60, widths=(6, 5), n_classes=4, seed=0):
    """Draw views of the same classes in three dimensions."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_pairs) % n_classes
    latent = 2 * rng.normal(size=(n_classes, 3))[y] + rng.normal(size=(n_pairs, 3))
    views = {}
    for i, width in enumerate(widths):
        X = latent @ rng.normal(size=(3, width))
        views[f"view{i}"] = X + 0.5 * rng.normal(size=X.shape)
    return views, y


def centered(views):
    return [X - X.mean(axis=0) for X in views.values()]


def blocks(make, n_views):
    return np.block([[make(j, r) for r in range(n_views)] for j in range(n_views)])


def published_scatters(Xs, y):
    """Sum up the scatters within and between classes as the paper prints them."""
    n_views, n = len(Xs), len(Xs) * len(y)

    def shared(j, r):
        total = 0
        for k in np.unique(y):
            n_kj = n_kr = np.sum(y == k)
            mean_j, mean_r = Xs[j][y == k].mean(axis=0), Xs[r][y == k].mean(axis=0)
            total = total + n_kj * n_kr / (n_views * n_kj) * np.outer(mean_j, mean_r)
        return total

    def within(j, r):
        own = sum(np.outer(x, x) for x in Xs[j]) if j == r else 0
        return own - shared(j, r)

    def between(j, r):
        return shared(j, r) - np.outer(Xs[j].sum(axis=0), Xs[r].sum(axis=0)) / n

    return blocks(within, n_views), blocks(between, n_views)


def published_consistency(Xs, ridges):
    """Build the view consistency as the paper prints it, with n x n inverses."""
    n_views = len(Xs)
    P = [
        inv(X @ X.T + ridge * np.eye(len(X))) @ X
        for X, ridge in zip(Xs, ridges, strict=True)
    ]
    return blocks(
        lambda j, r: (2 * (n_views - 1) if j == r else -2) * P[j].T @ P[r], n_views
    )


# The equations


def test_four_pairs_by_hand():
    views = {
        "a": np.array([[2.0], [0], [-1], [-1]]),  # means 1 and -1, variance 1.5
        "b": np.array([[1.0], [1], [-1], [-1]]),
    }
    mvda = MvDA(regularization=0.1, scaling=None).fit(views, [0, 0, 1, 1])

    # D is 1/2 everywhere, S is [[1.5 - 0.5 + 0.15, -0.5], [-0.5, 1 - 0.5 + 0.1]].
    assert_allclose(mvda.discriminants_, [3.125])
    assert_allclose(mvda.weights_["b"] / mvda.weights_["a"], [[1.5]])


@pytest.mark.parametrize("n_views", [2, 3])
@pytest.mark.parametrize("lambda_", [0.0, 0.5])
def test_the_weights_solve_the_published_problem(n_views, lambda_):
    views, y = make_pairs(50, widths=(6, 5, 4)[:n_views])  # classes of 12 and of 13
    mvda = MvDA(view_consistency=lambda_, regularization=0.2, scaling=None)
    mvda.fit(views, y)
    Xs = centered(views)
    S, D = published_scatters(Xs, y)
    ridges = [0.2 * np.sum(X**2) / X.shape[1] for X in Xs]
    M = published_consistency(Xs, ridges)
    identities = [
        ridge * np.eye(X.shape[1]) for X, ridge in zip(Xs, ridges, strict=True)
    ]
    S = S + block_diag(*identities) + lambda_ * np.trace(S) / np.trace(M) * M

    W = np.vstack(list(mvda.weights_.values()))
    assert_allclose(D @ W, S @ W * mvda.discriminants_, atol=1e-8)
    assert_allclose(mvda.discriminants_, eigh(D, S)[0][:-4:-1])


@pytest.mark.parametrize("n_pairs", [20, 4])
def test_view_consistency_is_that_of_the_large_inverse(n_pairs):
    views, _ = make_pairs(n_pairs, widths=(6, 5, 4))
    Xs, ridges = list(views.values()), [0.5, 2.0, 1.0]
    matrices = [r * np.eye(X.shape[1]) for X, r in zip(Xs, ridges, strict=True)]
    M = consistency(Xs, matrices)

    assert_allclose(M, published_consistency(Xs, ridges), atol=1e-10)
    w = np.linspace(-1, 1, 15)
    P = [X @ inv(X.T @ X + R) for X, R in zip(Xs, matrices, strict=True)]
    betas = [p @ part for p, part in zip(P, np.split(w, [6, 11]), strict=True)]
    expected = sum(np.sum((a - b) ** 2) for a in betas for b in betas)
    assert_allclose(w @ M @ w, expected)


def test_consistent_views_share_their_weights():
    views, y = make_pairs()
    Xs = centered(views)

    def disagreement(view_consistency):
        mvda = MvDA(view_consistency=view_consistency, scaling=None).fit(views, y)
        W = np.vstack(list(mvda.weights_.values()))
        M = published_consistency(Xs, [0.1 * np.sum(X**2) / X.shape[1] for X in Xs])
        return np.trace(W.T @ M @ W) / np.trace(W.T @ published_scatters(Xs, y)[1] @ W)

    assert disagreement(100.0) < 0.5 * disagreement(0.0)


# What comes in, for both


@BOTH
def test_labeled_pairs_of_the_source_count_like_new_ones(Analysis):
    views, y = make_pairs()
    old = {name: X[y < 2] for name, X in views.items()}
    new = {name: X[y >= 2] for name, X in views.items()}
    both = {name: np.vstack([old[name], new[name]]) for name in views}
    apart = Analysis(scaling=None).fit(new, y[y >= 2], source=(old, y[y < 2]))
    together = Analysis(scaling=None).fit(both, np.concatenate([y[y < 2], y[y >= 2]]))

    assert apart.n_components_ == 3
    assert_allclose(apart.weights_["view0"], together.weights_["view0"])


@BOTH
def test_unlabeled_pairs_are_left_out_with_a_warning(Analysis):
    views, y = make_pairs()
    hidden = np.where(np.arange(60) < 8, -1, y)

    with pytest.warns(UserWarning, match="leaves out 8 unlabeled pairs of 60"):
        some = Analysis(scaling=None).fit(views, hidden)

    rest = {name: X[8:] for name, X in views.items()}
    expected = Analysis(scaling=None).fit(rest, y[8:])
    assert_allclose(some.weights_["view1"], expected.weights_["view1"])
    assert_allclose(some.center_["view1"], views["view1"].mean(axis=0))


@BOTH
def test_new_pairs_need_no_label_beside_a_source(Analysis):
    views, y = make_pairs()
    old = {name: X[y < 3] for name, X in views.items()}
    new = {name: X[y >= 3] for name, X in views.items()}

    with pytest.warns(UserWarning, match="leaves out 15 unlabeled pairs of 60"):
        analysis = Analysis().fit(new, source=(old, y[y < 3]))

    assert analysis.n_components_ == 2
    assert_array_equal(analysis.classes_, [0, 1, 2])


@BOTH
def test_classes_may_be_names(Analysis):
    views, y = make_pairs()
    named = Analysis().fit(views, np.array(["ant", "bee", "cat", "dog"])[y])

    assert_allclose(named.weights_["view0"], Analysis().fit(views, y).weights_["view0"])


@BOTH
def test_a_category_with_one_pair_is_one_more(Analysis):
    views, y = make_pairs()
    y = np.where(np.arange(60) == 0, 9, y)
    analysis = Analysis().fit(views, y)

    assert analysis.n_components_ == 4
    assert np.isfinite(analysis.transform(views)["view1"]).all()


@BOTH
def test_a_constant_column_weighs_nothing(Analysis):
    views, y = make_pairs()
    views["view0"][:, 2] = 7.0
    weights = Analysis().fit(views, y).weights_["view0"]

    assert_allclose(weights[2], 0, atol=1e-12)
    assert np.abs(weights[[0, 1, 3]]).min() > 0


@BOTH
def test_rows_of_zeros_are_rows(Analysis):
    views, y = make_pairs()
    for X in views.values():
        X[:10] = 0
    analysis = Analysis(scaling=None).fit(views, y)

    assert np.isfinite(analysis.transform({"view0": np.zeros((2, 6))})["view0"]).all()


@BOTH
def test_more_features_than_pairs(Analysis):
    views, y = make_pairs(12, widths=(40, 30))
    analysis = Analysis().fit(views, y)

    assert analysis.n_components_ == 3
    assert np.isfinite(analysis.transform(views)["view1"]).all()


@BOTH
def test_pairs_that_come_twice_change_nothing(Analysis):
    views, y = make_pairs()
    once = Analysis().fit(views, y)
    twice = Analysis().fit(
        {name: np.repeat(X, 2, axis=0) for name, X in views.items()}, np.repeat(y, 2)
    )

    assert_allclose(twice.discriminants_, once.discriminants_)


@BOTH
def test_narrow_views_leave_fewer_dimensions(Analysis):
    views, y = make_pairs(widths=(1, 1), n_classes=6)
    analysis = Analysis().fit(views, y)

    assert 1 <= analysis.n_components_ <= 2


@BOTH
@pytest.mark.parametrize("n_views", [2, 3])
def test_new_rows_find_their_class_in_another_view(Analysis, n_views):
    views, y = make_pairs(400, widths=(20, 15, 10)[:n_views])
    analysis = Analysis().fit({n: X[:200] for n, X in views.items()}, y[:200])
    score = analysis.score({n: X[200:] for n, X in views.items()}, y[200:])

    assert score > 2 * chance_average_precision(y[200:], y[200:])


@BOTH
def test_many_dimensions_are_an_error(Analysis):
    views, y = make_pairs()

    with pytest.raises(ValueError, match="at most 3, the number of categories minus"):
        Analysis(n_components=4).fit(views, y)


@BOTH
@pytest.mark.parametrize("y", [None, np.ones(60)])
def test_fewer_than_two_categories_are_an_error(Analysis, y):
    views, _ = make_pairs()

    with pytest.raises(ValueError, match="at least two categories, got"):
        Analysis().fit(views, y)


@BOTH
def test_a_view_that_is_constant_where_there_are_labels_is_an_error(Analysis):
    views, y = make_pairs()
    views["view1"][:40] = 1.0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="'view1' is the same in all 40 pairs"):
            Analysis().fit(views, np.where(np.arange(60) < 40, y, -1))


@BOTH
def test_a_ridge_that_is_lost_in_rounding_is_an_error(Analysis):
    views, y = make_pairs(12, widths=(40, 30))

    with pytest.raises(ValueError, match="or redundant ones: raise regularization"):
        Analysis(regularization=1e-20).fit(views, y)
