import pytest
import torch

from skda.modules import MultiViewEncoder, multilayer_perceptron


def test_views_are_cut_in_the_order_of_their_widths():
    net = MultiViewEncoder({"image": 3, "text": 2}, 4, hidden_layer_sizes=[])
    X = torch.randn(6, 5)

    h = net(X)

    assert torch.equal(h[0], net.encode(X[:, :3], "image"))
    assert torch.equal(h[1], net.encode(X[:, 3:], "text"))


def test_names_of_views_may_hold_what_modules_may_not():
    net = MultiViewEncoder({"image.sift": 3, "": 2}, 4)

    assert net.encode(torch.randn(1, 3), "image.sift").shape == (1, 4)


def test_dropout_follows_hidden_layers_only():
    layers = multilayer_perceptron([4, 3, 3, 2], dropout=0.5)

    names = [type(layer).__name__ for layer in layers]

    assert names == ["Linear", "ReLU", "SeededDropout"] * 2 + ["Linear"]


@pytest.mark.parametrize("last", [None, torch.nn.ReLU()])
def test_batch_norm_stands_before_every_activation(last):
    layers = multilayer_perceptron([4, 3, 2], last=last, batch_norm=True)

    names = [type(layer).__name__ for layer in layers]

    hidden = ["Linear", "BatchNorm1d", "ReLU"]
    assert names == hidden + (hidden if last else ["Linear"])


def test_last_activation_follows_the_outputs():
    layers = multilayer_perceptron([4, 2], last=torch.nn.Tanh())

    assert [type(layer).__name__ for layer in layers] == ["Linear", "Tanh"]
