"""A seed decides a fit, whatever else draws at the same time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs
from torch import nn

from skda.baselines import TargetNet
from skda.heterogeneous import SSAN, STN
from skda.partial import BA3US, ISRA, SHOT
from skda.retrieval import DMTL
from skda.unsupervised import CDAN, MCC, SourceOnly

X, Y = make_blobs(80, n_features=6, centers=3, random_state=0)
SOURCE = X[:40] + 0.5, Y[:40]
TARGET, LABELS = X[40:], np.where(np.arange(40) < 15, Y[40:], -1)


class Noise(nn.Module):
    """A layer of which nobody can know that it draws."""

    def forward(self, X):
        """Add noise in training."""
        return X + torch.randn_like(X) if self.training else X


def with_dropout():
    """Build a network that draws from PyTorch's default generator."""
    return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5))


def with_noise():
    """Build a network with a layer that is not PyTorch's."""
    return nn.Sequential(nn.Linear(6, 8), Noise())


def broken():
    """Fail, after a draw."""
    torch.rand(3)
    raise ZeroDivisionError


ESTIMATORS = [
    TargetNet(max_epochs=15),
    STN(max_epochs=15),
    SSAN(max_epochs=15),
    MCC(max_epochs=4),
    CDAN(max_epochs=4),
    BA3US(max_epochs=4),
    SHOT(max_epochs=2),
    ISRA(SourceOnly(max_epochs=2)),
    SourceOnly(max_epochs=4, module=with_dropout),
    SourceOnly(max_epochs=4, module=with_noise),
]


def _predict(estimator, seed):
    clf = clone(estimator).set_params(random_state=seed)
    return clf.fit(TARGET, LABELS, source=SOURCE).predict_proba(TARGET)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda clf: type(clf).__name__)
def test_fits_in_threads_equal_serial_ones(estimator):
    seeds = list(range(4)) * 2
    serial = [_predict(estimator, seed) for seed in seeds]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda seed: _predict(estimator, seed), seeds))

    np.testing.assert_array_equal(parallel, serial)
    assert not np.array_equal(serial[0], serial[1])


def test_retrieval_in_threads_equals_serial():
    def embed(seed):
        net = DMTL(max_epochs=4, dropout=0.5, random_state=seed)
        return net.fit(X, Y).transform(X)

    serial = [embed(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        parallel = list(pool.map(embed, range(6)))

    np.testing.assert_array_equal(parallel, serial)


@pytest.mark.parametrize("module", [None, with_dropout, broken], ids=list("abc"))
def test_the_callers_generators_are_untouched(module):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    clf = SourceOnly(max_epochs=2, module=module, random_state=0)
    if module is broken:
        with pytest.raises(ZeroDivisionError):
            clf.fit(TARGET, LABELS, source=SOURCE)
    else:
        clf.fit(TARGET, LABELS, source=SOURCE)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_without_a_seed_numpys_global_state_decides():
    clf = TargetNet(max_epochs=3)
    predictions = []
    for draws in (0, 3):
        np.random.seed(0)  # noqa: NPY002
        torch.rand(draws)
        predictions.append(clf.fit(TARGET, LABELS).predict_proba(TARGET))

    np.testing.assert_array_equal(*predictions)
