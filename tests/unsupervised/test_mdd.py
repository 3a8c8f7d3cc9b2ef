"""Tests of `skda.unsupervised.MDD`."""

import math

import pytest
import torch

from skda.unsupervised import MDD

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(MDD, lambda0=0.5, margin=3.0)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    k_s, k_t = module.head(f_s).argmax(dim=1), module.head(f_t).argmax(dim=1)
    q_s, q_t = (module.adversary(f).softmax(dim=1) for f in (f_s, f_t))
    agree = -sum(q_s[i, k].log() for i, k in enumerate(k_s)) / 7
    differ = -sum((1 - q_t[j, k]).log() for j, k in enumerate(k_t)) / 5
    plain = 3 * agree + differ
    named = dict(module.named_parameters())
    ours, theirs = (
        torch.autograd.grad(
            loss, list(named.values()), retain_graph=True, allow_unused=True
        )
        for loss in (terms["disparity"], plain)
    )

    torch.testing.assert_close(terms["disparity"], plain, rtol=1e-5, atol=1e-5)
    for name, mine, its in zip(named, ours, theirs, strict=True):
        if name.startswith("head"):
            assert mine is None
            continue
        factor = -0.5 * RAMP if name.startswith("extractor") else 1.0
        torch.testing.assert_close(mine, factor * its, rtol=1e-4, atol=1e-6)


def test_one_class_stays_finite(make_net, shifted):
    source = shifted.source[0], ["a"] * 150
    clf = make_net(MDD, max_epochs=2).fit(shifted.X, source=source)

    assert set(clf.predict(shifted.X)) == {"a"}


def test_a_margin_of_zero_is_refused(make_net, shifted):
    with pytest.raises(ValueError, match="'margin' parameter of MDD must be"):
        make_net(MDD, margin=0.0).fit(shifted.X, source=shifted.source)
