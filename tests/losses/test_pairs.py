"""Tests of `skda.losses.pairs` and `skda.losses.reconstruction`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge
from torch._subclasses import FakeTensorMode

from skda.losses import pair_loss, reconstruction_loss, ridge_map


def transform_rows(n, d_s, d_t, dead=0):
    generator = torch.Generator().manual_seed(0)
    z_s = torch.randn(n, d_s, generator=generator).relu()
    z_t = torch.randn(n, d_t, generator=generator).relu()
    z_t[:, :dead] = 0
    return z_s, z_t


@pytest.mark.parametrize("lambda0", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize(
    ("n", "d_s", "d_t", "dead"),
    [
        (50, 4, 4, 0),
        (50, 3, 6, 0),
        (50, 6, 3, 0),
        (50, 4, 5, 2),  # dead units
        (50, 4, 5, 5),
        (4, 5, 6, 0),  # fewer pairs than dimensions
        (1, 5, 6, 0),
    ],
)
def test_the_map_is_that_of_ridge(n, d_s, d_t, dead, lambda0):
    z_s, z_t = transform_rows(n, d_s, d_t, dead)
    ridge = Ridge(alpha=lambda0, fit_intercept=False, solver="cholesky")
    expected = ridge.fit(z_t.double().numpy(), z_s.double().numpy()).coef_.T

    G = ridge_map(z_s, z_t, lambda0)

    assert G.shape == (d_t, d_s)
    assert G.dtype == torch.float32
    assert_allclose(G.numpy(), expected, atol=1e-6, rtol=1e-6)


def test_the_map_minimizes_the_loss_and_has_no_gradient():
    z_s, z_t = (z.double().requires_grad_() for z in transform_rows(30, 3, 4))
    G = ridge_map(z_s, z_t, 0.1)

    assert not G.requires_grad

    G.requires_grad_()
    pair_loss(z_s, z_t, G, 0.1).backward()

    assert G.grad.abs().max() < 1e-10


def test_the_map_is_not_a_number_where_the_rows_are_not():
    z_s, z_t = transform_rows(5, 2, 2)
    z_t[0, 0] = torch.nan

    assert ridge_map(z_s, z_t, 0.1).isnan().any()


def test_solving_for_the_map_never_waits_for_the_device():
    with FakeTensorMode():  # has shapes but no values: reading one raises
        G = ridge_map(*transform_rows(5, 2, 3), 0.1)

    assert G.shape == (3, 2)


def test_the_loss_by_hand():
    z_s, z_t = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    G = torch.tensor([[2.0], [0.0]])  # leaves errors -1 and 2

    assert pair_loss(z_s, z_t, G, 0.5) == 1 + 4 + 0.5 * 4
    assert pair_loss(z_s, z_t, G, 0.5, reduction="mean") == (1 + 4 + 0.5 * 4) / 2


def test_the_reconstruction_is_a_sum_over_features_and_a_mean_over_rows():
    X = torch.arange(6.0).reshape(2, 3)
    loss = reconstruction_loss(X, X + torch.tensor([[1.0], [2.0]]))

    assert loss == np.mean([3 * 1, 3 * 4])
    with pytest.raises(ValueError, match=r"that went in, \(2, 3\), got \(2, 2\)"):
        reconstruction_loss(X, X[:, :2])
