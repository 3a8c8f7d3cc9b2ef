"""What the tests of the heterogeneous methods share."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from skda.base import Sizes
from skda.training import Batch, Domain, Pairs


@pytest.fixture
def sizes():
    """Four and five features, three classes."""
    return Sizes(4, 5, 3)


@pytest.fixture
def make_batch():
    """Build a batch of random rows with the labels asked for; -1 is no label."""

    def make(source=(0, 1, 2, 0, 1, 2), target=(0, 1, 2, 0, -1, -1, -1), dtype=None):
        def domain(labels, n_features):
            codes = torch.tensor(labels, dtype=torch.long)
            one_hot = torch.cat([torch.eye(3), torch.zeros(1, 3)])[codes]
            X = torch.randn(len(labels), n_features, dtype=dtype)
            return Domain(X, one_hot.to(X.dtype), torch.arange(len(labels)))

        domains = domain(source, 4), domain(target, 5)
        return Batch(*domains, Pairs(*(part.X[:0] for part in domains)))

    return make


class Paired(NamedTuple):
    """Two views of three classes: a source, a target, pairs of both and a test set."""

    X: np.ndarray
    y: np.ndarray
    source: tuple[np.ndarray, np.ndarray]
    pairs: tuple[np.ndarray, np.ndarray]
    X_test: np.ndarray
    y_test: np.ndarray

    def fit(self, clf, y="given", **changed):
        """Fit to all of it but for what is changed."""
        given = {"source": self.source, "pairs": self.pairs}
        return clf.fit(self.X, self.y if isinstance(y, str) else y, **given | changed)

    @property
    def mixed_up(self):
        """The pairs, with target sides that belong to others."""
        return self.pairs[0], np.roll(self.pairs[1], 7, axis=0)


@pytest.fixture(scope="session")
def paired():
    """Three labeled rows of a noisy target view, and a source view without noise."""
    rng = np.random.default_rng(0)
    y = np.arange(530) % 3
    latent = 2 * rng.normal(size=(3, 6))[y] + 1.5 * rng.normal(size=(530, 6))
    X_source = latent @ rng.normal(size=(6, 10))
    X = latent @ rng.normal(size=(6, 8)) + 3 * rng.normal(size=(530, 8))
    few = np.where(np.arange(120) < 3, y[:120], -1)
    pairs = X_source[120:200], X[120:200]
    return Paired(
        X[:120], few, (X_source[200:260], y[200:260]), pairs, X[260:], y[260:]
    )
