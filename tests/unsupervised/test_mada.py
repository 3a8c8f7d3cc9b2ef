"""Tests of `skda.unsupervised.MADA`."""

import math

import torch

from skda.unsupervised import MADA

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def _judge(module, k, x):
    """Ask the discriminator of one class alone."""
    first, _, _, last = module.discriminators
    units = (x @ first.weight[k] + first.bias[k]).relu()
    return (units @ last.weight[k] + last.bias[k]).squeeze(1)


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(MADA, lambda0=0.5)
    losses = []
    for k in range(3):
        d_s, d_t = (
            _judge(module, k, module(X).softmax(dim=1)[:, [k]] * module.encode(X))
            for X in (batch.source.X, batch.target.X)
        )
        in_source = -d_s.sigmoid().log().mean()
        losses.append((in_source - (1 - d_t.sigmoid()).log().mean()) / 2)
    plain = sum(losses)
    named = dict(module.named_parameters())
    ours, theirs = (
        torch.autograd.grad(loss, list(named.values()), retain_graph=True)
        for loss in (terms["domain"], plain)
    )

    torch.testing.assert_close(terms["domain"], plain)
    assert set(terms) == {"source_risk", "target_risk", "domain"}
    for name, mine, its in zip(named, ours, theirs, strict=True):
        factor = 1.0 if name.startswith("discriminators") else -0.5 * RAMP
        torch.testing.assert_close(mine, factor * its)


def test_the_reversal_rises_as_steeply_as_asked(make_terms):
    by_gamma = {}
    for gamma in (10.0, 2.0):
        module, terms = make_terms(MADA, gamma=gamma)
        weight = module.extractor[0].weight
        by_gamma[gamma] = torch.autograd.grad(terms["domain"], weight)[0]

    ramp = 2 / (1 + math.exp(-2 * 0.7)) - 1
    torch.testing.assert_close(by_gamma[2.0], ramp / RAMP * by_gamma[10.0])


def test_working_discriminators_tell_the_domains(make_net, shifted):
    """Without anything against them, that is; so they are not inert."""
    clf = make_net(MADA, lambda0=0.0, max_epochs=200)
    clf.fit(shifted.X, source=shifted.source)

    assert clf.history_["domain"][0] > 3 * 0.6
    assert clf.history_["domain"][-1] < 3 * 0.5
