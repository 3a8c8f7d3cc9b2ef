"""Tests of `skda.unsupervised.DAN`."""

import math

import torch

from skda.unsupervised import DAN

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(DAN, lambda0=2.0)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    f = torch.cat([f_s, f_t])
    squares = torch.cdist(f, f).square()
    squares = squares / (squares.sum() / (12 * 11))
    scales = [0.25, 0.5, 1.0, 2.0, 4.0]
    k = sum((-squares / scale).exp() for scale in scales) / 5
    within = (k[:7, :7].sum() - 7) / 42 + (k[7:, 7:].sum() - 5) / 20
    expected = within - 2 * k[:7, 7:].mean()

    torch.testing.assert_close(terms["discrepancy"], 2 * RAMP * expected)
    assert set(terms) == {"source_risk", "target_risk", "discrepancy"}


def test_published_are_the_settings_of_the_public_code():
    clf = DAN.published()

    assert (clf.lambda0, clf.lr, clf.batch_size, clf.max_steps) == (5, 0.003, 32, 10000)


def test_a_batch_may_have_one_row_of_a_domain(make_net, shifted):
    clf = make_net(DAN, max_epochs=2).fit(shifted.X[:1], source=shifted.source)

    assert clf.history_["discrepancy"].tolist() == [0, 0]
