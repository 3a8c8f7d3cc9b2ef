"""Tests of `skda.losses.correlation`."""

import pytest
import torch
from torch._subclasses import FakeTensorMode

from skda.losses import canonical_correlations, canonical_maps


@pytest.fixture
def views():
    """Two views of 12 pairs, three numbers in each."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(12, 3, generator=generator, dtype=torch.double)
    noise = torch.randn(12, 3, generator=generator, dtype=torch.double)
    return a, a.flip(1) + noise


def _inverse_root(S):
    values, vectors = torch.linalg.eigh(S)
    return (vectors * values**-0.5) @ vectors.T


def _covariances(a, b, r):
    a, b = a - a.mean(0), b - b.mean(0)
    ridge = r * torch.eye(a.shape[1], dtype=a.dtype)
    n = len(a) - 1
    return a.T @ a / n + ridge, a.T @ b / n, b.T @ b / n + ridge


def test_one_dimension_by_hand():
    a = torch.tensor([[0.0], [1.0], [2.0]])  # variance 1
    b = torch.tensor([[3.0], [0.0], [-3.0]])  # variance 9, covariance -3

    (rho,) = canonical_correlations(a, b, regularization=0.5)

    assert rho.item() == pytest.approx(3 / (1.5 * 9.5) ** 0.5)


@pytest.mark.parametrize("r", [1e-3, 1.0])
def test_correlations_are_those_after_whitening_by_inverse_roots(views, r):
    S_aa, S_ab, S_bb = _covariances(*views, r)
    T = _inverse_root(S_aa) @ S_ab @ _inverse_root(S_bb)

    rho = canonical_correlations(*views, regularization=r)

    torch.testing.assert_close(rho, torch.linalg.svdvals(T))
    torch.testing.assert_close(rho.sum(), torch.linalg.matrix_norm(T, "nuc"))


def test_no_linear_map_of_a_view_changes_them(views):
    a, b = views
    M = torch.tensor([[2.0, 1, 0], [0, 1, 5], [1, 0, 1]], dtype=a.dtype)
    settings = {"regularization": 1e-12}

    torch.testing.assert_close(
        canonical_correlations(a @ M + 7, b, **settings),
        canonical_correlations(a, b, **settings),
    )


def test_gradient_is_right(views):
    a, b = (view.requires_grad_() for view in views)

    assert torch.autograd.gradcheck(
        lambda a, b: canonical_correlations(a, b).sum(), (a, b)
    )


def test_gradient_is_right_where_all_correlations_are_equal(views):
    orthonormal = torch.linalg.qr(views[0] - views[0].mean(0)).Q
    a, b = (orthonormal.clone().requires_grad_() for _ in range(2))
    rho = canonical_correlations(a, b)

    torch.testing.assert_close(rho, rho[0].expand(3))
    assert torch.autograd.gradcheck(
        lambda a, b: canonical_correlations(a, b).sum(), (a, b)
    )


@pytest.mark.parametrize("n_rows", [1, 2, 12])
def test_constant_columns_do_not_correlate_and_do_not_poison(views, n_rows):
    a = torch.ones(n_rows, 3, dtype=torch.double, requires_grad=True)
    b = views[1][:n_rows].clone().requires_grad_()

    rho = canonical_correlations(a, b)
    rho.sum().backward()

    assert rho.abs().max() == 0
    assert a.grad.isfinite().all()
    assert b.grad.isfinite().all()


def test_low_precision_is_raised(views):
    a, b = (view.float() for view in views)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rho = canonical_correlations(a, b)

    assert rho.dtype == torch.double
    torch.testing.assert_close(rho, canonical_correlations(*views), rtol=1e-5, atol=0)


def test_maps_whiten_and_correlate(views):
    a, b = views
    S_aa, S_ab, S_bb = _covariances(a, b, 0.1)
    A, B, rho = canonical_maps(a, b, regularization=0.1)
    identity = torch.eye(3, dtype=a.dtype)

    torch.testing.assert_close(A.T @ S_aa @ A, identity)
    torch.testing.assert_close(B.T @ S_bb @ B, identity)
    torch.testing.assert_close(A.T @ S_ab @ B, rho.diag())
    torch.testing.assert_close(rho, canonical_correlations(a, b, regularization=0.1))


def test_nothing_waits_for_the_device():
    with FakeTensorMode():  # has shapes but no values: reading one raises
        a, b = (torch.randn(6, 3, requires_grad=True) for _ in range(2))
        canonical_correlations(a, b).sum().backward()

    assert a.grad.shape == (6, 3)


@pytest.mark.parametrize("shape", [(12, 2), (11, 3)])
def test_shapes_must_agree(views, shape):
    with pytest.raises(ValueError, match=r"same pairs in as many dimensions"):
        canonical_correlations(views[0], torch.zeros(shape))
