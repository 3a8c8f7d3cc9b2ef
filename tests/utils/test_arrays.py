"""Tests of `skda.utils.arrays`."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import nn

from skda.metrics import mean_average_precision_score
from skda.preprocessing import DomainScaler, NormalScoreTransformer, RowScaler
from skda.retrieval import MCCA
from skda.unsupervised import SourceOnly
from skda.utils.arrays import channels_first, to_numpy

TENSORS = {
    "float64": torch.eye(2, dtype=torch.float64),
    "bfloat16": torch.eye(2, dtype=torch.bfloat16),
    "gradients": torch.eye(2, requires_grad=True),
    "sparse": torch.eye(2).to_sparse(),
    "conjugate": torch.eye(2, dtype=torch.complex64).conj(),
}


class Flat(nn.Sequential):
    """A network for images."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(16, 4))


class Foreign:
    """An array of a library that is neither NumPy nor PyTorch."""

    def __array_namespace__(self, *, api_version=None):
        """Name the library."""
        return self

    def __array__(self, dtype=None, copy=None):
        """Copy to NumPy."""
        return np.eye(2, dtype=dtype)


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_becomes_an_array(name):
    array = to_numpy(TENSORS[name])

    assert type(array) is np.ndarray
    np.testing.assert_array_equal(array, np.eye(2))


def test_a_plain_tensor_shares_its_memory():
    tensor = torch.zeros(3)
    to_numpy(tensor)[0] = 1.0

    assert tensor[0] == 1.0


def test_an_array_of_another_library_becomes_numpys():
    np.testing.assert_array_equal(to_numpy(Foreign()), np.eye(2))


@pytest.mark.parametrize(
    "other",
    [np.eye(2), np.ma.array([1.0]), csr_array(np.eye(2)), [[1.0]], None, "text"],
)
def test_anything_else_stays_what_it_is(other):
    assert to_numpy(other) is other


def test_metrics_take_tensors():
    Z, y = np.random.default_rng(0).normal(size=(9, 3)), np.arange(9) % 2
    labels, rows = torch.tensor(y), torch.tensor(Z, requires_grad=True)
    got = mean_average_precision_score(labels, labels, rows, rows)

    assert got == mean_average_precision_score(y, y, Z, Z)


@pytest.mark.parametrize(
    "transformer", [DomainScaler(), NormalScoreTransformer(), RowScaler()]
)
def test_representations_take_tensors(transformer):
    X = np.arange(12.0).reshape(4, 3) ** 2
    params = {"source": (X + 1, None)} if isinstance(transformer, DomainScaler) else {}
    expected = transformer.fit(X, **params).transform(X)
    tensor = torch.tensor(X, requires_grad=True)
    if params:
        params = {"source": (tensor + 1, None)}
    got = transformer.fit(tensor, **params).transform(tensor)

    np.testing.assert_array_equal(got, expected)


def test_one_tensor_holds_all_views():
    X = np.random.default_rng(0).normal(size=(20, 6))
    expected = MCCA(n_components=2).fit(X).transform(X)
    got = MCCA(n_components=2).fit(torch.tensor(X)).transform(torch.tensor(X))

    np.testing.assert_array_equal(got, expected)


def test_images_may_be_tensors():
    X = np.random.default_rng(0).normal(size=(12, 1, 4, 4)).astype(np.float32)
    y = np.arange(12) % 2
    tensors = torch.tensor(X, requires_grad=True), torch.tensor(y)
    clf = SourceOnly(module=Flat, max_epochs=2, random_state=0)
    expected = clf.fit(X, source=(X, y)).predict_proba(X)
    got = clf.fit(tensors[0], source=tensors).predict_proba(tensors[0])

    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 8, 9, 3), (2, 3, 8, 9)),
        ((2, 3, 8, 9), (2, 3, 8, 9)),
        ((2, 3, 8, 4), (2, 3, 8, 4)),
        ((2, 320, 4, 4), (2, 320, 4, 4)),
        ((2, 8, 9), (2, 8, 9)),
    ],
)
def test_channels_come_first_unless_the_image_is_as_narrow_as_they_are(shape, expected):
    assert channels_first(np.zeros(shape)).shape == expected
