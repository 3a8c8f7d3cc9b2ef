"""Tests of `skda.heterogeneous.WSDTN`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.preprocessing import StandardScaler

from skda.heterogeneous import WSDTN
from skda.heterogeneous._wsdtn import (
    ReconstructionObjective,
    WSDTNModule,
    WSDTNObjective,
    mean_votes,
)
from skda.training import Pairs
from skda.utils.warnings import NoSourceWarning

TINY = {"hidden_layer_sizes": (16, 8), "lr": 0.01, "random_state": 0, "device": "cpu"}


@pytest.fixture
def step(sizes, make_batch):
    """A network of three layers, and a batch with five pairs."""
    torch.manual_seed(0)
    module = WSDTNModule(sizes.widths, [6, 5, 3], sizes.n_classes).double()
    batch = make_batch(dtype=torch.double)
    pairs = Pairs(*(torch.randn(5, n, dtype=torch.double) for n in (4, 5)))
    return module, batch._replace(pairs=pairs)


def encoded(module, domain, X):
    """Encode rows by the weights alone."""
    z = X.numpy()
    for layer in module.domains[domain].encoder[::2]:
        z = np.maximum(
            z @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0
        )
    return z  # fmt: skip


def test_the_terms_are_those_of_the_equation(step):
    module, batch = step
    objective = WSDTNObjective(2.0, 0.5, 0.3, n_shared=2)
    terms = objective(module, batch, 0.0)
    z_s, z_t = (encoded(module, d, getattr(batch, d).X) for d in ("source", "target"))
    y_s = batch.source.labels.argmax(dim=1).tolist()
    risks = []
    for j, y in enumerate([0, 1, 2, 0]):  # the other target rows have no label
        for k in range(3):
            votes = [(1 if c == k else -1) * z @ z_t[j] for c, z in zip(y_s, z_s)]  # noqa: B905
            risks.append(np.log1p(np.exp(-(1 if y == k else -1) * np.mean(votes))))
    sides = (encoded(module, d, getattr(batch.pairs, d)) for d in ("source", "target"))
    translators = np.sum(np.multiply(*sides), axis=1)
    layers = [net.encoder[::2] for net in module.domains.values()]
    apart = sum(
        (a - b).square().sum()
        for one, other in zip(layers[0][1:], layers[1][1:], strict=True)
        for a, b in ((one.weight, other.weight), (one.bias, other.bias))
    )
    decay = sum(layer.weight.square().sum() for part in layers for layer in part)

    assert terms["risk"].item() == pytest.approx(np.sum(risks) / 4)
    assert terms["pairs"].item() == pytest.approx(
        2 * np.mean(np.log1p(np.exp(-translators)))
    )
    assert terms["sharing"].item() == pytest.approx(0.25 * apart.item())
    assert terms["decay"].item() == pytest.approx(0.15 * decay.item())


@pytest.mark.parametrize(("n_shared", "n_layers"), [(1, 1), (2, 2), (3, 2), (9, 2)])
def test_the_top_layers_are_shared_but_never_the_first(step, n_shared, n_layers):
    module, _ = step
    encoders = [net.encoder for net in module.domains.values()]
    WSDTNObjective(1, 1, 1, n_shared=n_shared).difference(encoders).backward()
    pulled = [layer.weight.grad is not None for layer in encoders[0][::2]]

    assert pulled == [False] * (3 - n_layers) + [True] * n_layers


def test_a_single_layer_shares_nothing(sizes):
    module = WSDTNModule(sizes.widths, [6], sizes.n_classes)
    encoders = [net.encoder for net in module.domains.values()]

    assert WSDTNObjective(1, 1, 1, n_shared=1).difference(encoders) == 0


def test_both_encoders_learn_from_every_part(step):
    module, batch = step
    objective = WSDTNObjective(1.0, 0.0, 0.0, n_shared=1)
    for name in ("risk", "pairs"):
        module.zero_grad()
        objective(module, batch, 0.0)[name].backward()
        for net in module.domains.values():
            assert net.encoder[0].weight.grad.abs().sum() > 0


def test_the_first_phase_reconstructs_both_domains(step):
    module, batch = step
    terms = ReconstructionObjective()(module, batch, 0.0)
    for domain in ("source", "target"):
        net, X = module.domains[domain], getattr(batch, domain).X
        errors = (net.decode(net.encode(X)) - X).square().sum(dim=1)

        assert terms[f"{domain}_reconstruction"].item() == pytest.approx(
            errors.mean().item()
        )


def test_unlabeled_source_rows_have_no_vote():
    z, labels = torch.tensor([[1.0, 2.0], [5.0, 7.0]]), torch.eye(2)
    labels[1] = 0

    assert_array_equal(mean_votes(z, labels), [[1, -1], [2, -2]])
    assert_array_equal(mean_votes(z, torch.zeros(2, 2)), torch.zeros(2, 2))


def test_all_source_rows_vote_in_the_end(paired):
    clf = paired.fit(WSDTN(**TINY, max_epochs=5, batch_size=16))
    features = clf.transform(paired.source[0], domain="source")
    one_hot = np.eye(3)[paired.source[1]]
    votes = features.T @ (2 * one_hot - 1) / len(features)
    scores = clf.transform(paired.X_test) @ votes

    assert_allclose(
        clf.predict_proba(paired.X_test), softmax(scores, axis=1), atol=1e-4
    )


def test_it_learns_from_pairs_that_belong_together(paired):
    clf = WSDTN(**TINY, max_epochs=150, eta=100.0, linear_top=True)
    score = paired.fit(clf).score(paired.X_test, paired.y_test)
    mixed_up = paired.fit(clf, pairs=paired.mixed_up)

    assert score > mixed_up.score(paired.X_test, paired.y_test) + 0.1


def test_pairs_alone_may_all_be_made_alike(step):
    module, batch = step
    alike = batch.pairs._replace(target=batch.pairs.target.roll(1, dims=0))
    objective = WSDTNObjective(1.0, 0.0, 0.0, n_shared=1)
    for net in module.domains.values():
        torch.nn.init.zeros_(net.encoder[-2].weight)
        torch.nn.init.constant_(net.encoder[-2].bias, 10.0)
    losses = [
        objective(module, batch._replace(pairs=pairs), 0.0)["pairs"].item()
        for pairs in (batch.pairs, alike)
    ]

    assert max(losses) < 1e-6


def test_it_learns_from_labels_of_both_domains(paired):
    few = paired.fit(WSDTN(**TINY, max_epochs=150))
    X = np.concatenate([paired.X, paired.X_test[:150]])
    y = np.concatenate([paired.y, paired.y_test[:150]])
    many = WSDTN(**TINY, max_epochs=150)
    many.fit(X, y, source=paired.source, pairs=paired.pairs)

    scores = [
        clf.score(paired.X_test[150:], paired.y_test[150:]) for clf in (few, many)
    ]

    assert scores[0] > 0.4
    assert scores[1] > 0.7
    assert few.score(*paired.source, domain="source") > 0.6


@pytest.mark.parametrize(
    ("params", "phases"),
    [
        ({"max_epochs": 3}, ["pretraining"] * 3 + ["transfer"] * 3),
        (
            {"max_epochs": 2, "pretraining_epochs": 1},
            ["pretraining"] + ["transfer"] * 2,
        ),
        ({"max_epochs": 2, "pretraining_epochs": 0}, ["transfer"] * 2),
        (
            {"max_steps": 2, "pretraining_epochs": 7},
            ["pretraining"] * 2 + ["transfer"] * 2,
        ),
    ],
)  # fmt: skip
def test_there_are_two_phases(paired, params, phases):
    clf = paired.fit(WSDTN(**TINY, **params))

    assert clf.history_["phase"].tolist() == phases


def test_rows_of_pairs_are_reconstructed_too(paired):
    clf = paired.fit(WSDTN(**TINY, max_epochs=1, lr_schedule=lambda p: 0.0))
    rows = np.concatenate([paired.source[0], paired.pairs[0]])
    scaled = StandardScaler().fit(paired.source[0]).transform(rows)
    X = torch.tensor(scaled, dtype=torch.float32)
    net = clf.net_.module_.domains["source"]
    with torch.no_grad():
        error = (net.decode(net.encode(X)) - X).square().sum(dim=1).mean().item()

    assert clf.history_["source_reconstruction"][0] == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize("n_pairs", [1, 5])
def test_few_pairs_are_enough_to_work(paired, n_pairs):
    clf = WSDTN(**TINY, max_epochs=3)
    paired.fit(clf, pairs=tuple(side[:n_pairs] for side in paired.pairs))

    assert np.isfinite(clf.predict_proba(paired.X_test)).all()


def test_without_a_source_the_target_has_a_classifier(paired):
    with pytest.warns(NoSourceWarning):
        clf = WSDTN(**TINY, max_epochs=60).fit(paired.X, paired.y)

    assert clf.net_.module_.votes is None
    assert_array_equal(clf.predict(paired.X[:3]), paired.y[:3])


def test_a_source_without_labels_is_an_error(paired):
    nothing = paired.source[0], np.full(len(paired.source[0]), -1)
    with pytest.raises(ValueError, match="WSDTN expects labeled source samples, got n"):
        paired.fit(WSDTN(**TINY), source=nothing)


def test_no_layers_are_an_error(paired):
    with pytest.raises(ValueError, match="hidden_layer_sizes must have one layer"):
        paired.fit(WSDTN(hidden_layer_sizes=()))
