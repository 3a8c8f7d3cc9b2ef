"""Tests of `skda.unsupervised.JAN`."""

import math

import torch

from skda.losses import joint_kernel_mmd, kernel_mmd
from skda.unsupervised import JAN

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
