"""Tests of `skda.baselines.TargetOnly`."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csr_array, csr_matrix
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

from skda.baselines import TargetOnly
from skda.datasets import label_few, load_office_caltech
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED

X, Y_TRUE = load_iris(return_X_y=True)
Y = label_few(Y_TRUE, 5, random_state=0)
KNOWN = Y != UNLABELED
NAMES = np.array(["ant", "bee", "cat"], dtype=object)
#: As many rows as the target has, so that a splitter that looked into it would cut it.
SOURCE = X[:, :2], Y_TRUE


class Spy(LogisticRegression):
    """A classifier that remembers what it was fitted to."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return super().fit(X, y)


@pytest.fixture(params=[False, True], ids=["plain", "routed"])
def routed(request):
    """Run the test without and with metadata routing."""
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


# Label spreading itself takes any sparse format, and warns of one of them.
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.parametrize(
    "clf",
    [
        TargetOnly(),
        TargetOnly(LogisticRegression()),
        TargetOnly(LabelSpreading(), unlabeled="keep"),
    ],
    ids=repr,
)
def test_sklearn_contract(clf, check_contract):
    check_contract(clf)


# What the classifier gets to see


@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        csr_array,
        csr_matrix,
        partial(pd.DataFrame, columns=list("abcd"), index=range(500, 650)),
        partial(pl.DataFrame, schema=list("abcd")),
    ],
)
def test_it_sees_the_labeled_rows_as_they_are(container):
    clf = TargetOnly(Spy(max_iter=1000)).fit(container(X), Y)
    alone = LogisticRegression(max_iter=1000).fit(X[KNOWN], Y[KNOWN])

    assert type(clf.estimator_.X_) is type(container(X))
    assert_allclose(clf.predict_proba(container(X)), alone.predict_proba(X))
    assert clf.n_features_in_ == 4
    assert hasattr(clf, "feature_names_in_") == hasattr(container(X), "columns")


@pytest.mark.parametrize("container", [np.ndarray.tolist, coo_array])
def test_rows_need_no_numbers(container):
    clf = TargetOnly().fit(container(X), Y)

    assert_array_equal(clf.predict(container(X)), TargetOnly().fit(X, Y).predict(X))


def test_a_fully_labeled_target_passes_through():
    clf = TargetOnly(Spy(max_iter=1000)).fit(X, Y_TRUE)

    assert clf.estimator_.X_ is X


def test_a_semi_supervised_classifier_sees_every_row_and_encoded_labels():
    y = np.where(KNOWN, NAMES[Y], None)
    clf = TargetOnly(LabelSpreading("knn"), unlabeled="keep").fit(X, y)
    alone = LabelSpreading("knn").fit(X, Y)

    assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    assert_array_equal(clf.predict(X), NAMES[alone.predict(X)])


def test_a_classifier_that_learns_minus_one_is_refused():
    with pytest.raises(ValueError, match=r"semi-supervised.*got SVC.*unlabeled='drop'"):
        TargetOnly(SVC(), unlabeled="keep").fit(X, Y)


def test_the_default_is_the_linear_svm_of_the_literature():
    clf = TargetOnly().fit(X, Y)
    alone = SVC(kernel="linear").fit(X[KNOWN], Y[KNOWN])

    assert_array_equal(clf.decision_function(X), alone.decision_function(X))


def test_what_the_constructor_is_given_is_not_fitted():
    svm = SVC()
    TargetOnly(svm).fit(X, Y)

    assert not hasattr(svm, "classes_")


# Labels


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
def test_string_labels_may_be_missing(missing, container):
    y = container(np.where(KNOWN, NAMES[Y], missing))
    by_name, by_number = TargetOnly().fit(X, y), TargetOnly().fit(X, Y)

    assert_array_equal(by_name.classes_, NAMES)
    assert_array_equal(by_name.predict(X), NAMES[by_number.predict(X)])
    assert by_name.score(X, y) == by_number.score(X, Y)


@pytest.mark.parametrize("dtype", [float, object, "Int64"])
def test_numbers_may_be_missing_and_stay_whole(dtype):
    y = pd.Series(Y).astype(dtype).where(KNOWN, None)
    clf = TargetOnly().fit(X, y)

    assert clf.classes_.dtype.kind == "i"
    assert_array_equal(clf.predict(X), TargetOnly().fit(X, Y).predict(X))


@pytest.mark.parametrize("unlabeled", ["drop", "keep"])
def test_classes_need_not_count_from_zero(unlabeled):
    y = np.where(KNOWN, 10 * Y + 5, UNLABELED)
    clf = TargetOnly(LabelSpreading("knn"), unlabeled=unlabeled).fit(X, y)

    assert_array_equal(clf.classes_, [5, 15, 25])
    assert set(clf.transduction_) == {5, 15, 25}
    assert_array_equal(
        clf.predict(X), clf.classes_[clf.predict_proba(X).argmax(axis=1)]
    )


def test_minus_one_is_no_class():
    with pytest.raises(ValueError, match=r"recode them as \{0, 1\}"):
        TargetOnly().fit(X, np.where(Y_TRUE == 0, 1, -1))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (np.full(150, UNLABELED), "does not learn from a source: label some target"),
        (np.zeros(150), "number of classes has to be greater than one"),
        (np.zeros(149), "inconsistent numbers of samples"),
    ],
)
def test_labels_that_teach_nothing_are_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        TargetOnly().fit(X, y, source=SOURCE)


def test_unlabeled_rows_are_either_dropped_or_kept():
    with pytest.raises(ValueError, match="'unlabeled' parameter of TargetOnly must be"):
        TargetOnly(unlabeled="ignore").fit(X, Y)


