"""Tests of `skda.partial.DRCN`."""

import math

import pytest
import torch
from numpy.testing import assert_array_equal

from skda.losses import classwise_kernel_mmd, joint_kernel_mmd, kernel_mmd
from skda.partial import DRCN

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1
W = torch.tensor([1.0, 0.5, 0.25, 0.25], dtype=torch.float64)


def _draw_residual(module):
    for parameter in module.residual.parameters():
        torch.nn.init.normal_(parameter, std=0.5)


def test_the_terms_by_hand(make_net, make_terms, batch):
    clf = make_net(DRCN, lambda0=2.0, joint_weight=3.0, threshold=0.3)
    module, objective, _ = make_terms(clf)
    _draw_residual(module)
    terms = objective(module, batch, 0.7)
    first, _, last = module.residual
    f_s, g_t = (module.extractor(d.X) for d in (batch.source, batch.target))
    f_t = g_t + last(first(g_t).relu())
    p_s, p_t = (module.head(f).softmax(dim=1) for f in (f_s, f_t))
    y = batch.source.labels.argmax(dim=1)
    likely = p_t.detach() * (p_t > 0.3)
    by_class = classwise_kernel_mmd(f_s, f_t, batch.source.labels, likely)

    torch.testing.assert_close(
        terms["source_risk"], -p_s[torch.arange(9), y].log().mean()
    )
    torch.testing.assert_close(terms["target_risk"], -p_t[1, 2].log())
    torch.testing.assert_close(
        terms["joint"], 2 * 3 * RAMP * joint_kernel_mmd([f_s, p_s], [f_t, p_t])
    )
    torch.testing.assert_close(
        terms["classwise"], 2 * RAMP * sum(W[k] * by_class[k] for k in range(4))
    )
    assert (by_class != 0).any()
    assert len(terms) == 4


def test_the_losses_are_the_means_of_those_of_the_public_code():
    """CON and DRCN of wenqiwenqi1/DRCN@da701fb, src/loss.py, over all orders of rows.

    They take pairs of successive rows, and five kernels' sum; CON has half the scale.
    """
    a = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [2.0, 2.0]]).double()
    b = torch.tensor([[4.0, 0.0], [1.0, 5.0], [2.0, 3.0], [5.0, 5.0]]).double()
    ones = torch.ones(4, 1).double()

    assert 5 * kernel_mmd(a, b).item() == pytest.approx(0.57701002166540)
    assert 5 / 2 * classwise_kernel_mmd(a, b, ones, ones).item() == pytest.approx(
        0.28850501083270
    )
    assert DRCN.published().lambda0 == 5 / 2 * 0.05
    assert DRCN.published().lambda0 * DRCN.published().joint_weight == 5 * 0.1


def test_the_target_alone_is_corrected(make_net, make_terms, batch):
    module, *_ = make_terms(make_net(DRCN))
    _draw_residual(module)
    f_s, f_t = module.encode_both(batch.source.X, batch.target.X)

    torch.testing.assert_close(f_s, module.extractor(batch.source.X))
    torch.testing.assert_close(f_s, module.encode(batch.source.X, "source"))
    torch.testing.assert_close(f_t, module.encode(batch.target.X, "target"))
    assert (f_t - module.extractor(batch.target.X)).abs().max() > 0.1


def test_the_network_of_the_source_is_where_it_starts(make_net, make_terms, batch):
    module, *_ = make_terms(make_net(DRCN))

    torch.testing.assert_close(
        module(batch.target.X), module(batch.target.X, "source"), rtol=0, atol=0
    )


def test_the_residual_learns_at_a_rate_of_its_own(make_net, partial_data):
    fits = [
        make_net(DRCN, max_epochs=2, residual_lr=lr).fit(
            partial_data.X, source=partial_data.source
        )
        for lr in (0.0, 1.0)
    ]
    still, moved = (clf.net_.module_.residual[-1].weight for clf in fits)

    assert not still.any()
    assert moved.any()
    assert_array_equal(
        fits[0].predict_proba(partial_data.X),
        fits[0].predict_proba(partial_data.X, domain="source"),
    )


def test_the_class_weights_have_no_say_in_the_source_risk(make_net, make_terms, batch):
    module, objective, terms = make_terms(make_net(DRCN, threshold=0.0))
    halved = objective.class_weights / 2
    objective.class_weights = halved
    after = objective(module, batch, 0.7)

    torch.testing.assert_close(after["source_risk"], terms["source_risk"])
    torch.testing.assert_close(after["joint"], terms["joint"])
    torch.testing.assert_close(after["classwise"], terms["classwise"] / 2)
    assert terms["classwise"] != 0


def test_improbable_rows_do_not_count(make_net, make_terms):
    assert make_terms(make_net(DRCN, threshold=0.99))[2]["classwise"] == 0
    assert make_terms(make_net(DRCN, threshold=0.0))[2]["classwise"] != 0
