"""Domains of which the target has fewer classes, and networks for them."""

import inspect
from typing import NamedTuple

import numpy as np
import pytest
import torch

from skda.base import Sizes
from skda.training import Batch, Domain, Pairs


class Partial(NamedTuple):
    """A labeled source, and a target that lies elsewhere and lacks classes."""

    X: np.ndarray
    y: np.ndarray
    source: tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def make_partial():
    """Draw Gaussian classes, of which the target, which is moved, has the first."""

    def make(seed=0, *, shift=4.0, n_rows=120, n_features=10, n_classes=5, n_shared=2):
        rng = np.random.default_rng(seed)
        means = 2 * rng.normal(size=(n_classes, n_features))

        def domain(n_there):
            y = rng.permutation(np.arange(n_rows) % n_there)
            return means[y] + rng.normal(size=(n_rows, n_features)), y

        source, (X, y) = domain(n_classes), domain(n_shared)
        towards_an_absent_class = means[-1] - means[0]
        elsewhere = rng.normal(size=n_features)
        for direction in (towards_an_absent_class, elsewhere):
            X = X + shift * direction / np.linalg.norm(direction) / 2**0.5
        return Partial(X, y, source)

    return make


@pytest.fixture(scope="session")
def partial_data(make_partial):
    """One draw of two domains."""
    return make_partial(1)


@pytest.fixture(scope="session")
def make_net():
    """Build a classifier that fits at once, of parameters that its class knows."""

    def make(cls, **params):
        fast = {
            "n_components": 16,
            "discriminator_layer_sizes": (32,),
            "dropout": 0.0,
            "normalize": False,
            "max_epochs": 40,
            "random_state": 0,
            "device": "cpu",
        }
        known = inspect.signature(cls).parameters
        return cls(**{k: v for k, v in (fast | params).items() if k in known})

    return make


@pytest.fixture
def batch():
    """Rows of five features and four classes, one target row of them labeled."""
    generator = torch.Generator().manual_seed(0)

    def rows(n_rows):
        return torch.randn(n_rows, 5, generator=generator, dtype=torch.float64)

    one_hot = torch.eye(4, dtype=torch.float64)
    target_labels = torch.zeros(6, 4, dtype=torch.float64)
    target_labels[1, 2] = 1.0
    source = Domain(rows(9), one_hot[[0, 1, 2, 3, 0, 1, 2, 3, 0]], torch.arange(9))
    target = Domain(rows(6), target_labels, torch.arange(6))
    return Batch(source, target, Pairs(source.X[:0], target.X[:0]))


@pytest.fixture
def make_terms(make_net, batch):
    """Evaluate the objective of an estimator in float64, at 70 % of the training."""

    def make(clf, progress=0.7, rows=batch):
        torch.manual_seed(0)
        module = clf.make_module(_sizes(rows)).double()
        objective = clf.make_objective()
        objective.start_fit(module, rows)
        if hasattr(objective, "class_weights"):
            weights = [0.5, 0.25, 0.125, 0.125]
            objective.class_weights = objective.weigh(torch.tensor(weights).double())
        torch.manual_seed(1)
        return module, objective, objective(module, rows, progress)

    return make


def _sizes(rows):
    return Sizes(rows.source.X.shape[1], rows.target.X.shape[1], 4)


@pytest.fixture(scope="session")
def gradients():
    """Differentiate a loss by every parameter of a module, by name."""

    def differentiate(loss, module):
        named = dict(module.named_parameters())
        grads = torch.autograd.grad(
            loss, list(named.values()), retain_graph=True, allow_unused=True
        )
        return dict(zip(named, grads, strict=True))

    return differentiate
