"""Tests of `skda.heterogeneous.DATN`."""

import pickle
import warnings
from inspect import signature

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from torch._subclasses import FakeTensorMode

from skda.heterogeneous import DATN
from skda.heterogeneous._datn_objectives import (
    PretrainingObjective,
    TransferObjective,
    solve_map,
)
from skda.modules import MappedAutoEncoders
from skda.training import Pairs
from skda.utils.warnings import NoSourceWarning

TERMS = ("reconstruction", "risk", "decay")


@pytest.fixture(scope="module")
def data():
    """Three labeled target rows of a noisy view, a clean source view and pairs."""
    rng = np.random.default_rng(0)
    y = np.arange(530) % 3
    latent = 2 * rng.normal(size=(3, 6))[y] + 1.5 * rng.normal(size=(530, 6))
    X_source = latent @ rng.normal(size=(6, 10))
    X = latent @ rng.normal(size=(6, 8)) + 3 * rng.normal(size=(530, 8))
    few = np.where(np.arange(120) < 3, y[:120], -1)
    pairs = X_source[120:200], X[120:200]
    source = X_source[200:260], y[200:260]
    return {"X": X[:120], "y": few, "source": source, "pairs": pairs}, X[260:], y[260:]


@pytest.fixture
def make_clf():
    def make(**params):
        defaults = {
            "hidden_layer_sizes": (16, 8), "max_epochs": 40, "optimizer": "adam",
            "lr": 0.005, "random_state": 0, "device": "cpu", "batch_size": -1,
        }  # fmt: skip
        return DATN(**(defaults | params))

    return make


@pytest.fixture
def make_step(sizes, make_batch):
    """Build a network, the objective of the transfer and a batch with pairs."""

    def make(dtype=torch.double, widths=(3, 3), *, mapped=True, **switches):
        torch.manual_seed(0)
        layers = {"source": [6, widths[0]], "target": [7, widths[1]]}
        module = MappedAutoEncoders(sizes.widths, layers, 3, mapped=mapped)
        batch = make_batch(dtype=dtype)
        pairs = Pairs(torch.randn(5, 4, dtype=dtype), torch.randn(5, 5, dtype=dtype))
        batch = batch._replace(pairs=pairs)
        if dtype:
            module.to(dtype)
        defaults = {
            "alpha": 2.0, "beta": 0.5, "lambda0": 0.1, "lambda_reg": 0.01,
            "source_weight": 3.0, "pair_reduction": "mean", "mmd_on": "raw",
            "g_update": "epoch", "freeze_source": False,
        }  # fmt: skip
        objective = TransferObjective(**(defaults | switches))
        objective.start_fit(module, batch)
        objective.start_epoch(module, batch, 0.0)
        return module, objective, batch

    return make


def _layers(part):
    return [m for m in part.modules() if isinstance(m, torch.nn.Linear)]


def _norm(*parts):
    layers = [layer for part in parts for layer in _layers(part)]
    return sum(m.weight.square().sum() + m.bias.square().sum() for m in layers)


# The objectives by hand


def test_terms_of_the_pretraining_by_hand(make_step):
    module, _, batch = make_step()
    for net in module.domains.values():
        for layer in _layers(net.encoder):
            torch.nn.init.normal_(layer.bias)
    objective = PretrainingObjective(0.5, 0.01)

    terms = objective(module, batch, 0.0)

    assert list(terms) == [f"{d}_{t}" for d in ("source", "target") for t in TERMS]
    for name, n_labeled in (("source", 6), ("target", 4)):
        net, domain = module.domains[name], getattr(batch, name)
        rows, z = domain.X, net.encoder(domain.X)
        errors = [(net.decoder(z)[i] - x).norm() ** 2 for i, x in enumerate(rows)]
        risk = F.cross_entropy(
            (z @ net.head.weight.T)[:n_labeled], domain.labels.argmax(1)[:n_labeled]
        )
        expected = (
            0.5 * sum(errors) / len(rows),
            risk,
            0.01 * _norm(net.encoder, net.decoder),
        )
        for term, value in zip(TERMS, expected, strict=True):
            assert terms[f"{name}_{term}"].item() == pytest.approx(value.item())


