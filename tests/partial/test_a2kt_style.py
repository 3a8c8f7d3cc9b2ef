"""Tests of `skda.partial.A2KTStyle`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skda.losses import kernel_mmd
from skda.modules import ByteDropout
from skda.partial import ISRA, A2KTStyle
from skda.partial._dual_objectives import prototype_hinge, select_rows
from skda.unsupervised import SourceOnly
from skda.utils.warnings import NoSourceWarning

WEIGHTS = {
    "lambda0": 0.5,
    "pseudo_weight": 0.8,
    "discrepancy_weight": 3.0,
    "intra_weight": 0.2,
    "inter_weight": 0.4,
}
SELECTED = torch.tensor([0, 2, -1, 1, -1, 0])  # the second one is labeled
IN_PLAY = torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64)


def unit(f):
    return f / f.norm(dim=1, keepdim=True)


@pytest.fixture
def small(make_net):
    """Build an estimator that fits at once."""

    def make(**params):
        return make_net(A2KTStyle, **{"hidden_layer_sizes": ()} | params)

    return make


@pytest.fixture
def step(small, make_terms, batch):
    """Evaluate the terms after a selection; features, weights and logits go along."""
    module, objective, _ = make_terms(small(**WEIGHTS))
    one_hot = torch.eye(4, dtype=torch.float64)
    objective.selected = torch.where(
        SELECTED[:, None] >= 0, one_hot[SELECTED], torch.zeros(6, 4).double()
    )
    objective.class_weights = IN_PLAY
    terms = objective(module, batch, 0.7)
    g = [unit(module.encode(part.X)) for part in (batch.source, batch.target)]
    return module, objective, terms, g


# Terms


def log_probabilities(module, X):
    f = module.encode(X)
    return (
        module.head(f).log_softmax(dim=1),
        (unit(f) @ module.prototypes.T / 0.1).log_softmax(dim=1),
    )


def test_the_risks_by_hand(step, batch):
    module, _, terms, _ = step
    y = batch.source.labels.argmax(dim=1)
    kept = IN_PLAY[y] > 0
    source = [p[kept, y[kept]] for p in log_probabilities(module, batch.source.X)]
    target = log_probabilities(module, batch.target.X)
    pseudo = [-p[[0, 3, 5], [0, 1, 0]].mean() for p in target]

    torch.testing.assert_close(
        terms["source_risk"], -source[0].mean() - source[1].mean()
    )
    torch.testing.assert_close(terms["target_risk"], -target[0][1, 2] - target[1][1, 2])
    torch.testing.assert_close(terms["pseudo_risk"], 0.5 * 0.8 * sum(pseudo))


def test_the_discrepancy_is_that_of_what_is_selected(step, batch):
    _, _, terms, (g_s, g_t) = step
    kept = IN_PLAY[batch.source.labels.argmax(dim=1)] > 0
    expected = kernel_mmd(g_s[kept], g_t[SELECTED >= 0])

    torch.testing.assert_close(terms["discrepancy"], 0.5 * 3.0 * expected)


def test_the_spread_by_hand(step, batch):
    module, _, terms, g = step
    classes = torch.cat([batch.source.labels.argmax(dim=1), SELECTED])
    there = torch.tensor([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 14])
    gaps = torch.cat(g)[there] - module.prototypes[classes[there]]

    torch.testing.assert_close(
        terms["intra"], 0.5 * 0.2 * gaps.square().sum(dim=1).mean()
    )


def test_the_hinge_is_that_of_prototypes_which_have_moved(step, batch):
    module, objective, terms, (g_s, _) = step
    y = batch.source.labels.argmax(dim=1)
    means = torch.stack([g_s[y == k].mean(dim=0) for k in range(4)])
    moved = unit(0.9 * module.prototypes + 0.1 * means)
    gaps = [
        max(0.0, 1.0 - (moved[k] - moved[m]).norm().item())
        for k in range(3)
        for m in range(3)
        if k != m
    ]

    assert sum(gaps) > 0
    assert terms["inter"].item() == pytest.approx(0.5 * 0.4 * np.mean(gaps), rel=1e-5)
    objective.end_step(module, batch)
    torch.testing.assert_close(module.prototypes, moved)


def test_prototypes_that_meet_have_a_hinge_and_a_slope():
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    hinge = prototype_hinge(same, torch.ones(3), 1.0)
    (slope,) = torch.autograd.grad(hinge, same)

    assert hinge.item() == pytest.approx(2 * (1 - 1e-3) / 6)
    assert slope.isfinite().all()


def test_a_class_that_is_alone_is_far_from_others():
    prototypes = torch.eye(3)

    assert prototype_hinge(prototypes, torch.tensor([1.0, 0.0, 0.0]), 2.0) == 0


def test_every_term_reaches_the_features(step, gradients):
    module, _, terms, _ = step

    assert set(terms) == {
        "source_risk",
        "target_risk",
        "pseudo_risk",
        "discrepancy",
        "intra",
        "inter",
    }
    for term in terms.values():
        assert gradients(term, module)["extractor.0.weight"].abs().max() > 1e-6


def test_prototypes_start_as_the_means_of_the_source(small, make_terms, batch):
    module, _, _ = make_terms(small())
    g, y = unit(module.encode(batch.source.X)), batch.source.labels.argmax(dim=1)
    means = torch.stack([g[y == k].mean(dim=0) for k in range(4)])

    torch.testing.assert_close(module.prototypes, unit(means))


def test_a_class_without_a_row_keeps_its_prototype(small, make_terms, batch):
    module, _, _ = make_terms(small())
    f = module.encode(batch.source.X[:1])
    moved = module.updated_prototypes(f, batch.source.labels[:1])

    torch.testing.assert_close(moved[1:], module.prototypes[1:])
    assert not torch.equal(moved[0], module.prototypes[0])


# Selection


def rows(*sure):
    """Probabilities of a class, which the others share the rest of."""
    p = torch.tensor([[(1 - q) / 2] * 3 for _, q in sure])
    for i, (k, q) in enumerate(sure):
        p[i, k] = q
    return p


def chosen(selected):
    return [
        int(row.argmax()) if row.any() else None for row in selected.to(torch.int64)
    ]


FIRST = rows((0, 0.9), (0, 0.8), (1, 0.9), (0, 0.7), (2, 0.6), (1, 0.5), (0, 0.6))
SECOND = rows((0, 0.5), (0, 0.9), (1, 0.9), (0, 0.7), (1, 0.9), (1, 0.6), (0, 0.5))


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        # 4 rows are found in class 0, with 0.7, 0.85, 0.7 and 0.55; 2 in class 1.
        (0.25, [None, 0, 1, None, None, None, None]),
        (0.5, [0, 0, 1, None, None, None, None]),
        (0.75, [0, 0, 1, 0, None, 1, None]),
        (1.0, [0, 0, 1, 0, None, 1, 0]),
    ],
)
def test_the_surest_rows_of_every_class_are_selected(fraction, expected):
    assert chosen(select_rows(FIRST, SECOND, torch.zeros(7, 3), fraction)) == expected


def test_labeled_rows_are_selected_and_take_no_place():
    given = torch.zeros(7, 3)
    given[1, 2] = 1  # whatever the classifiers say
    selected = select_rows(FIRST, SECOND, given, 0.3)

    assert chosen(selected) == [0, 2, 1, None, None, None, None]


@pytest.mark.parametrize("fraction", [1 / 10, 3 / 10, 7 / 10, 9 / 10])
def test_whole_fractions_take_no_row_more(fraction):
    p = rows(*[(0, 0.5 + 0.04 * i) for i in range(10)])
    selected = select_rows(p, p, torch.zeros(10, 3), fraction)

    assert selected.sum() == round(10 * fraction)
    assert chosen(selected)[-1] == 0


@pytest.mark.parametrize(
    ("counts", "threshold", "expected"),
    [
        ([6, 3, 1, 0], 0.0, [1, 1, 1, 0]),
        ([6, 3, 1, 0], 0.4, [1, 1, 1, 0]),  # 0.4 * 10 / 4 is one
        ([6, 3, 1, 0], 0.5, [1, 1, 0, 0]),
        ([9, 0, 0, 1], 1.0, [1, 0, 0, 0]),
        ([0, 0, 0, 0], 0.4, [1, 1, 1, 1]),
    ],
)
def test_classes_of_enough_rows_are_selected(counts, threshold, expected, small):
    objective = small(threshold=threshold).make_objective()
    objective.selected = torch.eye(4).repeat_interleave(torch.tensor(counts), dim=0)
    nothing = torch.zeros_like(objective.selected)

    assert objective.select_classes(nothing).tolist() == expected


def test_a_labeled_class_is_selected(small):
    objective = small(threshold=1.0).make_objective()
    objective.selected = torch.eye(4)[[0, 0, 0, 0, 2]]
    given = torch.eye(4)[[0, 0, 0, 0, 2]] * torch.tensor([0, 0, 0, 0, 1])[:, None]

    assert objective.select_classes(given).tolist() == [1, 0, 1, 0]


def test_the_selection_grows_and_classes_fall_out_after_the_first(
    small, partial_data, monkeypatch
):
    seen = []
    clf = small(n_refreshes=4, max_epochs=8)
    objective = type(clf.make_objective())
    start_epoch = objective.start_epoch

    def look(self, module, domains, progress):
        start_epoch(self, module, domains, progress)
        seen.append((self.selected.sum().item(), self.class_weights.sum().item()))

    monkeypatch.setattr(objective, "start_epoch", look)
    clf.fit(partial_data.X, source=partial_data.source)
    n_rows, n_classes = (np.array(column) for column in zip(*seen, strict=True))

    assert n_rows[0] == n_rows[1] == 0
    assert n_rows[2] == n_rows[3] < n_rows[4] == n_rows[5] < n_rows[6] == n_rows[7]
    assert (n_classes[:4] == 5).all()
    assert n_classes[4] < 5
    assert clf.class_weights_history_.shape == (4, 5)


# The estimator


def test_predictions_are_the_mean_of_both_classifiers(small, partial_data):
    clf = small(max_epochs=3).fit(partial_data.X, source=partial_data.source)
    module = clf.net_.module_
    with torch.no_grad():
        X = torch.from_numpy(partial_data.X).float()
        both = [log_p.exp() for log_p in log_probabilities(module, X)]

    assert abs(both[0] - both[1]).max() > 0.01
    assert_allclose(
        clf.predict_proba(partial_data.X), (both[0] + both[1]) / 2, atol=1e-6
    )


def test_it_says_what_it_selected(small, make_partial):
    data = make_partial(0, shift=1.0)
    names = np.array(["wolf", "bee", "cat", "ant", "dog"])
    X_source, y_source = data.source
    clf = small().fit(data.X, source=(X_source, names[y_source]))

    assert clf.selected_classes_.tolist() == ["bee", "wolf"]
    assert clf.n_selected_.tolist() == [0, 54, 0, 0, 54]  # nine tenths of 60
    assert clf.prototypes_.shape == (5, 16)
    assert_allclose(np.linalg.norm(clf.prototypes_, axis=1), 1, rtol=1e-5)


def test_all_classes_stay_if_there_was_no_time_to_select(small, partial_data):
    clf = small(max_epochs=1).fit(partial_data.X, source=partial_data.source)

    assert clf.selected_classes_.tolist() == [0, 1, 2, 3, 4]
    assert clf.n_selected_.tolist() == [0] * 5


def test_it_beats_its_absence_where_classes_are_missing(small, make_net, make_partial):
    gains = []
    for seed in range(5):
        data = make_partial(seed, shift=3.0)
        adapted, plain = (
            clf.fit(data.X, source=data.source)
            for clf in (
                small(random_state=seed),
                make_net(SourceOnly, random_state=seed),
            )
        )
        gains.append(adapted.score(data.X, data.y) - plain.score(data.X, data.y))

    assert np.mean(gains) > 0.01


def test_what_adapts_changes_the_predictions(small, make_partial):
    data = make_partial(1)
    adapted, not_adapted = (
        small(lambda0=lambda0).fit(data.X, source=data.source).predict(data.X)
        for lambda0 in (1.0, 0.0)
    )

    assert (adapted != not_adapted).sum() >= 3


def test_no_labels_and_missing_ones_are_the_same(small, partial_data):
    clf = small(max_epochs=5, n_refreshes=5)
    none, masked = (
        clf.fit(partial_data.X, y, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for y in (None, np.full(120, -1))
    )

    assert_array_equal(none, masked)


def test_a_labeled_target_row_has_a_say(small, partial_data):
    clf = small(max_epochs=5, n_refreshes=5)
    y = np.full(120, -1)
    y[3] = partial_data.y[3]
    none, one = (
        clf.fit(partial_data.X, labels, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for labels in (None, y)
    )

    assert abs(none - one).max() > 1e-4
    assert clf.transduction_[3] == y[3]
    assert "target_risk" in clf.history_


def test_without_a_source_both_classifiers_learn(small, partial_data):
    with pytest.warns(NoSourceWarning):
        clf = small().fit(partial_data.X, partial_data.y)
    X = torch.from_numpy(partial_data.X).float()
    with torch.no_grad():
        found = [
            p.argmax(dim=1).numpy() for p in log_probabilities(clf.net_.module_, X)
        ]

    assert min(np.mean(part == partial_data.y) for part in found) > 0.95
    assert not hasattr(clf, "selected_classes_")


def test_without_a_source_prototypes_move(small, make_terms, batch):
    clf = small()
    module, _, _ = make_terms(clf)
    labeled = batch._replace(target=batch.source)
    objective = clf.make_target_objective()
    objective.start_fit(module, labeled)
    placed = module.prototypes.clone()
    module.extractor[0].weight.data.neg_()
    objective(module, labeled, 0.5)
    moved = module.updated_prototypes(
        module.encode(batch.source.X), batch.source.labels
    )
    objective.end_step(module, labeled)

    torch.testing.assert_close(module.prototypes, moved)
    assert not torch.allclose(module.prototypes, placed)


def test_hidden_units_are_dropped_between_layers(small, batch):
    clf = small(hidden_layer_sizes=(8, 6), dropout=0.3)
    layers = clf.make_classifier(
        extractor=nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3), nn.ReLU()),
        n_components=3,
        n_classes=4,
    ).extractor

    assert [type(layer) for layer in layers] == [
        nn.Linear,
        nn.ReLU,
        ByteDropout,
        nn.Linear,
        nn.ReLU,
    ]
    assert layers[2].p == 0.3


def test_topics_can_be_plugged_in(small, partial_data):
    clf = ISRA(small(max_epochs=4, n_refreshes=4), n_topics=4, attention="encoder")
    clf.fit(partial_data.X, source=partial_data.source)

    assert np.isfinite(clf.predict_proba(partial_data.X)).all()
    assert clf.n_selected_.sum() > 0


def test_published_settings_are_the_first_defaults_because_there_are_none():
    first = A2KTStyle(normalize=True).get_params()

    assert A2KTStyle.published().get_params() == first
    assert "not A2KT" in A2KTStyle.__doc__.split("\n\n")[1]


@pytest.mark.parametrize(
    "params",
    [
        {"pseudo_weight": -1.0},
        {"discrepancy_weight": -1.0},
        {"intra_weight": -1.0},
        {"inter_weight": -1.0},
        {"margin": 2.5},
        {"temperature": 0.0},
        {"decay": 1.0},
        {"threshold": 1.5},
        {"n_refreshes": 0},
        {"dropout": 1.0},
    ],
)
def test_parameters_are_checked(params, partial_data):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of A2KTStyle must be"):
        A2KTStyle(**params).fit(partial_data.X, source=partial_data.source)
