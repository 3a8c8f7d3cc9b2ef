"""Tests of `skda.losses.adversarial`."""

import math

import pytest
import torch

from skda.losses import pooled_domain_loss


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
