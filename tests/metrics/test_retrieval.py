"""Tests of the metrics of retrieval."""

import tracemalloc
import warnings
from itertools import combinations
from time import process_time

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    precision_recall_curve,
)
from sklearn.metrics.pairwise import cosine_similarity

from skda.metrics import (
    average_precisions,
    chance_average_precision,
    mean_average_precision_score,
    mean_over_directions,
    recall_at_k_score,
    retrieval_precision_recall_curve,
)

METRICS = [
    mean_average_precision_score,
    recall_at_k_score,
    retrieval_precision_recall_curve,
]
# The first query ranks the items 0, 1, 2, 3; the second the other way round.
SIMILARITIES = np.array([[0.9, 0.6, 0.3, 0.0], [0.0, 0.3, 0.6, 0.9]])
ITEMS = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, 2.0], [0.0, 3.0]])
QUERIES = np.array([[1.0, 0.0], [0.0, 1.0]])


def _embeddings(n_queries=60, n_items=90, n_classes=5, seed=0):
    """Random embeddings with a little of the class in them, without ties."""
    rng = np.random.default_rng(seed)
    y_query = rng.integers(n_classes, size=n_queries)
    y_gallery = rng.integers(n_classes, size=n_items)
    centers = rng.normal(size=(n_classes, 8))
    query = centers[y_query] + rng.normal(size=(n_queries, 8))
    return y_query, y_gallery, query, centers[y_gallery] + rng.normal(size=(n_items, 8))


def _loop(relevant, similarities, k=None):
    """The definition, one query and one rank at a time."""
    values = []
    for row, scores in zip(relevant, similarities, strict=True):
        order = np.argsort(-scores)
        depth = k or len(scores)
        hits, total = 0, 0.0
        for rank, item in enumerate(order, start=1):
            if row[item]:
                hits += 1
                total += hits / rank if rank <= depth else 0
        values.append(total / min(hits, depth))
    return np.array(values)


@pytest.mark.parametrize(
    ("relevant", "k", "expected"),
    [
        ([[1, 0, 1, 0], [1, 0, 1, 0]], None, [(1 + 2 / 3) / 2, (1 / 2 + 2 / 4) / 2]),
        ([[1, 0, 1, 0], [1, 0, 1, 0]], 2, [1 / 2, (1 / 2) / 2]),
        ([[1, 0, 1, 0], [1, 0, 1, 0]], 1, [1, 0]),
        ([[1, 1, 1, 1], [0, 0, 0, 1]], None, [1, 1]),
        ([[1, 1, 1, 1], [1, 0, 0, 0]], 3, [1, 0]),
        ([[0, 0, 0, 0], [0, 0, 1, 0]], None, [np.nan, 1 / 2]),
        ([[0, 0, 0, 0], [0, 0, 1, 0]], 9, [np.nan, 1 / 2]),
    ],
)
def test_average_precisions_are_those_computed_by_hand(relevant, k, expected):
    assert_allclose(average_precisions(relevant, SIMILARITIES, k=k), expected)


@pytest.mark.parametrize(
    ("relevant", "similarities", "k", "expected"),
    [
        # Two ties at the top: a relevant item among them has rank 2.
        ([1, 0, 0, 1], [0.9, 0.9, 0.5, 0.1], None, (1 / 2 + 2 / 4) / 2),
        ([1, 1, 0, 0], [0.9, 0.9, 0.5, 0.1], None, 1),
        ([1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5], None, 1 / 2),
        # With a cut-off inside the tie, none of it counts.
        ([1, 0, 0, 1], [0.9, 0.9, 0.5, 0.1], 1, 0),
        ([1, 0, 0, 1], [0.9, 0.9, 0.5, 0.1], 2, (1 / 2) / 2),
    ],
)
def test_ties_take_their_worst_rank(relevant, similarities, k, expected):
    assert_allclose(average_precisions([relevant], [similarities], k=k), expected)


def test_average_precisions_equal_those_of_scikit_learn_with_and_without_ties():
    rng = np.random.default_rng(0)
    relevant = rng.random((40, 30)) < 0.3
    relevant[:, 0] = True
    for similarities in (rng.normal(size=(40, 30)), rng.integers(4, size=(40, 30))):
        found = average_precisions(relevant, similarities)

        assert_allclose(
            found.mean(), label_ranking_average_precision_score(relevant, similarities)
        )
        assert_allclose(
            found, average_precision_score(relevant.T, similarities.T, average=None)
        )


