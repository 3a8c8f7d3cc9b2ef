"""Tests of `skda.modules.rotation`."""

import pytest
import torch
from torch import nn

from skda.modules import RotatedLinear


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(name="X")
def _rows(rng):
    return torch.randn(6, 20, generator=rng, dtype=torch.double)


def test_rotated_rows_give_the_same_units(X):
    layer = nn.Linear(20, 4).double()
    rotated = RotatedLinear(layer, X)
    Z = rotated.rotate(X)

    assert Z.shape == (6, 6)
    torch.testing.assert_close(rotated(Z), layer(X))
    torch.testing.assert_close(rotated.unrotated().weight, layer.weight)


def test_rows_that_depend_on_each_other_are_no_obstacle(X):
    layer = nn.Linear(20, 4).double()
    X = X[[0, 0, 1, 1, 2, 2]]
    rotated = RotatedLinear(layer, X)

    torch.testing.assert_close(rotated(rotated.rotate(X)), layer(X))


@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.0},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-2},
        {"momentum": 0.5, "weight_decay": 1e-1},
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_plain_training_arrives_at_the_same_layer(X, rng, settings, whole):
    """Everywhere: on the training rows and across the space that they span."""
    layer = nn.Linear(20, 4).double()
    rotated = RotatedLinear(layer, X, whole=whole)
    Z, goal = rotated.rotate(X), torch.randn(6, 4, generator=rng, dtype=torch.double)
    for module, rows in ((layer, X), (rotated, Z)):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.05, **settings)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)
        for _ in range(50):
            optimizer.zero_grad()
            (module(rows).tanh() - goal).square().mean().backward()
            optimizer.step()
            schedule.step()
    back = rotated.unrotated()

    torch.testing.assert_close(back.weight, layer.weight, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(back.bias, layer.bias, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_rows", [1, 3, 4, 6, 11])
def test_blocks_of_the_triangle_leave_out_zeros_only(rng, n_rows):
    X = torch.randn(n_rows, 20, generator=rng, dtype=torch.double)
    layer = nn.Linear(20, 4).double()
    full, blocks = (RotatedLinear(layer, X, whole=whole) for whole in (False, True))
    Z, goal = full.rotate(X), torch.randn(n_rows, 4, generator=rng).double()
    for module in (full, blocks):
        (module(Z) * goal).sum().backward()

    assert blocks._is_triangular(Z)
    assert not full._is_triangular(Z)
    torch.testing.assert_close(blocks(Z), full(Z))
    torch.testing.assert_close(blocks.weight.grad, full.weight.grad)
    torch.testing.assert_close(blocks.bias.grad, full.bias.grad)


def test_other_rows_than_those_of_the_training_are_no_triangle(X):
    rotated = RotatedLinear(nn.Linear(20, 4).double(), X, whole=True)
    Z = rotated.rotate(X)

    assert not rotated._is_triangular(Z[:3])
    assert not rotated.eval()._is_triangular(Z)
    with torch.no_grad():
        assert not rotated.train()._is_triangular(Z)


def test_going_back_to_the_features_draws_nothing(X):
    rotated = RotatedLinear(nn.Linear(20, 4).double(), X)
    before = torch.get_rng_state()

    rotated.unrotated()

    assert torch.equal(torch.get_rng_state(), before)
