import numpy as np
import pytest
import torch

from skda.losses import matching_loss
from skda.retrieval import DMTL
from skda.retrieval._dmtl import DMTLModule, DMTLObjective
from skda.training import Batch, Domain, Pairs
from skda.utils.warnings import NoSourceWarning

SMALL = {  # the paper's form, in a small network
    "n_components": 8,
    "hidden_layer_sizes": (16,),
    "similarity": "euclidean",
    "temperature": 1.0,
    "dropout": 0.0,
    "weight_decay": 0.0,
    "lr": 3e-3,
    "max_epochs": 20,
    "random_state": 0,
}


def _module(n_classes=2, **params):
    torch.manual_seed(0)
    layout = {"classifier": "linear", "hidden_layer_sizes": [], **params}
    return DMTLModule({"image": 3, "text": 2}, 4, n_classes, **layout).double()


def _objective(weights=(1.0, 1.0, 1.0), n_source=3, **params):
    switches = {
        "matching_pairs": "all",
        "pseudo_label_init": "random",
        "similarity": "euclidean",
        "temperature": 1.0,
        "sigma": 1e-6,
    }
    return DMTLObjective(weights=weights, n_source=n_source, **switches | params)


def _batch(n_known=3, n_new=2, rows=None):
    """Known rows first, as a fit stacks them."""
    generator = torch.Generator().manual_seed(1)
    n = n_known + n_new
    X = torch.randn(n, 5, generator=generator, dtype=torch.float64)
    labels = torch.zeros(n, 2, dtype=torch.float64)
    labels[torch.arange(n_known), torch.arange(n_known) % 2] = 1
    domain = Domain(X, labels, torch.arange(n))
    if rows is not None:
        domain = Domain(*(field[rows] for field in domain))
    nothing = Domain(*(field[:0] for field in domain))
    return Batch(nothing, domain, Pairs(nothing.X, nothing.X))


def _started(objective, module, batch):
    with torch.no_grad():
        objective.start_fit(module, batch)
    objective.memory = objective.memory.double()
    return objective


def test_terms_by_hand():
    module, batch = _module(), _batch()
    objective = _started(_objective((2.0, 1.5, 0.5)), module, batch)
    X, y = batch.target.X, batch.target.labels
    a, t = module.encode(X[:, :3], "image"), module.encode(X[:, 3:], "text")
    P, z = module.P, objective.memory
    source = sum((h[:3] @ P.T - y[:3]).norm(dim=1).mean() for h in (a, t))
    target = sum(
        (h[3:] @ P.T - z[i, 3:]).norm(dim=1).mean() for i, h in enumerate((a, t))
    )

    terms = objective(module, batch, 0.0)

    assert terms["matching"].item() == pytest.approx(2 * matching_loss(a, t).item())
    assert terms["source"].item() == pytest.approx(1.5 * source.item())
    assert terms["target"].item() == pytest.approx(0.5 * target.item())


def test_matching_is_summed_over_all_pairs_of_views():
    torch.manual_seed(0)
    module = DMTLModule({"a": 2, "b": 2, "c": 1}, 4, 0, classifier="linear").double()
    batch = _batch()
    objective = _started(_objective((1.0, 0.0, 0.0)), module, batch)
    h = module(batch.target.X)

    terms = objective(module, batch, 0.0)

    expected = sum(matching_loss(h[u], h[v]) for u, v in ((0, 1), (0, 2), (1, 2)))
    assert terms["matching"].item() == pytest.approx(expected.item())


def test_matching_of_new_pairs_ignores_the_source():
    module, batch = _module(), _batch()
    objective = _started(_objective((1.0, 0, 0), matching_pairs="new"), module, batch)
    h = module(batch.target.X)

    terms = objective(module, batch, 0.0)

    assert terms["matching"].item() == pytest.approx(matching_loss(*h[:, 3:]).item())


