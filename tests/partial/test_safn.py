"""Tests of `skda.partial.SAFN`."""

import pytest
import torch

from skda.base import Pass
from skda.partial import SAFN


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(SAFN, lambda0=0.2, delta=3.0, entropy_weight=0.3)
    module, _, terms = make_terms(clf)
    norms = [module.encode(part.X).norm(dim=1) for part in batch[:2]]
    steps = [((n - (n.detach() + 3.0)) ** 2).mean() for n in norms]
    p = module(batch.target.X).softmax(dim=1)
    # What it comes to: the same push on every norm.
    push = -2 * 0.2 * 3.0 * sum(n.mean() for n in norms)
    ours, theirs = (gradients(x, module) for x in (terms["norm"], push))

    torch.testing.assert_close(terms["norm"], 0.2 * sum(steps))
    torch.testing.assert_close(terms["entropy"], -0.3 * (p * p.log()).sum(dim=1).mean())
    for name in ("extractor.0.weight", "extractor.0.bias"):
        torch.testing.assert_close(ours[name], theirs[name])


def test_norms_grow_in_both_domains(make_net, partial_data):
    X_source, _ = partial_data.source
    norms = []
    for weight in (0.0, 0.05):
        clf = make_net(SAFN, lambda0=weight)
        clf.fit(partial_data.X, source=partial_data.source)
        both = clf.transform(partial_data.X), clf.transform(X_source, domain="source")
        norms.append([(f**2).sum(axis=1).mean() ** 0.5 for f in both])

    assert norms[1][0] > 1.3 * norms[0][0]
    assert norms[1][1] > 1.3 * norms[0][1]


def test_dropout_keeps_the_mean_square_in_training_alone(make_net, batch):
    torch.manual_seed(0)
    module = make_net(SAFN, dropout=0.75).make_classifier(
        extractor=torch.nn.Identity(), n_components=4000, n_classes=3
    )
    X = torch.randn(5, 4000)
    dropped = module.encode(X)

    torch.testing.assert_close(module.eval().encode(X), X)
    assert (dropped == 0).double().mean() == pytest.approx(0.75, abs=0.02)
    assert dropped.square().mean() == pytest.approx(1, abs=0.1)


def test_features_of_zeros_have_no_bad_gradient(make_net):
    f = torch.zeros(2, 3, requires_grad=True)
    both = [Pass(f, f, torch.zeros(2, 3))] * 2
    terms = make_net(SAFN).make_objective().adapt(None, *both, 0.5)
    sum(terms.values()).backward()

    assert f.grad.isfinite().all()
