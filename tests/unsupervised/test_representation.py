"""Tests of what the closed-form methods put before their rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.preprocessing import MaxAbsScaler

from skda.preprocessing import RowScaler, shared_preprocessor
from skda.unsupervised import SPL, CenteredLabelPropagation, TargetCentroids
from skda.utils.warnings import NoSourceWarning

METHODS = [SPL, TargetCentroids, CenteredLabelPropagation]

RNG = np.random.default_rng(0)
Y = np.arange(120) % 3
MEANS = RNG.normal(size=(3, 6))
SOURCE = MEANS[Y] + RNG.normal(size=(120, 6)), Y
X = MEANS[Y] + RNG.normal(size=(120, 6)) + 0.5


@pytest.mark.parametrize("cls", METHODS)
def test_features_are_put_on_one_scale_first(cls):
    clf = cls().fit(X, source=SOURCE)
    scaler = shared_preprocessor([SOURCE[0], X])
    by_hand = cls(shared_transformer=scaler).fit(X, source=SOURCE)

    assert_allclose(clf.predict_proba(X), by_hand.predict_proba(X))
    assert_array_equal(clf.transduction_, by_hand.transduction_)
    assert clf.shared_transformer_ is None


@pytest.mark.parametrize("cls", METHODS)
def test_the_unit_of_a_feature_does_not_matter(cls):
    units = 10.0 ** np.arange(-3, 3)
    clf = cls().fit(X, source=SOURCE)
    other = cls().fit(units * X, source=(units * SOURCE[0], Y))

    assert_allclose(other.predict_proba(units * X), clf.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("cls", METHODS)
def test_a_transformer_of_the_user_takes_its_place(cls):
    scaler = MaxAbsScaler().fit(np.concatenate([SOURCE[0], X]))
    clf = cls(shared_transformer=MaxAbsScaler()).fit(X, source=SOURCE)
    scaled = scaler.transform(SOURCE[0]), Y
    by_hand = cls(representation="unit").fit(scaler.transform(X), source=scaled)

    assert_allclose(clf.predict_proba(X), by_hand.predict_proba(scaler.transform(X)))


@pytest.mark.parametrize("cls", METHODS)
def test_published_rows_have_unit_length_and_nothing_else(cls):
    clf = cls.published()
    rows = clf.fit(X, source=SOURCE)._prepare_rows(X, "target")

    assert (clf.representation, clf.power) == ("unit", 1.0)
    assert_allclose(rows, RowScaler(1.0).fit_transform(X))


@pytest.mark.parametrize("cls", METHODS)
def test_counts_may_be_sparse(cls):
    counts = RNG.poisson(0.2 + MEANS[Y] ** 2 @ np.ones((6, 64)) / 9).astype(float)
    dense = cls().fit(counts[60:], source=(counts[:60], Y[:60]))
    sparse = cls().fit(
        csr_matrix(counts[60:]), source=(csr_matrix(counts[:60]), Y[:60])
    )

    assert_allclose(sparse.predict_proba(counts), dense.predict_proba(counts))


@pytest.mark.parametrize("cls", METHODS)
def test_without_a_source_there_is_one_warning(cls):
    with pytest.warns(NoSourceWarning) as caught:
        clf = cls().fit(X, Y)

    assert len(caught) == 1
    assert clf.score(X, Y) > 0.5
