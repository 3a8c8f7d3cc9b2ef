"""Tests of `skda.losses.entropy`."""

import math

import pytest
import torch

from skda.losses import certainty_weights, class_confusion_loss, prediction_entropy


def _logits(*rows):
    return torch.tensor(rows, dtype=torch.float64).log().requires_grad_()


def test_entropy_by_hand():
    entropy = prediction_entropy(_logits([0.5, 0.5], [0.25, 0.75]))

    three_to_one = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert entropy.tolist() == pytest.approx([math.log(2), three_to_one])


def test_certain_predictions_have_no_entropy_and_no_nan():
    logits = torch.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    entropy = prediction_entropy(logits)
    entropy.sum().backward()

    assert entropy.item() == 0
    assert not logits.grad.any()


def test_certain_rows_weigh_more_and_pass_no_gradient():
    weights = certainty_weights(_logits([0.5, 0.5], [1 - 1e-12, 1e-12]))

    assert weights.tolist() == pytest.approx([2 * 1.5 / 3.5, 2 * 2 / 3.5])
    assert not weights.requires_grad


def test_class_confusion_by_hand():
    P = torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=torch.float64)
    H = -(P * P.log()).sum(dim=1)
    w = 1 + (-H).exp()
    w = 2 * w / w.sum()
    C = torch.zeros(2, 2, dtype=torch.float64)
    for i in range(2):
        C += w[i] * torch.outer(P[i], P[i])
    C = C / C.sum(dim=1, keepdim=True)
    expected = (C[0, 1] + C[1, 0]) / 2

    assert class_confusion_loss(P.log()).item() == pytest.approx(expected.item())


def test_temperature_softens_the_predictions():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(
        class_confusion_loss(logits, temperature=2.5),
        class_confusion_loss(logits / 2.5),
    )


def test_a_class_that_nobody_predicts_is_no_nan():
    logits = torch.tensor([[0.0, 0.0, -1e5], [2.0, 0.0, -1e5]], requires_grad=True)
    loss = class_confusion_loss(logits)
    loss.backward()

    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_class_confusion_has_the_gradient_of_its_value():
    torch.manual_seed(0)
    logits = torch.randn(5, 3, dtype=torch.float64)
    fixed = certainty_weights(logits)

    def with_fixed_weights(v):
        P = v.softmax(dim=1)
        C = P.T @ (fixed[:, None] * P)
        return 1 - (C.diagonal() / C.sum(dim=1)).mean()

    ours, plain = (
        torch.func.grad(function)(logits)
        for function in (class_confusion_loss, with_fixed_weights)
    )

    torch.testing.assert_close(ours, plain)
