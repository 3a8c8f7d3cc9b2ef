"""Tests of `skda.heterogeneous.STN`."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch._subclasses import FakeTensorMode

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import SSAN, STN
from skda.heterogeneous._stn import STNObjective, STNTargetObjective
from skda.modules import TwoStreamClassifier
from skda.utils.warnings import NoSourceWarning


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.fixture
def make_clf():
    def make(**params):
        defaults = {"n_components": 16, "n_hidden": 24, "max_epochs": 60}
        return STN(**(defaults | {"random_state": 0, "device": "cpu"} | params))

    return make


@pytest.fixture
def make_step(sizes, make_batch):
    def make(
        batch=None, dtype=torch.double, *, detach_soft_labels=False, kind=STNObjective
    ):
        torch.manual_seed(0)
        module = TwoStreamClassifier(sizes.widths, 2, 3, n_hidden=8)
        if dtype:
            module.to(dtype)
        objective = kind(0.5, 0.1, detach_soft_labels=detach_soft_labels)
        return module, objective, batch or make_batch(dtype=dtype)

    return make


@pytest.mark.parametrize("a", [0.0, 0.4])
def test_terms_equal_those_computed_class_by_class(make_step, a):
    module, objective, batch = make_step()
    source, target, _ = batch
    f_s, f_t = module.encode(source.X, "source"), module.encode(target.X, "target")
    v_s, v_t = module.classify(f_s), module.classify(f_t)
    n_labeled, y_s = 4, source.labels.argmax(1)
    y_l = target.labels.argmax(1)[:n_labeled]
    p_u, f_u = v_t[n_labeled:].softmax(1), f_t[n_labeled:]
    gap = (f_s.mean(0) - f_t.mean(0)).square().sum()
    for k in range(3):
        total = f_t[:n_labeled][y_l == k].sum(0) + a * (p_u[:, k : k + 1] * f_u).sum(0)
        m_t = total / ((y_l == k).sum() + a * p_u[:, k].sum())
        gap = gap + (f_s[y_s == k].mean(0) - m_t).square().sum()
    risks = torch.nn.functional.cross_entropy(
        torch.cat([v_s, v_t[:n_labeled]]), torch.cat([y_s, y_l])
    )
    layers = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
    decay = sum(layer.weight.square().sum() for layer in layers)

    terms = objective(module, batch, a)

    assert len(layers) == 5
    assert terms["risk"].item() == pytest.approx(risks.item())
    assert terms["alignment"].item() == pytest.approx(0.5 * gap.item())
    assert terms["decay"].item() == pytest.approx(0.05 * decay.item())


def test_without_a_source_labeled_rows_are_aligned_with_soft_labeled(make_step):
    module, objective, batch = make_step(kind=STNTargetObjective)
    target = batch.target
    f_t = module.encode(target.X, "target")
    v_t, y_l = module.classify(f_t), target.labels.argmax(1)[:4]
    p_u, f_u = v_t[4:].softmax(1), f_t[4:]
    gap = sum(
        (f_t[:4][y_l == k].mean(0) - (p_u[:, k : k + 1] * f_u).sum(0) / p_u[:, k].sum())
        .square()
        .sum()
        for k in range(3)
    )
    risk = torch.nn.functional.cross_entropy(v_t[:4], y_l)

    terms = objective(module, batch, 0.5)

    assert list(terms) == ["risk", "alignment", "decay"]
    assert terms["risk"].item() == pytest.approx(risk.item())
    assert terms["alignment"].item() == pytest.approx(0.5 * gap.item())


def test_without_a_source_the_unlabeled_rows_change_the_predictions(data, make_clf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        aligned, plain = (
            make_clf(beta=beta, lr=0.01).fit(data.X, data.y) for beta in (0.1, 0.0)
        )
    difference = aligned.predict_proba(data.X) - plain.predict_proba(data.X)

    assert abs(difference).max() > 1e-3


@pytest.mark.parametrize("detach", [False, True])
def test_soft_labels_learn_unless_detached(make_step, detach):
    module, objective, batch = make_step(detach_soft_labels=detach)
    objective(module, batch, 0.5)["alignment"].backward()

    assert (module.head[0].weight.grad is None) == detach


@pytest.mark.parametrize("kind", [STNObjective, STNTargetObjective])
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


def test_learns_the_target(data, make_clf):
    clf = make_clf(lr=0.01).fit(data.X, data.y, source=data.source)

    assert clf.score(data.X, data.y_true) > 0.7  # chance is 1/3


SWITCHES = [
    {"beta": 0.0},
    {"tau": 0.0},
    {"detach_soft_labels": True},
    {"normalize": False},
    {"leaky_logits": True},
    {"power": 0.5},
    {"n_neighbors": 5},
    {"source_per_class": 5},
    {"init_std": 0.1},
]


def test_every_switch_changes_the_predictions(data, make_clf, subtests):
    def predictions(**params):
        clf = make_clf(**({"beta": 0.1, "lr": 0.01} | params))
        return clf.fit(data.X, data.y, source=data.source).predict_proba(data.X)

    usual = predictions()
    for switch in SWITCHES:
        with subtests.test(**switch):
            assert abs(predictions(**switch) - usual).max() > 1e-3


def test_every_term_of_the_objective_is_logged(data, make_clf):
    history = make_clf().fit(data.X, data.y, source=data.source).history_

    terms = ("risk", "alignment", "decay")
    assert set(history) == {"epoch", "phase", *terms, "train_loss"}
    assert_allclose(sum(history[term] for term in terms), history["train_loss"])


def test_published_settings_can_be_fitted(data):
    clf = STN.published(max_epochs=3, random_state=0, device="cpu")

    assert clf.fit(data.X, data.y, source=data.source).n_iter_ == 3
    assert np.isfinite(clf.history_["train_loss"]).all()


def test_units_of_a_table_do_not_matter(data, make_clf):
    X, units = data.X[:, :8], np.geomspace(1, 1e3, 8)
    plain = make_clf().fit(X, data.y, source=data.source)
    mixed = make_clf().fit(X * units, data.y, source=data.source)

    assert_allclose(mixed.predict_proba(X * units), plain.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("cls", [STN, SSAN])
def test_a_target_without_labels_is_warned_of(data, cls):
    clf = cls(max_epochs=2, random_state=0)

    with pytest.warns(UserWarning, match=f"{cls.__name__} got no label of the target"):
        clf.fit(data.X, source=data.source)


@pytest.mark.parametrize("cls", [STN, SSAN])
def test_a_label_of_the_target_is_enough_for_no_warning(data, cls):
    y = np.full(len(data.X), -1)
    y[:9] = data.y_true[:9]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(max_epochs=2, random_state=0).fit(data.X, y, source=data.source)
