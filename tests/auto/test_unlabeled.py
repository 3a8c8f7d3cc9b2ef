"""Tests of what AutoAdapter does with classes that no target row is labeled with."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skda.auto import AutoAdapter
from skda.datasets import noise_source

pytestmark = [
    pytest.mark.filterwarnings("ignore:No .* sample is labeled:UserWarning"),
    pytest.mark.filterwarnings("ignore:AutoAdapter expects:UserWarning"),
]
HIDDEN = 1, 5


@pytest.fixture(scope="module")
def domains():
    """Eight classes that lie alike in rotated spaces of seven and of nine features."""
    rng = np.random.default_rng(3)
    means = 4 * rng.normal(size=(8, 5))
    y = np.arange(160) % 8

    def domain(width):
        rotation = np.linalg.qr(rng.normal(size=(width, width)))[0][:5]
        return (means[y] + rng.normal(size=(len(y), 5))) @ rotation

    labels = np.where((np.arange(160) < 24) & ~np.isin(y, HIDDEN), y, -1)
    return (domain(7), y), domain(9), labels


def _fit(mode, domains, *, source=None, rows=None):
    given, X, y = domains
    rows = np.ones(len(X), dtype=bool) if rows is None else rows
    clf = AutoAdapter(unlabeled_classes=mode)
    clf.fit(X[rows], y[rows], source=source or given)
    return clf, clf.report_["assumptions"][-1]


def test_classes_are_inferred_where_geometries_agree(domains):
    (_, truth), X, _ = domains
    clf, said = _fit("auto", domains)

    assert np.mean(clf.transduction_ == truth) > 0.9
    assert np.mean(clf.predict(X) == truth) > 0.9
    assert "No target row is labeled 1, 5, but unlabeled rows are taken to be" in said
    assert "of labeled classes that were hidden the source names" in said


def test_classes_are_not_inferred_where_the_geometry_disagrees(domains):
    renamed = noise_source(*domains[0], "renamed", random_state=0)
    clf, said = _fit("auto", domains, source=renamed)

    assert not np.isin(clf.transduction_, HIDDEN).any()
    assert "the source cannot say which rows are: never predicted" in said


def test_classes_are_not_inferred_where_the_target_lacks_them(domains):
    (_, truth), _, _ = domains
    clf, said = _fit("auto", domains, rows=~np.isin(truth, HIDDEN))

    assert not np.isin(clf.transduction_, HIDDEN).any()
    assert "no rows seem to be: taken for lacking, never predicted" in said


def test_classes_are_ignored_if_that_is_asked_for(domains):
    clf, said = _fit("ignore", domains)

    assert_array_equal(clf.label_distributions_[:, HIDDEN], 0)
    assert said == "No target row is labeled 1, 5: what learns from labels ignores it."


def test_what_is_inferred_on_request_is_doubted_where_geometries_disagree(domains):
    renamed = noise_source(*domains[0], "renamed", random_state=0)
    with pytest.warns(UserWarning, match="AutoAdapter infers the classes 1, 5, which"):
        clf, _ = _fit("infer", domains, source=renamed)

    assert np.isin(clf.transduction_, HIDDEN).any()
    assert clf.report_["warnings"][0].startswith("AutoAdapter infers the classes 1, 5")


def test_too_few_classes_in_common_are_never_predicted_or_an_error(domains):
    (X_source, truth), _, _ = domains
    source = X_source, np.where(truth == 0, 0, truth + 10)
    clf, said = _fit("auto", domains, source=source)

    assert clf.transduction_.max() < 8
    assert "too few classes are labeled in both domains to infer it" in said
    with pytest.raises(ValueError, match="two classes or more that both domains"):
        _fit("infer", domains, source=source)


def test_a_source_of_the_same_features_names_classes_by_them(domains):
    _, X, _ = domains
    truth = np.arange(160) % 8
    rng = np.random.default_rng(0)
    source = X + rng.normal(size=X.shape), truth
    usual, _ = _fit("ignore", domains, source=source)
    clf, said = _fit("auto", domains, source=source)

    rows = np.isin(truth, HIDDEN)
    right = clf.transduction_[rows] == truth[rows]
    assert right.mean() > 0.9
    assert right.mean() >= np.mean(usual.transduction_[rows] == truth[rows])
    assert "but unlabeled rows are taken to be, as the source names them" in said


def test_a_source_of_the_same_features_that_names_nothing_rightly(domains):
    _, X, _ = domains
    rng = np.random.default_rng(0)
    same = X + rng.normal(size=X.shape), np.arange(160) % 8
    renamed = noise_source(*same, "renamed", random_state=0)
    _, said = _fit("auto", domains, source=renamed)

    assert "the source is too weak to say which rows are: it names 0% of" in said
