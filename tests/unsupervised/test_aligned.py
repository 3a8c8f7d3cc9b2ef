"""Tests of what the methods that align two domains and then classify have in common."""

from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from skda.unsupervised import (
    CORAL,
    GFK,
    JDA,
    TCA,
    LinearOT,
    OTClassifier,
    SourceOnly,
    SubspaceAlignment,
)
from skda.utils.labels import UNLABELED
from skda.utils.warnings import NoSourceWarning

NEEDS_POT = pytest.mark.skipif(find_spec("ot") is None, reason="POT is not installed")
NEAREST = KNeighborsClassifier(n_neighbors=1)
METHODS = [
    TCA,
    JDA,
    GFK,
    CORAL,
    LinearOT,
    SubspaceAlignment,
    pytest.param(OTClassifier, marks=NEEDS_POT),
]
UNIT = {"representation": "unit"}


@pytest.fixture(name="moved", scope="module")
def _moved():
    """A target that is stretched and moved, and its source."""
    rng = np.random.default_rng(0)
    means, y = 2 * rng.normal(size=(3, 8)), np.arange(180) % 3
    scales = np.array([3.0, 2.0, 1.5, 1.0, 1.0, 0.7, 0.5, 0.3]) ** 0.5
    X_source = means[y] + rng.normal(size=(180, 8))
    X = (means[y] + rng.normal(size=(180, 8))) * scales
    return X + 2 * rng.normal(size=8), y, (X_source, y)


@pytest.mark.parametrize("cls", METHODS)
def test_alignment_changes_the_predictions_for_the_better(cls, moved):
    X, y, source = moved
    clf = cls(**UNIT).fit(X, source=source)
    alone = LinearSVC(random_state=0) if cls is CORAL else NEAREST
    alone = SourceOnly(alone).fit(X, source=source)

    assert (clf.predict(X) != alone.predict(X)).sum() > 5
    assert clf.score(X, y) > alone.score(X, y)


@pytest.mark.parametrize("cls", METHODS)
def test_the_classifier_sees_the_rows_that_transform_returns(cls, moved):
    X, _, source = moved
    clf = cls(**UNIT).fit(X, source=source)
    Z, Z_source = clf.transform(X), clf.transform(source[0], domain="source")
    alone = LinearSVC(random_state=0) if cls is CORAL else NEAREST

    assert Z.dtype == np.float32
    assert Z.shape[1] == Z_source.shape[1] == len(clf.get_feature_names_out())
    assert_array_equal(clf.transduction_, clf.predict(X))
    assert np.mean(alone.fit(Z_source, source[1]).predict(Z) == clf.predict(X)) > 0.99
    assert clf.score(*source, domain="source") > 0.9


@pytest.mark.parametrize("cls", METHODS)
def test_any_classifier_will_do(cls, moved):
    X, _, source = moved
    names = np.array(["ant", "bee", "cat"])
    clf = cls(LogisticRegression()).fit(X, source=(source[0], names[source[1]]))
    p = clf.predict_proba(X)
    without = cls(SVC(kernel="linear")).fit(X, source=source)

    assert_allclose(p.sum(axis=1), 1)
    assert len(np.unique(p)) > len(X)
    assert set(clf.predict(X)) == set(names)
    assert set(np.unique(without.predict_proba(X))) == {0, 1}
    assert clf.estimator.get_params() == LogisticRegression().get_params()
    assert not hasattr(clf.estimator, "classes_")


@pytest.mark.filterwarnings("ignore:The data contradict what")  # by wrong labels
@pytest.mark.parametrize("cls", METHODS)
def test_known_labels_of_the_target_join(cls, moved):
    X, y, source = moved
    labels = np.full(len(X), UNLABELED)
    labels[:60] = (y[:60] + 1) % 3  # which few rows would be predicted to be
    clf = cls(**UNIT).fit(X, labels, source=source)
    without = cls(**UNIT).fit(X, source=source)

    assert_array_equal(clf.transduction_[:60], labels[:60])
    assert (clf.predict(X[60:]) != without.predict(X[60:])).any()


@pytest.mark.parametrize("cls", METHODS)
def test_without_a_source_the_labeled_rows_take_its_place(cls, moved):
    X, y, _ = moved
    labels = np.where(np.arange(len(y)) < 60, y, UNLABELED)
    with pytest.warns(NoSourceWarning):
        clf = cls().fit(X, labels)

    assert clf.score(X, y) > 0.8
    with pytest.raises(ValueError, match="was fitted without a source"):
        clf.transform(X, domain="source")


@pytest.mark.parametrize("cls", METHODS)
def test_rows_may_be_equal(cls):
    rows = np.ones((6, 3))
    clf = cls().fit(rows, source=(rows, [0, 0, 1, 1, 2, 2]))

    assert np.isfinite(clf.predict_proba(rows)).all()


@pytest.mark.parametrize("cls", METHODS)
def test_one_class_is_always_right(cls, moved):
    X, _, source = moved
    clf = cls().fit(X, source=(source[0], ["a"] * len(X)))

    assert set(clf.predict(X)) == {"a"}


@pytest.mark.parametrize("cls", METHODS)
def test_rows_may_be_wider_than_many(cls):
    rng = np.random.default_rng(0)
    means, y = rng.normal(size=(2, 60)), np.arange(20) % 2
    X_source = means[y] + 0.3 * rng.normal(size=(20, 60))
    X = means[y] + 0.3 * rng.normal(size=(20, 60)) + 1.0
    clf = cls().fit(X[:15], source=(X_source, y))

    assert clf.score(X[:15], y[:15]) == 1
    assert clf.score(X[15:], y[15:]) == 1


@pytest.mark.parametrize("cls", METHODS)
def test_domains_of_other_features_are_refused(cls, moved):
    X, _, source = moved
    with pytest.raises(ValueError, match="both domains to have the same features"):
        cls().fit(X[:, :5], source=source)


@pytest.mark.parametrize("cls", METHODS)
def test_published_rows_have_unit_length_only(cls):
    clf = cls.published(power=0.5)

    assert (clf.representation, clf.power) == ("unit", 0.5)
    assert clf.estimator is None


@pytest.mark.parametrize("cls", METHODS)
def test_a_classifier_that_is_none_is_refused(cls, moved):
    X, _, source = moved
    with pytest.raises(ValueError, match="'estimator' parameter"):
        cls("nearest").fit(X, source=source)
