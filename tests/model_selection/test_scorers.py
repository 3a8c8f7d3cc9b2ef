"""Tests of the scorers that need no label."""

import numpy as np
import pytest
import sklearn
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skda.baselines import TargetOnly
from skda.heterogeneous import STN
from skda.model_selection import (
    HideLabels,
    _scorers as scorers,
    information_maximization_scorer,
    prediction_entropy_scorer,
    soft_neighborhood_density_scorer,
)
from skda.utils.labels import UNLABELED

SCORERS = [
    prediction_entropy_scorer,
    information_maximization_scorer,
    soft_neighborhood_density_scorer,
]
X = np.zeros((4, 1))
UNSURE = np.full((4, 2), 0.5)
ONE_CLASS = np.array([[1.0, 0.0]] * 4)
BALANCED = np.array([[1.0, 0.0], [0.0, 1.0]] * 2)

pytestmark = pytest.mark.filterwarnings(
    "ignore:.* got no label of the target:UserWarning"
)


class Says:
    """An estimator that says what it is told to."""

    def __init__(self, probabilities):
        self.probabilities = probabilities

    def predict_proba(self, X):
        return self.probabilities


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.mark.parametrize(
    ("scorer", "probabilities", "expected"),
    [
        (prediction_entropy_scorer, UNSURE, -np.log(2)),
        (prediction_entropy_scorer, ONE_CLASS, 0),
        (prediction_entropy_scorer, BALANCED, 0),
        (prediction_entropy_scorer, [[0.5, 0.5], [1, 0]], -np.log(2) / 2),
        (information_maximization_scorer, UNSURE, 0),
        (information_maximization_scorer, ONE_CLASS, 0),
        (information_maximization_scorer, BALANCED, np.log(2)),
        (
            information_maximization_scorer,
            [[0.5, 0.5], [1, 0]],
            0.75 * np.log(4 / 3) + 0.25 * np.log(4) - np.log(2) / 2,
        ),
        # Three equal neighbors, or one beside two that are exp(20) times less so.
        (soft_neighborhood_density_scorer, UNSURE, np.log(3)),
        (soft_neighborhood_density_scorer, ONE_CLASS, np.log(3)),
        (soft_neighborhood_density_scorer, BALANCED, 2 * 21 * np.exp(-20)),
    ],
)
def test_scores_are_those_computed_by_hand(scorer, probabilities, expected):
    score = scorer(Says(probabilities), X[: len(probabilities)])

    assert isinstance(score, float)
    assert score == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_neighborhood_density_is_that_of_the_paper():
    probabilities = softmax(np.random.default_rng(0).normal(size=(9, 3)), axis=1)
    similarities = cosine_similarity(probabilities)[~np.eye(9, dtype=bool)]
    q = softmax(similarities.reshape(9, 8) / 0.05, axis=1)

    score = soft_neighborhood_density_scorer(Says(probabilities), X)

    assert score == pytest.approx(entropy(q, axis=1).mean())


def test_neighborhood_density_holds_a_part_of_the_similarities_at_a_time(monkeypatch):
    probabilities = softmax(np.random.default_rng(0).normal(size=(300, 3)), axis=1)
    whole = soft_neighborhood_density_scorer(Says(probabilities), X)
    sizes = []

    def spy(distances, start, function=scorers._neighborhood_entropies):
        sizes.append(distances.size)
        return function(distances, start)

    monkeypatch.setattr(scorers, "_neighborhood_entropies", spy)
    monkeypatch.setattr(scorers, "WORKING_MEMORY", 0.1)
    in_parts = soft_neighborhood_density_scorer(Says(probabilities), X)

    assert in_parts == pytest.approx(whole)
    assert sum(sizes) == 300**2
    assert max(sizes) * 8 <= 0.1 * 2**20


@pytest.mark.parametrize("scorer", SCORERS)
def test_labels_and_the_order_of_the_rows_make_no_difference(scorer):
    probabilities = softmax(np.random.default_rng(0).normal(size=(4, 3)), axis=1)
    score = scorer(Says(probabilities), X)

    assert scorer(Says(probabilities), X, [0, 1, 1, -1]) == score
    assert scorer(Says(probabilities[::-1]), X) == pytest.approx(score)


@pytest.mark.parametrize("scorer", SCORERS)
def test_single_precision_is_enough(scorer):
    probabilities = softmax(np.random.default_rng(0).normal(size=(4, 3)), axis=1)
    single = scorer(Says(probabilities.astype(np.float32)), X)

    assert single == pytest.approx(scorer(Says(probabilities), X), rel=1e-5)


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [
        (lambda stn: stn, ""),
        (lambda stn: make_pipeline(StandardScaler(), stn), "stn__"),
        (HideLabels, "estimator__"),
    ],
    ids=["alone", "pipeline", "hidden"],
)
def test_a_search_maximizes_the_score_on_unlabeled_rows(
    toy, routed, scorer, wrap, prefix
):
    rows = np.arange(len(toy.X))
    unlabeled = rows[toy.y == UNLABELED]
    search = GridSearchCV(
        wrap(STN(max_epochs=2, n_components=4, random_state=0)),
        {f"{prefix}beta": [0.001, 10]},
        scoring=scorer,
        cv=[(rows, unlabeled)],
        error_score="raise",
    )
    source = "stn__source" if prefix == "stn__" and not routed else "source"
    search.fit(toy.X, toy.y, **{source: toy.source})

    assert np.ptp(search.cv_results_["mean_test_score"]) > 0
    assert search.best_score_ == pytest.approx(
        scorer(search.best_estimator_, toy.X[unlabeled])
    )


@pytest.mark.usefixtures("routed")
def test_several_scorers_go_into_one_cross_validation(toy):
    clf = TargetOnly(LogisticRegression())
    scoring = {scorer.__name__: scorer for scorer in SCORERS}
    # scikit-learn 1.6 does not take None for params when metadata are routed.
    results = cross_validate(clf, toy.X, toy.y_true, cv=2, scoring=scoring, params={})

    assert all(np.isfinite(results[f"test_{name}"]).all() for name in scoring)


@pytest.mark.parametrize("scorer", SCORERS)
def test_probabilities_are_required(scorer):
    with pytest.raises(TypeError, match=r"with predict_proba, got SVC\(\): score it"):
        scorer(SVC(), X)


def test_a_row_alone_has_no_neighborhood():
    with pytest.raises(ValueError, match="two samples at least, got 1: a sample alone"):
        soft_neighborhood_density_scorer(Says(UNSURE[:1]), X[:1])
