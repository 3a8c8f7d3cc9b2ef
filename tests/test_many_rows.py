"""Beyond the size up to which all is exact, the methods find nearly the same."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsTransformer

from skda import AutoAdapter
from skda.baselines import BalancedLabelPropagation, IterativeLabelPropagation
from skda.heterogeneous import DAMA, SSAN, GeoST
from skda.retrieval import ClusterRetrieval
from skda.unsupervised import CenteredLabelPropagation, PriorTransduction
from skda.utils.neighbors import ApproximateNeighbors, TransformerNeighbors
from skda.utils.warnings import NoSourceWarning

GRAPHS = {
    "GeoST": GeoST(),
    "BalancedLabelPropagation": BalancedLabelPropagation(),
    "IterativeLabelPropagation": IterativeLabelPropagation(),
    "CenteredLabelPropagation": CenteredLabelPropagation(),
    "PriorTransduction": PriorTransduction(),
    "DAMA": DAMA(),
    "SSAN": SSAN(max_epochs=20, random_state=0),
}


@pytest.fixture(name="task")
def _task():
    """Draw a target of four classes with ten labels each, and a source."""
    rng, means = (
        np.random.default_rng(0),
        2 * np.random.default_rng(1).normal(size=(4, 20)),
    )
    y = rng.integers(4, size=600)
    X = means[y] + rng.normal(size=(600, 20))
    few = np.where(np.arange(600) < 40, y, -1)
    y_source = rng.integers(4, size=200)
    return X, y, few, (means[y_source] + rng.normal(size=(200, 20)), y_source)


@pytest.mark.parametrize("name", GRAPHS)
def test_approximate_neighbors_find_nearly_the_same_classes(name, task, monkeypatch):
    X, _, few, source = task
    exact = clone(GRAPHS[name]).fit(X, few, source=source)
    monkeypatch.setattr("skda.utils.many_rows.EXACT_UP_TO", 100)

    found = clone(GRAPHS[name]).fit(X, few, source=source)

    assert np.mean(found.transduction_ == exact.transduction_) > 0.98
    new = X[:50] + 0.01
    assert np.mean(found.predict(new) == exact.predict(new)) > 0.95


@pytest.mark.parametrize("name", GRAPHS)
def test_a_transformer_stands_for_the_search(name, task):
    X, _, few, source = task
    transformer = KNeighborsTransformer(algorithm="brute")
    estimator = clone(GRAPHS[name]).set_params(neighbors=transformer)

    estimator.set_params(neighbors__n_neighbors=15).fit(X, few, source=source)

    exact = clone(GRAPHS[name]).fit(X, few, source=source)
    assert np.mean(estimator.transduction_ == exact.transduction_) > 0.99
    assert not hasattr(transformer, "n_samples_fit_")


def test_the_index_of_the_fit_serves_new_rows(task, monkeypatch):
    X, _, few, source = task
    clf = CenteredLabelPropagation(neighbors=KNeighborsTransformer())
    assert isinstance(clf.fit(X, few, source=source).neighbors_, TransformerNeighbors)

    monkeypatch.setattr("skda.utils.many_rows.EXACT_UP_TO", 100)
    clf.set_params(neighbors=None).fit(X, few, source=source)

    assert isinstance(clf.neighbors_, ApproximateNeighbors)


def test_clusters_learned_from_a_part_of_the_pairs_are_those_of_all(monkeypatch):
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    X = (3 * rng.normal(size=(3, 8)))[y] + rng.normal(size=(600, 8))
    retriever = ClusterRetrieval(n_clusters=3, random_state=0)
    exact = retriever.fit(X).score(X[:200], y[:200])
    monkeypatch.setattr("skda.utils.many_rows.EXACT_UP_TO", 100)

    found = retriever.fit(X).score(X[:200], y[:200])

    assert all(len(c[3]) == 600 for c in retriever.clusters_.values())
    assert abs(found - exact) < 0.02


def test_auto_adapter_predicts_the_rows_that_it_does_not_learn_from(task, monkeypatch):
    X, y, few, _ = task
    monkeypatch.setattr("skda.auto._part.MOST_ROWS", 200)

    with pytest.warns(NoSourceWarning):
        clf = AutoAdapter().fit(X, few)

    assert clf.label_distributions_.shape == (600, 4)
    np.testing.assert_allclose(clf.label_distributions_.sum(axis=1), 1)
    assert np.mean(clf.transduction_ == y) > 0.97
    assert all(len(each) == 600 for each in clf.members_.values())
