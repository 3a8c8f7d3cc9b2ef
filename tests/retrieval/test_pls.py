"""Tests of `skda.retrieval.PLS`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.cross_decomposition import PLSSVD, PLSCanonical

from skda.metrics import chance_average_precision
from skda.retrieval import PLS

MODES = pytest.mark.parametrize("mode", ["svd", "canonical"])


def make_pairs(n_pairs=60, widths=(12, 11), seed=0):
    """Draw two views of the same four classes in three dimensions."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_pairs) % 4
    latent = 2 * rng.normal(size=(4, 3))[y] + rng.normal(size=(n_pairs, 3))
    views = {}
    for name, width in zip(("image", "text"), widths, strict=True):
        X = latent @ rng.normal(size=(3, width))
        views[name] = X + 0.5 * rng.normal(size=X.shape)
    return views, y


# The equations


@MODES
def test_two_features_and_one_by_hand(mode):
    views = {
        "x": np.array([[2.0, 1], [2, -1], [-2, 1], [-2, -1]]),
        "y": np.array([[3.0], [1], [-1], [-3]]),
    }
    pls = PLS(mode=mode, scaling=None).fit(views)

    # The covariances of the features of x with y are 4 and 1.
    sign = np.sign(pls.weights_["y"])
    assert_allclose(pls.weights_["x"], sign * np.array([[4], [1]]) / np.sqrt(17))
    assert_allclose(np.abs(pls.weights_["y"]), 1)


@pytest.mark.parametrize(
    ("mode", "reference"),
    [
        ("svd", PLSSVD(n_components=4)),
        ("canonical", PLSCanonical(n_components=4, algorithm="svd")),
    ],
)
def test_scores_are_those_of_scikit_learn(mode, reference):
    views, _ = make_pairs()
    pls = PLS(n_components=4, mode=mode).fit(views)
    reference.fit(views["image"], views["text"])
    expected = reference.transform(views["image"], views["text"])
    scale = np.sqrt(59 / 60)  # scikit-learn standardizes by n - 1

    for name, scores in zip(views, expected, strict=True):
        embedded = pls.transform({name: views[name]})[name]
        assert_allclose(scale * embedded, scores, rtol=1e-4, atol=1e-5)


def test_the_published_form_deflates():
    assert PLS.published().mode == "canonical"


# What comes in


@MODES
@pytest.mark.parametrize(
    ("n_components", "expected"), [("auto", 10), (None, 11), (3, 3)]
)
def test_the_number_of_dimensions(mode, n_components, expected):
    views, _ = make_pairs()
    pls = PLS(n_components=n_components, mode=mode).fit(views)

    assert pls.n_components_ == expected
    assert pls.weights_["text"].shape == (11, expected)


@MODES
def test_shares_that_add_up_to_one_leave_one_dimension_less(mode):
    views, _ = make_pairs(widths=(12, 5))
    shares = np.exp(views["text"])
    views["text"] = shares / shares.sum(axis=1, keepdims=True)
    pls = PLS(n_components=5, mode=mode, scaling="view").fit(views)

    assert pls.n_components_ == 4


@MODES
def test_fewer_pairs_than_features(mode):
    views, _ = make_pairs(6)
    pls = PLS(mode=mode).fit(views)

    assert pls.n_components_ == 5
    assert np.isfinite(pls.transform(views)["image"]).all()


def test_the_source_joins_the_pairs_and_labels_do_not_matter():
    views, y = make_pairs()
    old = {name: X[y < 2] for name, X in views.items()}
    new = {name: X[y >= 2] for name, X in views.items()}
    both = {name: np.vstack([old[name], new[name]]) for name in views}
    apart = PLS().fit(new, y[y >= 2], source=(old, y[y < 2]))

    assert_allclose(apart.weights_["text"], PLS().fit(both).weights_["text"])


@MODES
def test_pairs_that_come_twice_change_nothing(mode):
    views, _ = make_pairs()
    once = PLS(n_components=3, mode=mode).fit(views)
    twice = PLS(n_components=3, mode=mode)
    twice.fit({name: np.repeat(X, 2, axis=0) for name, X in views.items()})

    assert_allclose(np.abs(twice.weights_["text"]), np.abs(once.weights_["text"]))


@MODES
def test_a_constant_column_weighs_nothing(mode):
    views, _ = make_pairs()
    views["image"][:, 2] = 7.0
    weights = PLS(mode=mode).fit(views).weights_["image"]

    assert_allclose(weights[2], 0, atol=1e-12)


@MODES
def test_new_rows_find_their_class_in_the_other_view(mode):
    views, y = make_pairs(400, widths=(20, 15))
    pls = PLS(mode=mode).fit({name: X[:200] for name, X in views.items()})
    score = pls.score({name: X[200:] for name, X in views.items()}, y[200:])

    assert score > 2 * chance_average_precision(y[200:], y[200:])


@pytest.mark.parametrize(("n_pairs", "most"), [(60, 11), (6, 6)])
def test_many_dimensions_are_an_error(n_pairs, most):
    views, _ = make_pairs(n_pairs)

    with pytest.raises(ValueError, match=f"at most {most}, the width .* got 12: lower"):
        PLS(n_components=12).fit(views)


def test_three_views_are_an_error():
    views, _ = make_pairs()

    with pytest.raises(ValueError, match="PLS expects two views, got"):
        PLS().fit({**views, "sound": views["text"]})


def test_a_constant_view_is_an_error():
    views, _ = make_pairs()

    with pytest.raises(ValueError, match="View 'text' is the same in all 60 pairs"):
        PLS().fit({**views, "text": np.ones((60, 2))})
