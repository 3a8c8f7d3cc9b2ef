"""Tests of the methods with a discriminator: DANN, CDAN and domain confusion."""

import math

import pytest
import torch

from skda.base import Sizes
from skda.unsupervised import CDAN, DANN, DomainConfusion, SourceOnly

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


def _domain_loss(d_s, d_t, w_s=1.0, w_t=1.0):
    in_source = (w_s * -d_s.sigmoid().log()).mean()
    return (in_source + (w_t * -(1 - d_t.sigmoid()).log()).mean()) / 2


def _gradients(loss, module):
    named = dict(module.named_parameters())
    gradients = torch.autograd.grad(
        loss, list(named.values()), retain_graph=True, allow_unused=True
    )
    return dict(zip(named, gradients, strict=True))


def test_dann_by_hand(make_terms, batch):
    module, terms = make_terms(DANN, lambda0=0.5)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    plain = _domain_loss(*(module.discriminator(f).squeeze(1) for f in (f_s, f_t)))
    ours, theirs = (_gradients(loss, module) for loss in (terms["domain"], plain))

    torch.testing.assert_close(terms["domain"], plain)
    for name, gradient in ours.items():
        if name.startswith("head"):
            assert gradient is None
            continue
        factor = -0.5 * RAMP if name.startswith("extractor") else 1.0
        torch.testing.assert_close(gradient, factor * theirs[name])


@pytest.mark.parametrize("widths", [(64,), (8, 4), ()])  # 32 features
@pytest.mark.parametrize("entropy_weighting", [False, True])
def test_cdan_by_hand(make_terms, batch, entropy_weighting, widths):
    module, terms = make_terms(
        CDAN, entropy_weighting=entropy_weighting, discriminator_layer_sizes=widths
    )
    d, w = [], []
    for rows in (batch.source, batch.target):
        f = module.encode(rows.X)
        g = module.classify(f).softmax(dim=1).detach()
        pairs = zip(g, f, strict=True)
        products = torch.stack([torch.outer(*pair).ravel() for pair in pairs])
        d.append(module.discriminator(products).squeeze(1))
        weights = 1 + ((g * g.log()).sum(dim=1)).exp()
        w.append(weights / weights.mean() if entropy_weighting else 1.0)
    plain = _domain_loss(*d, *w)
    ours, theirs = (_gradients(loss, module) for loss in (terms["domain"], plain))

    torch.testing.assert_close(terms["domain"], plain)
    for name, gradient in ours.items():
        if name.startswith("head"):
            assert gradient is None
            continue
        factor = -RAMP if name.startswith("extractor") else 1.0
        torch.testing.assert_close(gradient, factor * theirs[name])


@pytest.mark.parametrize("cls", [DANN, CDAN])
def test_the_reversal_rises_as_steeply_as_asked(cls, make_terms):
    by_gamma = {}
    for gamma in (10.0, 2.0):
        module, terms = make_terms(cls, gamma=gamma)
        gradients = _gradients(terms["domain"], module)
        by_gamma[gamma] = gradients["extractor.0.weight"]

    ramp = 2 / (1 + math.exp(-2 * 0.7)) - 1
    torch.testing.assert_close(by_gamma[2.0], ramp / RAMP * by_gamma[10.0])


def test_random_products_have_the_kernel_of_all_products(make_net):
    clf = make_net(CDAN, n_random=200_000, discriminator_layer_sizes=())
    torch.manual_seed(0)
    module = clf.make_module(Sizes(4, 4, 3))
    exact = make_net(CDAN).make_module(Sizes(4, 4, 3))
    f, v = torch.rand(5, 32), torch.randn(5, 3)
    h, full = module.condition(f, v), exact.condition(f, v)

    assert h.shape == (5, 200_000)
    assert full.shape == (5, 96)
    torch.testing.assert_close(h @ h.T, full @ full.T, rtol=0.1, atol=0.1)


def test_a_random_map_is_not_trained(make_net, shifted):
    clf = make_net(CDAN, n_random=16, max_epochs=2)
    clf.fit(shifted.X, source=shifted.source)
    names = [name for name, _ in clf.net_.module_.named_parameters()]

    assert clf.net_.module_.discriminator[0].in_features == 16
    assert not [name for name in names if "map" in name]


def test_domain_confusion_by_hand(make_terms, batch):
    module, terms = make_terms(DomainConfusion, lambda0=0.5, entropy_weight=2.0)
    f = module.encode(torch.cat([batch.source.X, batch.target.X]))
    d = module.discriminator(f).squeeze(1)
    q = d.sigmoid()
    log_q = torch.stack([q.log(), (1 - q).log()], dim=1)  # (12, 2)
    in_source = -log_q[:7, 0].mean() - log_q[7:, 1].mean()
    confusion = -log_q[:7].mean(dim=1).mean() - log_q[7:].mean(dim=1).mean()
    p = module(batch.target.X).softmax(dim=1)

    torch.testing.assert_close(terms["domain"], in_source)
    torch.testing.assert_close(terms["confusion"], 0.5 * RAMP * confusion)
    torch.testing.assert_close(
        terms["entropy"], -2.0 * RAMP * (p * p.log()).sum(dim=1).mean()
    )


def test_every_term_of_domain_confusion_trains_one_side(make_terms):
    module, terms = make_terms(DomainConfusion, entropy_weight=1.0)
    by_discriminator = _gradients(terms["domain"], module)
    by_features = _gradients(terms["confusion"], module)
    by_entropy = _gradients(terms["entropy"], module)

    for name in by_features:
        side = name.partition(".")[0]
        assert (by_discriminator[name] is None) == (side != "discriminator")
        assert (by_features[name] is None) == (side != "extractor")
        assert (by_entropy[name] is None) == (side != "extractor")


@pytest.mark.parametrize("cls", [SourceOnly, DomainConfusion])
def test_the_entropy_moves_features_as_in_symnets(cls, make_terms, batch):
    """Its gradient by hand, dH/dv_k = -p_k (log p_k + H), through a constant head."""
    module, terms = make_terms(cls, entropy_weight=2.0)
    f = module.encode(batch.target.X)
    p = module.classify(f).softmax(dim=1).detach()  # (5, 3)
    H = -(p * p.log()).sum(dim=1, keepdim=True)
    by_feature = -p * (p.log() + H) @ module.head.weight.detach() / len(p)
    weights = list(module.extractor.parameters())
    expected = torch.autograd.grad(2.0 * RAMP * (f * by_feature).sum(), weights)
    gradients = _gradients(terms["entropy"], module)

    assert {name for name, g in gradients.items() if g is not None} == {
        f"extractor.{name}" for name, _ in module.extractor.named_parameters()
    }
    for (name, _), by_hand in zip(
        module.extractor.named_parameters(), expected, strict=True
    ):
        torch.testing.assert_close(gradients[f"extractor.{name}"], by_hand)
        assert by_hand.abs().max() > 0


def test_a_working_discriminator_tells_the_domains(make_net, shifted):
    """Without anything against it, that is; so it is not inert."""
    clf = make_net(DANN, lambda0=0.0, max_epochs=200)
    clf.fit(shifted.X, source=shifted.source)

    assert clf.history_["domain"][0] > 0.6
    assert clf.history_["domain"][-1] < 0.25
