"""Tests of `skda.heterogeneous.JMEA`."""

import warnings

import pytest
import torch
from numpy.testing import assert_allclose
from torch._subclasses import FakeTensorMode
from torch.nn.functional import cross_entropy

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import JMEA
from skda.heterogeneous._jmea import JMEAObjective, JMEATargetObjective, TwoHeads
from skda.utils.warnings import NoSourceWarning

WEIGHTS = {
    "beta": 0.5,
    "tau": 0.1,
    "target_weight": 3.0,
    "head_weight": 0.7,
    "first_share": 0.4,
}


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.fixture
def make_clf():
    def make(**params):
        defaults = {"n_components": 16, "n_hidden": 24, "max_epochs": 60}
        return JMEA(**(defaults | {"random_state": 0, "device": "cpu"} | params))

    return make


@pytest.fixture
def make_step(sizes, make_batch):
    def make(batch=None, dtype=torch.double, kind=JMEAObjective):
        torch.manual_seed(0)
        module = TwoHeads(sizes.widths, 2, 3, n_hidden=8)
        if dtype:
            module.to(dtype)
        return module, kind(**WEIGHTS), batch or make_batch(dtype=dtype)

    return make


def _surest(p, n):
    return p.max(dim=1).values.argsort(descending=True)[:n]


def _gap(a, b):
    return (a - b).square().sum()


@pytest.mark.parametrize("a", [0.0, 0.3, 0.9])
def test_terms_equal_those_computed_class_by_class(make_step, a):
    module, objective, batch = make_step()
    source, target, _ = batch
    f_s, f_t = module.encode(source.X, "source"), module.encode(target.X, "target")
    f_l, f_u, y_l = f_t[:4], f_t[4:], target.labels.argmax(1)[:4]
    y_s = source.labels.argmax(1)
    p, q = module.classify(f_u).softmax(1), module.classify_target(f_u).softmax(1)
    n = int(min(0.4 + a, 1.0) * 3)
    by_q, by_p = _surest(q, n), _surest(p, n)
    alignment = _gap(f_s.mean(0), torch.cat([f_l, f_u[by_q]]).mean(0))
    target_alignment = _gap(f_l.mean(0), f_u[by_p].mean(0))
    for k in range(3):
        total = f_l[y_l == k].sum(0) + a * (q[by_q, k : k + 1] * f_u[by_q]).sum(0)
        m_t = total / ((y_l == k).sum() + a * q[by_q, k].sum())
        alignment = alignment + _gap(f_s[y_s == k].mean(0), m_t)
        if a:
            m_u = a * (p[by_p, k : k + 1] * f_u[by_p]).sum(0)
            m_u = m_u / (1 + a * p[by_p, k].sum())
            target_alignment = target_alignment + _gap(f_l[y_l == k].mean(0), m_u)
    logits = module.classify(torch.cat([f_s, f_l]))

    terms = objective(module, batch, a)

    risk = cross_entropy(logits, torch.cat([y_s, y_l]))
    assert terms["risk"].item() == pytest.approx(risk.item())
    assert terms["alignment"].item() == pytest.approx(0.5 * alignment.item())
    target_risk = cross_entropy(module.classify_target(f_l), y_l)
    assert terms["target_risk"].item() == pytest.approx(0.7 * target_risk.item())
    expected = 3.0 * 0.5 * target_alignment.item()
    assert terms["target_alignment"].item() == pytest.approx(expected)
    layers = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
    decay = sum(layer.weight.square().sum() for layer in layers)
    assert len(layers) == 6
    assert terms["decay"].item() == pytest.approx(0.05 * decay.item())


def test_without_a_source_the_terms_of_the_target_are_left(make_step):
    module, objective, batch = make_step(kind=JMEATargetObjective)
    full = JMEAObjective(**WEIGHTS)(module, batch, 0.5)
    f_l = module.encode(batch.target.X, "target")[:4]
    y_l = batch.target.labels.argmax(1)[:4]

    terms = objective(module, batch, 0.5)

    assert list(terms) == ["risk", "target_risk", "target_alignment", "decay"]
    for name in ("target_risk", "target_alignment", "decay"):
        assert terms[name].item() == pytest.approx(full[name].item())
    risk = cross_entropy(module.classify(f_l), y_l)
    assert terms["risk"].item() == pytest.approx(risk.item())


