"""Tests of `skda.modules.gradient_reversal`."""

import pytest
import torch

from skda.modules import reverse_gradient


@pytest.mark.parametrize("weight", [0.0, 0.25, torch.tensor(0.25)])
def test_forward_is_the_identity_and_backward_its_negative(weight):
    x = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    y = reverse_gradient(x, weight)
    (plain,) = torch.autograd.grad(x.sin().sum(), x)
    (turned,) = torch.autograd.grad(y.sin().sum(), x)

    assert torch.equal(y, x)
    torch.testing.assert_close(turned, -weight * plain)
