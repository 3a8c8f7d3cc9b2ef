"""Tests of `skda.partial.BA3US`."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skda.losses import complement_entropy, weighted_mean
from skda.partial import BA3US
from skda.partial._base import PartialObjective
from skda.training import Batch, Objective

KAPPA = 2 / (1 + math.exp(-10 * 0.7)) - 1
W = torch.tensor([0.5, 0.25, 0.125, 0.125], dtype=torch.float64)


def _outputs(module, batch):
    """Map the rows of a batch to features and probabilities."""
    f = [module.encode(part.X) for part in batch[:2]]
    return f, [module.classify(rows).softmax(dim=1) for rows in f]


def _entropy(p):
    return -(p * p.log()).sum(dim=1)


# Equation 1


def test_the_risks_and_the_entropy_by_hand(make_net, make_terms, batch):
    module, _, terms = make_terms(make_net(BA3US, entropy_weight=0.3))
    _, (p_s, p_t) = _outputs(module, batch)
    y = batch.source.labels.argmax(dim=1)
    missed = -p_s[torch.arange(9), y].log()

    torch.testing.assert_close(terms["source_risk"], (W[y] * missed).sum() / W[y].sum())
    torch.testing.assert_close(terms["target_risk"], -p_t[1, 2].log())
    torch.testing.assert_close(terms["entropy"], 0.3 * _entropy(p_t).mean())


def test_a_weight_of_zero_leaves_a_term_out(make_net, make_terms):
    clf = make_net(BA3US, entropy_weight=0.0, lambda_cot=0.0)
    _, _, terms = make_terms(clf)

    assert set(terms) == {"source_risk", "target_risk", "domain"}


# Equation 2


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0])
def test_the_complement_entropy_by_hand(make_net, make_terms, batch, gradients, alpha):
    module, _, terms = make_terms(make_net(BA3US, alpha=alpha, lambda_cot=2.0))
    _, (p, _) = _outputs(module, batch)
    losses, weights = [], []
    for i, y in enumerate(batch.source.labels.argmax(dim=1).tolist()):
        q = 1 - p[i, y] + 1e-7
        r = torch.stack([p[i, k] / q for k in range(4) if k != y])
        losses.append((r * (r + 1e-10).log()).sum() / math.log(3))
        weights.append(W[y] * q.detach() ** alpha)
    v = torch.stack(weights)
    by_hand = 2.0 * (v * torch.stack(losses)).sum() / v.sum()
    ours, theirs = (gradients(x, module) for x in (terms["complement"], by_hand))

    torch.testing.assert_close(terms["complement"], by_hand, rtol=1e-5, atol=0)
    for name in ("extractor.0.weight", "head.weight"):
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-7)


def test_an_even_complement_has_the_largest_entropy():
    logits = torch.tensor([[3.0, 1.0, 1.0, 1.0], [9.0, 30.0, 0.0, 0.0]])
    label = torch.eye(4)[[0, 0]]

    assert_allclose(complement_entropy(logits, label), [1.0, 0.0], atol=1e-6)


def test_the_complement_of_two_classes_has_no_entropy():
    logits = torch.randn(3, 2, requires_grad=True)
    entropy = complement_entropy(logits, torch.eye(2)[[0, 1, 0]])
    entropy.sum().backward()

    assert entropy.tolist() == [0.0, 0.0, 0.0]
    assert logits.grad.abs().max() == 0


def test_a_certain_row_has_a_finite_complement():
    logits = torch.tensor([[500.0, 0.0, 1.0]], requires_grad=True)
    complement_entropy(logits, torch.eye(3)[[0]]).sum().backward()

    assert logits.grad.isfinite().all()
    assert logits.grad[0, 0] == 0


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_complement_entropy_rejects_labels_of_another_shape(shape):
    with pytest.raises(ValueError, match="must have the same shape"):
        complement_entropy(torch.zeros(2, 2), torch.zeros(shape))


def test_a_mean_in_which_nothing_counts_is_zero():
    values = torch.tensor([1.0, 2.0], requires_grad=True)
    mean = weighted_mean(values, torch.zeros(2))
    mean.backward()

    assert mean == 0
    assert values.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("shape", [(3,), (2, 1)])
def test_a_mean_wants_one_weight_per_value(shape):
    with pytest.raises(ValueError, match="Expected one weight per value"):
        weighted_mean(torch.zeros(2), torch.zeros(shape))


# Equation 3


@pytest.mark.parametrize(
    "setting", [(2, 0.0, 4), (2, 0.7, 1), (3, 0.7, 0), (None, 0.7, 0)]
)
def test_the_domain_loss_by_hand(make_net, make_terms, batch, gradients, setting):
    mu, progress, n_middle = setting
    clf = make_net(BA3US, mu=mu, lambda0=0.5)
    module, objective, terms = make_terms(clf, progress)
    torch.manual_seed(1)
    rows, share = objective.augmentation(batch.source.labels, progress)
    middle = rows[share > 0]
    (f_s, f_t), (p_s, p_t) = _outputs(module, batch)
    w = W[batch.source.labels.argmax(dim=1)]
    u_s = w * (1 + (-_entropy(p_s)).exp())
    u = torch.cat([u_s, u_s[middle], 1 + (-_entropy(p_t)).exp()])
    n_source, rho = 9 + len(middle), len(middle) / 9
    omega = torch.cat(
        [
            (1 + rho) * u[:n_source] / u[:n_source].sum().detach(),
            u[n_source:] / u[n_source:].sum().detach(),
        ]
    )
    d = module.discriminator(torch.cat([f_s, f_s[middle], f_t])).squeeze(1).sigmoid()
    is_source = torch.arange(len(d)) < 9
    missed = -torch.where(is_source, d, 1 - d).log()
    plain = (omega * missed).sum() / omega.sum().detach()
    ours, theirs = (gradients(x, module) for x in (terms["domain"], plain))
    kappa = 2 / (1 + math.exp(-10 * progress)) - 1

    assert len(middle) == n_middle
    torch.testing.assert_close(terms["domain"], plain)
    assert omega.sum().item() == pytest.approx(2 + rho)
    for name, gradient in ours.items():
        factor = 1.0 if name.startswith("discriminator") else -0.5 * kappa
        torch.testing.assert_close(gradient, factor * theirs[name])
    assert theirs["head.weight"].abs().max() > 1e-6  # the entropies have a gradient


@pytest.mark.parametrize(
    ("part", "n_left"), [(0.0, 9), (0.09, 9), (0.1, 8), (0.3, 6), (0.95, 0)]
)
def test_fewer_and_fewer_rows_pose_in_a_tensor_of_one_size(part, n_left):
    objective = BA3US().make_objective()
    rows, share = objective.augmentation(torch.zeros(36, 3), part)

    assert len(rows) == len(share) == 9
    assert len(set(rows.tolist())) == 9
    assert share.sum() == n_left


def test_a_small_batch_has_no_row_that_poses():
    objective = BA3US(mu=4).make_objective()
    rows, share = objective.augmentation(torch.zeros(3, 3), 0.0)

    assert len(rows) == len(share) == 0


def test_rows_that_pose_are_drawn_by_the_random_state(make_net, partial_data):
    one, other = (
        make_net(BA3US, max_epochs=3)
        .fit(partial_data.X, source=partial_data.source)
        .predict_proba(partial_data.X)
        for _ in range(2)
    )

    np.testing.assert_array_equal(one, other)


# Class weights


@pytest.mark.parametrize(
    ("max_epochs", "batch_size", "n_expected"),
    [(20, 30, 10), (20, -1, 10), (4, 30, 4), (1, 30, 1)],
)
def test_the_class_weights_are_looked_at_so_often(
    make_net, partial_data, max_epochs, batch_size, n_expected
):
    clf = make_net(BA3US, max_epochs=max_epochs, batch_size=batch_size)
    clf.fit(partial_data.X, source=partial_data.source)

    assert clf.class_weights_history_.shape == (n_expected, 5)
    assert_allclose(clf.class_weights_history_.sum(axis=1), 1, atol=1e-5)
    assert_allclose(clf.class_weights_history_[-1], clf.class_weights_)
    assert_allclose(
        clf.class_weights_, clf.predict_proba(partial_data.X).mean(axis=0), atol=1e-6
    )


def test_a_refresh_takes_the_mean_prediction_of_the_whole_target(make_net, batch):
    clf = make_net(BA3US, n_refreshes=2, dropout=0.5)
    module = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Dropout(0.5)).double()
    objective: PartialObjective = clf.make_objective()
    objective.start_fit(module, batch)
    before = objective.class_weights.tolist()
    objective.start_epoch(module, batch, 0.0)
    with torch.no_grad():
        expected = module[0](batch.target.X).softmax(dim=1).mean(dim=0)
        objective.start_epoch(module, batch, 0.5)
        objective.start_epoch(module, batch, 0.6)

    assert before == [0.25] * 4
    torch.testing.assert_close(objective.class_weights, expected)
    assert len(objective.shares_history) == 1
    assert module.training


def test_absent_classes_come_to_weigh_little(make_net, make_partial):
    data = make_partial(0, shift=2.0)
    clf = make_net(BA3US, lr=0.01).fit(data.X, source=data.source)

    assert clf.class_weights_[:2].min() > 0.3
    assert clf.class_weights_[2:].max() < 0.1
    assert clf.class_weights_history_[0, 2:].sum() >= clf.class_weights_[2:].sum()


def test_what_is_kept_after_a_fit_has_no_rows(make_net, partial_data):
    clf = make_net(BA3US, max_epochs=3)
    clf.fit(partial_data.X, source=partial_data.source)
    objective: Objective = clf.net_.criterion_
    kept = [v for v in vars(objective).values() if isinstance(v, Batch | torch.Tensor)]

    assert not kept
    assert {v.shape for v in objective.state_dict().values()} == {(5,)}


def test_two_source_classes_are_enough(make_net, make_partial):
    data = make_partial(0, shift=1.0, n_classes=2, n_shared=1)
    clf = make_net(BA3US, max_epochs=10).fit(data.X, source=data.source)

    assert abs(clf.history_["complement"]).max() == 0
    assert np.isfinite(clf.history_["train_loss"]).all()
