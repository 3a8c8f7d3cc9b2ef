"""The controls stand in the call of a method that adapts."""

import numpy as np
import pytest
from sklearn.base import clone

from skda import baselines

#: Ordinary classifiers, which stand there inside of a `TargetOnly`.
ORDINARY = {"TunedClassifier"}


@pytest.mark.parametrize("name", sorted({*baselines.__all__} - ORDINARY))
def test_a_source_and_pairs_are_accepted_and_ignored(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 10)
    X = rng.normal(size=(3, 5))[y] * 3 + rng.normal(size=(30, 5))
    few = np.where(np.arange(30) % 3 == 0, y, -1)
    clf = getattr(baselines, name)()
    fast = {"max_epochs": 5, "random_state": 0}
    clf.set_params(**{k: v for k, v in fast.items() if k in clf.get_params()})
    source, pairs = (rng.normal(size=(9, 4)), y[:9]), rng.normal(size=(30, 4))
    alone = clone(clf).fit(X, few)

    np.testing.assert_array_equal(
        clf.fit(X, few, source=source, pairs=pairs).predict(X), alone.predict(X)
    )


@pytest.mark.parametrize("name", ["SeededKMeans", "SSDAE"])
def test_the_source_cannot_be_predicted(name):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 3)), np.arange(12) % 2
    clf = getattr(baselines, name)()
    clf.set_params(**{"max_epochs": 1} if name == "SSDAE" else {}).fit(X, y)
    with pytest.raises(ValueError, match="learns from the target alone, got domain='s"):
        clf.predict(X, domain="source")
