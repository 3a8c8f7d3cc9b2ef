"""Tests of `skda.modules.two_stream`."""

import pytest
import torch
from torch import nn

from skda.modules import TwoStreamClassifier


def test_domains_of_one_width_have_an_encoder_each():
    network = TwoStreamClassifier({"source": 5, "target": 5}, 4, 3)
    X = torch.randn(6, 5)

    assert not torch.equal(network.encode(X, "source"), network.encode(X, "target"))
    assert torch.equal(network(X), network.classify(network.encode(X, "target")))


def test_features_have_unit_length():
    network = TwoStreamClassifier({"target": 5}, 4, 3)
    lengths = network.encode(torch.randn(6, 5), "target").norm(dim=1)

    torch.testing.assert_close(lengths, torch.ones(6))


def test_a_row_of_zeros_is_no_nan():
    network = TwoStreamClassifier({"target": 5}, 4, 3)
    nn.init.zeros_(network.encoders["target"][0].bias)
    nn.init.zeros_(network.encoders["target"][2].bias)
    z = network.encode(torch.zeros(2, 5), "target")
    z.sum().backward()

    assert not z.any()
    assert network.encoders["target"][0].weight.grad.isfinite().all()


@pytest.mark.parametrize(("n_hidden", "width"), [(None, (9 + 4) // 2), (7, 7)])
def test_hidden_layers_are_halfway_unless_told(n_hidden, width):
    network = TwoStreamClassifier({"target": 9}, 4, 3, n_hidden=n_hidden)

    assert network.encoders["target"][0].out_features == width


def test_the_classifier_may_be_linear():
    leaky, linear = (
        TwoStreamClassifier({"target": 9}, 4, 3, leaky_logits=leaky_logits)
        for leaky_logits in (True, False)
    )
    linear.load_state_dict(leaky.state_dict())
    logits = linear(X := torch.randn(50, 9))

    assert (logits < 0).any()
    torch.testing.assert_close(leaky(X), nn.functional.leaky_relu(logits, 0.2))