@pytest.mark.parametrize("k", [None, 1, 7, 500])
def test_without_ties_the_score_is_that_of_a_plain_loop(k):
    y_query, y_gallery, query, gallery = _embeddings()
    relevant = y_query[:, None] == y_gallery
    expected = _loop(relevant, cosine_similarity(query, gallery), k).mean()

    score = mean_average_precision_score(y_query, y_gallery, query, gallery, k=k)

    assert isinstance(score, float)
    assert score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("constant", [1.0, 1 / 3, 0.0])
def test_constant_embeddings_are_worth_the_prevalence_in_any_order(constant):
    y = np.repeat(np.arange(5), 21)  # sorted by class, as many test sets are
    rows = np.full((len(y), 53), constant)
    order = np.random.default_rng(0).permutation(len(y))

    for gallery in (y, y[order]):
        assert mean_average_precision_score(y, gallery, rows, rows) == pytest.approx(
            0.2
        )
        assert recall_at_k_score(y, gallery, rows, rows, k=104) == 0
        assert recall_at_k_score(y, gallery, rows, rows, k=105) == 1


def test_equal_rows_tie_however_products_are_rounded():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(5), 21)
    gallery = np.repeat(rng.normal(size=(1, 53)), len(y), axis=0)
    query = rng.normal(size=(len(y), 53))

    assert mean_average_precision_score(y, y, query, gallery) == pytest.approx(0.2)


def test_a_row_of_zeros_has_cosine_zero():
    # It lies between the item that is alike and the one that is opposite.
    gallery = np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])

    def ranks(label):
        y = np.array([0, 1, 2])
        return 1 / mean_average_precision_score([label], y, [[2.0, 0.0]], gallery)

    assert_allclose([ranks(label) for label in (0, 1, 2)], [1, 2, 3])
    assert mean_average_precision_score(
        [0], [0, 1, 2], [[0.0, 0.0]], gallery
    ) == pytest.approx(1 / 3)


def test_length_and_dtype_of_the_embeddings_do_not_matter():
    y_query, y_gallery, query, gallery = _embeddings()
    scale = np.random.default_rng(1).uniform(0.1, 10, size=(len(gallery), 1))
    plain = mean_average_precision_score(y_query, y_gallery, query, gallery)

    scaled = mean_average_precision_score(y_query, y_gallery, query, gallery * scale)
    single = mean_average_precision_score(
        y_query, y_gallery, query.astype("f4"), gallery.astype("f4")
    )

    assert scaled == pytest.approx(plain, abs=1e-12)
    assert single == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize(
    ("y_gallery", "k", "expected"),
    [
        # The first query finds its label at ranks 1 and 3, the second at rank 3.
        ([0, 1, 0, 9], 1, 1 / 2),
        ([0, 1, 0, 9], 2, 1 / 2),
        ([0, 1, 0, 9], 3, 1),
        ([0, 1, 0, 9], 40, 1),
        ([1, 9, 9, 0], 3, 0),
        ([1, 9, 9, 0], 4, 1),
    ],
)
def test_recall_is_the_share_of_queries_that_find_something(y_gallery, k, expected):
    score = recall_at_k_score([0, 1], y_gallery, QUERIES, ITEMS, k=k)

    assert isinstance(score, float)
    assert score == expected


def test_recall_looks_at_ten_items_unless_told_otherwise():
    y_query, y_gallery, query, gallery = _embeddings(n_classes=30)
    data = y_query, y_gallery, query, gallery
    with warnings.catch_warnings(action="ignore"):
        found = [
            recall_at_k_score(*data),
            *(recall_at_k_score(*data, k=k) for k in (10, 2)),
        ]

    assert found[0] == found[1] > found[2]


