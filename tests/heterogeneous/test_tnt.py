"""Tests of `skda.heterogeneous.TNT`."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch._subclasses import FakeTensorMode

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import TNT
from skda.heterogeneous._tnt import (
    NeuralTrees,
    SourceObjective,
    TNTObjective,
    TNTTargetObjective,
    embedding_loss,
    tree_risk,
)
from skda.utils.warnings import NoSourceWarning


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.fixture
def make_clf():
    def make(**params):
        defaults = {"n_components": 12, "n_trees": 6, "depth": 3, "tree_share": 0.5}
        return TNT(**(defaults | {"max_epochs": 60, "random_state": 0} | params))

    return make


@pytest.fixture
def trees(sizes):
    module = NeuralTrees(
        sizes.widths, 6, 3, n_trees=4, depth=3, share=0.5, slope=2.0
    ).double()
    mass = torch.rand(module.leaves.shape, dtype=torch.double)
    module.leaves.copy_(mass / mass.sum(dim=2, keepdim=True))
    return module


def reach_by_path(trees, z, tree, leaf):
    """Multiply the probabilities on the way from the root to a leaf, by hand."""
    seen = z[trees.inputs[tree].numpy()]
    weights = trees.splits.detach().numpy()[tree]
    node, probability = 0, 1.0
    for level in reversed(range(trees.depth)):
        logit = seen @ weights[:-1, node] + weights[-1, node]
        left = 1 / (1 + np.exp(-trees.slope * logit))
        goes_right = leaf >> level & 1
        probability *= 1 - left if goes_right else left
        node = 2 * node + 1 + goes_right
    return probability


def test_leaves_are_reached_as_by_their_paths(trees):
    z = torch.randn(5, 6, dtype=torch.double)
    reached = trees.reach(z).detach().numpy()
    expected = [
        [[reach_by_path(trees, row, t, leaf) for leaf in range(8)] for row in z.numpy()]
        for t in range(4)
    ]

    assert_allclose(reached, expected, atol=1e-10)
    assert_allclose(reached.sum(axis=2), 1)


def test_the_forest_is_the_mean_of_its_trees(trees):
    z = torch.randn(5, 6, dtype=torch.double)
    reached = trees.reach(z).detach().numpy()
    votes = np.einsum("tnl,tlk->tnk", reached, trees.leaves.numpy())

    assert_allclose(trees.classify(z).exp().detach(), votes.mean(axis=0))
    assert_allclose(trees.classify(z).exp().sum(dim=1).detach(), 1)


def test_leaves_take_a_step_to_their_fixed_point(trees):
    z, y = torch.randn(7, 6, dtype=torch.double), [0, 1, 2, 0, 1, 2, -1]
    labels = torch.cat([torch.eye(3), torch.zeros(1, 3)])[y].double()
    reached, before = trees.reach(z).detach().numpy(), trees.leaves.numpy().copy()
    with torch.no_grad():
        trees.update_leaves(z, labels)
    expected = np.full(before.shape, 1e-3)
    for t in range(4):
        for i in range(6):  # the last row has no label
            k = y[i]
            share = before[t, :, k] * reached[t, i]
            expected[t, :, k] += share / share.sum()
    expected /= expected.sum(axis=2, keepdims=True)

    assert_allclose(trees.leaves, expected, atol=1e-9)


def test_losses_by_hand():
    p = torch.tensor([[0.5, 0.5], [1.0, 0.0]])  # 3/4 and 1/4 of the rows
    rows = (0.25 / 0.75 + 0.25 / 0.25 + 1 / 0.75) / 2
    votes = torch.tensor([[[0.5, 0.5], [0.2, 0.8]], [[0.1, 0.9], [0.3, 0.7]]])
    labels = torch.tensor([[1.0, 0.0], [0.0, 0.0]])

    assert embedding_loss(p).item() == pytest.approx(-rows)
    risk = -(np.log(0.5) + np.log(0.1)) / 2
    assert tree_risk(votes, labels).item() == pytest.approx(risk)


def test_the_second_phase_leaves_the_forest_alone(trees, make_batch):
    batch = make_batch(dtype=torch.double)
    sum(TNTObjective(1.0)(trees, batch, 0.5).values()).backward()

    assert trees.splits.grad is None
    assert trees.encoders["source"].weight.grad is None
    assert trees.encoders["target"].weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    "objective", [SourceObjective(), TNTObjective(1.0), TNTTargetObjective(1.0)]
)
def test_a_step_has_static_shapes_and_never_waits_for_the_device(
    sizes, make_batch, objective
):
    with FakeTensorMode():  # has shapes but no values: reading one raises
        trees = NeuralTrees(
            sizes.widths, 6, 3, n_trees=4, depth=3, share=0.5, slope=2.0
        )
        batch = make_batch()
        sum(objective(trees, batch, 0.5).values()).backward()
        with torch.no_grad():
            objective.end_step(trees, batch)


@pytest.mark.parametrize(
    "labels",
    [
        ((0, 1, 2), (0, 0, -1, -1)),  # classes without a labeled target row
        ((0, 0, 1), (0, 1, 2, -1)),  # a class without a source row
        ((0, 1, 2), (-1, -1)),  # no labeled target row
    ],
)
def test_missing_classes_do_not_poison(trees, make_batch, labels):
    batch = make_batch(*labels, dtype=torch.double)
    with torch.no_grad():
        SourceObjective().end_step(trees, batch)
    terms = TNTTargetObjective(1.0)(trees, batch, 0.5)
    sum(terms.values()).backward()

    assert trees.leaves.isfinite().all()
    assert all(term.isfinite() for term in terms.values())
    assert trees.splits.grad.isfinite().all()


def test_learns_both_domains(data, make_clf):
    clf = make_clf().fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.8
    assert clf.transform(data.X).shape == (100, 12)
    phases, lengths = np.unique(clf.history_["phase"], return_counts=True)
    assert dict(zip(phases, lengths, strict=True)) == {"source": 60, "target": 60}


SWITCHES = [
    {"beta": 0.0},
    {"n_trees": 3},
    {"depth": 2},
    {"tree_share": 1.0},
    {"split_slope": 1.0},
    {"pretraining_epochs": 10},
    {"pretraining_epochs": 0},
    {"n_neighbors": 5},
]


def test_every_switch_and_the_source_change_the_predictions(data, make_clf, subtests):
    def predictions(source=data.source, **params):
        clf = make_clf(max_epochs=20, **params)
        return clf.fit(data.X, data.y, source=source).predict_proba(data.X)

    usual = predictions()
    for switch in SWITCHES:
        with subtests.test(**switch):
            assert abs(predictions(**switch) - usual).max() > 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        assert abs(predictions(source=None) - usual).max() > 1e-3


def test_published_settings_are_those_of_the_public_code():
    clf = TNT.published()

    assert (clf.n_trees, clf.depth, clf.tree_share, clf.split_slope) == (20, 7, 0.2, 5)
    assert (clf.n_components, clf.pretraining_epochs, clf.max_epochs) == (100, 250, 100)
    assert (clf.optimizer, clf.lr, clf.momentum) == ("rmsprop", 0.005, 0.0)
    assert (clf.power, clf.normalize, clf.n_neighbors) == (1.0, True, None)
    assert clf.source_per_class is None
