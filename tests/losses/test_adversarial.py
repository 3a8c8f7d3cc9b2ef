"""Tests of `skda.losses.adversarial`."""

import math

import pytest
import torch

from skda.losses import confusion_loss, domain_loss, pooled_domain_loss


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
