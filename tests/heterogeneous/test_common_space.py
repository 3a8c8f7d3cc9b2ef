"""Tests of what the methods with a common space share."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import NearestCentroid

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import CDLS, CDSPP, DAMA, GJDA, SGWStyle
from skda.utils.warnings import NoSourceWarning

METHODS = [CDLS, CDSPP, DAMA, GJDA, SGWStyle]
every_method = pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.__name__)
with_gaps = pytest.mark.filterwarnings("ignore:No .* sample is labeled:UserWarning")
without_source = pytest.mark.filterwarnings(
    f"ignore::{NoSourceWarning.__module__}.NoSourceWarning"
)


def _make(n_source=40, n_target=45, **params):
    return make_heterogeneous_domains(
        n_source, n_target, n_classes=3, random_state=0, **params
    )


@pytest.fixture(scope="module")
def data():
    return _make()


def _is_sound(clf, X, n_classes=3):
    p = clf.predict_proba(X)
    return p.shape == (len(X), n_classes) and np.allclose(p.sum(axis=1), 1)


@every_method
def test_a_target_without_labels_is_refused(cls, data):
    with pytest.raises(ValueError, match=f"{cls.__name__} expects labeled target sam"):
        cls().fit(data.X, source=data.source)


@every_method
@pytest.mark.parametrize("widths", [(300, 20), (20, 300), (200, 250), (1, 2)])
def test_fewer_rows_than_features_and_the_other_way_round(cls, widths):
    data = _make(n_source_features=widths[0], n_target_features=widths[1])
    clf = cls().fit(data.X, data.y, source=data.source)

    assert _is_sound(clf, data.X)
    Z_s = clf.transform(data.source[0], domain="source")
    assert clf.transform(data.X).shape[1] == Z_s.shape[1]


@every_method
def test_a_singular_domain(cls, data):
    X = data.X.copy()
    X[:, 5:10] = X[:, :1]  # features that repeat one another
    X[20:30] = X[20]  # and rows
    X_s = np.repeat(data.source[0][:, :1], 8, axis=1)
    clf = cls(normalize=False).fit(X, data.y, source=(X_s, data.source[1]))

    assert _is_sound(clf, X)
    assert np.isfinite(clf.transform(X)).all()


@every_method
@with_gaps
def test_a_class_that_one_domain_lacks(cls, data):
    X_s, y_s = data.source
    in_target = np.where(data.y == 1, -1, data.y)
    of_source = cls().fit(data.X, in_target, source=data.source)
    of_target = cls().fit(data.X, data.y, source=(X_s[y_s != 1], y_s[y_s != 1]))

    assert_array_equal(of_source.classes_, [0, 1, 2])
    assert _is_sound(of_source, data.X)
    assert _is_sound(of_target, data.X)


@every_method
def test_unlabeled_source_rows_are_left_out_with_a_warning(cls, data):
    X_s, y_s = data.source
    half = np.where(np.arange(40) < 20, y_s, -1)
    with pytest.warns(UserWarning, match="leaves out 20 unlabeled source samples"):
        some = cls().fit(data.X, data.y, source=(X_s, half))
    labeled = cls().fit(data.X, data.y, source=(X_s[:20], y_s[:20]))

    assert_allclose(some.predict_proba(data.X), labeled.predict_proba(data.X))


@every_method
@without_source
def test_a_source_without_labels_is_none(cls, data):
    X_s = data.source[0]
    alone = cls().fit(data.X, data.y)
    with pytest.warns(UserWarning, match="leaves out 40 unlabeled source samples"):
        clf = cls().fit(data.X, data.y, source=(X_s, np.full(40, -1)))

    assert_allclose(clf.predict_proba(data.X), alone.predict_proba(data.X))
    assert_allclose(clf.predict_proba(X_s, domain="source"), 1 / 3)
    assert len(clf.transform(X_s, domain="source")) == 40


@every_method
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), RidgeClassifier(), NearestCentroid()]
)
def test_any_classifier_may_come_last(cls, data, estimator):
    clf = cls(estimator).fit(data.X, data.y, source=data.source)

    assert type(clf.estimator_) is type(estimator)
    assert clf.estimator_ is not estimator
    assert _is_sound(clf, data.X)


@every_method
@with_gaps
def test_a_single_class_needs_no_classifier(cls, data):
    source = data.source[0], np.full(40, 7)
    clf = cls(LogisticRegression()).fit(data.X[:9], np.full(9, 7), source=source)

    assert isinstance(clf.estimator_, DummyClassifier)
    assert_array_equal(clf.predict(data.X), 7)


@every_method
def test_new_rows_are_classified_as_those_of_the_fit(cls, data):
    clf = cls().fit(data.X[:30], data.y[:30], source=data.source)
    one_by_one = np.concatenate([clf.predict_proba(row[None]) for row in data.X])

    assert_allclose(one_by_one, clf.predict_proba(data.X), atol=1e-8)
    known = data.y[:30] >= 0
    expected = np.where(known, data.y[:30], clf.predict(data.X[:30]))
    assert_array_equal(clf.transduction_, expected)


@every_method
def test_published_settings_take_plain_rows_of_unit_length(cls):
    clf = cls.published()

    assert (clf.power, clf.normalize, clf.estimator) == (1.0, True, None)
