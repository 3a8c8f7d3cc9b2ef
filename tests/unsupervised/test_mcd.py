"""Tests of `skda.unsupervised.MCD`."""

import math

import torch

from skda.losses import cross_entropy
from skda.unsupervised import MCD

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(MCD, lambda0=0.5)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    v_s, v_t = module.head(f_s), module.head(f_t)
    p, q = v_t[:, :3].softmax(dim=1), v_t[:, 3:].softmax(dim=1)
    plain = -(p - q).abs().sum() / 15
    named = dict(module.named_parameters())
    ours, theirs = (
        torch.autograd.grad(loss, list(named.values()), retain_graph=True)
        for loss in (terms["discrepancy"], plain)
    )
    risks = [cross_entropy(v, batch.source.labels) for v in (v_s[:, :3], v_s[:, 3:])]
    mean = (v_t[:, :3] + v_t[:, 3:]) / 2

    torch.testing.assert_close(terms["discrepancy"], plain)
    for name, mine, its in zip(named, ours, theirs, strict=True):
        factor = -0.5 * RAMP if name.startswith("extractor") else 1.0
        torch.testing.assert_close(mine, factor * its)
    torch.testing.assert_close(terms["source_risk"], sum(risks))
    torch.testing.assert_close(module(batch.target.X), mean)
    torch.testing.assert_close(
        terms["target_risk"], cross_entropy(mean, batch.target.labels)
    )