def test_the_curve_is_that_computed_by_hand():
    # Relevant at ranks 1 and 3, and at ranks 2 and 4: best precision from there on.
    first, second = [1, 1, 1, 2 / 3, 2 / 3], [1 / 2] * 5

    precision, recall = retrieval_precision_recall_curve(
        [0, 0], [0, 1, 0, 1], QUERIES, ITEMS, n_points=5
    )

    assert_allclose(recall, [0, 0.25, 0.5, 0.75, 1])
    assert_allclose(precision, np.mean([first, second], axis=0))


def test_the_curve_is_the_mean_of_those_of_scikit_learn():
    y_query, y_gallery, query, gallery = _embeddings()
    gallery[40:60] = gallery[40]  # ties
    similarities = np.round(cosine_similarity(query, gallery), 12)
    grid = np.linspace(0, 1, 101)
    expected = []
    for label, scores in zip(y_query, similarities, strict=True):
        precision, recall, _ = precision_recall_curve(y_gallery == label, scores)
        # scikit-learn's last point, of recall 0, is a convention and no rank.
        expected.append([precision[:-1][recall[:-1] >= r - 1e-9].max() for r in grid])

    precision, recall = retrieval_precision_recall_curve(
        y_query, y_gallery, query, gallery
    )

    assert_array_equal(recall, grid)
    assert_allclose(precision, np.mean(expected, axis=0))


def test_chance_is_what_random_rankings_have_on_average():
    rng = np.random.default_rng(0)
    y_query, y_gallery = np.array([0, 0, 1, 2]), np.repeat([0, 1, 2], [7, 4, 1])
    relevant = np.repeat(y_query, 3000)[:, None] == y_gallery
    random = average_precisions(relevant, rng.random(relevant.shape)).mean()

    assert chance_average_precision(y_query, y_gallery) == pytest.approx(
        random, abs=0.01
    )


@pytest.mark.parametrize(
    ("y_query", "y_gallery", "expected"),
    [
        ([0], [0], 1),
        ([0], [0, 0, 0], 1),
        ([0], [0, 1], 3 / 4),
        ([0, 1], [0, 1, -1], 3 / 4),
        (np.repeat(range(10), 10), np.repeat(range(10), 10), 0.138),
        (np.repeat(range(100), 40), np.repeat(range(100), 40), 0.012),
    ],
)
def test_chance_is_that_of_the_formula(y_query, y_gallery, expected):
    chance = chance_average_precision(y_query, y_gallery)

    assert isinstance(chance, float)
    assert chance == pytest.approx(expected, abs=5e-4)


def test_chance_on_halves_of_the_wikipedia_classes_is_the_known_one():
    counts = [34, 88, 96, 85, 65, 58, 51, 41, 71, 104]  # of its test rows
    halves = combinations(range(10), 5)
    labels = [np.repeat(half, np.take(counts, half)) for half in halves]
    chances = [chance_average_precision(y, y) for y in labels]
    found = np.mean(chances), min(chances), max(chances)

    assert_allclose(found, (0.232, 0.213, 0.252), atol=5e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["number", "name", "float"])
def test_rows_without_a_label_do_not_count(metric, kind):
    y_query, y_gallery, query, gallery = _embeddings()
    expected = metric(y_query, y_gallery, query, gallery)
    convert, missing = {
        "number": (lambda y: y, -1),
        "name": (lambda y: np.array([f"class {k}" for k in y], dtype=object), None),
        "float": (lambda y: y.astype(float), np.nan),
    }[kind]

    found = metric(
        np.append(convert(y_query), missing),
        np.append(convert(y_gallery), missing),
        np.vstack([query, gallery[:1]]),
        np.vstack([gallery, query[:1]]),
    )

    assert_allclose(found, expected)


@pytest.mark.parametrize("metric", METRICS)
def test_queries_without_relevant_items_are_left_out_with_a_warning(metric):
    y_query, y_gallery, query, gallery = _embeddings()
    expected = metric(y_query, y_gallery, query, gallery)

    with pytest.warns(
        UserWarning, match="2 of 62 queries have no relevant item"
    ) as seen:
        found = metric(
            [7, *y_query, 8],
            y_gallery,
            np.vstack([query[:1], query, query[:1]]),
            gallery,
        )

    assert_allclose(found, expected)
    assert seen[0].filename == __file__


