"""Tests of `skda.partial.IWAN`."""

import math

import torch

from skda.partial import IWAN

KAPPA = 2 / (1 + math.exp(-10 * 0.7)) - 1


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(IWAN, lambda0=0.5, domain_weight=2.0, entropy_weight=0.3)
    module, _, terms = make_terms(clf)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    o_s, o_t = (module.weigher(f).squeeze(1).sigmoid() for f in (f_s, f_t))
    d_s, d_t = (module.discriminator(f).squeeze(1).sigmoid() for f in (f_s, f_t))
    w = (1 - o_s).detach()
    w = w / (w.mean() + 1e-5)
    weigher = (-o_s.log().mean() - (1 - o_t).log().mean()) / 2
    plain = ((w * -d_s.log()).mean() - (1 - d_t).log().mean()) / 2
    p = module.classify(f_t).softmax(dim=1)
    entropy = -(p * p.log()).sum(dim=1).mean()
    ours, theirs = (gradients(x, module) for x in (terms["domain"], 2 * plain))

    torch.testing.assert_close(terms["weigher"], 3 * weigher)
    torch.testing.assert_close(terms["domain"], 2 * plain)
    torch.testing.assert_close(terms["entropy"], 0.3 * entropy)
    for name, gradient in ours.items():
        if name.startswith(("head", "weigher")):
            assert gradient is None
            continue
        factor = -0.5 * KAPPA if name.startswith("extractor") else 1.0
        torch.testing.assert_close(gradient, factor * theirs[name])


def test_the_weigher_is_trained_by_its_own_loss_alone(make_net, make_terms, gradients):
    module, _, terms = make_terms(make_net(IWAN))
    found = gradients(terms["weigher"], module)

    assert {name.partition(".")[0] for name, g in found.items() if g is not None} == {
        "weigher"
    }


def test_rows_of_absent_classes_come_to_weigh_less(make_net, make_partial):
    data = make_partial(0, shift=2.0)
    clf = make_net(IWAN, lambda0=0.1).fit(data.X, source=data.source)
    X, y = data.source
    weights = clf.net_.evaluate(
        lambda rows: (-clf.net_.module_.weigh(rows)).sigmoid(), clf.transform(X)
    )

    assert weights[y < 2].mean() > 1.5 * weights[y >= 2].mean()
