"""Fixtures and settings shared by all tests."""

import os
import sys
from contextlib import suppress
from typing import NamedTuple
from unittest import SkipTest

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from skda.training import Batch, Domain, Domains, Pairs
from skda.utils.labels import UNLABELED

#: test_outside_package.py installs it first.
collect_ignore = ["outside_package"]

# The nets here are tiny: threads cost more than they give (13x on two cores). So do
# those of linear algebra, in the processes that are started from here.
torch.set_num_threads(1)
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def _clean_slate():
    """Seed PyTorch, and close figures that doctests and earlier tests left open."""
    torch.manual_seed(0)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


class Toy(NamedTuple):
    """Two views of the same blobs: everything that a fit and its score need."""

    X: np.ndarray
    y: np.ndarray
    y_true: np.ndarray
    source: tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def toy():
    """Two linear views of the same latent blobs, with five target labels per class."""
    rng = np.random.default_rng(0)
    latent, labels = make_blobs(
        600, n_features=4, centers=3, cluster_std=3.0, random_state=0
    )
    scale = StandardScaler().fit_transform
    X_source = scale(latent[:300] @ rng.normal(size=(4, 6)))
    X = scale(latent[300:] @ rng.normal(size=(4, 9)))
    y_true = labels[300:]
    y = np.full_like(y_true, UNLABELED)
    for k in range(3):
        labeled = np.flatnonzero(y_true == k)[:5]
        y[labeled] = k
    return Toy(X, y, y_true, (X_source, labels[:300]))


@pytest.fixture
def make_domains():
    """Build random domains of two classes, each row marked with its own number."""

    def make(n_source=8, n_target=6, n_pairs=0):
        def domain(n_rows, n_features):
            labels = torch.eye(2)[torch.arange(n_rows) % 2]
            rows = torch.arange(n_rows)
            return Domain(rows[:, None] * torch.ones(n_features), labels, rows)

        marks = torch.arange(n_pairs)[:, None]
        pairs = Pairs(marks * torch.ones(3), marks * torch.ones(2))
        return Domains(Batch(domain(n_source, 3), domain(n_target, 2), pairs))

    return make


class ToyPairs(NamedTuple):
    """Paired views of six categories: three known, three new, and new ones to test."""

    source: tuple[dict[str, np.ndarray], np.ndarray]
    views: dict[str, np.ndarray]
    y: np.ndarray
    test: dict[str, np.ndarray]
    y_test: np.ndarray


@pytest.fixture(scope="session")
def toy_pairs():
    """Two linear views of the same latent categories, with noise of their own."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(6), 60)
    latent = rng.normal(scale=2, size=(6, 5))[labels] + 0.7 * rng.normal(size=(360, 5))
    views = {
        name: latent @ rng.normal(size=(5, width)) + rng.normal(size=(360, width))
        for name, width in (("image", 9), ("text", 7))
    }

    def part(rows):
        return {name: X[rows] for name, X in views.items()}, labels[rows]

    known = labels < 3
    test = ~known & (np.arange(360) >= 240)
    return ToyPairs(part(known), *part(~known & ~test), *part(test))


#: Checks that must fail, and the error of each: the label -1 marks an unlabeled sample.
FAILING_CHECKS = {"check_classifiers_classes": (ValueError, r"-1|one class")}
#: The one check that wants a classifier to have learned something.
ACCURACY_CHECK = "check_classifiers_train"


@pytest.fixture
def check_contract(subtests):
    """Run all of scikit-learn's checks, that of the accuracy on a learner if given."""

    def run(estimator, learner=None, failing=FAILING_CHECKS):
        for generated, check in estimator_checks_generator(estimator):
            name = check.func.__name__
            checked = learner if learner and name == ACCURACY_CHECK else generated
            # Only what scikit-learn leaves out without its array API is skipped.
            with subtests.test(name), suppress(SkipTest):
                if name in failing:
                    error, message = failing[name]
                    with pytest.raises(error, match=message):
                        check(checked)
                else:
                    check(checked)

    return run