def test_memory_keeps_what_was_said_of_each_row_until_it_comes_again():
    module, batch = _module(), _batch()
    objective = _started(_objective(), module, batch)
    before = objective.memory.clone()
    rows = torch.tensor([4, 0])
    step = _batch(rows=rows)
    said = module.classify(module(step.target.X)).detach()

    objective(module, step, 0.0)
    with torch.no_grad():
        objective.end_step(module, step)

    torch.testing.assert_close(objective.memory[:, rows], said)
    untouched = torch.tensor([1, 2, 3])
    assert torch.equal(objective.memory[:, untouched], before[:, untouched])


def test_memory_travels_with_its_rows_through_a_shuffle():
    module, batch = _module(), _batch()
    objective = _started(_objective(), module, batch)

    one = objective(module, batch, 0.0)["target"].item()
    other = objective(module, _batch(rows=torch.tensor([4, 2, 0, 3, 1])), 0.0)["target"]

    assert other.item() == pytest.approx(one)


def test_no_gradient_reaches_the_memory():
    module, batch = _module(), _batch()
    objective = _started(_objective(), module, batch)

    sum(objective(module, batch, 0.0).values()).backward()

    assert not objective.memory.requires_grad
    assert module.P.grad.abs().sum() > 0


def test_a_prediction_equal_to_its_memory_has_a_finite_gradient():
    module, batch = _module(), _batch()
    objective = _started(
        _objective((0.0, 0.0, 1.0), pseudo_label_init="predict"), module, batch
    )

    loss = objective(module, batch, 0.0)["target"]
    loss.backward()

    assert loss.item() == pytest.approx(0.0, abs=1e-12)
    assert torch.isfinite(module.P.grad).all()


def test_gradients_equal_finite_differences():
    module, batch = _module(), _batch()
    objective = _started(_objective((1.0, 1.5, 1.0)), module, batch)
    weight = module.encoders[0][0].weight
    sum(objective(module, batch, 0.0).values()).backward()
    numeric = torch.zeros_like(weight)
    with torch.no_grad():
        for i in range(weight.numel()):
            for sign in (1, -1):
                weight.view(-1)[i] += sign * 1e-6
                value = sum(objective(module, batch, 0.0).values())
                numeric.view(-1)[i] += sign * value / 2e-6
                weight.view(-1)[i] -= sign * 1e-6

    torch.testing.assert_close(weight.grad, numeric, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("n_known", "n_new"), [(4, 0), (0, 4)])
def test_a_part_without_rows_costs_nothing(n_known, n_new):
    module, batch = _module(), _batch(n_known, n_new)
    objective = _started(_objective(n_source=n_known), module, batch)

    terms = objective(module, batch, 0.0)

    assert terms["source" if n_new else "target"].item() == 0.0
    assert all(torch.isfinite(term) for term in terms.values())


def test_orthogonal_classifier_is_not_trained(toy_pairs):
    dmtl = DMTL(classifier="orthogonal", **SMALL)

    P = dmtl.fit(toy_pairs.views, source=toy_pairs.source).classifier_weights_

    np.testing.assert_allclose(P @ P.T, np.eye(3), atol=1e-6)


def test_consistency_of_the_second_epoch_is_not_zero_and_falls(toy_pairs):
    dmtl = DMTL(**SMALL).fit(toy_pairs.views, source=toy_pairs.source)

    target = dmtl.history_["target"]

    assert target[1] > 1e-3
    assert target[-1] < target[1] < target[0]


def test_it_learns_to_retrieve_new_categories(toy_pairs):
    dmtl = DMTL(**SMALL).fit(toy_pairs.views, source=toy_pairs.source)

    assert dmtl.score(toy_pairs.test, toy_pairs.y_test) > 0.55


def test_source_only_learns_the_known_categories(toy_pairs):
    views, y = toy_pairs.source

    dmtl = DMTL(**SMALL).fit(views, y)

    assert dmtl.score(views, y) > 0.9
    assert "target" in dmtl.history_
    assert not dmtl.history_["target"].any()
    assert dmtl.pseudo_labels_["text"].shape == (0, 3)


@pytest.mark.parametrize("term", ["matching_weight", "lambda1", "lambda2"])
def test_every_term_changes_the_embedding(toy_pairs, term):
    full = DMTL(**SMALL).fit(toy_pairs.views, source=toy_pairs.source)
    less = DMTL(**SMALL | {term: 0.0}).fit(toy_pairs.views, source=toy_pairs.source)

    full, less = (est.transform(toy_pairs.test)["image"] for est in (full, less))

    assert not np.allclose(full, less, atol=1e-3)