def test_chance_leaves_out_queries_without_relevant_items():
    with pytest.warns(UserWarning, match="1 of 2 queries"):
        assert chance_average_precision([0, 7], [0, 1]) == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("y_query", "y_gallery"),
    [([0, 0], [1, 1, 1, 1]), ([-1, -1], [0, 0, 0, 0]), (["a", "b"], [None] * 4)],
)
@pytest.mark.parametrize("metric", [*METRICS, chance_average_precision])
def test_it_is_an_error_if_no_query_has_a_relevant_item(metric, y_query, y_gallery):
    data = () if metric is chance_average_precision else (QUERIES, ITEMS)
    with pytest.raises(ValueError, match="but no query has a relevant item: of 2"):
        metric(y_query, y_gallery, *data)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ({"query": [[np.nan, 0.0], [0.0, 1.0]]}, "Input query contains NaN"),
        ({"gallery": np.full((4, 2), np.inf)}, "Input gallery contains infinity"),
        ({"query": np.ones((2, 3))}, r"one space, got .* \(2, 3\) and \(4, 2\)"),
        ({"query": np.ones((3, 2))}, "each of the 3 rows of query, got 2: row i"),
        ({"y_gallery": [0, 1]}, "each of the 4 rows of gallery, got 2: .* y_gallery"),
        ({"y_query": ["a", "b"]}, "Mix of label input types"),
    ],
)
def test_bad_input_is_refused(metric, spoiled, message):
    data = {"y_query": [0, 1], "y_gallery": [0, 1, 0, 1]}
    data |= {"query": QUERIES, "gallery": ITEMS} | spoiled
    with pytest.raises(ValueError, match=message):
        metric(**data)


@pytest.mark.parametrize("k", [0, -1, 2.5, "ten"])
@pytest.mark.parametrize("metric", METRICS[:2])
def test_a_rank_must_be_a_positive_number(metric, k):
    with pytest.raises(ValueError, match=f"positive number of ranks, got {k!r}"):
        metric([0, 1], [0, 1, 0, 1], QUERIES, ITEMS, k=k)


def test_a_curve_needs_two_points():
    with pytest.raises(ValueError, match="at least two points of recall, got 1"):
        retrieval_precision_recall_curve([0], [0], [[1.0]], [[1.0]], n_points=1)


@pytest.mark.parametrize(
    ("relevant", "similarities", "message"),
    [
        ([[1, 0]], [[0.5, 0.1, 0.2]], r"of one shape .*, got \(1, 2\) and \(1, 3\)"),
        ([[1, 0]], [[0.5, np.nan]], "Input similarities contains NaN"),
    ],
)
def test_a_ranking_must_fit_and_be_finite(relevant, similarities, message):
    with pytest.raises(ValueError, match=message):
        average_precisions(relevant, similarities)


@pytest.mark.parametrize("metric", METRICS)
def test_chunks_change_nothing_and_bound_the_memory(metric):
    data = _embeddings(n_queries=400, n_items=1500)
    expected = metric(*data)
    tracemalloc.start()
    with sklearn.config_context(working_memory=2):  # all at once would be 5 a copy
        found = metric(*data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert_allclose(found, expected)
    assert peak < 4 * 2**20


def test_directions_are_all_ordered_pairs_of_views():
    embeddings = {name: np.full((1, 1), i) for i, name in enumerate("abc")}
    seen = []

    def metric(y_query, y_gallery, query, gallery):
        assert y_query is y_gallery is y
        seen.append((query.item(), gallery.item()))
        return float(10 * query.item() + gallery.item())

    y = [0]
    mean = mean_over_directions(embeddings, y, metric)

    assert sorted(seen) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert mean == 11


def test_a_view_alone_has_no_direction():
    with pytest.raises(ValueError, match=r"two views or more, got \['a'\]"):
        mean_over_directions({"a": QUERIES}, [0, 1], mean_average_precision_score)


def test_five_thousand_rows_take_seconds_and_little_memory():
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=5000)
    query, gallery = rng.normal(size=(2, 5000, 16)) + np.eye(16)[y]
    tracemalloc.start()
    start = process_time()
    scores = [metric(y, y, query, gallery) for metric in METRICS[:2]]
    seconds = process_time() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert all(0.1 < score < 1 for score in scores)
    assert peak < 300 * 2**20
    assert seconds < 5
