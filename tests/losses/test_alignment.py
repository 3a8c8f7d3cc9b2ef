"""Tests of `skda.losses.alignment`, against hand-computed values and invariances."""

import pytest
import torch

from skda.losses.alignment import (
    Centroids,
    class_centroids,
    coral_loss,
    linear_mmd,
    paired_centroid_loss,
    pooled_centroids,
    triplet_centroid_loss,
)
from skda.losses.kernel_discrepancy import (
    classwise_kernel_mmd,
    joint_kernel_mmd,
    kernel_mmd,
)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def test_linear_mmd_is_squared_distance_of_means():
    a = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    b = torch.tensor([[1.0, 3.0]])

    assert linear_mmd(a, b) == 9.0


def test_linear_mmd_is_symmetric_and_translation_invariant(rng):
    a, b = torch.randn(5, 3, generator=rng), torch.randn(7, 3, generator=rng)

    torch.testing.assert_close(linear_mmd(a, b), linear_mmd(b, a))
    torch.testing.assert_close(linear_mmd(a, b), linear_mmd(a + 4, b + 4))


def test_linear_mmd_rejects_shapes_that_would_broadcast():
    with pytest.raises(
        ValueError, match=r"same width, got shapes .*\(4, 3\).*\(4, 1\)"
    ):
        linear_mmd(torch.ones(4, 3), torch.ones(4, 1))


def test_soft_memberships_weigh_the_samples():
    z = torch.tensor([[0.0], [4.0]])
    memberships = torch.tensor([[0.75, 0.25], [0.25, 0.75]])

    centroids = class_centroids(z, memberships)

    torch.testing.assert_close(centroids.mean, torch.tensor([[1.0], [3.0]]))
    torch.testing.assert_close(centroids.mass, torch.ones(2))


@pytest.mark.parametrize("loss", [paired_centroid_loss, triplet_centroid_loss])
def test_absent_classes_neither_count_nor_poison_the_gradient(loss):
    z = torch.randn(3, 2, requires_grad=True)
    one_class = torch.tensor([[1.0, 0.0]] * 3)
    other_class = torch.tensor([[0.0, 1.0]] * 3)

    value = loss(class_centroids(z, one_class), class_centroids(z, other_class))
    value.backward()

    assert value == 0.0
    assert z.grad.isfinite().all()


def _centroids(values, masses):
    return Centroids(torch.tensor(values)[:, None], torch.tensor(masses))


def test_paired_centroid_loss_sums_over_the_classes_in_both():
    source = _centroids([0.0, 1.0, 7.0], [2.0, 5.0, 0.0])
    target = _centroids([3.0, 3.0, 0.0], [1.0, 0.5, 1.0])

    assert paired_centroid_loss(source, target) == 9.0 + 4.0


def test_triplet_centroid_loss_is_what_three_centroids_give(rng):
    """The factor on two centroids equals the sum over three, gradients included."""
    z_s, z_t = (
        torch.randn(n, 3, generator=rng, dtype=torch.double, requires_grad=True)
        for n in (12, 9)
    )
    labels_s, labels_t = torch.eye(4).double().repeat(3, 1), torch.zeros(9, 4).double()
    labels_t[range(9), [0, 0, 0, 0, 1, 2, 2, 1, 0]] = 1.0  # none of the last class

    three = torch.zeros((), dtype=torch.double)
    for k in range(3):
        rows_s, rows_t = z_s[labels_s[:, k] > 0], z_t[labels_t[:, k] > 0]
        means = [rows.mean(0) for rows in (rows_s, rows_t, torch.cat([rows_s, rows_t]))]
        for i, j in ((0, 1), (0, 2), (1, 2)):
            three = three + (means[i] - means[j]).square().sum()
    two = triplet_centroid_loss(
        class_centroids(z_s, labels_s), class_centroids(z_t, labels_t)
    )

    torch.testing.assert_close(two, three)
    for grad_two, grad_three in zip(
        torch.autograd.grad(two, (z_s, z_t)),
        torch.autograd.grad(three, (z_s, z_t)),
        strict=True,
    ):
        torch.testing.assert_close(grad_two, grad_three)


