"""Tests of `skda.modules.autoencoder`."""

import pytest
import torch
from torch import nn

from skda.modules import AutoEncoderClassifier, MappedAutoEncoders


def _kinds(layers):
    return [type(layer).__name__ for layer in layers]


def test_the_decoder_mirrors_the_encoder_with_weights_of_its_own():
    net = AutoEncoderClassifier(7, [5, 4], n_classes=3)
    widths = [
        [layer.weight.shape[1] for layer in part if isinstance(layer, nn.Linear)]
        for part in (net.encoder, net.decoder)
    ]

    assert _kinds(net.encoder) == ["Linear", "ReLU", "Linear", "ReLU"]
    assert _kinds(net.decoder) == ["Linear", "ReLU", "Linear"]
    assert widths == [[7, 5], [4, 5]]
    assert net.head.bias is None
    assert len({id(weight) for weight in net.parameters()}) == 9


def test_the_top_of_the_encoder_may_be_linear():
    torch.manual_seed(0)
    X = torch.randn(50, 3)

    assert (AutoEncoderClassifier(3, [4], 2).encode(X) >= 0).all()
    assert (AutoEncoderClassifier(3, [4], 2, linear_top=True).encode(X) < 0).any()


def test_biases_start_at_zero():
    net = AutoEncoderClassifier(3, [4, 2], 2)

    assert all(not p.any() for name, p in net.named_parameters() if "bias" in name)


@pytest.fixture
def make_net():
    def make(**params):
        torch.manual_seed(0)
        layers = {"source": [6, 4], "target": [3]}
        net = MappedAutoEncoders({"source": 7, "target": 5}, layers, 2, **params)
        if net.G is not None:
            nn.init.normal_(net.G)
        return net

    return make


def test_a_target_is_mapped_and_classified_as_a_source(make_net):
    net = make_net()
    X_s, X_t = torch.randn(2, 7), torch.randn(2, 5)
    source, target = net.domains["source"], net.domains["target"]
    mapped = target.encode(X_t) @ net.G

    assert net.G.shape == (3, 4)
    assert torch.equal(net.encode(X_t, "target"), mapped)
    torch.testing.assert_close(net(X_t, "target"), mapped @ source.head.weight.T)
    assert torch.equal(net(X_s, "source"), source(X_s))
    assert "G" not in dict(net.named_parameters())
    assert "G" in net.state_dict()


def test_without_a_map_every_domain_is_its_own(make_net):
    net, X_t = make_net(mapped=False), torch.randn(2, 5)
    alone = MappedAutoEncoders({"target": 5}, {"target": [3]}, 2)

    assert net.G is None
    assert torch.equal(net(X_t), net.domains["target"](X_t))
    assert alone.G is None
    assert torch.equal(alone(X_t, "target"), alone.domains["target"](X_t))
