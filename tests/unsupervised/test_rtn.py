"""Tests of `skda.unsupervised.RTN`."""

import math

import numpy as np
import torch

from skda.losses import kernel_mmd
from skda.unsupervised import RTN

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(RTN, lambda0=2.0, entropy_weight=0.5)
    fused, logits = [], []
    for X in (batch.source.X, batch.target.X):
        f = module.encode(X)
        v = module.head(f)
        pairs = zip(f, v, strict=True)
        fused.append(torch.stack([torch.outer(*pair).ravel() for pair in pairs]))
        logits.append(v)
    v_s, v_t = logits
    first, _, last = module.residual
    log_p_s = (v_s + last(first(v_s).relu())).log_softmax(dim=1)
    p_t = v_t.softmax(dim=1)
    y = batch.source.labels.argmax(dim=1)

    torch.testing.assert_close(
        terms["source_risk"], -sum(log_p_s[i, k] for i, k in enumerate(y)) / 7
    )
    torch.testing.assert_close(terms["target_risk"], -p_t[1, 2].log())
    torch.testing.assert_close(
        terms["entropy"], -0.5 * RAMP * (p_t * p_t.log()).sum(dim=1).mean()
    )
    torch.testing.assert_close(terms["discrepancy"], 2 * RAMP * kernel_mmd(*fused))
    assert len(terms) == 4


def test_the_residual_learns_from_the_source_alone(make_terms):
    module, terms = make_terms(RTN)
    weights = list(module.residual.parameters())
    reached = {
        name: any(
            gradient is not None
            for gradient in torch.autograd.grad(
                term, weights, retain_graph=True, allow_unused=True
            )
        )
        for name, term in terms.items()
    }

    assert [name for name, is_reached in reached.items() if is_reached] == [
        "source_risk"
    ]


def test_source_rows_have_a_classifier_of_their_own(make_net, shifted):
    clf = make_net(RTN, max_epochs=5).fit(shifted.X, source=shifted.source)
    of_target, of_source = (
        clf.predict_proba(shifted.X, domain=domain) for domain in ("target", "source")
    )

    assert np.abs(of_target - of_source).max() > 0.01
