"""Tests of `skda.heterogeneous.SSAN`."""

import math
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback
from torch._subclasses import FakeTensorMode
from torch.func import functional_call, vmap

from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import SSAN
from skda.heterogeneous._ssan import (
    SSANModule,
    SSANObjective,
    SSANTargetObjective,
)
from skda.losses import class_centroids, pooled_centroids
from skda.modules import unit_length
from skda.utils.warnings import NoSourceWarning

TERMS = ("source_risk", "target_risk", "soft_risk", "centroid", "domain")


@pytest.fixture(scope="module")
def data():
    return make_heterogeneous_domains(
        100, 100, n_classes=3, n_labeled_per_class=3, random_state=0
    )


@pytest.fixture
def make_clf():
    def make(**params):
        small = {"n_components": 16, "n_hidden": 24, "init_std": 0.3, "max_epochs": 60}
        return SSAN(**(small | {"random_state": 0, "device": "cpu"} | params))

    return make


@pytest.fixture
def make_step(sizes, make_batch):
    """Build a network, the objective and a batch that suits them."""

    def make(kind=SSANObjective, dtype=None, batch=None, **switches):
        torch.manual_seed(0)
        defaults = {
            "alpha": 0.3,
            "beta": 0.5,
            "gamma": 0.7,
            "temperature": 5.0,
            "soft_reduction": "class_sum",
            "detach_teacher": False,
            "geometric_check": True,
        }
        module = SSANModule(
            widths=sizes.widths, n_components=2, n_classes=3, n_hidden=8
        )
        if dtype:
            module.to(dtype)
        return module, kind(**(defaults | switches)), batch or make_batch(dtype=dtype)

    return make


def _by_loops(module, batch, check):
    """Evaluate the terms as the paper prints them, row by row and class by class."""
    source, target, _ = batch
    f_s, f_t = module.encode(source.X, "source"), module.encode(target.X, "target")
    v_s, v_t = module.classify(f_s), module.classify(f_t)
    y_s, y_t = source.labels.argmax(1), target.labels.argmax(1)
    y_t = torch.where(target.labels.sum(1) > 0, y_t, -1)
    labeled = [i for i in range(len(y_t)) if y_t[i] >= 0]
    terms = {
        "source_risk": torch.stack(
            [-v_s[i].log_softmax(0)[y_s[i]] for i in range(len(y_s))]
        ).mean(),
        "target_risk": torch.stack(
            [-v_t[i].log_softmax(0)[y_t[i]] for i in labeled]
        ).mean(),
    }
    soft, centroid = 0.0, 0.0
    prototypes = torch.stack(
        [torch.cat([f_s[y_s == k], f_t[y_t == k]]).mean(0) for k in range(3)]
    )
    for k in range(3):
        q = (v_s[y_s == k] / 5.0).softmax(1).mean(0)
        rows = v_t[y_t == k].log_softmax(1)
        soft = soft - (rows @ q).mean()
        members = [i for i in range(len(y_t)) if y_t[i] == k]
        for i in range(len(y_t)):
            cosines = torch.cosine_similarity(f_t[i][None], prototypes)
            agrees = v_t[i].argmax() == k and (not check or cosines.argmax() == k)
            if y_t[i] < 0 and agrees:
                members.append(i)
        a, b = f_s[y_s == k], f_t[members]
        means = a.mean(0), b.mean(0), torch.cat([a, b]).mean(0)
        for u, w in ((0, 1), (0, 2), (1, 2)):
            centroid = centroid + (means[u] - means[w]).square().sum()
    d_s = module.discriminator(f_s).sigmoid().squeeze(1)
    d_t = module.discriminator(f_t).sigmoid().squeeze(1)
    domain = -torch.cat([d_s.log(), (1 - d_t).log()]).mean()
    return terms | {"soft_risk": soft, "centroid": centroid, "domain": domain}


@pytest.mark.parametrize("check", [True, False])
def test_terms_equal_those_computed_row_by_row(make_step, make_batch, check):
    torch.manual_seed(3)
    batch = make_batch(target=(0, 1, 2, 0) + (-1,) * 40, dtype=torch.double)
    module, objective, batch = make_step(
        dtype=torch.double, batch=batch, geometric_check=check
    )
    weights = {
        "source_risk": 1.0,
        "target_risk": 0.7,
        "soft_risk": 0.3,
        "centroid": 0.5,
        "domain": 0.7,
    }

    terms = objective(module, batch, 0.5)
    expected = _by_loops(module, batch, check)

    assert list(terms) == list(TERMS)
    for name, weight in weights.items():
        assert terms[name].item() == pytest.approx(weight * expected[name].item())


