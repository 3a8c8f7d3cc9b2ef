"""Tests of `skda.unsupervised.DeepCORAL`."""

import math

import torch

from skda.unsupervised import DeepCORAL

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(DeepCORAL, lambda0=2.0)
    C_s, C_t = (torch.cov(module(d.X).T) for d in (batch.source, batch.target))
    expected = (C_s - C_t).square().sum() / (4 * 3**2)

    torch.testing.assert_close(terms["covariance"], 2 * RAMP * expected)
    assert set(terms) == {"source_risk", "target_risk", "covariance"}


def test_a_domain_may_have_one_row(make_net, shifted):
    clf = make_net(DeepCORAL, max_epochs=2).fit(shifted.X[:1], source=shifted.source)

    assert torch.isfinite(torch.tensor(clf.predict_proba(shifted.X))).all()
