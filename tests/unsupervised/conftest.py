"""Domains that differ by a shift, and networks that train on them at once."""

import inspect
from typing import NamedTuple

import numpy as np
import pytest
import torch

from skda.base import Sizes
from skda.training import Batch, Domain, Pairs


class Shifted(NamedTuple):
    """A labeled source, and a target that lies elsewhere."""

    X: np.ndarray
    y: np.ndarray
    source: tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def make_shifted():
    """Draw Gaussian classes, and move those of the target."""

    def make(seed=0, shift=5.0, n_rows=150, n_features=10):
        rng = np.random.default_rng(seed)
        means = 2 * rng.normal(size=(3, n_features))

        def domain():
            y = rng.permutation(np.arange(n_rows) % 3)
            return means[y] + rng.normal(size=(n_rows, n_features)), y

        source, (X, y) = domain(), domain()
        towards_another_class = means[1] - means[0]
        elsewhere = rng.normal(size=n_features)
        for direction in (towards_another_class, elsewhere):
            X = X + shift * direction / np.linalg.norm(direction) / 2**0.5
        return Shifted(X, y, source)

    return make


@pytest.fixture(scope="session")
def shifted(make_shifted):
    """One draw of two domains."""
    return make_shifted(2)


@pytest.fixture(scope="session")
def make_net():
    """Build a classifier that fits at once, of parameters that its class knows."""

    def make(cls, **params):
        fast = {
            "n_components": 32,
            "discriminator_layer_sizes": (64,),
            "dropout": 0.0,
            "normalize": False,
            "max_epochs": 60,
            "random_state": 0,
            "device": "cpu",
        }
        known = inspect.signature(cls).parameters
        return cls(**{k: v for k, v in (fast | params).items() if k in known})

    return make


@pytest.fixture
def batch():
    """Rows of four features and three classes, one target row of them labeled."""
    generator = torch.Generator().manual_seed(0)

    def rows(n_rows):
        return torch.randn(n_rows, 4, generator=generator, dtype=torch.float64)

    one_hot = torch.eye(3, dtype=torch.float64)
    target_labels = torch.zeros(5, 3, dtype=torch.float64)
    target_labels[1, 2] = 1.0
    source = Domain(rows(7), one_hot[[0, 1, 2, 0, 1, 2, 0]], torch.arange(7))
    target = Domain(rows(5), target_labels, torch.arange(5))
    return Batch(source, target, Pairs(source.X[:0], target.X[:0]))


@pytest.fixture
def make_terms(make_net, batch):
    """Evaluate an objective at 70 % of the training."""

    def make(cls, **params):
        clf = make_net(cls, **params)
        torch.manual_seed(0)
        module = clf.make_module(Sizes(4, 4, 3)).double()
        return module, clf.make_objective()(module, batch, 0.7)

    return make