def test_geometric_check_matters_to_that_comparison(make_step, make_batch):
    torch.manual_seed(3)
    batch = make_batch(target=(0, 1, 2, 0) + (-1,) * 40, dtype=torch.double)
    on, off = (
        make_step(dtype=torch.double, batch=batch, geometric_check=check)
        for check in (True, False)
    )

    assert on[1](*on[::2], 0.5)["centroid"] != off[1](*off[::2], 0.5)["centroid"]


def test_discriminator_descends_what_the_encoders_climb(make_step):
    module, objective, batch = make_step(dtype=torch.double)
    progress = 0.3
    ramp = 2 / (1 + math.exp(-10 * progress)) - 1

    def gradients(loss):
        parameters = dict(module.named_parameters())
        grads = torch.autograd.grad(loss, parameters.values(), allow_unused=True)
        return dict(zip(parameters, grads, strict=True))

    routed = gradients(objective(module, batch, progress)["domain"])
    plain = gradients(0.7 * _by_loops(module, batch, check=True)["domain"])

    for name, gradient in plain.items():
        if name.startswith("discriminator"):
            torch.testing.assert_close(routed[name], gradient)
        elif name.startswith("encoders"):
            torch.testing.assert_close(routed[name], -ramp * gradient)
        else:
            assert routed[name] is None


@pytest.mark.parametrize(("detach", "reaches"), [(False, True), (True, False)])
def test_the_teacher_learns_unless_detached(make_step, detach, reaches):
    module, objective, batch = make_step(detach_teacher=detach)
    objective(module, batch, 0.5)["soft_risk"].backward()

    gradient = module.encoders["source"][0].weight.grad
    assert (gradient is not None and bool(gradient.any())) == reaches


def test_the_reductions_of_the_soft_risk_differ_by_the_classes(make_step, make_batch):
    balanced = make_batch(target=(0, 1, 2, -1))
    values = [
        objective(module, batch, 0.5)["soft_risk"]
        for module, objective, batch in (
            make_step(batch=balanced, soft_reduction=reduction)
            for reduction in ("class_sum", "mean")
        )
    ]

    torch.testing.assert_close(values[0], 3 * values[1])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((0, 1, 2), (0, 0, -1, -1)),  # classes without a labeled target row
        ((0, 0, 1), (0, 1, 2, -1)),  # a class without a source row
        ((0, 1, 2), (0, 1, 2)),  # no unlabeled row
        ((0, 1, 2), (-1, -1)),  # no labeled target row
        ((0, 1, -1), (0, 1, 2)),  # an unlabeled source row
    ],
)
def test_missing_classes_neither_count_nor_poison(
    make_step, make_batch, source, target
):
    module, objective, batch = make_step(batch=make_batch(source, target))
    terms = objective(module, batch, 0.5)
    sum(terms.values()).backward()

    assert all(term.isfinite() for term in terms.values())
    assert all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("kind", [SSANObjective, SSANTargetObjective])
def test_a_step_has_static_shapes_and_never_waits_for_the_device(make_step, kind):
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module, objective, batch = make_step(kind)
        sum(objective(module, batch, 0.5).values()).backward()

    assert module.encoders["target"][0].weight.grad is not None


def test_one_step_serves_many_models(make_step):
    module, objective, batch = make_step()
    parameters = {k: torch.stack([v, 2 * v]) for k, v in module.named_parameters()}

    class Step(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self):
            # vmap cannot see through a custom backward, and needs none here.
            self.module.discriminate = lambda z, _: self.module.discriminator(
                z
            ).squeeze(1)
            return objective(self.module, batch, 0.5)

    def terms(parameters):
        named = {f"module.{name}": value for name, value in parameters.items()}
        return functional_call(Step(), named, ())

    for name, value in vmap(terms)(parameters).items():
        torch.testing.assert_close(value[0], objective(module, batch, 0.5)[name])


def test_learns_the_target(data, make_clf):
    clf = make_clf(max_epochs=200, n_neighbors=None).fit(
        data.X, data.y, source=data.source
    )

    assert clf.score(data.X, data.y_true) > 0.6  # chance is 1/3