@pytest.mark.parametrize("pair_reduction", ["sum", "mean"])
@pytest.mark.parametrize(
    ("mmd_on", "widths"), [("raw", (3, 3)), ("mapped", (3, 3)), ("mapped", (2, 4))]
)
def test_terms_of_the_transfer_by_hand(make_step, pair_reduction, mmd_on, widths):
    module, objective, batch = make_step(
        widths=widths, mmd_on=mmd_on, pair_reduction=pair_reduction
    )
    source, target, pairs = batch
    net_s, net_t = module.domains["source"], module.domains["target"]
    z_s, z_t, G = net_s.encoder(source.X), net_t.encoder(target.X), module.G
    theta = net_s.head.weight.T
    gap = net_s.encoder(pairs.source) - net_t.encoder(pairs.target) @ G
    pair = (gap**2).sum() + 0.1 * (G**2).sum()
    other = z_t @ G if mmd_on == "mapped" else z_t
    expected = {
        "pair": pair / 5 if pair_reduction == "mean" else pair,
        "transfer_risk": 2
        * F.cross_entropy((z_t @ G @ theta)[:4], target.labels.argmax(1)[:4]),
        "source_risk": 3 * F.cross_entropy(z_s @ theta, source.labels.argmax(1)),
        "domain": 0.5 * ((z_s.mean(0) - other.mean(0)) ** 2).sum(),
        "decay": 0.01 * _norm(net_s.encoder, net_t.encoder),
    }

    terms = objective(module, batch, 0.0)

    assert G.shape == (widths[1], widths[0])
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value.item()), name


def test_the_terms_without_a_map(make_step):
    module, objective, batch = make_step(mapped=False)
    net = module.domains["target"]
    logits = net(batch.target.X)[:4]

    terms = objective(module, batch, 0.0)

    assert set(terms) == {"target_risk", "source_risk", "domain", "decay"}
    assert terms["target_risk"].item() == pytest.approx(
        2 * F.cross_entropy(logits, batch.target.labels.argmax(1)[:4]).item()
    )


# The map


@pytest.mark.parametrize("widths", [(3, 3), (2, 4), (4, 2)])
@pytest.mark.parametrize("n_pairs", [5, 1])
def test_the_map_is_that_of_ridge_on_the_pairs(make_step, widths, n_pairs):
    module, _, batch = make_step(widths=widths, mmd_on="mapped")
    pairs = Pairs(*(side[:n_pairs] for side in batch.pairs))
    solve_map(module, pairs, 0.1)
    with torch.no_grad():
        z_s, z_t = (module.domains[k].encode(v) for k, v in pairs._asdict().items())
    ridge = Ridge(alpha=0.1, fit_intercept=False).fit(z_t.numpy(), z_s.numpy())

    assert_allclose(module.G.numpy(), ridge.coef_.T, atol=1e-9)


def test_no_gradient_reaches_the_map(make_step):
    module, objective, batch = make_step()
    sum(objective(module, batch, 0.0).values()).backward()
    trained = {name for name, p in module.named_parameters() if p.grad is not None}

    assert not module.G.requires_grad
    assert module.G.grad is None
    assert {name.split(".")[1] for name in trained} == {"source", "target"}
    assert {name.split(".")[2] for name in trained if "source" in name} == {
        "encoder",
        "head",
    }
    assert {name.split(".")[2] for name in trained if "target" in name} == {"encoder"}


@pytest.mark.parametrize("g_update", ["epoch", "step"])
def test_when_the_map_is_solved_for(make_step, g_update):
    module, objective, batch = make_step(g_update=g_update)
    before = module.G.clone()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)
    objective.end_step(module, batch)
    after_the_step = module.G.clone()
    objective.start_epoch(module, batch, 0.0)

    assert torch.equal(after_the_step, before) == (g_update == "epoch")
    assert not torch.equal(module.G, before)


@pytest.mark.parametrize("switches", [{}, {"batch_size": 32}, {"transfer_epochs": 0}])
def test_the_map_is_solved_for_once_more_in_the_end(data, make_clf, switches):
    metadata, _, _ = data
    clf = make_clf(max_epochs=5, **switches).fit(**metadata)
    X_s, X_t = metadata["pairs"]
    module = clf.net_.module_
    rows = clf._check_samples(X_t, "target")  # scaled
    with torch.no_grad():
        z_t = module.domains["target"].encode(torch.from_numpy(rows)).numpy()
    z_s = clf.transform(X_s, domain="source")
    ridge = Ridge(alpha=0.1, fit_intercept=False)
    ridge.fit(z_t.astype(float), z_s.astype(float))

    assert_allclose(clf.G_, ridge.coef_.T, atol=1e-6)
    assert_allclose(clf.transform(X_t), z_t @ clf.G_, atol=1e-5)


