import math

import pytest
import torch
from torch.autograd import gradcheck

from skda.losses import matching_loss, residual_norm


def _double(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_matching_loss_by_hand():
    a = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    t = torch.tensor([[1.0], [5.0]], dtype=torch.float64)
    # distances: row a1 to t1, t2: 1, 5; a2: 1, 3
    forward = -math.log(math.exp(-1) / (math.exp(-1) + math.exp(-5)))
    forward -= math.log(math.exp(-3) / (math.exp(-1) + math.exp(-3)))
    backward = -math.log(math.exp(-1) / (math.exp(-1) + math.exp(-1)))
    backward -= math.log(math.exp(-3) / (math.exp(-5) + math.exp(-3)))

    loss = matching_loss(a, t, sigma=0.0).item()

    assert loss == pytest.approx((forward + backward) / 2)


def test_matching_loss_adds_sigma_to_the_probability():
    a, t = _double(4, 3), _double(4, 3, seed=1)
    D = torch.cdist(a, t)
    p = (-D).softmax(dim=1).diagonal(), (-D).softmax(dim=0).diagonal()
    expected = -sum(torch.log(q + 0.01).mean() for q in p)

    assert matching_loss(a, t, sigma=0.01).item() == pytest.approx(expected.item())


def test_matching_loss_with_cosines_is_symmetric_cross_entropy():
    a, t = _double(5, 3), _double(5, 3, seed=1)
    logits = torch.nn.functional.cosine_similarity(a[:, None], t[None], dim=2) / 0.3
    rows = torch.arange(5)
    expected = sum(
        torch.nn.functional.cross_entropy(v, rows) for v in (logits, logits.T)
    )

    loss = matching_loss(a, t, similarity="cosine", temperature=0.3, sigma=0.0)

    assert loss.item() == pytest.approx(expected.item())


def test_rows_of_no_weight_are_as_if_absent():
    a, t = _double(5, 3), _double(5, 3, seed=1)
    weight = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    kept = weight.bool()

    loss = matching_loss(a, t, weight)

    assert loss.item() == pytest.approx(matching_loss(a[kept], t[kept]).item())


def test_matching_nothing_is_free():
    a = _double(3, 2).requires_grad_()

    loss = matching_loss(a, _double(3, 2, seed=1), torch.zeros(3, dtype=torch.float64))
    loss.backward()

    assert loss.item() == 0.0
    assert not a.grad.any()


@pytest.mark.parametrize("similarity", ["euclidean", "cosine"])
def test_matching_loss_has_the_gradient_of_autograd_checks(similarity):
    a, t = _double(4, 3).requires_grad_(), _double(4, 3, seed=1).requires_grad_()
    weight = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)

    assert gradcheck(
        lambda a, t: matching_loss(a, t, weight, similarity=similarity), (a, t)
    )


@pytest.mark.parametrize("similarity", ["euclidean", "cosine"])
def test_matching_loss_survives_pairs_that_coincide_and_rows_of_zeros(similarity):
    a = torch.zeros(3, 2, requires_grad=True)

    loss = matching_loss(a, a.detach(), similarity=similarity)
    loss.backward()

    assert loss.item() == pytest.approx(2 * math.log(3), rel=1e-4)
    assert torch.isfinite(a.grad).all()


def test_matching_loss_survives_distances_beyond_the_exponential():
    a = torch.tensor([[0.0], [1e4]], requires_grad=True)
    t = torch.tensor([[1e4], [0.0]])

    loss = matching_loss(a, t)
    loss.backward()

    assert loss.item() == pytest.approx(-2 * math.log(1e-6), rel=1e-4)
    assert torch.isfinite(a.grad).all()


def test_distances_of_partners_are_measured_directly():
    a = 32 * torch.nn.functional.normalize(_double(60, 64).float(), dim=1)

    exact = matching_loss(a, a, sigma=0.0)

    assert exact.item() == pytest.approx(0.0, abs=1e-6)


def test_residual_norm_by_hand():
    P = torch.tensor([[[3.0, 4.0], [1.0, 0.0]], [[0.0, 2.0], [9.0, 9.0]]])
    wanted = torch.tensor([[0.0, 0.0], [1.0, 0.0]])

    loss = residual_norm(P, wanted, torch.tensor([1.0, 0.0]))

    assert loss.item() == pytest.approx(5.0 + 2.0)


def test_residual_norm_is_not_squared():
    P, wanted = _double(2, 3, 4), _double(2, 3, 4, seed=1)
    one = residual_norm(P, wanted, torch.ones(3, dtype=torch.float64))

    two = residual_norm(2 * P, 2 * wanted, torch.ones(3, dtype=torch.float64))

    assert two.item() == pytest.approx(2 * one.item())


def test_residual_of_zero_has_gradient_zero():
    P = torch.ones(2, 3, 4, requires_grad=True)

    residual_norm(P, torch.ones(3, 4), torch.ones(3)).backward()

    assert not P.grad.any()


def test_residual_norm_of_no_row_is_zero():
    assert residual_norm(torch.ones(2, 3, 4), torch.zeros(3, 4), torch.zeros(3)) == 0


def test_residual_norm_passes_gradcheck():
    P, wanted = _double(2, 3, 4).requires_grad_(), _double(3, 4, seed=1)
    weight = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)

    assert gradcheck(lambda P: residual_norm(P, wanted, weight), (P,))