SWITCHES = [
    {"alpha": 0.0},
    {"beta": 0.0},
    {"gamma": 0.0},
    {"temperature": 1.0},
    {"geometric_check": False},
    {"soft_reduction": "mean"},
    {"detach_teacher": True},
    {"leaky_logits": True},
    {"normalize": False},
    {"power": 0.5},
    {"n_neighbors": None},
    {"source_per_class": None},
    {"init_std": 0.1},
]


def test_every_switch_changes_the_predictions(data, make_clf, subtests):
    # Strong terms, so that what little some switches change shows soon.
    strong = {"alpha": 0.5, "beta": 0.1, "gamma": 1.0, "max_epochs": 20}

    def predictions(**params):
        clf = make_clf(**(strong | params)).fit(data.X, data.y, source=data.source)
        return clf.predict_proba(data.X)

    usual = predictions()
    for switch in SWITCHES:
        with subtests.test(**switch):
            assert abs(predictions(**switch) - usual).max() > 1e-3


def test_every_term_of_the_objective_is_logged(data, make_clf):
    history = make_clf().fit(data.X, data.y, source=data.source).history_

    assert set(history) == {"epoch", "phase", *TERMS, "train_loss"}
    assert_allclose(sum(history[term] for term in TERMS), history["train_loss"])


