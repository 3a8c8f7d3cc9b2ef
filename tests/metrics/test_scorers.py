"""Tests of the scorers of retrievers."""

import pickle
from functools import partial

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict

from skda.metrics import (
    mean_average_precision_score,
    mean_over_directions,
    recall_at_k_score,
    retrieval_scorer,
)


class Shifted(TransformerMixin, BaseEstimator):
    """A retriever that embeds every view as it is, plus a number."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y=None):
        self.views_ = ("image", "text")
        return self

    def transform(self, X):
        if isinstance(X, dict):
            return {name: rows + self.shift for name, rows in X.items()}
        if isinstance(X, list):
            return [rows + self.shift for rows in X]
        return X + self.shift


@pytest.fixture(scope="module")
def y():
    """Labels of forty pairs."""
    return np.arange(40) % 4


@pytest.fixture(scope="module")
def views(y):
    """Two views with the classes in them."""
    rng = np.random.default_rng(0)
    rows = np.eye(4)[y] - 0.25 + 0.3 * rng.normal(size=(2, 40, 4))
    return SliceDict(image=rows[0], text=rows[1])


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def _routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield


@pytest.mark.parametrize("form", ["mapping", "list", "one array"])
def test_the_score_is_the_mean_over_both_directions(form, views, y):
    X = {
        "mapping": views,
        "list": [views["image"], views["text"]],
        "one array": np.hstack([views["image"], views["text"]]),
    }[form]
    expected = mean_over_directions(dict(views), y, mean_average_precision_score)

    score = retrieval_scorer()(Shifted().fit(X), X, y)

    assert isinstance(score, float)
    assert score == pytest.approx(expected)
    assert 0.5 < score < 1


@pytest.mark.parametrize(
    ("arguments", "metric"),
    [
        ({"metric": "map"}, mean_average_precision_score),
        ({"metric": "map", "k": 3}, partial(mean_average_precision_score, k=3)),
        ({"metric": "recall"}, partial(recall_at_k_score, k=10)),
        ({"metric": "recall", "k": 1}, partial(recall_at_k_score, k=1)),
    ],
)
def test_one_direction_can_be_asked_for(arguments, metric, views, y):
    scorer = retrieval_scorer(**arguments, query="text", gallery="image")
    score = scorer(Shifted().fit(views), views, y)

    assert score == metric(y, y, views["text"], views["image"])


@pytest.mark.usefixtures("_routed")
@pytest.mark.parametrize("one_array", [False, True], ids=["mapping", "one array"])
def test_a_grid_search_takes_the_scorer_and_finds_the_best(one_array, views, y):
    X = np.hstack([views["image"], views["text"]]) if one_array else views
    search = GridSearchCV(
        Shifted(), {"shift": [9.0, 0.0]}, scoring=retrieval_scorer(), cv=2
    )
    search.fit(X, y)

    assert search.best_params_ == {"shift": 0.0}
    assert retrieval_scorer()(search, X, y) == retrieval_scorer()(
        search.best_estimator_, X, y
    )


@pytest.mark.parametrize("one_array", [False, True], ids=["mapping", "one array"])
def test_a_pipeline_is_scored_with_all_its_steps(one_array, views, y):
    X = np.hstack([views["image"], views["text"]]) if one_array else views
    spoil = FunctionTransformer(
        lambda X: (
            {n: 0 * rows for n, rows in X.items()} if isinstance(X, dict) else 0 * X
        )
    )
    scores = cross_validate(
        make_pipeline(spoil, Shifted()),
        X,
        y,
        scoring={"map": retrieval_scorer(), "found": retrieval_scorer("recall", k=20)},
        cv=2,
    )

    assert scores["test_map"] == pytest.approx([0.25, 0.25])  # all rows tie
    assert scores["test_found"] == pytest.approx([1, 1])


def test_a_scorer_can_be_pickled_and_says_what_it_is(views, y):
    scorer = retrieval_scorer("recall", k=1)
    copy = pickle.loads(pickle.dumps(scorer))  # noqa: S301 (our own)

    assert copy == scorer
    assert "metric='recall', k=1" in repr(scorer)
    assert copy(Shifted().fit(views), views, y) == scorer(
        Shifted().fit(views), views, y
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "ndcg"}, r"out of \['map', 'recall'\], got 'ndcg'"),
        ({"query": "text"}, "neither, got query='text' and gallery=None"),
        ({"gallery": "text"}, "neither, got query=None and gallery='text'"),
    ],
)
def test_a_scorer_that_makes_no_sense_is_not_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        retrieval_scorer(**arguments)


def test_an_unknown_view_is_named(views, y):
    scorer = retrieval_scorer(query="text", gallery="sound")
    expected = r"asks for the views 'text' and 'sound', but .* \['image', 'text'\]"
    with pytest.raises(ValueError, match=expected):
        scorer(Shifted().fit(views), views, y)


def test_what_is_no_retriever_is_refused(y):
    X = np.ones((40, 2))
    with pytest.raises(TypeError, match=r"Expected a retriever, .* Function"):
        retrieval_scorer()(FunctionTransformer().fit(X), X, y)
