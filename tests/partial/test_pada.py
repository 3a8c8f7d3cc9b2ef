"""Tests of `skda.partial.PADA`."""

import math

import pytest
import torch

from skda.partial import PADA

KAPPA = 2 / (1 + math.exp(-10 * 0.7)) - 1
GAMMA = torch.tensor([1.0, 0.5, 0.25, 0.25], dtype=torch.float64)


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    module, _, terms = make_terms(make_net(PADA, lambda0=0.5))
    y = batch.source.labels.argmax(dim=1)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    missed = -module.classify(f_s).log_softmax(dim=1)[torch.arange(9), y]
    d_s, d_t = (module.discriminator(f).squeeze(1).sigmoid() for f in (f_s, f_t))
    w = GAMMA[y]
    plain = (w * -d_s.log()).mean() + (w.mean() * -(1 - d_t).log()).mean()
    ours, theirs = (gradients(x, module) for x in (terms["domain"], plain / 2))

    torch.testing.assert_close(terms["source_risk"], (w * missed).sum() / w.sum())
    torch.testing.assert_close(terms["domain"], plain / 2)
    for name, gradient in ours.items():
        if name.startswith("head"):
            assert gradient is None
            continue
        factor = -0.5 * KAPPA if name.startswith("extractor") else 1.0
        torch.testing.assert_close(gradient, factor * theirs[name])


def test_weights_are_refreshed_by_epochs_of_one_step_too(make_net, partial_data):
    clf = make_net(PADA, max_epochs=4, n_refreshes=4, batch_size=-1)
    clf.fit(partial_data.X, source=partial_data.source)

    assert len(clf.class_weights_history_) == 3 + 1  # and once more at the end


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_shares_are_those_at_a_temperature(make_net, temperature):
    objective = make_net(PADA, temperature=temperature).make_objective()
    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    p = (logits / temperature).softmax(dim=1)
    shares = objective.shares(logits)

    torch.testing.assert_close(shares, (p[0] + p[1]) / 2)
    assert objective.weigh(shares).max() == 1


def test_all_classes_weigh_the_same_at_first(make_net, batch):
    objective = make_net(PADA).make_objective()
    objective.start_fit(None, batch)

    assert objective.class_weights.tolist() == [1.0] * 4
