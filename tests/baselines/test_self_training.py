"""Tests of `skda.baselines.BalancedSelfTraining`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.datasets import make_blobs
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import normalize
from sklearn.svm import SVC, LinearSVC

from skda.baselines import BalancedSelfTraining
from skda.datasets import label_few
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED

X, Y_TRUE = make_blobs(120, n_features=6, centers=4, cluster_std=4.0, random_state=0)
Y = label_few(Y_TRUE, 3, random_state=0)
KNOWN = Y != UNLABELED


class Spy(LogisticRegression):
    """A classifier that all its clones report to."""

    fits = None

    def fit(self, X, y):
        Spy.fits.append(y)
        return super().fit(X, y)


@pytest.mark.parametrize("n_rounds", [1, 3])
def test_it_is_fitted_anew_to_the_most_certain_rows_of_each_class(n_rounds):
    rows, y = normalize(X), Y.copy()
    svm = LinearSVC(random_state=0).fit(rows[KNOWN], Y[KNOWN])
    for r in range(1, n_rounds + 1):
        scores = svm.decision_function(rows[~KNOWN])
        margin = np.diff(np.sort(scores, axis=1)[:, -2:]).ravel()
        y[~KNOWN] = UNLABELED
        for k in range(4):
            members = np.flatnonzero(scores.argmax(axis=1) == k)
            n_best = int(np.ceil(0.5 * r / n_rounds * len(members) - 1e-9))
            best = members[np.argsort(-margin[members])][:n_best]
            y[np.flatnonzero(~KNOWN)[best]] = k
        svm = LinearSVC(random_state=0).fit(rows[y != UNLABELED], y[y != UNLABELED])

    clf = BalancedSelfTraining(n_rounds=n_rounds, share=0.5).fit(X, Y)

    assert_allclose(clf.estimator_.coef_, svm.coef_)
    assert_allclose(clf.predict_proba(X), softmax(svm.decision_function(rows), axis=1))


def test_every_round_promotes_a_larger_share():
    Spy.fits = []
    BalancedSelfTraining(Spy(), n_rounds=4, share=1).fit(X, Y)
    sizes = [len(y) - KNOWN.sum() for y in Spy.fits]

    assert sizes[0] == 0
    assert_allclose(sizes, np.linspace(0, np.sum(~KNOWN), 5), atol=4)
    assert sizes[-1] == np.sum(~KNOWN)


def test_a_target_without_unlabeled_rows_is_fitted_once():
    Spy.fits = []
    BalancedSelfTraining(Spy()).fit(X, Y_TRUE)

    assert len(Spy.fits) == 1


def test_probabilities_are_those_of_the_classifier():
    clf = BalancedSelfTraining(LogisticRegression(), power=None).fit(X, Y)

    assert_array_equal(clf.predict_proba(X), clf.estimator_.predict_proba(X))


def test_of_two_classes_a_single_score_decides():
    rows = Y_TRUE < 2
    clf = BalancedSelfTraining(power=None).fit(X[rows], Y[rows])
    score = clf.estimator_.decision_function(X)

    assert_allclose(
        clf.predict_proba(X), np.column_stack([expit(-score), expit(score)])
    )


def test_what_the_constructor_is_given_is_not_fitted():
    svm = LinearSVC()
    BalancedSelfTraining(svm).fit(X, Y)

    assert not hasattr(svm, "classes_")


def test_labels_may_be_names():
    names = np.array(["ant", "bee", "cat", "dog"])
    y = np.where(KNOWN, names[Y], None)

    assert_array_equal(
        BalancedSelfTraining().fit(X, y).predict(X),
        names[BalancedSelfTraining().fit(X, Y).predict(X)],
    )


def test_the_parameters_of_the_classifier_can_be_searched():
    search = GridSearchCV(
        BalancedSelfTraining(SVC()),
        {"estimator__gamma": [1e6, 0.5]},
        cv=LabeledFold(3),
        error_score="raise",
    ).fit(X, Y)

    assert search.best_params_ == {"estimator__gamma": 0.5}


def test_a_score_for_every_pair_of_classes_is_an_error():
    pairs = SVC(decision_function_shape="ovo")
    with pytest.raises(
        ValueError, match=r"one score for each of 4 classes, got 6.*SVC"
    ):
        BalancedSelfTraining(pairs).fit(X, Y)


def test_a_regressor_is_an_error():
    with pytest.raises(ValueError, match="'estimator' parameter of BalancedSelf"):
        BalancedSelfTraining(LinearRegression()).fit(X, Y)


def test_features_without_a_scale_that_liblinear_hangs_on_are_an_error():
    rows = X.copy()
    rows[0, 0] = 1e100

    with pytest.raises(ValueError, match="whose 4th power overflows"):
        BalancedSelfTraining(power=None).fit(rows, Y)
