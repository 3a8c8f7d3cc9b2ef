"""Tests of `skda.losses.root_kernel_mmd`."""

import pytest
import torch

from skda.losses import root_kernel_mmd


def test_root_mmd_is_that_of_all_pairs_of_rows():
    a = torch.randn(4, 3, dtype=torch.double)
    b = 1 + torch.randn(5, 3, dtype=torch.double)

    def mean_kernel(x, y):
        D = torch.cdist(x, y).square()
        return sum((-D / (2 * w**2)).exp().mean() for w in (0.5, 2.0))

    value = root_kernel_mmd(a, b, widths=[0.5, 2.0])

    expected = mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b)
    torch.testing.assert_close(value, expected.sqrt())


def test_root_mmd_has_the_right_gradient():
    a = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    b = torch.randn(5, 3, dtype=torch.double, requires_grad=True)

    assert torch.autograd.gradcheck(
        lambda a, b: root_kernel_mmd(a, b, widths=[1.0, 3.0]), (a, b)
    )


def test_root_mmd_of_equal_samples_is_zero_and_so_is_its_gradient():
    a = torch.randn(6, 3, requires_grad=True)
    value = root_kernel_mmd(a, a.detach().flip(0), widths=[2.0, 80.0])
    value.backward()

    assert value == 0
    assert not a.grad.any()


def test_root_mmd_refuses_samples_of_different_widths():
    with pytest.raises(ValueError, match="same"):
        root_kernel_mmd(torch.ones(3, 2), torch.ones(3, 1), widths=[1.0])
