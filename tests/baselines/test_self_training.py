"""Tests of `skda.baselines.BalancedSelfTraining`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.datasets import make_blobs
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import SVC, LinearSVC

from skda.baselines import BalancedSelfTraining
from skda.datasets import label_few
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED
from skda.utils.sinkhorn import balancing_bias

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

    clf = BalancedSelfTraining.published(n_rounds=n_rounds, share=0.5).fit(X, Y)

    assert_allclose(clf.estimators_[0].coef_, svm.coef_)
    assert_allclose(clf.predict_proba(X), softmax(svm.decision_function(rows), axis=1))


def test_every_round_promotes_a_larger_share():
    Spy.fits = []
    BalancedSelfTraining(Spy(), n_rounds=4, share=1, standardize=False).fit(X, Y)
    sizes = [len(y) - KNOWN.sum() for y in Spy.fits]

    assert sizes[0] == 0
    assert_allclose(sizes, np.linspace(0, np.sum(~KNOWN), 5), atol=4)
    assert sizes[-1] == np.sum(~KNOWN)


def test_a_target_without_unlabeled_rows_is_fitted_once():
    Spy.fits = []
    BalancedSelfTraining(Spy(), standardize=False).fit(X, Y_TRUE)

    assert len(Spy.fits) == 1


def test_probabilities_are_those_of_the_classifier():
    clf = BalancedSelfTraining(LogisticRegression(), power=None).fit(X, Y)

    assert_allclose(
        clf.predict_proba(X), clf.estimators_[0].predict_proba(X), atol=1e-10
    )


def test_of_two_classes_a_single_score_decides():
    rows = Y_TRUE < 2
    clf = BalancedSelfTraining.published(power=None).fit(X[rows], Y[rows])
    score = clf.estimators_[0].decision_function(X)

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
        BalancedSelfTraining.published(power=None).fit(rows, Y)


@pytest.mark.parametrize("shares", [None, [0.4, 0.2, 0.2, 0.2]])
def test_promotion_keeps_to_the_class_prior(shares):
    Spy.fits = []
    BalancedSelfTraining(
        Spy(), n_rounds=1, share=1, class_prior=shares, standardize=False
    ).fit(X, Y)
    rows = normalize(X)
    scores = LogisticRegression().fit(rows[KNOWN], Y[KNOWN]).predict_log_proba(rows)
    scores = scores[~KNOWN]
    if shares is not None:
        scores += balancing_bias(scores, np.array(shares))

    assert_array_equal(Spy.fits[-1][~KNOWN], scores.argmax(axis=1))


@pytest.mark.parametrize(
    "names", [np.arange(4), np.array(["ant", "bee", "cat", "dog"])]
)
def test_the_default_classifier_weighs_classes_by_their_labels(names):
    y = np.where(KNOWN, names[Y].astype(object), None)
    weight = {names[2]: 30.0}
    plain, heavy = (
        np.mean(BalancedSelfTraining(class_weight=w).fit(X, y).predict(X) == names[2])
        for w in (None, weight)
    )

    assert heavy > plain


def test_class_weight_may_be_balanced():
    clf = BalancedSelfTraining(class_weight="balanced").fit(X, Y)

    assert clf.estimators_[0].class_weight == "balanced"


def test_weights_of_unknown_classes_are_an_error():
    with pytest.raises(ValueError, match=r"labels of y for keys, got 'owl': the clas"):
        BalancedSelfTraining(class_weight={"owl": 2.0}).fit(X, Y)


def test_a_given_classifier_takes_the_class_weight():
    svm = SVC(class_weight={0: 5.0})
    weighted = BalancedSelfTraining(svm, class_weight="balanced").fit(X, Y)
    own = BalancedSelfTraining(svm).fit(X, Y)

    assert weighted.estimators_[0].class_weight == "balanced"
    assert own.estimators_[0].class_weight == svm.class_weight == {0: 5.0}


def test_a_classifier_without_class_weight_is_an_error():
    with pytest.raises(ValueError, match=r"classifier that has one.*KNeighbors"):
        BalancedSelfTraining(KNeighborsClassifier(), class_weight="balanced").fit(X, Y)


def test_a_hundred_classes_are_told_apart_as_well_as_by_a_linear_machine():
    rows, y_true = make_blobs(
        1600, n_features=64, centers=100, cluster_std=6.0, random_state=0
    )
    y = label_few(y_true, 3, random_state=0)
    known = y != UNLABELED
    scaler = StandardScaler().fit(rows)
    svm = SVC(kernel="linear").fit(scaler.transform(rows[known]), y[known])
    plain = svm.score(scaler.transform(rows[~known]), y_true[~known])
    clf = BalancedSelfTraining().fit(rows, y)

    assert (clf.transduction_ == y_true)[~known].mean() > plain
