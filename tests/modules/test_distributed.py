"""Tests of the shared extractor in processes that are alone or a group of one."""

import copy

import pytest
import torch
from torch import distributed, nn

from skda.modules import DistributedRows


@pytest.fixture
def group(tmp_path):
    """A group of one process."""
    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def _gradients(module, X):
    module.zero_grad()
    (module(X) ** 2).sum().backward()
    return [p.grad.clone() for p in module.parameters() if p.requires_grad]


@pytest.mark.usefixtures("group")
def test_a_group_of_one_computes_what_the_module_computes():
    inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    inner[0].weight.requires_grad_(requires_grad=False)
    X = torch.randn(5, 3)

    torch.testing.assert_close(DistributedRows(inner)(X), inner(X))
    torch.testing.assert_close(
        _gradients(DistributedRows(inner), X), _gradients(inner, X)
    )


@pytest.mark.usefixtures("group")
def test_parameters_that_are_not_used_have_no_gradient():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.other = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, X):
            return self.used(X)

    module = DistributedRows(Half())
    module(torch.randn(4, 3)).sum().backward()

    assert module.module.used.weight.grad is not None
    assert module.module.other.weight.grad is None


@pytest.mark.usefixtures("group")
def test_a_frozen_extractor_is_shared_too():
    inner = nn.Linear(3, 2).requires_grad_(requires_grad=False)
    X = torch.randn(5, 3)

    torch.testing.assert_close(DistributedRows(inner)(X), inner(X))


@pytest.mark.usefixtures("group")
def test_a_batch_norm_in_training_is_refused():
    module = DistributedRows(nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="look at single rows, got a batch norm"):
        module(torch.randn(5, 3))
    module.module.eval()

    assert module(torch.randn(5, 3)).shape == (5, 3)


def test_it_can_be_copied():
    module = DistributedRows(nn.Linear(3, 2))
    X = torch.randn(5, 3)

    torch.testing.assert_close(copy.deepcopy(module)(X), module(X))
