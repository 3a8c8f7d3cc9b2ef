"""Tests of `skda.modules.initialization`."""

import pytest
import torch
from torch import nn

from skda.modules import draw_normal


@pytest.mark.parametrize(("truncated", "std"), [(False, 0.01), (True, 0.0088)])
def test_weights_and_biases_have_the_standard_deviation(truncated, std):
    torch.manual_seed(0)
    layer = nn.Linear(100, 1000)
    draw_normal(layer, 0.01, truncated=truncated)

    for parameter in layer.parameters():
        assert parameter.mean().item() == pytest.approx(0, abs=1e-3)
        assert parameter.std().item() == pytest.approx(std, rel=0.05)
    assert (layer.weight.abs().max() > 0.02) != truncated
