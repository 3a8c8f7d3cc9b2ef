"""Tests of `skda.model_selection.BatchedSearchCV`."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EpochTimer

from skda.baselines import TargetOnly
from skda.heterogeneous import SSAN
from skda.model_selection import BatchedSearchCV, LabeledFold
from skda.partial import AR, SHOT
from skda.unsupervised import CDAN, DAN, DANN, MCC, SourceOnly, SymNets

RNG = np.random.default_rng(0)
N = 48
CENTERS = RNG.normal(size=(3, 8))
Y = np.arange(N) % 3
X_SOURCE = CENTERS[Y] + 0.7 * RNG.normal(size=(N, 8))
X = CENTERS[Y] + 0.7 * RNG.normal(size=(N, 8)) + 0.3
SOURCE = (X_SOURCE, Y)
FEW = np.where(np.arange(N) < 12, Y, -1)
SMALL = {"n_components": 8, "max_epochs": 3, "batch_size": 16, "random_state": 0}


class CountedScaler(TransformerMixin, BaseEstimator):
    """A scaler that counts its fits."""

    n_fits = 0

    def fit(self, X, y=None):
        type(self).n_fits += 1
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean_


def assert_equal_searches(batched, ordinary):
    """Compare what two fitted searches have found."""
    assert batched.best_params_ == ordinary.best_params_
    assert set(batched.cv_results_) == set(ordinary.cv_results_)
    for name, column in ordinary.cv_results_.items():
        if "test_" in name:
            assert_allclose(batched.cv_results_[name], column, atol=1e-6)
    assert_array_equal(batched.predict(X), ordinary.predict(X))


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (DANN(**SMALL), {"lr": [0.003, 0.1], "lambda0": [0.3, 1.0]}),
        (DANN(**SMALL, batch_norm=True), {"extractor_lr": [0.1, 1.0]}),
        (CDAN(**SMALL, optimizer="adam"), {"lr": [0.003, 0.01], "gamma": [3.0, 10.0]}),
        (DAN(**SMALL), {"random_state": [0, 1]}),
        (MCC(**SMALL), {"temperature": [1.0, 2.5], "momentum": [0.0, 0.9]}),
        (SourceOnly(**SMALL), {"lr_schedule": ["constant", "cosine"]}),
        (SymNets(**SMALL), {"entropy_weight": [0.0, 1.0], "random_state": [0, 1]}),
        (SHOT(**SMALL), {"random_state": [0, 1]}),
        (AR(**SMALL), {"random_state": [0, 1]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batched_search_finds_what_separate_fits_find(estimator, grid):
    cv = LabeledFold(2)
    ordinary = GridSearchCV(estimator, grid, cv=cv).fit(X, FEW, source=SOURCE)

    batched = BatchedSearchCV(estimator, grid, cv=cv).fit(X, FEW, source=SOURCE)

    assert batched.n_batched_fits_ >= 2 * len(ordinary.cv_results_["params"])
    assert batched.reasons_ == {}
    assert_equal_searches(batched, ordinary)


def test_heterogeneous_networks_are_batched_with_their_rotations():
    wide = np.hstack([X, RNG.normal(size=(N, 60))])
    ssan = SSAN(n_components=8, n_hidden=8, max_epochs=10, random_state=0)
    grid = {"alpha": [0.1, 0.5], "beta": [0.004, 0.1]}
    cv = LabeledFold(2)
    ordinary = GridSearchCV(ssan, grid, cv=cv).fit(wide, FEW, source=SOURCE)

    batched = BatchedSearchCV(ssan, grid, cv=cv).fit(wide, FEW, source=SOURCE)

    assert (batched.n_batched_fits_, batched.reasons_) == (8, {})
    assert batched.best_params_ == ordinary.best_params_
    assert_array_equal(batched.predict(wide), ordinary.predict(wide))


def test_every_network_has_the_probabilities_and_the_history_of_its_own_fit():
    def keep(estimator, X_test, y_test):
        fits.append((estimator.predict_proba(X_test), estimator.history_))
        return 1.0

    arguments = {"cv": LabeledFold(2), "scoring": keep, "refit": False}
    grid, runs = {"random_state": [0, 1, 2]}, []
    for search in (GridSearchCV, BatchedSearchCV):
        fits = []
        search(DANN(**SMALL), grid, **arguments).fit(X, FEW, source=SOURCE)
        runs.append(fits)

    for (p, history), (q, other) in zip(*runs, strict=True):
        assert_allclose(p, q, atol=1e-5)
        assert list(history) == list(other)
        assert_allclose(history["train_loss"], other["train_loss"], rtol=1e-4)


def test_fits_of_another_shape_are_trained_alone_with_a_reason():
    grid = {"n_components": [8, 16]}
    search = BatchedSearchCV(DANN(**SMALL), grid, cv=[(np.arange(40), np.arange(12))])

    with pytest.warns(UserWarning, match="2 as no other fit has its shapes"):
        search.fit(X, FEW, source=SOURCE)

    assert search.n_batched_fits_ == 0
    assert list(search.reasons_.values()) == [2]


@pytest.mark.parametrize(
    ("estimator", "grid", "reason"),
    [
        (DANN(**SMALL, callbacks=[EpochTimer()]), {"lr": [0.1, 1]}, "callbacks"),
        (TargetOnly(LogisticRegression()), {"estimator__C": [1, 2]}, "no network"),
    ],
)
def test_what_cannot_be_batched_runs_as_the_ordinary_search(estimator, grid, reason):
    cv = LabeledFold(2)
    ordinary = GridSearchCV(estimator, grid, cv=cv).fit(X, FEW, source=SOURCE)

    with pytest.warns(UserWarning, match=reason):
        batched = BatchedSearchCV(estimator, grid, cv=cv).fit(X, FEW, source=SOURCE)

    assert sum(batched.reasons_.values()) == 4
    assert_equal_searches(batched, ordinary)


def test_a_fit_that_diverges_does_not_disturb_the_others():
    grid = {"lr": [0.01, 1e25, 0.003]}
    arguments = {"cv": LabeledFold(2), "error_score": 0.0}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ordinary = GridSearchCV(DANN(**SMALL), grid, **arguments)
        ordinary.fit(X, FEW, source=SOURCE)
        batched = BatchedSearchCV(DANN(**SMALL), grid, **arguments)
        batched.fit(X, FEW, source=SOURCE)

    assert batched.n_batched_fits_ == 6
    assert batched.cv_results_["mean_test_score"][1] == 0
    assert_equal_searches(batched, ordinary)


def test_an_error_is_raised_where_the_user_wants_it():
    search = BatchedSearchCV(
        DANN(**SMALL), {"lr": [0.01, 1e25]}, cv=LabeledFold(2), error_score="raise"
    )

    with pytest.raises(ValueError, match="diverged"):
        search.fit(X, FEW, source=SOURCE)


@pytest.mark.parametrize("by_name", [True, False])
def test_candidates_are_drawn_as_in_a_randomized_search(by_name):
    space, arguments = {"lr": loguniform(1e-3, 1e-1)}, {"cv": LabeledFold(2)}
    arguments |= {"n_iter": 3, "random_state": 0}
    ordinary = RandomizedSearchCV(DANN(**SMALL), space, **arguments)
    batched = (
        BatchedSearchCV(DANN(**SMALL), param_distributions=space, **arguments)
        if by_name
        else BatchedSearchCV(DANN(**SMALL), space, **arguments)
    )

    ordinary.fit(X, FEW, source=SOURCE)
    batched.fit(X, FEW, source=SOURCE)

    assert_equal_searches(batched, ordinary)


def test_a_search_needs_one_space_of_parameters():
    with pytest.raises(ValueError, match="both or neither"):
        BatchedSearchCV(DANN()).fit(X, FEW, source=SOURCE)


def test_a_network_in_a_pipeline_is_batched():
    pipe = make_pipeline(StandardScaler(), DANN(**SMALL))
    search = BatchedSearchCV(pipe, {"dann__lr": [0.01, 0.1]}, cv=LabeledFold(2))

    search.fit(X, FEW, dann__source=SOURCE)

    assert search.n_batched_fits_ == 4


def test_more_fits_than_are_trained_at_once_are_all_batched():
    search = BatchedSearchCV(
        MCC(**SMALL), {"random_state": [*range(7)]}, cv=LabeledFold(2), max_models=3
    )

    search.fit(X, FEW, source=SOURCE)

    assert search.n_batched_fits_ + sum(search.reasons_.values()) == 14


def test_several_metrics_are_scored():
    search = BatchedSearchCV(
        MCC(**SMALL),
        {"lr": [0.01, 0.1]},
        cv=LabeledFold(2),
        scoring=["accuracy", "balanced_accuracy"],
        refit="accuracy",
    )

    search.fit(X, FEW, source=SOURCE)

    assert {"mean_test_accuracy", "mean_test_balanced_accuracy"} <= set(
        search.cv_results_
    )


def test_a_transformer_is_fitted_once_for_the_same_samples(tmp_path):
    dann = DANN(**SMALL, source_transformer=CountedScaler())
    grid = {"lr": [0.01, 0.1, 0.3]}
    CountedScaler.n_fits = 0

    search = BatchedSearchCV(dann, grid, cv=LabeledFold(2), memory=str(tmp_path))
    search.fit(X, FEW, source=SOURCE)

    assert CountedScaler.n_fits == 1
    plain = BatchedSearchCV(dann, grid, cv=LabeledFold(2)).fit(X, FEW, source=SOURCE)
    assert CountedScaler.n_fits == 1 + 7
    assert_array_equal(search.predict(X), plain.predict(X))


def test_a_search_can_be_cloned():
    search = BatchedSearchCV(DANN(), {"lr": [0.1]}, max_models=8)

    assert clone(search).get_params()["max_models"] == 8
    assert "DANN" in search._repr_html_()
