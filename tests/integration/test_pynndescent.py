"""The transformer of pynndescent searches for neighbors in our place."""

import numpy as np
from pynndescent import PyNNDescentTransformer

from skda.baselines import BalancedLabelPropagation


def test_neighbors_of_pynndescent_give_nearly_the_same_labels(toy):
    X, _, y, _ = toy
    transformer = PyNNDescentTransformer(random_state=0, n_jobs=1)
    clf = BalancedLabelPropagation(neighbors=transformer)

    clf.set_params(neighbors__n_neighbors=20).fit(X, y)

    exact = BalancedLabelPropagation().fit(X, y)
    assert np.mean(clf.transduction_ == exact.transduction_) > 0.95
    assert np.mean(clf.predict(X) == exact.predict(X)) > 0.95
    assert not hasattr(transformer, "index_")