# The estimator


def test_a_target_is_classified_as_a_source(data, make_clf):
    metadata, X_test, _ = data
    clf = make_clf().fit(**metadata)
    logits = torch.from_numpy(clf.transform(X_test) @ clf.theta_source_)
    logits_s = clf.transform(metadata["source"][0], domain="source") @ clf.theta_source_

    assert_allclose(clf.predict_proba(X_test), logits.softmax(1), atol=1e-5)
    assert_array_equal(
        clf.predict(metadata["source"][0], domain="source"),
        clf.classes_[logits_s.argmax(1)],
    )
    assert clf.theta_target_.shape == (8, 3)
    assert clf.transform(X_test).shape == (270, 8)


def test_learns_the_target_from_the_source(data, make_clf):
    metadata, X_test, y_test = data
    clf = make_clf().fit(**metadata)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        alone = make_clf().fit(metadata["X"], metadata["y"])

    assert clf.score(X_test, y_test) > alone.score(X_test, y_test) + 0.2
    assert clf.score(*metadata["source"], domain="source") > 0.8


def test_without_a_source_it_is_the_autoencoder_of_the_target(data, make_clf):
    metadata, X_test, _ = data
    with pytest.warns(NoSourceWarning):
        clf = make_clf().fit(metadata["X"], metadata["y"])
    with pytest.warns(NoSourceWarning):
        less = make_clf(recon_weight=0.0).fit(metadata["X"], metadata["y"])

    assert clf.G_ is None
    assert clf.theta_source_ is None
    assert set(clf.history_) - {"epoch", "phase", "train_loss"} == {
        f"target_{term}" for term in TERMS
    }
    difference = clf.predict_proba(X_test) - less.predict_proba(X_test)
    assert abs(difference).max() > 1e-3


def test_the_history_names_both_phases(data, make_clf):
    metadata, _, _ = data
    clf = make_clf(max_epochs=4, pretraining_epochs=3).fit(**metadata)
    history = clf.history_
    transfer = history["phase"] == "transfer"

    assert history["phase"].tolist() == ["pretraining"] * 3 + ["transfer"] * 4
    assert clf.n_iter_ == 7
    for name in ("pair", "domain", "transfer_risk", "decay"):
        assert_array_equal(np.isfinite(history[name]), transfer)
    assert_array_equal(np.isfinite(history["source_reconstruction"]), ~transfer)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ({}, (5, 5)),
        ({"pretraining_epochs": 2}, (2, 5)),
        ({"transfer_epochs": 2}, (5, 2)),
        ({"pretraining_epochs": 0}, (0, 5)),
        ({"transfer_epochs": 0}, (5, 0)),
        ({"pretraining_epochs": 2, "max_steps": 4}, (4, 4)),
        ({"pretraining_epochs": 0, "max_steps": 4}, (0, 4)),
    ],
)
def test_how_long_the_phases_are(data, make_clf, lengths, expected):
    metadata, _, _ = data
    phases = make_clf(max_epochs=5, **lengths).fit(**metadata).history_["phase"]

    assert tuple((phases == name).sum() for name in ("pretraining", "transfer")) == (
        expected
    )


SWITCHES = [
    {"alpha": 0.0},
    {"beta": 0.0},
    {"supervised_only": True},
    {"unsupervised_only": True},
    {"lambda0": 10.0},
    {"lambda_reg": 0.1},
    {"source_weight": 0.0},
    {"recon_weight": 0.5},
    {"pair_reduction": "sum"},
    {"mmd_on": "mapped"},
    {"freeze_source": True},
    {"linear_top": True},
    {"pretraining_epochs": 0},
    {"transfer_epochs": 0},
    {"scaling": None},
    {"source_hidden_layer_sizes": (12, 8)},
    {"g_update": "step", "batch_size": 32},
]


def test_every_switch_changes_the_predictions(data, make_clf, subtests):
    metadata, X_test, _ = data
    usual = {
        size: make_clf(max_epochs=15, batch_size=size)
        .fit(**metadata)
        .predict_proba(X_test)
        for size in (-1, 32)
    }
    for switch in SWITCHES:
        with subtests.test(**switch):
            clf = make_clf(max_epochs=15, **switch).fit(**metadata)
            difference = clf.predict_proba(X_test) - usual[clf.batch_size]

            assert abs(difference).max() > 1e-3