@pytest.mark.parametrize("kind", [JMEAObjective, JMEATargetObjective])
@pytest.mark.parametrize("progress", [0.0, 0.5])
@pytest.mark.parametrize(
    "labels",
    [
        ((0, 1, 2), (0, 0, -1, -1)),  # classes without a labeled target row
        ((0, 0, 1), (0, 1, 2, -1)),  # a class without a source row
        ((0, 1, 2), (0, 1, 2)),  # no unlabeled row
        ((0, 1, 2), (-1, -1)),  # no labeled target row
    ],
)
def test_missing_classes_neither_count_nor_poison(
    make_step, make_batch, labels, progress, kind
):
    batch = make_batch(*labels, dtype=torch.double)
    module, objective, batch = make_step(batch, kind=kind)
    terms = objective(module, batch, progress)
    sum(terms.values()).backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]

    assert all(term.isfinite() for term in terms.values())
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_step_has_static_shapes_and_never_waits_for_the_device(make_step):
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module, objective, batch = make_step(dtype=None)
        sum(objective(module, batch, 0.5).values()).backward()

    assert all(parameter.grad is not None for parameter in module.parameters())


def test_each_domain_is_predicted_by_its_own_classifier(make_step):
    module, _, batch = make_step()
    f_s = module.encode(batch.source.X, "source")
    f_t = module.encode(batch.target.X, "target")

    assert torch.equal(module(batch.source.X, "source"), module.classify(f_s))
    assert torch.equal(module(batch.target.X), module.classify_target(f_t))


def test_the_second_classifier_starts_from_larger_weights(data, make_clf, sizes):
    module = make_clf(init_std=0.01, n_components=200).make_module(sizes)

    assert module.head[0].weight.std().item() == pytest.approx(0.0088, rel=0.15)
    second = module.target_head[0].weight.std().item()
    assert second == pytest.approx(2 * 0.0088, rel=0.15)


def test_learns_the_target(data, make_clf):
    clf = make_clf(lr=0.01).fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3
    assert clf.score(*data.source, domain="source") > 0.7


def test_every_switch_changes_the_predictions(data, make_clf, subtests):
    def predictions(**params):
        clf = make_clf(**({"beta": 0.1, "lr": 0.01} | params))
        return clf.fit(data.X, data.y, source=data.source).predict_proba(data.X)

    usual = predictions()
    for switch in [
        {"beta": 0.0},
        {"tau": 0.0},
        {"target_weight": 0.0},
        {"head_weight": 2.0},
        {"first_share": 1.0},
        {"init_std": 0.1},
        {"leaky_logits": True},
    ]:
        with subtests.test(**switch):
            assert abs(predictions(**switch) - usual).max() > 1e-3


def test_without_a_source_the_unlabeled_rows_change_the_predictions(data, make_clf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        aligned, plain = (
            make_clf(beta=beta, lr=0.01).fit(data.X, data.y) for beta in (0.1, 0.0)
        )
    difference = aligned.predict_proba(data.X) - plain.predict_proba(data.X)

    assert abs(difference).max() > 1e-3


def test_every_term_of_the_objective_is_logged(data, make_clf):
    history = make_clf().fit(data.X, data.y, source=data.source).history_

    terms = ("risk", "alignment", "target_risk", "target_alignment", "decay")
    assert set(history) == {"epoch", "phase", *terms, "train_loss"}
    assert_allclose(sum(history[term] for term in terms), history["train_loss"])


def test_published_settings_are_those_of_the_public_code():
    clf = JMEA.published()

    assert (clf.beta, clf.tau, clf.target_weight, clf.head_weight) == (
        1e-3,
        1e-3,
        20,
        0.5,
    )
    assert (clf.optimizer, clf.lr, clf.lr_schedule) == ("adam", 1e-3, "constant")
    assert (clf.max_epochs, clf.batch_size, clf.init_std) == (300, -1, 0.01)
    assert clf.first_share == pytest.approx(100 / 300)
    assert (clf.power, clf.normalize, clf.leaky_logits) == (1.0, True, True)
    assert (clf.n_neighbors, clf.source_per_class) == (None, None)
