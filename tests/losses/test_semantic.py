"""Tests of `skda.losses.semantic`, against values computed row by row."""

import math

import pytest
import torch

from skda.losses import Centroids, class_centroids, pseudo_labels, soft_label_loss


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def _row_by_row(logits, labels, teacher):
    """Average the cross-entropy of every class, in plain Python."""
    means = []
    for k in range(labels.shape[1]):
        losses = [
            -sum(
                q * math.log(p)
                for q, p in zip(
                    teacher[k].tolist(), row.softmax(0).tolist(), strict=True
                )
            )
            for row, label in zip(logits, labels, strict=True)
            if label[k]
        ]
        means.append(losses)
    return means


def test_soft_label_loss_in_both_reductions(rng):
    logits = torch.randn(5, 3, generator=rng, dtype=torch.double)
    labels = torch.eye(3, dtype=torch.double)[[0, 0, 0, 1, 2]]
    labels = torch.cat([labels[:4], torch.zeros(1, 3).double()])  # the last: unlabeled
    q = torch.randn(3, 3, generator=rng, dtype=torch.double).softmax(1)
    teacher = Centroids(q, torch.ones(3, dtype=torch.double))

    first, second, third = _row_by_row(logits, labels, q)

    assert third == []
    class_sum = sum(first) / 3 + sum(second) / 1
    mean = (sum(first) + sum(second)) / 4
    assert soft_label_loss(
        logits, labels, teacher, reduction="class_sum"
    ).item() == pytest.approx(class_sum)
    assert soft_label_loss(logits, labels, teacher).item() == pytest.approx(mean)


def test_on_balanced_labels_the_class_sum_is_c_times_the_mean(rng):
    logits, labels = torch.randn(12, 4, generator=rng), torch.eye(4).repeat(3, 1)
    teacher = Centroids(torch.rand(4, 4, generator=rng).softmax(1), torch.ones(4))

    torch.testing.assert_close(
        soft_label_loss(logits, labels, teacher, reduction="class_sum"),
        4 * soft_label_loss(logits, labels, teacher),
    )


@pytest.mark.parametrize("reduction", ["mean", "class_sum"])
def test_a_class_without_a_teacher_does_not_count(rng, reduction):
    logits, labels = torch.randn(4, 2, generator=rng), torch.eye(2).repeat(2, 1)
    of_one = class_centroids(torch.full((3, 2), 0.5), torch.eye(2)[[0, 0, 0]])
    logits.requires_grad_()

    loss = soft_label_loss(logits, labels, of_one, reduction=reduction)
    loss.backward()
    only_the_taught = soft_label_loss(logits[::2], labels[::2], of_one)

    torch.testing.assert_close(loss, only_the_taught)
    assert not logits.grad[1::2].any()


def test_no_labeled_row_is_zero_with_a_gradient():
    logits = torch.randn(3, 2, requires_grad=True)
    teacher = Centroids(torch.full((2, 2), 0.5), torch.ones(2))

    loss = soft_label_loss(logits, torch.zeros(3, 2), teacher, reduction="class_sum")
    loss.backward()

    assert loss == 0.0
    assert torch.equal(logits.grad, torch.zeros(3, 2))


def test_soft_label_loss_refuses_what_does_not_fit():
    teacher = Centroids(torch.full((2, 2), 0.5), torch.ones(2))
    with pytest.raises(ValueError, match=r"same shape, got \(3, 2\) and \(2, 2\)"):
        soft_label_loss(torch.zeros(3, 2), torch.zeros(2, 2), teacher)
    with pytest.raises(ValueError, match="reduction must be 'mean' or 'class_sum'"):
        soft_label_loss(torch.zeros(2, 2), torch.zeros(2, 2), teacher, reduction="sum")


def test_pseudo_labels_go_to_unlabeled_rows_that_both_agree_on():
    logits = torch.tensor([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0], [1.0, 2.0]])
    similarities = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9]])
    labels = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])

    checked = pseudo_labels(logits, labels, similarities)
    unchecked = pseudo_labels(logits, labels)

    expected = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert torch.equal(checked, expected)
    expected[1, 0] = 1.0
    assert torch.equal(unchecked, expected)


def test_pseudo_labels_have_no_gradient():
    logits = torch.randn(3, 2, requires_grad=True)

    assert not pseudo_labels(logits, torch.zeros(3, 2), logits).requires_grad
