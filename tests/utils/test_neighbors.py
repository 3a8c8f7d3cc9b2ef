"""The one search for nearest neighbors: exact, approximate, or a transformer's."""

import copy
import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors

from skda.utils.many_rows import EXACT_UP_TO, is_large, map_in_threads, spread_out
from skda.utils.neighbors import (
    ApproximateNeighbors,
    TransformerNeighbors,
    fit_neighbors,
)

LINE = np.array([[0.0], [1.0], [3.0], [7.0]])


@pytest.fixture(name="X")
def _rows():
    return np.random.default_rng(0).normal(size=(300, 6)) + 2.0


@pytest.fixture(name="many")
def _many(monkeypatch):
    """Take 50 rows for many."""
    monkeypatch.setattr("skda.utils.many_rows.EXACT_UP_TO", 50)


def _exact(X, k, *, cosine=False):
    metric = "cosine" if cosine else "minkowski"
    return NearestNeighbors(n_neighbors=k, metric=metric).fit(X)


def test_up_to_the_size_the_search_is_that_of_scikit_learn(X):
    for cosine in (False, True):
        index = fit_neighbors(X, 5, cosine=cosine)

        assert isinstance(index, NearestNeighbors)
        for found, expected in zip(
            index.kneighbors(), _exact(X, 5, cosine=cosine).kneighbors(), strict=True
        ):
            assert_array_equal(found, expected)


def test_the_size_is_ten_thousand():
    assert not is_large(EXACT_UP_TO)
    assert is_large(10_001)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("cosine", [False, True])
def test_beyond_the_size_faiss_finds_the_same_neighbors_of_few_rows(X, cosine):
    index = fit_neighbors(X, 5, cosine=cosine)
    exact = _exact(X, 5, cosine=cosine)
    new = X[:20] + 0.1
    atol = 1e-6 if cosine else 1e-5

    assert isinstance(index, ApproximateNeighbors)
    assert_allclose(index.kneighbors()[0], exact.kneighbors()[0], atol=atol)
    assert_allclose(index.kneighbors(new)[0], exact.kneighbors(new)[0], atol=atol)
    shared = index.kneighbors_graph().multiply(exact.kneighbors_graph()).sum()
    assert shared >= 0.99 * 5 * len(X)


@pytest.mark.usefixtures("many")
def test_the_approximate_search_is_the_same_twice_and_after_a_copy(X):
    index = fit_neighbors(X, 5)

    for other in (
        fit_neighbors(X, 5),
        pickle.loads(pickle.dumps(index)),  # noqa: S301 (our own)
        copy.deepcopy(index),
    ):
        for found, expected in zip(
            other.kneighbors(X[:9]), index.kneighbors(X[:9]), strict=True
        ):
            assert_array_equal(found, expected)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("cosine", [False, True])
def test_rows_that_are_all_equal_have_others_for_neighbors(cosine):
    index = fit_neighbors(np.ones((200, 3)), 5, cosine=cosine)

    distances, places = index.kneighbors()

    assert_allclose(distances, 0, atol=1e-7)
    assert places.min() >= 0
    assert not (places == np.arange(200)[:, None]).any()


@pytest.mark.usefixtures("many")
def test_rows_that_the_graph_does_not_lead_to_are_compared_with_all(X, monkeypatch):
    index = fit_neighbors(X, 5)
    search = index._search

    def lose(points, n_wanted, look_at):
        squares, places = search(points, n_wanted, look_at)
        return squares + 1, np.full_like(places, -1)

    monkeypatch.setattr(index, "_search", lose)

    assert_allclose(index.kneighbors()[0], _exact(X, 5).kneighbors()[0], atol=1e-5)


@pytest.mark.usefixtures("many")
def test_without_faiss_the_search_is_exact_and_says_what_to_install(X, monkeypatch):
    monkeypatch.setattr("skda.utils.neighbors.find_spec", lambda _: None)

    with pytest.warns(UserWarning, match=r"pip install 'skda\[faiss\]'"):
        index = fit_neighbors(X, 5)

    assert_array_equal(index.kneighbors()[1], _exact(X, 5).kneighbors()[1])


@pytest.mark.usefixtures("many")
def test_up_to_the_size_nobody_needs_faiss(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)

    assert_array_equal(fit_neighbors(LINE, 1).kneighbors()[1].ravel(), [1, 0, 1, 2])


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_a_transformer_finds_the_neighbors_that_are_asked_for(mode):
    index = fit_neighbors(LINE, 2, transformer=KNeighborsTransformer(mode=mode))

    distances, places = index.kneighbors()

    assert_array_equal(distances, [[1, 3], [1, 2], [2, 3], [4, 6]])
    assert_array_equal(places, [[1, 2], [0, 2], [1, 0], [2, 1]])
    assert_array_equal(index.kneighbors(np.array([[2.9]]))[1], [[2, 1]])


def test_a_transformer_gets_unit_rows_for_cosines(X):
    transformer = KNeighborsTransformer(n_neighbors=50)

    index = fit_neighbors(X, 5, cosine=True, transformer=transformer)

    exact = _exact(X, 5, cosine=True)
    assert isinstance(index, TransformerNeighbors)
    assert_allclose(index.kneighbors()[0], exact.kneighbors()[0], atol=1e-12)
    assert_allclose(index.kneighbors(X[:3])[0], exact.kneighbors(X[:3])[0], atol=1e-12)
    assert not hasattr(transformer, "n_features_in_")
    assert index.transformer_.n_neighbors == 50


class _TooFew(TransformerMixin, BaseEstimator):
    """A transformer that finds one neighbor, the row itself."""

    def fit(self, X, y=None):
        self.index_ = NearestNeighbors(n_neighbors=1).fit(X)
        return self

    def transform(self, X):
        return self.index_.kneighbors_graph(X)


def test_a_transformer_that_finds_too_few_is_refused():
    with pytest.raises(ValueError, match="find 2 other rows near every row, got 0"):
        fit_neighbors(LINE, 2, transformer=_TooFew())


def test_few_of_many_rows_are_always_the_same_ones():
    drawn = spread_out(1000, 10)

    assert_array_equal(drawn, np.unique(drawn))
    assert_array_equal(drawn, spread_out(1000, 10))
    assert len(drawn) == 10
    assert len(spread_out(20_000)) == EXACT_UP_TO


@pytest.mark.parametrize("n_rows", [1, 10**6])
def test_items_keep_their_order_in_threads(n_rows):
    assert map_in_threads(lambda x: 2 * x, [3, 1, 2], n_rows) == [6, 2, 4]
