"""Tests of `skda.heterogeneous.PairedRidgeTransfer`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skda.heterogeneous import HHTL, PairedRidgeTransfer
from skda.model_selection import LabeledFold
from skda.utils.warnings import NoSourceWarning


def ridge(X, Y, alpha):
    """Solve Equation 1 by its normal equations."""
    x, y = X.mean(axis=0), Y.mean(axis=0)
    gram = (X - x).T @ (X - x) + alpha * np.eye(X.shape[1])
    W = np.linalg.solve(gram, (X - x).T @ (Y - y))
    return lambda rows: (rows - x) @ W + y


def test_the_map_is_a_ridge_regression_on_the_pairs(paired):
    clf = paired.fit(PairedRidgeTransfer(alpha=3.0, scaling=None))
    mapped = ridge(paired.pairs[1], paired.pairs[0], 3.0)

    assert_allclose(clf.transform(paired.X_test), mapped(paired.X_test), rtol=1e-8)
    X_source = paired.source[0]
    assert_allclose(clf.transform(X_source, domain="source"), X_source)
    assert len(clf.get_feature_names_out()) == X_source.shape[1]


@pytest.mark.parametrize("use", [True, False])
def test_a_classifier_of_the_source_labels_mapped_rows(paired, use):
    clf = paired.fit(PairedRidgeTransfer(use_target_labels=use))
    scale = [StandardScaler().fit(X).transform for X in (paired.source[0], paired.X)]
    mapped = ridge(scale[1](paired.pairs[1]), scale[0](paired.pairs[0]), 1.0)
    X, y = scale[0](paired.source[0]), paired.source[1]
    if use:
        X = np.concatenate([X, mapped(scale[1](paired.X[:3]))])
        y = np.concatenate([y, paired.y[:3]])
    svm = LinearSVC(C=0.1, random_state=0).fit(X, y)

    scores = svm.decision_function(mapped(scale[1](paired.X_test)))

    assert_allclose(clf.estimator_.coef_, svm.coef_, rtol=1e-6)
    assert_allclose(
        clf.predict_proba(paired.X_test), softmax(scores, axis=1), rtol=1e-6
    )


def test_the_published_form_is_the_pure_control(paired):
    pure = paired.fit(PairedRidgeTransfer.published())
    unlabeled = paired.fit(PairedRidgeTransfer(), y=None)

    assert not pure.use_target_labels
    assert_array_equal(pure.predict(paired.X_test), unlabeled.predict(paired.X_test))


def test_it_learns_from_pairs_that_belong_together(paired):
    clf = PairedRidgeTransfer(use_target_labels=False)
    score = paired.fit(clf).score(paired.X_test, paired.y_test)
    mixed_up = paired.fit(clf, pairs=paired.mixed_up)

    assert score > 0.75
    assert mixed_up.score(paired.X_test, paired.y_test) < score - 0.2


def test_pairs_in_any_other_order_are_the_same_pairs(paired):
    order = np.random.default_rng(0).permutation(len(paired.pairs[0]))
    shuffled = tuple(side[order] for side in paired.pairs)
    both = [
        paired.fit(PairedRidgeTransfer(), pairs=p) for p in (paired.pairs, shuffled)
    ]

    assert_allclose(*(clf.predict_proba(paired.X_test) for clf in both), rtol=1e-6)


def test_one_pair_maps_every_row_to_the_same_place(paired):
    clf = PairedRidgeTransfer(use_target_labels=False)
    paired.fit(clf, pairs=tuple(side[:1] for side in paired.pairs))

    assert len(np.unique(clf.predict(paired.X_test))) == 1


def test_fewer_pairs_than_features_are_enough(paired):
    clf = paired.fit(PairedRidgeTransfer(), pairs=tuple(s[:5] for s in paired.pairs))

    assert clf.score(paired.X_test, paired.y_test) > 0.4


def test_constant_features_tell_nothing(paired):
    def widened(X):
        return np.column_stack([X, np.full(len(X), 7.0)])

    X_s, X_t = map(widened, paired.pairs)
    clf = PairedRidgeTransfer().fit(
        widened(paired.X),
        paired.y,
        source=(widened(paired.source[0]), paired.source[1]),
        pairs=(X_s, X_t),
    )

    assert_allclose(
        clf.predict_proba(widened(paired.X_test)),
        paired.fit(PairedRidgeTransfer()).predict_proba(paired.X_test),
        atol=1e-3,
    )


def test_unlabeled_source_rows_are_left_out(paired):
    X_s, y_s = paired.source
    hidden = np.where(np.arange(len(y_s)) < 20, -1, y_s)
    with pytest.warns(UserWarning, match="leaves out 20 unlabeled source samples"):
        some = paired.fit(PairedRidgeTransfer(scaling=None), source=(X_s, hidden))
    others = paired.fit(PairedRidgeTransfer(scaling=None), source=(X_s[20:], y_s[20:]))

    assert_allclose(some.predict_proba(paired.X), others.predict_proba(paired.X))


@pytest.mark.filterwarnings("ignore:.*leaves out .* unlabeled source:UserWarning")
def test_without_source_labels_those_of_the_target_teach(paired):
    nothing = paired.source[0], np.full(len(paired.source[0]), -1)
    clf = paired.fit(PairedRidgeTransfer(use_target_labels=False), source=nothing)

    assert_array_equal(clf.predict(paired.X[:3]), paired.y[:3])


@pytest.mark.filterwarnings("ignore:No source sample is labeled:UserWarning")
def test_a_class_that_no_training_row_has_is_impossible(paired):
    X_s, y_s = paired.source
    names = np.array(["one", "three", "two"])
    y = np.array([None] * len(paired.y), dtype=object)
    y[:3] = names
    kept = y_s != 1
    clf = PairedRidgeTransfer(use_target_labels=False)
    paired.fit(clf, y=y, source=(X_s[kept], names[y_s[kept]]))
    probabilities = clf.predict_proba(paired.X_test)

    assert_array_equal(clf.classes_, names)
    assert_array_equal(probabilities[:, 1], 0)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert clf.transduction_[1] == "three"  # a given label stays


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(3),
        SVC(kernel="linear"),
        GridSearchCV(LinearSVC(random_state=0), {"C": [0.01, 0.1]}, cv=3),
    ],
)
def test_any_classifier_will_do(paired, estimator):
    clf = paired.fit(PairedRidgeTransfer(estimator))
    probabilities = clf.predict_proba(paired.X_test)

    assert_allclose(probabilities.sum(axis=1), 1)
    assert clf.score(paired.X_test, paired.y_test) > 0.7


def test_votes_between_pairs_of_classes_are_not_scores_of_classes(paired):
    svm = SVC(kernel="linear", decision_function_shape="ovo")  # three scores, of pairs
    ovo, ovr = (
        paired.fit(PairedRidgeTransfer(svc))
        for svc in (svm, SVC(kernel="linear", decision_function_shape="ovr"))
    )

    assert len(ovo.classes_) == 3
    assert_array_equal(ovo.predict_proba(paired.X), ovr.predict_proba(paired.X))
    assert svm.decision_function_shape == "ovo"


def test_a_refit_forgets_the_map(paired):
    clf = paired.fit(PairedRidgeTransfer())
    assert hasattr(clf, "ridge_")
    with pytest.warns(NoSourceWarning):
        clf.fit(paired.X, paired.y)

    assert not hasattr(clf, "ridge_")


def test_a_single_class_needs_no_classifier(paired):
    X_s, y_s = paired.source
    clf = paired.fit(PairedRidgeTransfer(), y=None, source=(X_s, np.zeros_like(y_s)))

    assert_array_equal(clf.predict_proba(paired.X), 1)


def test_without_a_source_the_classifier_is_the_target_s_own(paired):
    with pytest.warns(NoSourceWarning):
        clf = PairedRidgeTransfer(scaling=None).fit(paired.X, paired.y)
    svm = LinearSVC(C=0.1, random_state=0).fit(paired.X[:3], paired.y[:3])

    assert_array_equal(clf.predict(paired.X_test), svm.predict(paired.X_test))
    assert_allclose(clf.transform(paired.X), paired.X)


def test_pairs_may_be_searched_over_with_the_target(paired):
    X = np.concatenate([paired.X_test, paired.pairs[1]])
    y = np.concatenate([paired.y_test, np.full(len(paired.pairs[0]), -1)])
    aligned = np.full((len(X), paired.pairs[0].shape[1]), np.nan)
    aligned[len(paired.X_test) :] = paired.pairs[0]
    search = GridSearchCV(
        PairedRidgeTransfer(use_target_labels=False),
        {"alpha": [1.0, 1e6]},
        cv=LabeledFold(3),
    )
    search.fit(X, y, source=paired.source, pairs=aligned)

    assert search.best_params_ == {"alpha": 1.0}


@pytest.mark.parametrize("cls", [PairedRidgeTransfer, HHTL])
def test_a_source_of_one_feature_will_do(paired, cls):
    source = paired.source[0][:, :1], paired.source[1]
    pairs = paired.pairs[0][:, :1], paired.pairs[1]

    clf = paired.fit(cls(), source=source, pairs=pairs)

    assert clf.transform(paired.X_test).shape[1] == clf._n_features_out
    assert_allclose(clf.predict_proba(paired.X_test).sum(axis=1), 1)


@pytest.mark.parametrize("cls", [PairedRidgeTransfer, HHTL])
def test_features_without_a_scale_that_liblinear_hangs_on_are_an_error(paired, cls):
    X = paired.source[0].copy()
    X[0, 0] = 1e100

    with pytest.raises(ValueError, match=r"what .* classifies, .* 4th power overf"):
        paired.fit(cls(scaling=None), source=(X, paired.source[1]))


def test_pairs_beside_a_constant_source_feature_do_not_depend_on_units():
    rng = np.random.default_rng(0)
    X, X_source = rng.normal(size=(20, 3)), rng.normal(size=(20, 4))
    pairs = X_source[:10] + 0.1 * rng.normal(size=(10, 4)), X[:10]
    X_source[:, 0] = 1.0  # which the pairs are not
    y = np.arange(20) % 2

    def predict(unit):
        given = {"source": (X_source * unit, y), "pairs": (pairs[0] * unit, pairs[1])}
        return PairedRidgeTransfer().fit(X, y, **given).predict_proba(X)

    np.testing.assert_allclose(predict(2.0**60), predict(1.0), atol=1e-8)
