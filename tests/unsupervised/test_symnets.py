"""Tests of `skda.unsupervised.SymNets`."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skda.base import Sizes
from skda.unsupervised import SymNets

RAMP = 2 / (1 + math.exp(-10 * 0.7)) - 1


@pytest.fixture
def make_terms(make_net, batch):
    """Evaluate the objective at 70 % of the training."""

    def make(**params):
        clf = make_net(SymNets, **params)
        clf.n_features_in_source_ = 4
        torch.manual_seed(0)
        module = clf.make_module(Sizes(4, 4, 3)).double()
        return module, clf.make_objective()(module, batch, 0.7)

    return make


def _plain(module, batch, **params):
    """Both equations with nothing detached, as sums of probabilities."""
    v_s, v_t = (
        module.head(module.extractor(rows.X)) for rows in (batch.source, batch.target)
    )
    y, rows = batch.source.labels.argmax(dim=1), torch.arange(7)
    p_s, p_t = v_s.softmax(dim=1), v_t.softmax(dim=1)
    by_source, by_target = (half.softmax(dim=1) for half in v_s.chunk(2, dim=1))

    E_s, E_t = (-half[rows, y].log().mean() for half in (by_source, by_target))
    E_d = -p_s[:, :3].sum(1).log().mean() - p_t[:, 3:].sum(1).log().mean()
    F_cat = -(p_s[rows, y].log() + p_s[rows, y + 3].log()).mean() / 2
    F_dom = -(p_t[:, :3].sum(1).log() + p_t[:, 3:].sum(1).log()).mean() / 2
    q = p_t[:, :3] + p_t[:, 3:]
    M = -(q * q.log()).sum(1).mean()
    domains = -(p_s[:, :3].sum(1).log() + p_s[:, 3:].sum(1).log()).mean() / 2
    symmetric = (
        -(p_t[:, 3:] * p_t[:, :3].log() + p_t[:, :3] * p_t[:, 3:].log()).sum(1).mean()
    )
    v2 = -p_s[rows, y].log().mean() - p_t[:, 3:].sum(1).log().mean()
    return {
        "E_s": E_s,
        "E_t": E_t,
        "E_d": E_d,
        "F_cat": F_cat,
        "F_dom": F_dom,
        "M": M,
        "w/o category": domains,
        "w/o confusion": (E_s + E_t) / 2,
        "V2 source": v2,
        "V2 target": symmetric / 2,
    }


VARIANTS = {
    "symnets": (
        {},
        {
            "source_risk": "E_s",
            "cross_risk": "E_t",
            "domain": "E_d",
            "category_confusion": "F_cat",
            "target_confusion": "F_dom",
            "entropy": "M",
        },
    ),
    "w/o E_t": (
        {"cross_domain": False},
        {
            "source_risk": "E_s",
            "domain": "E_d",
            "category_confusion": "F_cat",
            "target_confusion": "F_dom",
            "entropy": "M",
        },
    ),
    "w/o M": (
        {"entropy_weight": 0.0},
        {
            "source_risk": "E_s",
            "cross_risk": "E_t",
            "domain": "E_d",
            "category_confusion": "F_cat",
            "target_confusion": "F_dom",
        },
    ),
    "w/o confusion": (
        {"confusion": "no"},
        {
            "source_risk": "E_s",
            "cross_risk": "E_t",
            "domain": "E_d",
            "no_confusion": "w/o confusion",
            "entropy": "M",
        },
    ),
    "w/o category confusion": (
        {"confusion": "domain"},
        {
            "source_risk": "E_s",
            "cross_risk": "E_t",
            "domain": "E_d",
            "domain_confusion": "w/o category",
            "target_confusion": "F_dom",
            "entropy": "M",
        },
    ),
    "V2": (
        {"symmetric_entropy": True},
        {
            "source_risk": "E_s",
            "cross_risk": "E_t",
            "domain": "V2 source",
            "category_confusion": "F_cat",
            "entropy": "V2 target",
        },
    ),
}
ON_TARGET = {"F_dom", "M", "V2 target"}
OF_CLASSIFIERS = {"E_s", "E_t", "E_d", "V2 source"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_row_of_the_ablation_by_hand(make_terms, batch, variant):
    params, names = VARIANTS[variant]
    module, terms = make_terms(lambda0=0.5, **params)
    plain = _plain(module, batch)
    del terms["target_risk"]

    assert set(terms) == set(names)
    for name, term in terms.items():
        weight = 0.5 * RAMP if names[name] in ON_TARGET else 1.0
        torch.testing.assert_close(term, weight * plain[names[name]])


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_backward_pass_is_the_two_of_the_paper(make_terms, batch, variant):
    params, names = VARIANTS[variant]
    module, terms = make_terms(**params)
    plain = _plain(module, batch)
    del terms["target_risk"]
    of_classifiers = sum(plain[v] for v in names.values() if v in OF_CLASSIFIERS)
    of_features = sum(
        plain[v] * (RAMP if v in ON_TARGET else 1.0)
        for v in names.values()
        if v not in OF_CLASSIFIERS
    )
    parts = list(module.head.parameters()), list(module.extractor.parameters())
    two = [
        torch.autograd.grad(loss, part, retain_graph=True)
        for loss, part in zip((of_classifiers, of_features), parts, strict=True)
    ]
    one = [
        torch.autograd.grad(sum(terms.values()), part, retain_graph=True)
        for part in parts
    ]

    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


def test_extreme_logits_stay_finite(make_terms, batch):
    far = batch._replace(
        source=batch.source._replace(X=1e4 * batch.source.X),
        target=batch.target._replace(X=1e4 * batch.target.X),
    )
    for params, _ in VARIANTS.values():
        module, _ = make_terms(**params)
        clf = SymNets(**params)
        terms = clf.make_objective()(module, far, 1.0)
        sum(terms.values()).backward()

        assert all(torch.isfinite(term) for term in terms.values())
        assert all(torch.isfinite(p.grad).all() for p in module.parameters())


@pytest.mark.parametrize("cross_domain", [True, False])
def test_each_domain_is_classified_by_its_half(make_net, shifted, cross_domain):
    clf = make_net(SymNets, cross_domain=cross_domain, max_epochs=3)
    clf.fit(shifted.X, source=shifted.source)
    module = clf.net_.module_
    X = torch.from_numpy(shifted.X.astype(np.float32))
    with torch.no_grad():
        by_source, by_target = module.classify(module.encode(X)).chunk(2, dim=1)

    assert_array_equal(
        clf.predict(shifted.X, domain="source"), by_source.argmax(1).numpy()
    )
    half = by_target if cross_domain else by_source
    assert_array_equal(clf.predict(shifted.X), half.argmax(1).numpy())
    assert clf.predict_proba(shifted.X).shape == (150, 3)


def test_features_learn_at_a_rate_of_their_own(make_net, shifted):
    clf = make_net(SymNets, lr=0.2, extractor_lr=0.25, max_epochs=1, batch_size=-1)
    clf.fit(shifted.X, source=shifted.source)
    features, classifiers = clf.net_.optimizer_.param_groups

    assert (features["lr"], classifiers["lr"]) == (0.05, 0.2)
    assert len(classifiers["params"]) == 2


def test_rates_and_weights_move_at_every_step(make_net, shifted):
    rates = []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[-1]["lr"])
            super().step(closure)

    make_net(SymNets, optimizer=Spy, max_epochs=2, batch_size=50).fit(
        shifted.X, source=shifted.source
    )

    expected = [0.03 * (1 + 10 * step / 6) ** -0.75 for step in range(6)]
    assert rates == pytest.approx(expected)
