"""Tests of `skda.losses.adversarial`."""

import math

import pytest
import torch

from skda.losses import (
    classifier_discrepancy,
    confusion_loss,
    domain_loss,
    margin_disparity,
    pooled_domain_loss,
)


def test_every_row_weighs_the_same():
    source, target = torch.tensor([0.0]), torch.tensor([math.log(3), 0.0, 0.0])

    expected = (3 * math.log(2) - math.log(1 / 4)) / 4
    assert pooled_domain_loss(source, target).item() == pytest.approx(expected)


def test_extreme_logits_stay_finite():
    logits = torch.tensor([-1e4, 1e4], requires_grad=True)

    loss = pooled_domain_loss(logits[:1], logits[1:])
    loss.backward()

    assert loss == 1e4
    assert torch.equal(logits.grad, torch.tensor([-0.5, 0.5]))


def test_logits_are_vectors():
    with pytest.raises(ValueError, match=r"one logit per row.*got \(3, 1\) and \(2,\)"):
        pooled_domain_loss(torch.zeros(3, 1), torch.zeros(2))


def test_either_domain_weighs_the_same():
    source, target = torch.tensor([0.0]), torch.tensor([math.log(3), 0.0, 0.0])

    expected = (math.log(2) + (math.log(4) + 2 * math.log(2)) / 3) / 2
    assert domain_loss(source, target).item() == pytest.approx(expected)


def test_rows_weigh_as_they_are_told():
    source, target = torch.tensor([0.0, 5.0]), torch.tensor([0.0, -5.0])
    one = torch.tensor([2.0, 0.0])

    loss = domain_loss(source, target, one, one)

    assert loss.item() == pytest.approx(math.log(2))


def test_confusion_is_the_cross_entropy_with_one_half():
    d = torch.tensor([0.3, -2.0], dtype=torch.float64)
    half = torch.full_like(d, 0.5)

    expected = torch.nn.functional.binary_cross_entropy_with_logits(d, half)
    torch.testing.assert_close(confusion_loss(d), expected)


def test_extreme_confusion_stays_finite():
    d = torch.tensor([1e4, -1e4], requires_grad=True)
    loss = confusion_loss(d)
    loss.backward()

    assert loss == 5e3
    assert torch.equal(d.grad, torch.tensor([0.25, -0.25]))


def test_logits_of_a_balanced_loss_are_vectors():
    with pytest.raises(ValueError, match=r"one logit per row.*got \(3, 1\) and \(2,\)"):
        domain_loss(torch.zeros(3, 1), torch.zeros(2))


def test_the_discrepancy_of_classifiers_by_hand():
    first = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]]))
    second = torch.log(torch.tensor([[0.25, 0.25, 0.5], [0.2, 0.2, 0.6]]))

    assert classifier_discrepancy(first, second).item() == pytest.approx(0.5 / 6)
    assert classifier_discrepancy(first, first + 1).item() == pytest.approx(0, abs=1e-7)


def test_classifiers_to_compare_have_the_same_rows():
    with pytest.raises(ValueError, match=r"same rows and classes, got .*\(3, 2\)"):
        classifier_discrepancy(torch.zeros(3, 2), torch.zeros(1, 2))


def test_margin_disparity_by_hand():
    source, target = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0], [3.0, 1.0]])
    by_source = torch.log(torch.tensor([[0.25, 0.75]]))
    by_target = torch.log(torch.tensor([[0.5, 0.5], [0.8, 0.2]]))
    value = margin_disparity(source, target, by_source, by_target, margin=3.0)
    expected = -3 * math.log(0.25) - (math.log(0.5) + math.log(0.2)) / 2

    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_margin_disparity_trains_the_adversary_alone_and_stays_finite():
    v = torch.tensor([[50.0, 0.0], [0.0, 50.0]], requires_grad=True)
    w = torch.tensor([[60.0, 0.0], [0.0, 60.0]], requires_grad=True)
    margin_disparity(v, v, w, w).backward()

    assert v.grad is None
    assert torch.isfinite(w.grad).all()
