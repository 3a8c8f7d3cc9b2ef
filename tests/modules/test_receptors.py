"""Tests of `skda.modules.receptors`."""

import pytest
import torch
from torch import nn

from skda.modules import TopicAutoEncoder, TopicReceptors, receptors as stacked_module

N, D, J, P, L1 = 7, 5, 6, 4, 0.1


@pytest.fixture
def rows():
    """Rows, and topics of them, in float64."""
    torch.manual_seed(0)
    return (
        torch.randn(N, D, dtype=torch.float64),
        torch.randn(N, J, dtype=torch.float64),
    )


@pytest.fixture
def receptors(rows):
    """Stacked receptors in float64."""
    return TopicReceptors(D, J, n_hidden=P).double()


@pytest.fixture
def networks(receptors):
    """The same receptors, a network each."""
    networks = []
    for j in range(J):
        first, last = nn.Linear(D, P).double(), nn.Linear(P, 1).double()
        first.weight.data.copy_(receptors.weight[j])
        first.bias.data.copy_(receptors.bias[j])
        last.weight.data.copy_(receptors.out_weight[j : j + 1])
        last.bias.data.copy_(receptors.out_bias[j : j + 1])
        networks.append(nn.Sequential(first, nn.ReLU(), last))
    return networks


def test_stacked_receptors_predict_like_a_network_per_topic(receptors, networks, rows):
    expected = torch.cat([network(rows[0]) for network in networks], dim=1)

    torch.testing.assert_close(receptors(rows[0]), expected)


def test_the_regression_and_its_gradients_are_those_of_autograd(
    receptors, networks, rows
):
    X, Z = rows
    risk = sum(
        (Z[:, j] - network(X)[:, 0]).square().mean()
        + L1 * network[0].weight.abs().sum()
        for j, network in enumerate(networks)
    )
    risk.backward()
    loss = receptors.regress(X, Z, L1).loss
    (3 * loss).backward()
    expected = {
        "weight": torch.stack([network[0].weight.grad for network in networks]),
        "bias": torch.stack([network[0].bias.grad for network in networks]),
        "out_weight": torch.cat([network[2].weight.grad for network in networks]),
        "out_bias": torch.cat([network[2].bias.grad for network in networks]),
    }

    torch.testing.assert_close(loss, risk)
    for name, parameter in receptors.named_parameters():
        torch.testing.assert_close(parameter.grad, 3 * expected[name])


def test_the_regression_trains_nothing_but_the_receptors(receptors, rows):
    X, Z = (tensor.requires_grad_() for tensor in rows)
    regression = receptors.regress(X, Z, L1)
    regression.loss.backward()

    assert X.grad is None
    assert Z.grad is None
    assert not regression.slopes.requires_grad
    assert not regression.residuals.requires_grad


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_receptors_of_any_precision_have_gradients(dtype, rows):
    X, Z = (tensor.to(dtype) for tensor in rows)
    receptors = TopicReceptors(D, J, n_hidden=P).to(dtype)
    receptors.regress(X, Z).loss.backward()

    assert receptors.weight.grad.dtype == dtype
    assert receptors.weight.grad.isfinite().all()


def test_residuals_are_predictions_less_topics(receptors, rows):
    X, Z = rows

    torch.testing.assert_close(
        receptors.regress(X, Z).residuals.T, receptors(X).detach() - Z
    )


@pytest.mark.parametrize("most_entries", [1, 2 * N * D, 2**20])
def test_attention_is_the_gradient_of_autograd_however_it_is_cut(
    receptors, networks, rows, monkeypatch, most_entries
):
    monkeypatch.setattr(stacked_module, "MAX_ENTRIES", most_entries)
    X = rows[0].requires_grad_()
    expected = torch.stack(
        [torch.autograd.grad(network(X).sum(), X)[0].abs() for network in networks]
    )
    parts = list(receptors.attention(receptors.regress(*rows).slopes))

    torch.testing.assert_close(torch.cat(parts), expected)
    assert max(part.numel() for part in parts) <= max(most_entries, N * D)


def test_attention_of_the_auto_encoder_is_the_gradient_of_autograd(rows):
    autoencoder = TopicAutoEncoder(D, J).double()
    X = rows[0].requires_grad_()
    expected = torch.stack(
        [
            torch.autograd.grad(autoencoder.encode(X)[:, j].sum(), X)[0].abs()
            for j in range(J)
        ]
    )
    gates, weights = autoencoder.attention(X)

    torch.testing.assert_close(gates.T[:, :, None] * weights[:, None], expected)
    assert 0 < gates.mean() < 1
    assert not gates.requires_grad
    assert not weights.requires_grad


def test_the_decoder_may_have_an_activation(rows):
    linear, bent = (
        TopicAutoEncoder(D, J, last=last).double()(rows[0])
        for last in (None, nn.ReLU())
    )

    assert (linear < 0).any()
    assert (bent >= 0).all()
