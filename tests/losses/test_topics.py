"""Tests of `skda.losses.topics`."""

import pytest
import torch

from skda.losses import dense_topic_alignment, gated_topic_alignment

N_S, N_T, D, J = 4, 3, 5, 6


@pytest.fixture
def data():
    """Features of both domains, gates and weights, in float64."""
    torch.manual_seed(0)

    def drawn(*shape):
        return torch.rand(shape, dtype=torch.float64)

    features = drawn(N_S, D).requires_grad_(), drawn(N_T, D).requires_grad_()
    gates = (drawn(N_S + N_T, J) > 0.4).double()
    return *features, gates, drawn(J, D)


def _by_hand(source, target, attention):
    """Evaluate the formula topic by topic, for autograd to differentiate."""
    loss = 0
    for A in attention:
        A = (N_S + N_T) * A / A.square().sum().sqrt()  # noqa: PLW2901
        gap = (A[:N_S] * source).mean(dim=0) - (A[N_S:] * target).mean(dim=0)
        loss = loss + gap.square().sum() / D
    return loss


def _with_gradients(loss, source, target):
    return loss, *torch.autograd.grad(loss, (source, target))


def test_dense_alignment_and_its_gradient_are_those_of_autograd(data):
    source, target, *_ = data
    attention = torch.rand(J, N_S + N_T, D, dtype=torch.float64)
    expected = _with_gradients(_by_hand(source, target, attention), source, target)
    for size in (1, 4, J):
        loss = dense_topic_alignment(source, target, attention.split(size))

        torch.testing.assert_close(_with_gradients(loss, source, target), expected)


def test_gated_alignment_is_the_dense_one_for_attention_of_rank_one(data):
    source, target, gates, weights = data
    attention = gates.T[:, :, None] * weights[:, None]
    dense = dense_topic_alignment(source, target, [attention])
    gated = gated_topic_alignment(*data)

    torch.testing.assert_close(
        _with_gradients(gated, source, target), _with_gradients(dense, source, target)
    )


def test_the_attention_is_a_constant(data):
    source, target, gates, weights = data
    weights.requires_grad_()
    dense = (gates.T[:, :, None] * weights.detach()[:, None]).requires_grad_()
    gated_topic_alignment(source, target, gates, weights).backward()
    dense_topic_alignment(source, target, [dense]).backward()

    assert weights.grad is None
    assert dense.grad is None


def test_a_topic_that_sees_nothing_counts_for_nothing(data):
    source, target, gates, weights = data
    gates[:, 0], weights[1] = 0, 0
    some = gated_topic_alignment(source, target, gates[:, 2:], weights[2:])
    gated = gated_topic_alignment(source, target, gates, weights)
    dense = gates.T[:, :, None] * weights[:, None]

    torch.testing.assert_close(gated, some)
    torch.testing.assert_close(dense_topic_alignment(source, target, [dense]), some)


def test_the_weight_of_everything_is_the_distance_of_the_means(data):
    source, target, *_ = data
    ones = torch.ones(N_S + N_T, J), torch.ones(J, D)
    loss = gated_topic_alignment(source, target, *(one.double() for one in ones))
    distance = (source.mean(dim=0) - target.mean(dim=0)).square().sum()

    torch.testing.assert_close(loss, J * (N_S + N_T) / D**2 * distance)


@pytest.mark.parametrize("n_target", [0, 1])
def test_a_domain_of_few_rows_is_no_reason_to_fail(data, n_target):
    source, target, gates, weights = data
    rows = target[:n_target]
    loss = gated_topic_alignment(source, rows, gates[: N_S + n_target], weights)
    loss.backward()

    assert loss.isfinite()
    assert source.grad.isfinite().all()


def test_shapes_that_do_not_fit_are_rejected(data):
    source, target, gates, weights = data
    with pytest.raises(ValueError, match=r"shapes \(n_s, d\) and \(n_t, d\), got"):
        gated_topic_alignment(source[:, 1:], target, gates, weights)
    with pytest.raises(ValueError, match=r"Expected gates of shape \(7, J\) and"):
        gated_topic_alignment(source, target, gates[1:], weights)
    with pytest.raises(ValueError, match=r"shape \(j, 7, 5\), got \(1, 6, 5\)"):
        dense_topic_alignment(source, target, [torch.ones(1, 6, 5)])
