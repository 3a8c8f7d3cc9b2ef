"""Tests of `skda.retrieval.GalleryIndex`."""

import pickle
import sys
import tracemalloc

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics.pairwise import cosine_similarity

from skda.retrieval import GalleryIndex


@pytest.fixture(params=["sklearn", "faiss"])
def backend(request):
    """Run the test with every backend that is installed."""
    if request.param == "faiss":
        pytest.importorskip("faiss", reason="the optional faiss is not installed")
    return request.param


def _data(dtype=np.float64, n_queries=40, n_rows=300):
    """A gallery with many equal rows and a row of zeros, and queries among them."""
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(n_rows, 6)).astype(dtype)
    gallery[100:140] = gallery[5]
    gallery[7] = 0
    queries = rng.normal(size=(n_queries, 6)).astype(dtype)
    queries[0], queries[1], queries[2] = gallery[5], 0, -gallery[5]
    return gallery, queries


def _brute_force(gallery, queries, n_neighbors):
    """All similarities, sorted; equal ones by their index."""
    similarities = np.round(cosine_similarity(queries, gallery), 12)
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :n_neighbors]
    return order, np.take_along_axis(similarities, order, axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_neighbors", [1, 10, 41, 299, 300])
def test_a_search_is_exact_and_breaks_ties_by_index(backend, n_neighbors, dtype):
    gallery, queries = _data(dtype)
    expected, cosines = _brute_force(gallery.astype(float), queries, n_neighbors)

    index = GalleryIndex(backend=backend, n_neighbors=n_neighbors).fit(gallery)
    indices, similarities = index.search(queries)

    assert index.backend_ == backend
    assert_array_equal(indices, expected)
    assert_allclose(similarities, cosines, atol=1e-12 if dtype == np.float64 else 2e-7)
    assert similarities.dtype == dtype
    assert (np.diff(similarities) <= 0).all()


def test_backends_find_the_same():
    pytest.importorskip("faiss", reason="the optional faiss is not installed")
    gallery, queries = _data(np.float32, n_rows=1000)
    ours, faiss = (
        GalleryIndex(backend=name).fit(gallery).search(queries)
        for name in ("sklearn", "faiss")
    )

    assert_array_equal(ours[0], faiss[0])
    assert_array_equal(ours[1], faiss[1])


def test_similarities_are_those_computed_by_hand(backend):
    index = GalleryIndex(backend=backend, n_neighbors=4)
    index.fit([[2.0, 0.0], [0.0, 0.0], [-1.0, 0.0], [3.0, 4.0]])

    indices, similarities = index.search([[1.0, 0.0], [0.0, 0.0]])

    assert_array_equal(indices, [[0, 3, 1, 2], [0, 1, 2, 3]])
    assert_allclose(similarities, [[1, 0.6, 0, -1], [0, 0, 0, 0]])


def test_a_row_of_zeros_is_no_closer_than_its_similarity_of_zero(backend):
    # The origin is closer to a row of unit length than a row at 80 degrees is.
    angle = np.deg2rad(80)
    gallery = [[0.0, 0.0]] * 30 + [[np.cos(angle), np.sin(angle)]]

    index = GalleryIndex(backend=backend, n_neighbors=1).fit(gallery)

    assert index.search([[1.0, 0.0]])[0] == 30


def test_rows_of_any_scale_have_a_direction(backend):
    rows = np.array([[1e-30, 0.0], [3e30, 3e30]], dtype=np.float32)

    _, similarities = (
        GalleryIndex(backend=backend, n_neighbors=2).fit(rows).search(rows)
    )

    assert_allclose(similarities, [[1, 0.5**0.5]] * 2, rtol=1e-6)


def test_a_search_may_ask_for_another_number_of_neighbors():
    gallery, queries = _data()
    index = GalleryIndex(n_neighbors=2).fit(gallery)

    assert index.search(queries)[0].shape == (40, 2)
    assert index.search(queries, 5)[0].shape == (40, 5)
    assert_array_equal(index.search(queries)[0], index.search(queries, 5)[0][:, :2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_expanded_query_is_the_query_plus_the_mean_of_its_hits(backend, dtype):
    gallery, queries = _data(dtype)
    index = GalleryIndex(backend=backend).fit(gallery)

    def unit(rows):
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    hits = unit(gallery.astype(float))[index.search(queries, 3)[0]]
    expected = unit(unit(queries.astype(float)) + hits.mean(axis=1))

    expanded = index.expand(queries, 3)

    assert_allclose(expanded, expected, atol=1e-12 if dtype == np.float64 else 1e-6)
    assert expanded.dtype == dtype


def test_nothing_is_added_to_a_query_by_no_expansions():
    index = GalleryIndex().fit([[1.0, 0.0], [0.0, 1.0]])

    assert_allclose(index.expand([[3.0, 4.0]], 0), [[0.6, 0.8]])


def test_expansion_finds_what_the_hits_are_like():
    # Item 2 is orthogonal to the query, but is like the query's only hit.
    gallery = [[0.8, 0.6, 0.0], [0.0, -0.1, 1.0], [0.0, 1.0, 0.0]]
    query = [[1.0, 0.0, 0.05]]
    index = GalleryIndex(n_neighbors=3).fit(gallery)

    assert_array_equal(index.search(query)[0], [[0, 1, 2]])
    assert_array_equal(index.search(index.expand(query, 1))[0], [[0, 2, 1]])


def test_an_index_can_be_pickled(backend):
    gallery, queries = _data(np.float32)
    index = GalleryIndex(backend=backend).fit(gallery)
    stored = pickle.dumps(index)
    copy = pickle.loads(stored)  # noqa: S301 (our own)

    assert_array_equal(copy.search(queries)[0], index.search(queries)[0])
    assert len(stored) < 2 * gallery.nbytes  # not once more for the backend


@pytest.mark.parametrize("tied", [False, True], ids=["usual", "all rows tie"])
def test_chunks_change_nothing_and_bound_the_memory(tied):
    gallery, queries = _data(np.float32, n_queries=500, n_rows=3000)
    if tied:
        gallery[:] = gallery[0]
    index = GalleryIndex(backend="sklearn").fit(gallery)
    expected = index.search(queries)
    tracemalloc.start()
    with sklearn.config_context(working_memory=2):
        found = index.search(queries)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[1], expected[1])
    assert peak < 4 * 2**20  # all similarities would be 11


@pytest.mark.parametrize("n_neighbors", [0, 5, 2.0])
@pytest.mark.parametrize("method", ["search", "expand"])
def test_a_number_of_neighbors_that_cannot_be_is_refused(method, n_neighbors):
    index = GalleryIndex().fit(np.eye(4))
    if method == "expand" and n_neighbors == 0:
        n_neighbors = -1
    expected = (
        f"from 1 to 4 neighbors, as many as the gallery has rows, got {n_neighbors}"
    )
    with pytest.raises(ValueError, match=expected):
        getattr(index, method)(np.eye(4), n_neighbors)


def test_more_neighbors_than_the_gallery_has_by_default_are_refused():
    with pytest.raises(ValueError, match=r"from 1 to 4 neighbors, .* got 10"):
        GalleryIndex().fit(np.eye(4)).search(np.eye(4))


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.eye(3), "X has 3 features, but GalleryIndex is expecting 4"),
        (np.full((1, 4), np.nan), "Input X contains NaN"),
    ],
)
def test_queries_of_another_width_or_with_nan_are_refused(queries, message):
    index = GalleryIndex(n_neighbors=1).fit(np.eye(4))
    with pytest.raises(ValueError, match=message):
        index.search(queries)


def test_a_gallery_with_nan_is_refused():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        GalleryIndex().fit([[np.nan, 1.0]])


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="The 'backend' parameter of GalleryIndex"):
        GalleryIndex(backend="annoy").fit(np.eye(4))


def test_faiss_is_asked_for_where_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    expected = r"searches with faiss, .* install 'skda\[faiss\]', or use backend='skl"
    with pytest.raises(ModuleNotFoundError, match=expected):
        GalleryIndex(backend="faiss").fit(np.eye(4))


def test_scikit_learn_searches_where_faiss_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)

    assert GalleryIndex().fit(np.eye(4)).backend_ == "sklearn"


def test_faiss_searches_where_it_is_installed():
    pytest.importorskip("faiss", reason="the optional faiss is not installed")

    assert GalleryIndex().fit(np.eye(4)).backend_ == "faiss"