def test_supervised_only_is_without_the_domain_term(data, make_clf):
    metadata, X_test, _ = data
    named, spelled = (
        make_clf(**switch).fit(**metadata)
        for switch in ({"supervised_only": True}, {"beta": 0.0})
    )

    assert_array_equal(named.predict_proba(X_test), spelled.predict_proba(X_test))
    assert "domain" not in named.history_


def test_unsupervised_only_takes_no_pairs_but_uses_their_rows(data, make_clf):
    metadata, X_test, _ = data
    clf = make_clf(unsupervised_only=True, beta=5.0)
    with_rows = clf.fit(**metadata).predict_proba(X_test)
    without = clf.fit(**metadata | {"pairs": None}).predict_proba(X_test)
    unaligned = clf.set_params(beta=0.0).fit(**metadata).predict_proba(X_test)
    logits = torch.from_numpy(clf.transform(X_test) @ clf.theta_target_)

    assert clf.G_ is None
    assert "pair" not in clf.history_
    assert abs(with_rows - without).max() > 1e-3
    assert abs(with_rows - unaligned).max() > 1e-3
    assert_allclose(unaligned, logits.softmax(1), atol=1e-5)


def test_a_frozen_source_stays_what_it_was_and_thaws_in_the_end(data, make_clf):
    metadata, _, _ = data
    frozen = make_clf(freeze_source=True, pretraining_epochs=20).fit(**metadata)
    pretrained = make_clf(transfer_epochs=0, pretraining_epochs=20).fit(**metadata)
    X_source = metadata["source"][0]

    assert_array_equal(
        frozen.predict_proba(X_source, domain="source"),
        pretrained.predict_proba(X_source, domain="source"),
    )
    assert all(p.requires_grad for p in frozen.net_.module_.parameters())
    assert not np.array_equal(frozen.G_, pretrained.G_)


def test_unlabeled_source_rows_are_used(data, make_clf):
    metadata, X_test, _ = data
    X_source, y_source = metadata["source"]
    some = np.where(np.arange(60) < 40, y_source, -1)
    masked, cut = (
        make_clf().fit(**metadata | {"source": source})
        for source in ((X_source, some), (X_source[:40], y_source[:40]))
    )
    difference = masked.predict_proba(X_test) - cut.predict_proba(X_test)

    assert abs(difference).max() > 1e-3


def test_pairs_of_target_rows_count_once(data, make_clf):
    metadata, _, _ = data
    views = np.full((120, 10), np.nan)
    views[:80] = metadata["pairs"][0]
    clf = make_clf(max_epochs=1).fit(**metadata | {"pairs": views})

    assert len(clf.transduction_) == 120
    assert np.isfinite(clf.history_["pair"]).any()


def test_a_fitted_estimator_keeps_no_rows(data, make_clf):
    metadata, _, _ = data
    sizes = []
    for n_copies in (1, 20):
        pairs = tuple(np.tile(side, (n_copies, 1)) for side in metadata["pairs"])
        clf = make_clf(max_epochs=1, g_update="step", max_steps=2)
        sizes.append(len(pickle.dumps(clf.fit(**metadata | {"pairs": pairs}))))

    assert sizes[1] - sizes[0] < 1000


# Poor data


@pytest.mark.parametrize(
    "change",
    [
        {"pairs": 1},  # one pair
        {"pairs": 5},  # fewer pairs than dimensions
        {"y": np.full(120, -1)},  # no labeled target row
    ],
    ids=["one-pair", "few-pairs", "no-label"],
)
def test_few_pairs_and_no_labels_will_do(data, make_clf, change):
    metadata, X_test, _ = data
    if "pairs" in change:
        n_pairs = change["pairs"]
        change = {"pairs": tuple(side[:n_pairs] for side in metadata["pairs"])}
    clf = make_clf(max_epochs=10).fit(**metadata | change)

    assert np.isfinite(clf.predict_proba(X_test)).all()
    assert np.isfinite(clf.G_).all()


