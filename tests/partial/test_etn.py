"""Tests of `skda.partial.ETN`."""

import math

import torch
import torch.nn.functional as F

from skda.partial import ETN

KAPPA = 2 / (1 + math.exp(-10 * 0.7)) - 1


def _leaky_softmax(module, f):
    z = module.auxiliary(f)
    return z.exp() / (z.exp().sum(dim=1, keepdim=True) + z.shape[1])


def test_equation_1_by_hand(make_net, make_terms, batch, gradients):
    module, _, terms = make_terms(make_net(ETN, lambda0=0.5, entropy_weight=0.3))
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    w = 1 - _leaky_softmax(module, f_s).sum(dim=1).detach()
    w = w / w.mean()
    y = batch.source.labels.argmax(dim=1)
    risks = F.cross_entropy(module.classify(f_s), y, reduction="none")
    d_s, d_t = (module.discriminator(f).squeeze(1).sigmoid() for f in (f_s, f_t))
    plain = (w * -d_s.log()).mean() - (1 - d_t).log().mean()
    p = module.classify(f_t).softmax(dim=1)
    ours, theirs = (gradients(x, module) for x in (terms["domain"], plain))

    torch.testing.assert_close(terms["source_risk"], (w * risks).mean())
    torch.testing.assert_close(terms["target_risk"], -p[1, 2].log())
    torch.testing.assert_close(terms["domain"], plain)
    torch.testing.assert_close(terms["entropy"], -0.3 * (p * p.log()).sum(dim=1).mean())
    for name, gradient in ours.items():
        if name.startswith(("head", "auxiliary")):
            assert gradient is None
            continue
        factor = -0.5 * KAPPA if name.startswith("extractor") else 1.0
        torch.testing.assert_close(gradient, factor * theirs[name])


def test_equation_2_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(ETN, auxiliary_class_weight=2.0, auxiliary_domain_weight=5.0)
    module, _, terms = make_terms(clf)
    p_s, p_t = (
        _leaky_softmax(module, module.encode(part.X).detach()) for part in batch[:2]
    )
    d_s, d_t = p_s.sum(dim=1), p_t.sum(dim=1)
    classes = F.binary_cross_entropy(p_s, batch.source.labels, reduction="sum") / 9
    domains = -d_s.log().mean() - (1 - d_t).log().mean()
    by_hand = 2 * classes + 5 * domains
    both = terms["auxiliary_class"] + terms["auxiliary_domain"]
    ours, theirs = (gradients(x, module) for x in (both, by_hand))

    torch.testing.assert_close(terms["auxiliary_class"], 2 * classes)
    torch.testing.assert_close(terms["auxiliary_domain"], 5 * domains)
    for name, gradient in ours.items():
        if not name.startswith("auxiliary"):
            assert gradient is None
            continue
        torch.testing.assert_close(gradient, theirs[name])


def test_a_certain_auxiliary_classifier_has_finite_terms(make_net, make_terms, batch):
    module, objective, _ = make_terms(make_net(ETN))
    with torch.no_grad():
        module.auxiliary[-1].bias.copy_(torch.tensor([900.0, -900, -900, -900]))
    terms = objective(module, batch, 0.5)
    sum(terms.values()).backward()

    assert all(term.isfinite() for term in terms.values())
    assert all(p.grad.isfinite().all() for p in module.parameters())


def test_rows_of_absent_classes_come_to_weigh_less(make_net, make_partial):
    data = make_partial(0, shift=2.0)
    clf = make_net(ETN, lambda0=0.1, auxiliary_domain_weight=10.0)
    clf.fit(data.X, source=data.source)
    X, y = data.source
    weights = clf.net_.evaluate(
        lambda rows: (-clf.net_.module_.recognize(rows)[1]).sigmoid(), clf.transform(X)
    )

    assert weights[y < 2].mean() > 1.5 * weights[y >= 2].mean()
