"""What the tests of the heterogeneous methods share."""

import pytest
import torch

from skda.base import Sizes
from skda.data import Batch, Domain, Pairs


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
