"""Tests of `skda.retrieval.DCCA`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch._subclasses import FakeTensorMode

from skda.losses import canonical_correlations
from skda.modules import MultiViewEncoder
from skda.retrieval import RidgeCCA
from skda.retrieval._dcca import DCCA, DCCAObjective
from skda.training import Batch, Domain, Pairs

SMALL = {
    "n_components": 2,
    "hidden_layer_sizes": (32,),
    "dropout": 0.0,
    "weight_decay": 0.0,
    "max_epochs": 60,
    "lr": 1e-2,
    "device": "cpu",
    "random_state": 0,
}


def _parabola(n, seed):
    """A number and its square: no line relates them. Categories are distances to 0."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(-1, 1, n)
    noise = 0.1 * rng.normal(size=(n, 4))
    views = {
        "line": np.column_stack([u, u]) + noise[:, :2],
        "square": np.column_stack([u**2, -(u**2)]) + noise[:, 2:],
    }
    return views, np.digitize(abs(u), [1 / 3, 2 / 3])


@pytest.fixture(scope="module")
def data():
    return _parabola(400, 0), _parabola(300, 1)


@pytest.fixture
def step():
    torch.manual_seed(0)
    module = MultiViewEncoder({"a": 3, "b": 2}, 2, hidden_layer_sizes=[6]).double()
    X = torch.randn(10, 5, dtype=torch.double)
    domain = Domain(X, torch.zeros(10, 0), torch.arange(10))
    nothing = Domain(*(field[:0] for field in domain))
    return module, Batch(nothing, domain, Pairs(nothing.X, nothing.X))


def test_the_term_is_minus_the_sum_of_the_correlations(step):
    module, batch = step
    a, b = module(batch.target.X)
    expected = -canonical_correlations(a, b, regularization=0.1).sum()

    terms = DCCAObjective(regularization=0.1)(module, batch, 0.5)

    assert list(terms) == ["correlation"]
    assert terms["correlation"].item() == pytest.approx(expected.item())


def test_the_term_trains_both_encoders(step):
    module, batch = step
    DCCAObjective(regularization=0.1)(module, batch, 0.5)["correlation"].backward()
    gradients = [encoder[0].weight.grad for encoder in module.encoders]

    assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_a_step_has_static_shapes_and_never_waits_for_the_device():
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module = MultiViewEncoder({"a": 3, "b": 2}, 2, hidden_layer_sizes=[6])
        domain = Domain(torch.randn(10, 5), torch.zeros(10, 0), torch.arange(10))
        batch = Batch(domain, domain, Pairs(domain.X, domain.X))
        sum(DCCAObjective(regularization=0.1)(module, batch, 0.5).values()).backward()

    assert all(parameter.grad is not None for parameter in module.parameters())


def test_learns_what_no_line_relates(data):
    (train, _), (test, y) = data
    linear = RidgeCCA(regularization=0.01).fit(train).score(test, y)
    deep = DCCA(**SMALL).fit(train).score(test, y)

    assert linear < 0.5
    assert deep > linear + 0.2


def test_training_raises_the_correlations(data):
    (train, _), _ = data
    history = DCCA(**SMALL).fit(train).history_["correlation"]

    assert history[-1] < history[0] - 0.5


def test_embeddings_are_canonical_and_weighted_by_their_correlations(data):
    (train, _), _ = data
    dcca = DCCA(**SMALL | {"regularization": 1e-9, "max_epochs": 3}).fit(train)
    a, b = dcca.transform(train).values()
    s = dcca.correlations_

    assert dcca.n_iter_ == 3
    assert_allclose(np.cov(a.T), np.diag(s**2), atol=1e-3)
    assert_allclose(a.T @ b / (len(a) - 1), np.diag(s**3), atol=1e-3)


def test_unweighted_directions_have_unit_variance(data):
    (train, _), _ = data
    params = {"regularization": 1e-9, "max_epochs": 3, "correlation_power": 0.0}
    a, _ = DCCA(**SMALL | params).fit(train).transform(train).values()

    assert_allclose(np.cov(a.T), np.eye(2), atol=1e-3)


def test_pairs_of_the_source_are_correlated_as_well(data):
    (train, _), (more, y) = data
    fast = SMALL | {"max_epochs": 3}
    with_source = DCCA(**fast).fit(train, source=(more, y))
    stacked = {name: np.vstack([more[name], train[name]]) for name in train}

    assert_array_equal(
        with_source.transform(train)["line"],
        DCCA(**fast).fit(stacked).transform(train)["line"],
    )


def test_labels_are_not_used(data):
    (train, y), _ = data
    fast = SMALL | {"max_epochs": 3}

    assert_array_equal(
        DCCA(**fast).fit(train, y).transform(train)["line"],
        DCCA(**fast).fit(train).transform(train)["line"],
    )


@pytest.mark.parametrize(
    ("params", "steps"),
    [({"n_components": 401}, 400), ({"n_components": 50, "batch_size": 40}, 40)],
)
def test_a_step_needs_more_pairs_than_there_are_components(data, params, steps):
    (train, _), _ = data
    with pytest.raises(
        ValueError, match=rf"several times n_components=\d+ pairs, got steps of {steps}"
    ):
        DCCA(**SMALL | params).fit(train)


def test_a_constant_view_is_embedded_as_zeros(data):
    (train, _), _ = data
    flat = train | {"square": np.ones_like(train["square"])}
    embeddings = DCCA(**SMALL | {"max_epochs": 2}).fit(flat).transform(flat)

    assert_allclose(embeddings["square"], 0, atol=1e-6)
    assert np.isfinite(embeddings["line"]).all()


def test_three_views_are_refused(data):
    (train, _), _ = data
    with pytest.raises(ValueError, match="DCCA expects two views, got"):
        DCCA(**SMALL).fit(train | {"third": train["line"]})


def test_the_published_form_does_not_weight_the_directions():
    assert DCCA.published(lr=0.1).get_params()["correlation_power"] == 0