def test_without_a_source_labeled_and_pseudo_labeled_rows_are_aligned(data, make_clf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aligned, plain = (
            make_clf(beta=beta).fit(data.X, data.y) for beta in (0.1, 0.0)
        )

    terms = {"target_risk", "centroid"}
    assert set(aligned.history_) == {"epoch", "phase", *terms, "train_loss"}
    assert aligned.history_["centroid"][-1] > 0
    assert list(aligned.net_.module_.encoders) == ["target"]
    difference = aligned.predict_proba(data.X) - plain.predict_proba(data.X)
    assert abs(difference).max() > 1e-3


def test_domains_of_one_width_are_told_by_their_role(data, make_clf):
    X_source = np.tile(data.source[0], 2)[:, : data.X.shape[1]]
    clf = make_clf().fit(data.X, data.y, source=(X_source, data.source[1]))
    as_target = clf.predict_proba(X_source)

    as_source = clf.predict_proba(X_source, domain="source")
    assert abs(as_target - as_source).max() > 0.01


def test_rows_are_normalized_in_predict_too(data, make_clf):
    clf = make_clf().fit(data.X, data.y, source=data.source)

    assert_allclose(clf.predict_proba(3 * data.X), clf.predict_proba(data.X), rtol=1e-4)


def test_names_of_classes_make_no_difference(data, make_clf):
    names = np.array(["ant", "bee", "cat"])
    y = np.where(data.y < 0, None, names[data.y])
    by_number = make_clf().fit(data.X, data.y, source=data.source)
    by_name = make_clf().fit(data.X, y, source=(data.source[0], names[data.source[1]]))

    assert_array_equal(by_name.predict(data.X), names[by_number.predict(data.X)])


@pytest.mark.parametrize("with_source", [True, False])
def test_rotation_gives_the_same_network_in_fewer_columns(make_clf, with_source):
    wide = make_heterogeneous_domains(
        60, 50, n_source_features=200, n_target_features=300, random_state=0
    )
    widths = []

    class Spy(Callback):
        def on_train_begin(self, net, **kwargs):
            widths.extend(
                encoder[0].weight.shape[1] for encoder in net.module_.encoders.values()
            )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        plain, rotated = (
            make_clf(rotate=rotate, n_neighbors=None, callbacks=[Spy()]).fit(
                wide.X, wide.y, source=wide.source if with_source else None
            )
            for rotate in (False, True)
        )
    elsewhere = np.random.default_rng(0).normal(size=(20, 300))

    assert widths == ([200, 300, 60, 50] if with_source else [300, 50])
    for X in (wide.X, elsewhere):  # in the space of the training rows and beyond
        assert_allclose(
            rotated.predict_proba(X), plain.predict_proba(X), rtol=1e-3, atol=1e-4
        )
    assert rotated.net_.module_.encoders["target"][0].weight.shape == (24, 300)


def test_only_plain_sgd_is_rotated():
    assert SSAN()._rotates()
    assert not SSAN(rotate=False)._rotates()
    assert not SSAN(optimizer="adam")._rotates()
    assert not SSAN(optimizer=torch.optim.SGD)._rotates()


def test_warm_start_goes_on_from_a_rotated_fit(make_clf):
    wide = make_heterogeneous_domains(60, 50, n_target_features=300, random_state=0)
    cold = make_clf().fit(wide.X, wide.y, source=wide.source)
    warm = make_clf(warm_start=True).fit(wide.X, wide.y, source=wide.source)
    warm.fit(wide.X, wide.y, source=wide.source)

    assert warm.history_["target_risk"][0] < cold.history_["target_risk"][0] / 2


def test_bfloat16_trains_close_to_float32(data, make_clf):
    full, half = (
        make_clf(precision=precision).fit(data.X, data.y, source=data.source)
        for precision in ("float32", "bfloat16")
    )
    difference = abs(full.predict_proba(data.X) - half.predict_proba(data.X))

    assert difference.max() > 0
    assert difference.mean() < 0.05
    assert half.net_.module_.encoders["target"][0].weight.dtype == torch.float32


def test_what_the_method_is_about_can_be_looked_at(data, make_clf):
    clf = make_clf(n_neighbors=None).fit(data.X, data.y, source=data.source)
    known = data.y >= 0
    rows = np.vstack(
        [clf.transform(data.source[0], domain="source"), clf.transform(data.X[known])]
    )
    labels = np.concatenate([data.source[1], data.y[known]])
    kept = clf.pseudo_labels_.sum(axis=1) > 0

    for k in range(3):
        assert_allclose(
            clf.class_centroids_[k], rows[labels == k].mean(0), rtol=1e-4, atol=1e-6
        )
    assert_allclose(clf.soft_labels_.sum(axis=1), 1, rtol=1e-5)
    assert clf.soft_labels_.argmax(axis=1).tolist() == [0, 1, 2]
    assert not kept[known].any()
    assert_array_equal(clf.pseudo_labels_[kept].argmax(axis=1), clf.transduction_[kept])


def test_without_a_source_there_are_no_soft_labels(data, make_clf):
    with pytest.warns(NoSourceWarning):
        clf = make_clf().fit(data.X, data.y)

    assert clf.soft_labels_ is None
    assert clf.class_centroids_.shape == (3, 16)
    assert clf.pseudo_labels_.shape == (100, 3)


@pytest.mark.parametrize("with_source", [True, False])
def test_the_agreement_of_every_step_is_kept(data, make_clf, with_source):
    class Spy(Callback):
        def __init__(self):
            self.shares = []

        def __sklearn_clone__(self):
            return self

        def __deepcopy__(self, memo):
            return self

        def on_grad_computed(self, net, **kwargs):
            self.shares.append(net.criterion_.agreement.item())

    spy = Spy()
    source = {"source": data.source} if with_source else {}
    clf = make_clf(max_epochs=5, callbacks=[spy])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSourceWarning)
        clf.fit(data.X, data.y, **source)
        clf.fit(data.X, data.y, **source)  # a second fit starts anew

    assert_allclose(clf.agreement_history_, spy.shares[5:])
    assert ((clf.agreement_history_ >= 0) & (clf.agreement_history_ <= 1)).all()


def test_the_agreement_is_a_share_of_the_unlabeled_rows(make_step, make_batch):
    batch = make_batch(target=(0, 1, 2, 0) + (-1,) * 40)
    module, objective, batch = make_step(batch=batch)
    objective(module, batch, 0.5)
    checked = objective.agreement.item()
    f_t = module.encode(batch.target.X, "target")
    labels = batch.target.labels
    prototypes = pooled_centroids(
        class_centroids(module.encode(batch.source.X, "source"), batch.source.labels),
        class_centroids(f_t, labels),
    )
    nearest = (f_t @ unit_length(prototypes.mean).T).argmax(dim=1)
    agrees = nearest == module.classify(f_t).argmax(dim=1)

    assert checked == pytest.approx(agrees[4:].float().mean().item())
    assert 0 < checked < 1


def test_everything_agrees_without_the_geometric_check(data, make_clf):
    clf = make_clf(max_epochs=3, geometric_check=False)
    clf.fit(data.X, data.y, source=data.source)

    assert_array_equal(clf.agreement_history_, np.ones(3))