def test_constant_features_and_dead_units_will_do(data, make_clf):
    metadata, X_test, _ = data
    X = metadata["X"].copy()
    X[:, 1:] = 7.0  # one feature is left for eight latent ones
    pairs = metadata["pairs"][0], X[:80]
    clf = make_clf(hidden_layer_sizes=(32,)).fit(**metadata | {"X": X, "pairs": pairs})
    z_t = clf.net_.module_.domains["target"].encode(torch.zeros(1, 8))

    assert np.isfinite(clf.G_).all()
    assert np.isfinite(clf.predict_proba(X_test)).all()
    assert (z_t == 0).any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"supervised_only": True, "unsupervised_only": True}, "set one of them"),
        ({"hidden_layer_sizes": ()}, "^hidden_layer_sizes must have one layer at"),
        ({"hidden_layer_sizes": (8, 0)}, r"positive integers alone, got \(8, 0\)"),
        ({"source_hidden_layer_sizes": ()}, "^source_hidden_layer_sizes must have one"),
        ({"source_hidden_layer_sizes": (2.5,)}, "positive integers alone"),
        ({"source_hidden_layer_sizes": (9,)}, r"one width, got \[9, 8\]: pass mmd_on"),
        ({"pretraining_epochs": 0, "transfer_epochs": 0}, "train in one phase"),
    ],
)
def test_parameters_that_do_not_go_together(data, make_clf, params, message):
    metadata, _, _ = data
    with pytest.raises(ValueError, match=message):
        make_clf(**params).fit(**metadata)


@pytest.mark.parametrize("switch", [{"mmd_on": "mapped"}, {"beta": 0.0}])
def test_latent_spaces_of_two_widths(data, make_clf, switch):
    metadata, X_test, _ = data
    clf = make_clf(source_hidden_layer_sizes=(9,), max_epochs=3, **switch)
    clf.fit(**metadata)

    assert clf.G_.shape == (8, 9)
    assert clf.transform(X_test).shape == (270, 9)


@pytest.mark.parametrize("first", [False, True])
def test_a_warm_start_cannot_change_the_method(data, make_clf, first):
    metadata, _, _ = data
    clf = make_clf(max_epochs=1, warm_start=True, unsupervised_only=first)
    clf.fit(**metadata).set_params(unsupervised_only=not first)
    with pytest.raises(ValueError, match="warm_start expects unsupervised_only as"):
        clf.fit(**metadata)


def test_a_source_without_pairs(data, make_clf):
    metadata, _, _ = data
    with pytest.raises(ValueError, match=r"a source without any: pass pairs=\(X_sour"):
        make_clf().fit(**metadata | {"pairs": None})


# The engine


@pytest.mark.parametrize("switches", [{}, {"mapped": False}, {"freeze_source": True}])
def test_a_step_has_static_shapes_and_never_waits_for_the_device(make_step, switches):
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module, objective, batch = make_step(dtype=None, **switches)
        sum(objective(module, batch, 0.5).values()).backward()
        objective.end_step(module, batch)

    trained = [p.grad is not None for p in module.domains["target"].parameters()]
    assert any(trained)


def test_warm_start_goes_on(data, make_clf):
    metadata, X_test, _ = data
    clf = make_clf(warm_start=True, max_epochs=3, freeze_source=True).fit(**metadata)
    first = clf.predict_proba(X_test)
    second = clf.fit(**metadata).predict_proba(X_test)

    assert abs(first - second).max() > 1e-4


def test_published_settings_are_those_of_the_paper(data):
    clf = DATN.published()
    optimizer = clf.set_params(max_epochs=1).fit(**data[0]).net_.optimizer_

    assert (clf.alpha, clf.beta, clf.lambda0, clf.lambda_reg) == (2.0, 1.0, 0.1, 1e-4)
    assert (clf.source_weight, clf.pair_reduction, clf.mmd_on) == (0.0, "sum", "raw")
    assert (clf.recon_weight, clf.batch_size) == (1.0, -1)
    assert isinstance(optimizer, torch.optim.RMSprop)
    assert (optimizer.defaults["lr"], optimizer.defaults["alpha"]) == (1e-4, 0.8)
    assert optimizer.defaults["momentum"] == 0.8
    assert set(DATN.published_params) <= set(signature(DATN).parameters)


def test_published_it_trains_until_the_objective_has_stopped_falling(data):
    clf = DATN.published(lr=1e-2, hidden_layer_sizes=(8,), transfer_epochs=0)
    loss = clf.fit(**data[0]).history_["train_loss"]

    assert clf.stopped_early_
    assert 100 < len(loss) < 10_000
    assert loss[-100:].min() > 0.98 * loss[:-100].min()