def test_pooled_centroids_are_the_centroids_of_all_rows(rng):
    z, labels = torch.randn(7, 2, generator=rng), torch.eye(3)[[0, 1, 1, 0, 1, 0, 0]]
    pooled = pooled_centroids(
        class_centroids(z[:3], labels[:3]), class_centroids(z[3:], labels[3:])
    )
    together = class_centroids(z, labels)

    torch.testing.assert_close(pooled.mean, together.mean)
    torch.testing.assert_close(pooled.mass, together.mass)


def test_centroids_of_other_widths_are_refused():
    narrow, wide = (Centroids(torch.zeros(2, width), torch.ones(2)) for width in (1, 3))
    with pytest.raises(ValueError, match="same width"):
        paired_centroid_loss(narrow, wide)


def test_centroids_need_a_membership_for_every_row():
    with pytest.raises(ValueError, match="same samples, got 3 and 2 rows"):
        class_centroids(torch.zeros(3, 2), torch.zeros(2, 2))


def test_vectors_are_no_matrices():
    with pytest.raises(ValueError, match="Expected 2D tensors"):
        linear_mmd(torch.zeros(3), torch.zeros(3))


def _mmd_of_fixed_widths(a, b):
    """Compare rows of which two that do not move are far away and set the widths."""
    weights = torch.tensor([1.0, 0.5, 2.0, 0.0]).double()
    far = a.new_tensor([[1e4, 0, 0]])
    ends = torch.cat([b, far, -far])
    scales = [2.0**k * 1e-8 for k in (-3, -2, 0)]  # of which two are a whole apart
    value = joint_kernel_mmd([a, 2 * a], [ends, 2 * ends], weights, scales=scales)
    return 1000 * value  # of so few rows in one place


@pytest.mark.parametrize("loss", [linear_mmd, _mmd_of_fixed_widths])
def test_gradients_match_finite_differences(loss, rng):
    a, b = (torch.randn(4, 3, generator=rng, dtype=torch.double) for _ in range(2))

    assert torch.autograd.gradcheck(loss, (a.requires_grad_(), b.requires_grad_()))


def test_kernel_mmd_by_hand():
    """On a line, a has rows at 0 and 1, b at 1 and 3."""
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [3.0]])
    squares = torch.tensor([1.0, 4.0, 1.0, 9.0, 0.0, 4.0])  # aa, bb, then ab
    spread = squares.mean()
    k = (torch.exp(-squares / spread) + torch.exp(-squares / (2 * spread))) / 2

    torch.testing.assert_close(
        kernel_mmd(a, b, scales=[1.0, 2.0]), k[0] + k[1] - k[2:].sum() / 2
    )


def test_rows_that_weigh_nothing_are_not_there_for_kernel_mmd(rng):
    a, b = torch.randn(6, 3, generator=rng), torch.randn(5, 3, generator=rng)
    u, v = torch.tensor([1.0, 0, 1, 1, 0, 1]), torch.tensor([0.0, 1, 1, 0, 1])

    torch.testing.assert_close(kernel_mmd(a, b, u, v), kernel_mmd(a[u > 0], b[v > 0]))
    torch.testing.assert_close(kernel_mmd(a, b, 3 * u, v), kernel_mmd(a, b, u, v))
    torch.testing.assert_close(kernel_mmd(a, b, u, v), kernel_mmd(b, a, v, u))


def test_kernel_mmd_is_unbiased(rng):
    """Samples of one distribution have a discrepancy of zero on average."""
    same, shifted = (
        torch.stack(
            [
                kernel_mmd(
                    torch.randn(8, 2, generator=rng),
                    shift + torch.randn(8, 2, generator=rng),
                )
                for _ in range(400)
            ]
        )
        for shift in (0.0, 1.0)
    )

    assert abs(same.mean()) < 3 * same.std() / 20
    assert same.min() < 0
    assert shifted.mean() > 0.1


@pytest.mark.parametrize("weights", [[0.0, 0, 0], [0.0, 1, 0]])
def test_kernel_mmd_of_fewer_than_two_rows_is_zero(weights, rng):
    a = torch.randn(4, 2, generator=rng, requires_grad=True)
    b = torch.randn(3, 2, generator=rng)
    value = kernel_mmd(a, b, None, torch.tensor(weights))
    value.backward()

    assert value == 0.0
    assert not a.grad.any()


