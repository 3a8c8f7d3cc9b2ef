"""Tests of `skda.unsupervised.JAN`."""

import math

import pytest
import torch

from skda.losses import joint_kernel_mmd, kernel_mmd
from skda.unsupervised import JAN, SourceOnly

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(JAN, lambda0=2.0)
    layers = []
    for X in (batch.source.X, batch.target.X):
        f = module.encode(X)
        layers.append([f, module.head(f).softmax(dim=1)])

    torch.testing.assert_close(
        terms["discrepancy"], 2 * RAMP * joint_kernel_mmd(*layers)
    )
    assert terms["discrepancy"] != 2 * RAMP * kernel_mmd(layers[0][0], layers[1][0])
    assert set(terms) == {"source_risk", "target_risk", "discrepancy"}


def test_predictions_are_trained_as_well_as_features(make_terms):
    module, terms = make_terms(JAN)
    gradient = torch.autograd.grad(terms["discrepancy"], module.head.weight)[0]

    assert gradient.abs().max() > 0


def test_the_adversarial_form_starts_from_the_plain_one(make_terms):
    plain, adversarial = (
        make_terms(JAN, lambda0=2.0, adversarial=adversarial)[1]["discrepancy"]
        for adversarial in (False, True)
    )

    torch.testing.assert_close(adversarial, plain)


def test_the_adversarial_terms_by_hand(make_terms, make_net, batch):
    module, terms = make_terms(JAN, lambda0=2.0, adversarial=True)
    for linear in module.maps:
        torch.nn.init.normal_(linear.weight)
    objective = make_net(JAN, lambda0=2.0, adversarial=True).make_objective()
    term = objective(module, batch, 0.7)["discrepancy"]
    layers = []
    for X in (batch.source.X, batch.target.X):
        f = module.encode(X)
        unmapped = f, module.head(f).softmax(dim=1)
        pairs = zip(unmapped, module.maps, strict=True)
        layers.append([layer @ linear.weight.T for layer, linear in pairs])
    plain = 2 * RAMP * joint_kernel_mmd(*layers)
    named = dict(module.named_parameters())
    ours, theirs = (
        torch.autograd.grad(loss, list(named.values()), retain_graph=True)
        for loss in (term, plain)
    )

    torch.testing.assert_close(term, plain)
    assert not torch.isclose(plain, terms["discrepancy"])
    for name, mine, its in zip(named, ours, theirs, strict=True):
        assert its.abs().max() > 0
        torch.testing.assert_close(mine, -its if name.startswith("maps") else its)


def test_the_maps_learn_a_tenth_as_fast_as_the_rest(make_net, shifted):
    clf = make_net(JAN, adversarial=True, max_epochs=2, lr_schedule="constant")
    clf.fit(shifted.X, source=shifted.source)
    maps = list(clf.net_.module_.maps.parameters())
    rates = {
        id(parameter): group["lr"]
        for group in clf.net_.optimizer_.param_groups
        for parameter in group["params"]
    }

    assert [rates.pop(id(weight)) for weight in maps] == pytest.approx([0.001] * 2)
    assert list(rates.values()) == [0.01] * 4
    for weight in maps:
        assert (weight - torch.eye(len(weight))).abs().max() > 1e-5


def test_the_adversarial_form_beats_the_source_alone(make_net, make_shifted):
    gains = []
    for seed in range(3):
        data = make_shifted(seed)
        adversarial, plain = (
            clf.fit(data.X, source=data.source).score(data.X, data.y)
            for clf in (make_net(JAN, adversarial=True), make_net(SourceOnly))
        )
        gains.append(adversarial - plain)

    assert sum(gains) / 3 > 0.02
