"""Tests of `skda.partial.SHOT`."""

import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.preprocessing import StandardScaler, normalize

from skda.datasets import load_office_caltech
from skda.model_selection import HideLabels
from skda.partial import SHOT
from skda.partial._hypothesis import (
    SHOTClassifier,
    SourceObjective,
    WeightNormLinear,
    find_clusters,
)
from skda.utils.warnings import NoSourceWarning


def literal(features, p, least):
    """Find pseudo-labels as the public code does, class by class."""
    phi = normalize(np.column_stack([features, np.ones(len(features))]))
    found = p.argmax(axis=1)
    for _ in range(2):
        means = p.T @ phi / (1e-8 + p.sum(axis=0)[:, None])
        counts = np.bincount(found, minlength=p.shape[1])
        kept = np.flatnonzero(counts > least)
        found = kept[cdist(phi, means[kept], "cosine").argmin(axis=1)]
        p = np.eye(p.shape[1])[found]
    return found, kept


# Terms


def test_the_first_phase_has_smooth_labels(make_net, batch):
    torch.manual_seed(0)
    module = SHOTClassifier(torch.nn.Linear(5, 3), 3, n_classes=4).double()
    objective = SourceObjective(0.2)
    objective.start_fit(module, batch)
    terms = objective(module, batch, 0.0)
    log_p = module(batch.source.X).log_softmax(dim=1)
    y = batch.source.labels.argmax(dim=1)
    plain = -log_p[torch.arange(9), y].mean()
    expected = 0.8 * plain - 0.2 * log_p.mean(dim=1).mean()

    torch.testing.assert_close(terms["source_risk"], expected)
    log_p = module(batch.target.X).log_softmax(dim=1)
    torch.testing.assert_close(terms["target_risk"], -log_p[1, 2])


def test_the_terms_of_the_second_phase_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(SHOT, lambda0=0.5, beta=0.2)
    module, objective, _ = make_terms(clf)
    objective.start_epoch(module, batch, 0.0)
    terms = objective(module, batch, 0.3)
    log_p = module(batch.target.X).log_softmax(dim=1)
    entropy = -(log_p.exp() * log_p).sum(dim=1).mean()
    chosen = objective.pseudo_labels.argmax(dim=1)
    missed = -log_p[torch.arange(6), chosen].mean()

    assert set(terms) == {"entropy", "pseudo_risk", "target_risk"}
    torch.testing.assert_close(terms["entropy"], 0.5 * entropy)
    torch.testing.assert_close(terms["pseudo_risk"], 0.5 * 0.2 * missed)
    torch.testing.assert_close(terms["target_risk"], -log_p[1, 2])
    for term in terms.values():
        found = gradients(term, module)
        frozen = [g for name, g in found.items() if name.startswith("head")]
        assert len(frozen) == 3
        assert all(g is None for g in frozen)
        assert found["extractor.0.weight"].abs().max() > 0


def test_the_second_phase_asks_nothing_of_the_source(make_net, make_terms, batch):
    none = batch._replace(source=type(batch.source)(*(t[:0] for t in batch.source)))
    module, objective, _ = make_terms(make_net(SHOT))
    objective.start_epoch(module, batch, 0.0)
    with_it, without = (objective(module, rows, 0.5) for rows in (batch, none))

    torch.testing.assert_close(with_it, without)


def test_without_pseudo_labels_there_is_the_entropy(make_net, make_terms, batch):
    _, _, terms = make_terms(make_net(SHOT, beta=0.0))

    assert set(terms) == {"entropy", "target_risk"}


def test_the_head_is_that_of_a_linear_layer_at_first():
    torch.manual_seed(0)
    head, X = WeightNormLinear(3, 2), torch.randn(4, 3)

    torch.testing.assert_close(head(X), X @ head.weight.T)
    torch.testing.assert_close(pickle.loads(pickle.dumps(head))(X), head(X))  # noqa: S301


# Pseudo-labels