def test_kernel_mmd_of_rows_in_one_place_is_zero():
    a = torch.ones(3, 2, requires_grad=True)
    value = kernel_mmd(a, torch.ones(4, 2))
    value.backward()

    assert value.item() == pytest.approx(0, abs=1e-6)
    assert a.grad.isfinite().all()


def test_joint_kernel_mmd_by_hand(rng):
    layers = [torch.randn(7, width, generator=rng).double() for width in (3, 2)]
    kernels = []
    for layer in layers:
        squares = torch.cdist(layer, layer).square()
        squares = squares / (squares.sum() / 42)  # the mean over pairs of other rows
        kernels.append(((-squares / 0.5).exp() + (-squares / 2).exp()) / 2)
    k = kernels[0] * kernels[1]
    first, second, between = k[:4, :4], k[4:, 4:], k[:4, 4:]
    expected = (first.sum() - 4) / 12 + (second.sum() - 3) / 6 - 2 * between.mean()
    a, b = [layer[:4] for layer in layers], [layer[4:] for layer in layers]

    torch.testing.assert_close(joint_kernel_mmd(a, b, scales=[0.5, 2.0]), expected)


def test_a_single_layer_has_the_kernel_mmd(rng):
    a, b = torch.randn(5, 3, generator=rng), torch.randn(4, 3, generator=rng)

    torch.testing.assert_close(joint_kernel_mmd([a], [b]), kernel_mmd(a, b))


def test_joint_kernel_mmd_sees_what_no_layer_shows_alone():
    first = torch.tensor([[0.0], [0.0], [1.0], [1.0]]).repeat(10, 1)
    same, other = first, torch.tensor([[0.0], [1.0], [0.0], [1.0]]).repeat(10, 1)

    assert kernel_mmd(same, other) < 1e-6
    assert joint_kernel_mmd([first, same], [first, other]) > 0.05


def test_joint_kernel_mmd_has_a_gradient_in_every_layer(rng):
    a = [torch.randn(4, 2, generator=rng).double().requires_grad_() for _ in range(2)]
    b = [torch.randn(3, 2, generator=rng).double() for _ in range(2)]
    joint_kernel_mmd(a, b).backward()

    assert all(layer.grad.abs().sum() > 0 for layer in a)


def test_joint_kernel_mmd_rejects_layers_that_do_not_match():
    a = [torch.ones(3, 2), torch.ones(3, 4)]
    with pytest.raises(ValueError, match="same width"):
        joint_kernel_mmd(a, [torch.ones(3, 2), torch.ones(3, 5)])
    with pytest.raises(ValueError, match="shorter"):
        joint_kernel_mmd(a, [torch.ones(3, 2)])


def test_coral_loss_by_hand():
    a = torch.tensor([[0.0, 0.0], [2.0, 0.0]])  # covariance [[2, 0], [0, 0]]
    b = torch.tensor([[0.0, 0.0], [2.0, 2.0]])  # covariance [[2, 2], [2, 2]]

    assert coral_loss(a, b) == pytest.approx(12 / 16)


def test_coral_loss_does_not_see_means(rng):
    a, b = torch.randn(5, 3, generator=rng), torch.randn(7, 3, generator=rng)

    torch.testing.assert_close(coral_loss(a, b), coral_loss(b, a))
    torch.testing.assert_close(coral_loss(a, b), coral_loss(a + 4, b))
    torch.testing.assert_close(coral_loss(a, a + 1), torch.zeros(()))


def test_one_row_has_no_covariance():
    a = torch.tensor([[0.0], [2.0]])

    assert coral_loss(a, torch.ones(1, 1)) == 1


def test_coral_loss_rejects_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match="same width"):
        coral_loss(torch.ones(4, 3), torch.ones(4, 1))


def test_coral_loss_is_differentiable(rng):
    a = torch.randn(4, 2, generator=rng, dtype=torch.float64).requires_grad_()
    b = torch.randn(3, 2, generator=rng, dtype=torch.float64).requires_grad_()

    assert torch.autograd.gradcheck(coral_loss, (a, b))


