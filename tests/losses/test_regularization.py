"""Tests of `skda.losses.regularization`."""

import torch
from torch import nn

from skda.losses import squared_norm


def test_weights_count_and_biases_do_not():
    network = nn.Sequential(nn.Linear(2, 1), nn.LayerNorm(1), nn.Linear(1, 2))
    for parameter in network.parameters():
        nn.init.constant_(parameter, 3.0)

    loss = squared_norm(network)
    loss.backward()

    assert loss == (2 + 2) * 9.0
    assert squared_norm(network, vectors=True) == (2 + 1 + 1 + 1 + 2 + 2) * 9.0
    assert torch.equal(network[0].weight.grad, 2 * network[0].weight)
    assert network[0].bias.grad is None
