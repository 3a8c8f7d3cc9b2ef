"""Tests of `skda.modules.one_stream` and `skda.modules.adversary`."""

import pytest
import torch
from torch import nn

from skda.modules import (
    AdversarialClassifier,
    OneStreamClassifier,
    has_batch_norm,
    row_extractor,
    width_after,
)


def test_rows_are_scaled_to_a_mean_square_of_one():
    extractor = row_extractor(4, 3)
    X = torch.rand(5, 4)

    torch.testing.assert_close(extractor(X), extractor(1e-6 * X))
    torch.testing.assert_close(
        extractor(X), extractor[1:](X / X.square().mean(dim=1, keepdim=True).sqrt())
    )
    assert torch.isfinite(extractor(torch.zeros(1, 4))).all()


def test_hidden_layers_stand_before_the_last():
    extractor = row_extractor(4, 3, hidden_layer_sizes=(7, 6), normalize=False)
    widths = [layer.out_features for layer in extractor if isinstance(layer, nn.Linear)]

    assert widths == [7, 6, 3]
    assert isinstance(extractor[-1], nn.ReLU)


@pytest.mark.parametrize("joint", [True, False])
def test_both_domains_at_once_are_as_one_after_the_other(joint):
    net = OneStreamClassifier(row_extractor(4, 3), 3, n_classes=2, joint=joint)
    X_s, X_t = torch.rand(5, 4), torch.rand(2, 4)
    f_s, f_t = net.encode_both(X_s, X_t)

    torch.testing.assert_close(f_s, net.encode(X_s, "source"))
    torch.testing.assert_close(f_t, net.encode(X_t, "target"))


def test_batch_norm_takes_domains_that_go_through_at_once_by_common_moments():
    layers = row_extractor(4, 3, normalize=False, batch_norm=True)
    net = OneStreamClassifier(layers, 3, n_classes=2, joint=True)
    X_s, X_t = torch.rand(50, 4), 5 + torch.rand(40, 4)
    v = layers[0](torch.cat([X_s, X_t]))
    expected = ((v - v.mean(0)) / v.std(0, correction=0)).relu()

    torch.testing.assert_close(
        torch.cat(net.encode_both(X_s, X_t)), expected, atol=1e-3, rtol=0
    )


def test_batch_norm_takes_each_domain_by_its_own_moments():
    norm = nn.BatchNorm1d(2, affine=False)
    net = OneStreamClassifier(norm, 2, n_classes=2)
    X_s, X_t = torch.randn(50, 2), 5 + 3 * torch.randn(40, 2)

    for f in net.encode_both(X_s, X_t):
        torch.testing.assert_close(f.mean(dim=0), torch.zeros(2), atol=1e-5, rtol=0)
        torch.testing.assert_close(
            f.var(dim=0, correction=0), torch.ones(2), atol=1e-4, rtol=0
        )
    assert norm.num_batches_tracked == 2
    momentum = 0.1
    source_first = momentum * X_s.mean(0) * (1 - momentum) + momentum * X_t.mean(0)
    torch.testing.assert_close(norm.running_mean, source_first)


def test_bytes_become_numbers_from_zero_to_one():
    net = OneStreamClassifier(nn.Flatten(), 4, n_classes=2)
    images = torch.tensor([[[[0, 51], [102, 255]]]], dtype=torch.uint8)

    assert net.encode(images).tolist() == [pytest.approx([0, 0.2, 0.4, 1])]


def test_a_batch_norm_is_found_however_deep():
    deep = nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)))

    assert has_batch_norm(deep)
    assert not has_batch_norm(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)))


def test_measuring_a_width_leaves_no_trace():
    norm = nn.BatchNorm2d(3)
    extractor = nn.Sequential(norm, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    assert width_after(extractor, (3, 8, 8)) == 3
    assert norm.num_batches_tracked == 0
    assert extractor.training


def test_an_extractor_makes_vectors():
    with pytest.raises(ValueError, match=r"an output of shape \(2, 4, 6, 6\)"):
        width_after(nn.Conv2d(3, 4, 3), (3, 8, 8))


def test_a_fixed_discriminator_passes_the_gradient_on():
    torch.manual_seed(0)
    net = AdversarialClassifier(nn.Linear(5, 4), 4, n_classes=3, dropout=0.0)
    f = torch.randn(6, 4, requires_grad=True)
    fixed = net.discriminate(f, fixed=True)
    fixed.sum().backward()

    torch.testing.assert_close(fixed, net.discriminate(f))
    assert f.grad.abs().sum() > 0
    assert all(p.grad is None for p in net.discriminator.parameters())