@pytest.mark.parametrize("least", [0.0, 3.0, 8.0])
def test_pseudo_labels_are_those_of_the_public_code(least):
    rng = np.random.default_rng(0)
    features, logits = rng.normal(size=(40, 3)), 2 * rng.normal(size=(40, 4))
    logits[:, 3] -= 3
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = torch.zeros(40, 4, dtype=torch.float64)
    clusters = find_clusters(*map(torch.from_numpy, (features, logits)), given, least)
    found, kept = literal(features, p, least)

    assert clusters.labels.argmax(dim=1).tolist() == found.tolist()
    assert clusters.kept.nonzero().ravel().tolist() == kept.tolist()
    assert clusters.counts.tolist() == np.bincount(found, minlength=4).tolist()


def test_known_labels_stay():
    features = torch.tensor([[1.0], [1.1], [-1.0], [-1.2]])
    logits = torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0], [0.0, 3.0]])
    given = torch.tensor([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    clusters = find_clusters(features, logits, given, 0.0)

    assert clusters.labels[0].tolist() == [0, 1]


def test_the_largest_class_is_kept_if_none_is_large_enough():
    logits = torch.eye(3)[[0, 0, 1]]
    clusters = find_clusters(torch.randn(3, 2), logits, torch.zeros(3, 3), 10.0)

    assert clusters.kept.tolist() == [True, False, False]
    assert clusters.labels.argmax(dim=1).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("params", "least"),
    [({}, 0.4 * 6 / 4), ({"threshold": 0.0}, 0), ({"min_count": 3}, 3)],
)
def test_the_least_count_grows_with_the_target(params, least, make_net, batch):
    objective = make_net(SHOT, **params).make_objective()
    generator = torch.Generator().manual_seed(3)
    features, logits = (torch.randn(6, 4, generator=generator) for _ in range(2))
    given = torch.zeros(6, 4)
    ours = objective.find_clusters(features, logits, given)

    torch.testing.assert_close(ours, find_clusters(features, logits, given, least))


@pytest.mark.parametrize(("n_refreshes", "expected"), [(1, 1), (3, 3), (15, 6)])
def test_pseudo_labels_are_refreshed_now_and_then(
    n_refreshes, expected, make_net, partial_data, monkeypatch
):
    seen = []
    clf = make_net(SHOT, n_refreshes=n_refreshes, max_epochs=6, batch_size=40)
    objective = type(clf.make_objective())
    find = objective.find_clusters

    def count(self, *rows):
        seen.append(rows)
        return find(self, *rows)

    monkeypatch.setattr(objective, "find_clusters", count)
    clf.fit(partial_data.X, source=partial_data.source)

    assert len(seen) == expected + 1  # and once more at the end


# The estimator


def test_it_says_what_it_found(make_net, make_partial):
    data = make_partial(0, shift=1.0)
    names = np.array(["wolf", "bee", "cat", "ant", "dog"])
    X_source, y_source = data.source
    clf = make_net(SHOT).fit(data.X, source=(X_source, names[y_source]))

    assert clf.kept_classes_.tolist() == ["bee", "wolf"]
    assert clf.centroids_.shape == (2, 17)
    assert_allclose(np.linalg.norm(clf.centroids_, axis=1), 1, rtol=1e-5)
    assert clf.class_counts_.sum() == 120
    assert np.mean(clf.pseudo_labels_ == names[data.y]) > 0.95
    assert (clf.history_["phase"] == ["source"] * 40 + ["target"] * 40).all()


def test_the_classifier_is_frozen_in_the_second_phase(make_net, partial_data):
    short, long = (
        make_net(SHOT, source_epochs=3, max_epochs=n).fit(
            partial_data.X, source=partial_data.source
        )
        for n in (1, 4)
    )
    heads = [dict(clf.net_.module_.head.named_parameters()) for clf in (short, long)]

    for name, value in heads[0].items():
        torch.testing.assert_close(heads[1][name], value, rtol=0, atol=0)
    assert (short.n_iter_, long.n_iter_) == (4, 7)


def test_steps_are_those_of_a_phase(make_net, partial_data):
    clf = make_net(SHOT, max_steps=4, source_epochs=9, batch_size=60)
    clf.fit(partial_data.X, source=partial_data.source)

    assert clf.history_["phase"].tolist() == ["source"] * 2 + ["target"] * 2


# Without the source


def test_it_goes_on_without_the_source(make_net, make_partial):
    data = make_partial(0, shift=1.0)
    clf = make_net(SHOT, warm_start=True, lr=0.1, shared_transformer=StandardScaler())
    clf.fit(data.X, source=data.source)
    scaler, classes = clf.shared_transformer_, clf.classes_
    elsewhere = data.X + 0.3
    before = clf.predict_proba(elsewhere)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(elsewhere)

    assert clf.shared_transformer_ is scaler
    assert_array_equal(clf.classes_, classes)
    assert set(clf.history_["phase"]) == {"train"}
    assert "source_risk" not in clf.history_
    assert abs(clf.predict_proba(elsewhere) - before).max() > 1e-3
    assert clf.score(elsewhere, data.y) > 0.9
    assert clf.transduction_.shape == (120,)
    assert clf.score(*data.source, domain="source") > 0.5


def test_no_labels_and_missing_ones_are_the_same_without_the_source(
    make_net, partial_data
):
    fits = []
    for y in (None, np.full(120, -1)):
        clf = make_net(SHOT, warm_start=True, max_epochs=5)
        clf.fit(partial_data.X, source=partial_data.source).fit(partial_data.X, y)
        fits.append(clf.predict_proba(partial_data.X))

    assert_array_equal(*fits)


def test_a_label_has_a_say_without_the_source(make_net, partial_data):
    clf = make_net(SHOT, warm_start=True, max_epochs=5)
    y = np.where(np.arange(120) < 10, partial_data.y, -1)
    clf.fit(partial_data.X, source=partial_data.source).fit(partial_data.X, y)

    assert "target_risk" in clf.history_
    assert_array_equal(clf.transduction_[:10], y[:10])


def test_an_unknown_label_is_an_error_without_the_source(make_net, partial_data):
    clf = make_net(SHOT, warm_start=True, max_epochs=2)
    clf.fit(partial_data.X, source=partial_data.source)
    with pytest.raises(ValueError, match="got the label 7, which no source sample has"):
        clf.fit(partial_data.X, np.full(120, 7))


def test_other_features_are_an_error_without_the_source(make_net, partial_data):
    clf = make_net(SHOT, warm_start=True, max_epochs=2)
    clf.fit(partial_data.X, source=partial_data.source)
    with pytest.raises(ValueError, match="X has 4 features, but SHOT is expecting 10"):
        clf.fit(partial_data.X[:, :4])


def test_a_source_takes_both_phases_again(make_net, partial_data):
    clf = make_net(SHOT, warm_start=True, max_epochs=3)
    for _ in range(2):
        clf.fit(partial_data.X, source=partial_data.source)

    assert clf.n_iter_ == 6


@pytest.mark.parametrize("warm_start", [False, True])
def test_without_any_source_it_needs_labels(warm_start, make_net, partial_data):
    clf = make_net(SHOT, warm_start=warm_start)
    with pytest.raises(ValueError, match="requires y to be passed"):
        clf.fit(partial_data.X)
    for _ in range(2):
        with pytest.warns(NoSourceWarning):
            clf.fit(partial_data.X, partial_data.y)

    assert clf.score(partial_data.X, partial_data.y) > 0.95


def test_hidden_labels_have_no_say(make_net, partial_data):
    clf = HideLabels(make_net(SHOT, max_epochs=3))
    fits = [
        clf.fit(partial_data.X, y, source=partial_data.source).predict_proba(
            partial_data.X
        )
        for y in (partial_data.y, partial_data.y[::-1])
    ]

    assert_array_equal(*fits)


@pytest.mark.parametrize(
    "params", [{"threshold": 1.5}, {"min_count": -1}, {"smoothing": 1.0}, {"beta": -1}]
)
def test_parameters_are_checked(params, partial_data):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of SHOT must be"):
        SHOT(**params).fit(partial_data.X, source=partial_data.source)


@pytest.mark.skipif("SKDA_DATA" not in os.environ, reason="SKDA_DATA is not set")
def test_a_relative_count_keeps_the_classes_of_a_small_target():
    X_source, y_source = load_office_caltech("caltech", "squeezenet", return_X_y=True)
    X, y = load_office_caltech("dslr", "squeezenet", return_X_y=True)
    there = np.isin(y, np.unique(y)[:5])
    scores = [
        SHOT(max_steps=200, min_count=count, random_state=0)
        .fit(X[there], source=(X_source, y_source))
        .score(X[there], y[there])
        for count in (None, 10)
    ]

    assert scores[0] > 0.93 > scores[1]