def test_score_counts_labeled_samples_only():
    clf = TargetOnly().fit(X, Y)
    right, weight = clf.predict(X) == Y_TRUE, np.arange(150)

    assert clf.score(X, Y) == clf.score(X[KNOWN], Y[KNOWN])
    assert clf.score(X, Y_TRUE, weight) == np.average(right, weights=weight)
    with pytest.raises(ValueError, match="nothing to score"):
        clf.score(X, np.full(150, UNLABELED))


# Transduction


def test_transduction_keeps_what_was_given_and_predicts_the_rest():
    y = Y.copy()
    y[np.flatnonzero(KNOWN)[0]] = 2  # which is wrong, and stays
    clf = TargetOnly().fit(X, y)

    assert_array_equal(clf.transduction_, np.where(KNOWN, y, clf.predict(X)))


def test_transduction_is_what_the_classifier_inferred_for_the_very_rows():
    clf = TargetOnly(LabelSpreading("knn", n_neighbors=10), unlabeled="keep").fit(X, Y)
    own = clf.estimator_.transduction_

    assert (own != clf.predict(X)).any()
    assert_array_equal(clf.transduction_[~KNOWN], own[~KNOWN])


def test_rows_that_self_training_left_alone_are_predicted():
    svm = SelfTrainingClassifier(LogisticRegression(), threshold=0.9)
    clf = TargetOnly(svm, unlabeled="keep").fit(X, Y)
    left = clf.estimator_.transduction_ == UNLABELED

    assert left.any()
    assert_array_equal(clf.transduction_[left], clf.predict(X)[left])


# In the place of an adaptation method


def test_the_source_is_ignored():
    plain = TargetOnly().fit(X, Y)
    given = TargetOnly().fit(X, Y, source=SOURCE, pairs=(X, X))

    assert_array_equal(plain.decision_function(X), given.decision_function(X))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "score"])
def test_no_domain_but_the_target_is_known(method):
    clf = TargetOnly(LinearDiscriminantAnalysis()).fit(X, Y)
    call = partial(getattr(clf, method), *([X, Y] if method == "score" else [X]))

    assert_array_equal(call(domain="target"), call())
    with pytest.raises(ValueError, match=r"Expected domain='target'.*got 'source'"):
        call(domain="source")


def test_it_has_the_methods_of_its_classifier():
    svm, lda = TargetOnly(), TargetOnly(LinearDiscriminantAnalysis())

    for svm_or_fitted in (svm, TargetOnly().fit(X, Y)):
        assert hasattr(svm_or_fitted, "decision_function")
        assert not hasattr(svm_or_fitted, "predict_proba")
        assert not hasattr(svm_or_fitted, "transform")
    for lda_or_fitted in (lda, TargetOnly(lda.estimator).fit(X, Y)):
        assert hasattr(lda_or_fitted, "predict_proba")
        assert hasattr(lda_or_fitted, "transform")


def test_it_cross_validates_beside_an_adaptation_method(routed):
    result = cross_validate(
        make_pipeline(TargetOnly()) if routed else TargetOnly(),
        X,
        Y,
        params={"source": SOURCE},
        cv=LabeledFold(5),
        error_score="raise",
    )

    assert result["test_score"].mean() > 0.8


def test_the_parameters_of_the_classifier_can_be_searched(routed):
    step = "" if routed else "targetonly__"
    search = GridSearchCV(
        make_pipeline(StandardScaler(), TargetOnly(SVC())),
        {"targetonly__estimator__gamma": [1000.0, 0.1]},
        cv=LabeledFold(5),
        error_score="raise",
    )
    search.fit(X, Y, **{f"{step}source": SOURCE})

    assert search.best_params_ == {"targetonly__estimator__gamma": 0.1}
    assert search.score(X, Y_TRUE) > 0.8


def test_svm_on_office_caltech_is_within_a_deviation_of_the_known_accuracy():
    name = "office_caltech_webcam_decaf6.npz"
    if not Path(os.environ.get("SKDA_DATA", ""), name).is_file():
        pytest.skip(f"SKDA_DATA, a folder with {name}, is not set")
    X, y = load_office_caltech("webcam", "decaf6", return_X_y=True)
    accuracies = []
    for seed in range(10):
        y_few = label_few(y, 3, random_state=seed)
        svm = make_pipeline(Normalizer(), TargetOnly()).fit(X, y_few)
        hidden = y_few == UNLABELED
        accuracies.append(svm.score(X[hidden], y[hidden]))

    assert np.mean(accuracies) == pytest.approx(0.889, abs=0.033)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "Expected a table of samples, with a row for each, got None"),
        (
            "data.csv",
            "Expected a table of samples, with a row for each, got 'data.csv'",
        ),
        ([[1.0] * (1 + i % 2) for i in range(len(Y))], "got rows of 1 to 2 features"),
        (np.full(X.shape, np.datetime64("2026-01-01")), "got dates or times"),
    ],
)
@pytest.mark.parametrize("clf", [TargetOnly(), TargetOnly(LogisticRegression())])
def test_rows_that_are_none_are_refused(rows, message, clf):
    with pytest.raises(ValueError, match=message):
        clf.fit(rows, Y)
    fitted = clf.fit(X, Y)

    with pytest.raises(ValueError, match=message):
        fitted.predict(rows)


def test_dates_are_no_labels():
    with pytest.raises(ValueError, match="got dates or times"):
        TargetOnly().fit(X, np.full(len(Y), np.datetime64("2026-01-01")))