def test_the_discrepancy_of_a_class_is_that_of_its_rows(rng):
    """Under one kernel for all, whose width the other rows have no say in here."""
    a, b = (torch.randn(n, 3, generator=rng, dtype=torch.float64) for n in (6, 5))
    in_a = torch.rand(6, 2, generator=rng, dtype=torch.float64)
    in_b = torch.rand(5, 2, generator=rng, dtype=torch.float64)
    in_a[:2, 0], in_b[3, 1] = 0.0, 0.0
    x = torch.cat([a, b])
    squares = torch.cdist(x, x).square()
    kernels = torch.exp(-squares / (squares.sum() / (11 * 10)))
    k_aa, k_bb, k_ab = kernels[:6, :6], kernels[6:, 6:], kernels[:6, 6:]
    expected = []
    for u, v in zip(in_a.T, in_b.T, strict=True):
        found = -2 * (u @ k_ab @ v) / (u.sum() * v.sum())
        for w, k in ((u, k_aa), (v, k_bb)):
            others = torch.outer(w, w) - torch.diag(w * w)
            found = found + (others * k).sum() / others.sum()
        expected.append(found)

    torch.testing.assert_close(
        classwise_kernel_mmd(a, b, in_a, in_b, scales=[1.0]), torch.stack(expected)
    )


def test_a_class_that_a_domain_lacks_has_no_discrepancy(rng):
    a, b = (torch.randn(4, 3, generator=rng).requires_grad_() for _ in range(2))
    in_a = torch.tensor([[0.3, 0.0, 0.7]] * 4)
    in_b = torch.tensor([[0.4, 0.5, 0.0]] * 3 + [[0.0, 0.0, 0.7]])
    found = classwise_kernel_mmd(a, b, in_a, in_b)
    found.sum().backward()

    assert found[0] != 0
    assert found[1:].tolist() == [0, 0]
    assert a.grad.isfinite().all()


def test_classes_of_one_row_each_have_no_discrepancy(rng):
    x, one_each = torch.randn(3, 2, generator=rng), 0.41 * torch.eye(3)

    assert classwise_kernel_mmd(x, x + 1, one_each, one_each).tolist() == [0, 0, 0]


def test_classwise_discrepancies_reject_other_widths(rng):
    with pytest.raises(ValueError, match="tensors of the same width"):
        classwise_kernel_mmd(
            torch.ones(2, 3), torch.ones(2, 4), torch.ones(2, 1), torch.ones(2, 1)
        )


@pytest.mark.parametrize("pairs", [2**18, 30, 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_blocks_of_pairs_have_no_say(n_layers, weighted, pairs, rng, monkeypatch):
    """The sum over blocks is that over a matrix of all pairs, and so is its gradient.

    Weights that have a gradient have such a matrix.
    """
    a, b = (
        [torch.randn(n, 2 + k, generator=rng).double() for k in range(n_layers)]
        for n in (7, 6)
    )
    u, v = (torch.rand(len(x[0]), generator=rng).double() for x in (a, b))
    if not weighted:
        u, v = torch.ones_like(u), torch.ones_like(v)
    layers = [x.requires_grad_() for x in (*a, *b)]
    matrix = joint_kernel_mmd(a, b, u.clone().requires_grad_(), v)
    monkeypatch.setattr("skda.losses._gaussian_kernels.PAIRS", pairs)
    blocks = joint_kernel_mmd(a, b, *((u, v) if weighted else ()))
    ours, theirs = (torch.autograd.grad(2 * x, layers) for x in (blocks, matrix))

    torch.testing.assert_close(blocks, matrix)
    torch.testing.assert_close(ours, theirs)
    assert abs(matrix) > 1e-3
    assert min(gradient.abs().max() for gradient in ours) > 1e-3


def test_weights_of_a_discrepancy_may_have_a_gradient(rng):
    a, b = (torch.randn(5, 2, generator=rng, dtype=torch.double) for _ in range(2))
    u = (1 + torch.rand(5, generator=rng, dtype=torch.double)).requires_grad_()
    gradient = torch.autograd.grad(kernel_mmd(a, b, u), u)[0]

    assert gradient.abs().max() > 1e-3
