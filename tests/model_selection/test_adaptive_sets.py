"""Tests of `skda.model_selection.AdaptiveSets`."""

import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate

from skda.baselines import TargetOnly
from skda.heterogeneous import PairedRidgeTransfer
from skda.model_selection import AdaptiveSets, LabeledFold
from skda.unsupervised import SourceOnly, TargetCentroids

REGRESSION = TargetOnly(LogisticRegression())


def _draw(seed, n=400):
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(7).normal(size=(4, 6))
    y = rng.integers(4, size=n)
    return centers[y] + rng.normal(size=(n, 6)), y


def _hide(y, n_labeled):
    return np.where(np.arange(len(y)) < n_labeled, y, -1)


def _set_by_hand(scores, worse, alpha):
    n_worse = (worse >= scores[..., None]).sum(axis=-1)
    return 1 + n_worse > alpha * (len(worse) + 1)


def _coverage(sets, X, y):
    return sets.predict_set(X)[np.arange(len(y)), y].mean()


class Echo(ClassifierMixin, BaseEstimator):
    """Say that the class is the one in the first feature, at a certainty in the next.

    Of rows whose label it has seen it is certain.
    """

    fits = ()

    def fit(self, X, y):
        y = np.asarray(y)
        Echo.fits += ((len(X), (y != -1).sum()),)
        self.n_rows_, self.classes_ = len(X), np.unique(y[y != -1])
        self.seen_ = X[y != -1]
        return self

    def predict_proba(self, X):
        sure = np.where((X[:, None] == self.seen_).all(axis=2).any(axis=1), 1, X[:, 1])
        one = sure[:, None] * np.eye(2)[X[:, 0].astype(int)]
        return one + (1 - one.sum(axis=1, keepdims=True)) * (one == 0)


def test_sets_by_hand():
    # Scores of the true classes, all of which are the first: .1, .2, .3 and .6.
    certainty = np.array([0.9, 0.8, 0.7, 0.4])
    X = np.column_stack([np.zeros(8), np.tile(certainty, 2)])
    X[4:, 1] += 0.01
    X[4:, 0] = 1
    y = np.repeat([0, 1], 4)
    sets = AdaptiveSets(Echo(), alpha=0.25, cv=2).fit(X, y)
    new = [[0, 0.65], [0, 0.35], [1, 0.55]]

    # Of nine, more than 2.25 must not be better: a score may be up to the third worst.
    assert sets.n_calibration_ == 8
    assert_array_equal(
        sets.scores_, np.sort([*(1 - certainty), *(1 - (certainty + 0.01))])
    )
    assert_array_equal(
        sets.predict_set(np.array(new)),
        [[True, False], [False, True], [True, True]],
    )


def test_new_rows_are_scored_by_a_model_that_has_learned_from_as_few_labels():
    X, y = _draw(0, 60)
    sets = AdaptiveSets(REGRESSION, alpha=0.2, cv=5).fit(X, y)
    _, fold = next(KFold(5, shuffle=True, random_state=0).split(X))
    left = clone(REGRESSION).fit(X, np.where(np.isin(np.arange(60), fold), -1, y))

    assert_array_equal(sets.set_estimator_.predict_proba(X), left.predict_proba(X))
    assert_array_equal(
        sets.predict_set(X), _set_by_hand(1 - left.predict_proba(X), sets.scores_, 0.2)
    )


def test_sets_equal_those_of_mapie():
    # mapie 1.6.0, SplitConformalClassifier(lr, conformity_score="lac", prefit=True):
    # members of each class at three levels.
    expected = {
        0.2: [105, 103, 102, 89],
        0.1: [125, 118, 119, 109],
        0.05: [130, 132, 128, 120],
    }
    X, y = make_blobs(300, centers=4, cluster_std=6.0, random_state=0)
    model = LogisticRegression().fit(X[:100], y[:100])
    sets = AdaptiveSets(model)
    sets.estimator_ = model
    sets._keep([(model, sets._score_rows(model, X[100:160], y[100:160]))], "target")
    found = {
        alpha: sets.set_params(alpha=alpha).predict_set(X[160:]).sum(axis=0).tolist()
        for alpha in expected
    }

    assert found == expected


@pytest.mark.parametrize("conformity", ["lac", "aps"])
@pytest.mark.parametrize("calibration", ["cross", "split"])
def test_sets_have_the_true_class_as_often_as_promised(conformity, calibration):
    covered = []
    for seed in range(12):
        X, y = _draw(seed)
        sets = AdaptiveSets(
            REGRESSION, alpha=0.2, conformity=conformity, calibration=calibration
        ).fit(X[:150], _hide(y[:150], 80))
        covered.append(_coverage(sets, X[150:], y[150:]))

    assert 0.76 < np.mean(covered) < 0.88


def test_labels_to_measure_by_stay_in_the_fit_as_unlabeled_rows():
    X, y = _draw(0, 100)
    y = (y > 1).astype(int)
    Echo.fits = ()
    AdaptiveSets(Echo(), alpha=0.2, cv=5).fit(np.column_stack([y, X]), _hide(y, 50))

    assert Echo.fits == ((100, 50), *[(100, 40)] * 5)
    Echo.fits = ()
    sets = AdaptiveSets(Echo(), alpha=0.2, calibration="split")
    sets.fit(np.column_stack([y, X]), _hide(y, 50))
    assert Echo.fits == ((100, 25),)
    assert sets.n_calibration_ == 25


