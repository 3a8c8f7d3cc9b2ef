"""Tests of `skda.modules.dropout`."""

import pytest
import torch
from torch import nn

from skda.modules import ByteDropout, quicken_dropout


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_right_share_is_dropped_and_the_mean_is_kept(p):
    torch.manual_seed(0)
    dropped = ByteDropout(p)(torch.ones(401, 499))

    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert len(dropped.unique()) == (1 if p in (0, 1) else 2)
    assert dropped.mean().item() == pytest.approx(float(p < 1), abs=0.02)


def test_units_are_dropped_independently():
    torch.manual_seed(0)
    kept = (ByteDropout(0.5)(torch.ones(5000, 16)) > 0).float()
    correlations = torch.corrcoef(kept.T) - torch.eye(16)

    assert correlations.abs().max() < 0.06


def test_the_gradient_is_that_of_what_was_kept():
    X = torch.ones(7, 3, requires_grad=True)
    Y = ByteDropout(0.5)(X)
    Y.sum().backward()

    torch.testing.assert_close(X.grad, Y.detach())


def test_nothing_is_dropped_in_evaluation():
    X = torch.rand(5, 3)

    assert torch.equal(ByteDropout(0.5).eval()(X), X)


def test_the_seed_decides_and_half_a_byte_is_no_matter():
    def draw(seed):
        torch.manual_seed(seed)
        return ByteDropout(0.5)(torch.ones(3, 5))

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))


def test_only_dropout_is_replaced():
    layers = quicken_dropout(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2)))

    assert [type(layer) for layer in layers] == [nn.Linear, ByteDropout]