@pytest.mark.parametrize(
    "setting",
    [
        {"similarity": "cosine", "temperature": 0.3, "dropout": 0.5},
        {"matching_pairs": "new"},
        {"pseudo_label_init": "predict"},
        {"relu_output": True},
        {"weight_decay": 1.0},
    ],
)
def test_settings_change_the_embedding(toy_pairs, setting):
    plain, other = (
        DMTL(**SMALL | params).fit(toy_pairs.views, source=toy_pairs.source)
        for params in ({}, setting)
    )

    plain, other = (est.transform(toy_pairs.test)["image"] for est in (plain, other))

    assert not np.allclose(plain, other, atol=1e-3)


def test_pseudo_labels_are_those_of_the_unlabeled_new_pairs(toy_pairs):
    y = np.full_like(toy_pairs.y, -1)
    y[:10] = toy_pairs.y[:10]

    dmtl = DMTL(**SMALL).fit(toy_pairs.views, y, source=toy_pairs.source)

    assert dmtl.pseudo_labels_["image"].shape == (len(y) - 10, 6)
    assert dmtl.classifier_weights_.shape == (6, 8)


def test_without_labels_the_matching_term_is_left(toy_pairs):
    with pytest.warns(NoSourceWarning, match="without a labeled pair: only the match"):
        dmtl = DMTL(**SMALL).fit(toy_pairs.views)

    assert set(dmtl.history_) & {"matching", "source", "target"} == {"matching"}


def test_a_source_that_no_term_looks_at_costs_nothing(toy_pairs):
    alone = {"lambda1": 0.0, "lambda2": 0.0, "matching_pairs": "new", "scaling": None}

    with_source = DMTL(**SMALL, **alone).fit(toy_pairs.views, source=toy_pairs.source)
    without = DMTL(**SMALL, **alone).fit(toy_pairs.views)

    np.testing.assert_array_equal(
        with_source.transform(toy_pairs.test)["text"],
        without.transform(toy_pairs.test)["text"],
    )


def test_defaults_learn_to_retrieve_new_categories(toy_pairs):
    dmtl = DMTL(hidden_layer_sizes=(64,), lr=3e-3, random_state=0)

    dmtl.fit(toy_pairs.views, source=toy_pairs.source)

    assert dmtl.score(toy_pairs.test, toy_pairs.y_test) > 0.7


def test_three_views(toy_pairs):
    views = toy_pairs.views | {"sound": toy_pairs.views["text"][:, :4] ** 2}

    dmtl = DMTL(lambda1=0.0, **SMALL).fit(views)

    assert dmtl.transform({"sound": views["sound"]})["sound"].shape == (
        len(toy_pairs.y),
        8,
    )
    assert dmtl.score(views, toy_pairs.y) > 0.5


def test_a_single_known_category_is_enough(toy_pairs):
    views, y = toy_pairs.source
    one = {name: X[y == 0] for name, X in views.items()}, y[y == 0]

    assert len(DMTL(**SMALL).fit(toy_pairs.views, source=one).classes_) == 1


def test_same_seed_same_bits(toy_pairs):
    first, second = (
        DMTL(**SMALL).fit(toy_pairs.views, source=toy_pairs.source) for _ in range(2)
    )

    np.testing.assert_array_equal(
        first.transform(toy_pairs.test)["text"],
        second.transform(toy_pairs.test)["text"],
    )


def test_nothing_to_minimize_is_refused(toy_pairs):
    with pytest.raises(
        ValueError, match="matching_weight is 0 and there are no labels"
    ):
        DMTL(matching_weight=0.0, **SMALL).fit(toy_pairs.views)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_trains_on_a_gpu(toy_pairs, precision):
    settings = SMALL | {"device": "cuda", "precision": precision}

    dmtl = DMTL(**settings).fit(toy_pairs.views, source=toy_pairs.source)

    assert dmtl.net_.criterion_.memory.is_cuda
    assert dmtl.score(toy_pairs.test, toy_pairs.y_test) > 0.55