def test_a_class_that_the_half_to_learn_from_lacks_conforms_worst():
    X, y = _draw(0, 60)
    sets = AdaptiveSets(REGRESSION).fit(X, np.where(y == 3, -1, y))
    scores = sets._score_rows(sets.estimator_, X, y)

    assert (scores[y == 3] == 1).all()
    assert (scores[y != 3] < 1).all()


def test_a_transductive_method_is_calibrated_too():
    X, y = _draw(1)
    source = _draw(2)
    sets = AdaptiveSets(TargetCentroids(temperature=0.3), alpha=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sets.fit(X, _hide(y, 60), source=source)

    assert sets.calibrated_on_ == "target"
    assert 0.7 < _coverage(sets, X[60:], y[60:]) < 0.92


def test_folds_are_not_of_equal_shares_of_the_classes():
    # What is held out by class leaves the large ones large, and seems easier than new.
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(10, 40))
    covered = []
    for _ in range(12):
        y = rng.integers(10, size=500)
        X = centers[y] + 2 * rng.normal(size=(500, 40))
        sets = AdaptiveSets(REGRESSION, alpha=0.2).fit(X, _hide(y, 80))
        covered.append(_coverage(sets, X[80:], y[80:]))

    assert np.mean(covered) > 0.79


def test_sets_grow_with_the_promise():
    X, y = _draw(0)
    sets = AdaptiveSets(REGRESSION, alpha=0.05).fit(X, _hide(y, 100))
    large = sets.predict_set(X)
    small = sets.set_params(alpha=0.3).predict_set(X)

    assert (large >= small).all()
    assert large.sum() > small.sum()


def test_too_few_labels_for_the_promise_are_named_and_exclude_nothing():
    X, y = _draw(0)
    labels = _hide(y, 12)
    sets = AdaptiveSets(REGRESSION, alpha=0.05)
    with pytest.warns(UserWarning, match=r"has 12 labeled .* 0.95 with fewer than 20"):
        sets.fit(X, labels)

    assert sets.predict_set(X).all()


def test_a_source_without_pairs_takes_their_place_and_promises_nothing():
    X, y = _draw(0)
    sets = AdaptiveSets(SourceOnly(LogisticRegression()), alpha=0.1)
    with pytest.warns(UserWarning, match="no pairs: sets are calibrated on rows of"):
        sets.fit(X, source=_draw(1))

    assert sets.calibrated_on_ == "source"
    assert sets.n_calibration_ == 400
    assert 0.85 < _coverage(sets, X, y) < 0.95


@pytest.mark.parametrize("aligned", [False, True])
def test_rows_of_the_source_are_carried_over_by_pairs(aligned):
    X, y = _draw(0)
    turn = np.random.default_rng(5).normal(size=(6, 9))
    X_source, y_source = _draw(1)
    X_pairs, _ = _draw(2)
    pairs = (X_pairs @ turn, X_pairs)
    if aligned:
        pairs = X @ turn
        pairs[::2] = np.nan
    method = PairedRidgeTransfer(estimator=LogisticRegression(max_iter=1000))
    sets = AdaptiveSets(method, alpha=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sets.fit(X, source=(X_source @ turn, y_source), pairs=pairs)

    assert sets.calibrated_on_ == "pairs"
    assert 0.86 < _coverage(sets, X, y) < 0.95


def test_a_source_of_other_features_without_pairs_excludes_nothing():
    X, y = _draw(0)
    X_source, y_source = _draw(1)
    sets = AdaptiveSets(WithoutSource(LogisticRegression()), alpha=0.05)
    with pytest.warns(UserWarning, match="has 0 labeled rows"):
        sets.fit(X, _hide(y, 10), source=(X_source[:, :3], y_source))

    assert sets.calibrated_on_ == "nothing"
    assert sets.predict_set(X).all()


class WithoutSource(TargetOnly):
    """Take a source, and leave it."""

    def fit(self, X, y=None, *, source=None):
        return super().fit(X, y)


def test_names_of_classes_and_what_was_learned_are_handed_on():
    X, y = _draw(0)
    names = np.array(["ant", "bee", "cat", "dog"], dtype=object)[y]
    names[100:] = None
    sets = AdaptiveSets(REGRESSION).fit(X, names)

    assert sets.classes_.tolist() == ["ant", "bee", "cat", "dog"]
    assert_array_equal(sets.predict(X), clone(REGRESSION).fit(X, names).predict(X))
    assert sets.score(X[:100], names[:100]) > 0.5


@pytest.mark.parametrize("routing", [False, True])
def test_it_is_scored_in_cross_validation(routing):
    X, y = _draw(0)
    with sklearn.config_context(enable_metadata_routing=routing):
        scores = cross_validate(
            AdaptiveSets(SourceOnly(LogisticRegression())),
            X,
            _hide(y, 200),
            cv=LabeledFold(3),
            params={"source": _draw(1)},
        )

    assert (scores["test_score"] > 0.5).all()


def test_a_method_that_takes_missing_labels_for_a_class_is_refused():
    X, y = _draw(0)
    with pytest.raises(ValueError, match="for which -1 is a class: wrap it in"):
        AdaptiveSets(LogisticRegression()).fit(X, _hide(y, 100))


@pytest.mark.parametrize(
    "params", [{"alpha": 0}, {"alpha": 1.0}, {"conformity": "raps"}, {"cv": 1}]
)
def test_parameters_out_of_range_are_refused(params):
    X, y = _draw(0)
    with pytest.raises(ValueError, match="must be"):
        AdaptiveSets(REGRESSION, **params).fit(X, y)
