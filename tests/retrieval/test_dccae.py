"""Tests of `skda.retrieval.DCCAE`."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from torch._subclasses import FakeTensorMode

from skda.losses import canonical_correlations
from skda.retrieval._dcca import DCCA
from skda.retrieval._dccae import DCCAE, DCCAEModule, DCCAEObjective
from skda.training import Batch, Domain, Pairs

SMALL = {
    "n_components": 3,
    "hidden_layer_sizes": (32,),
    "dropout": 0.0,
    "max_epochs": 40,
    "lr": 1e-2,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def data():
    """Views of the same blobs, in the training rows and in new ones."""
    rng = np.random.default_rng(0)
    latent, y = make_blobs(500, n_features=4, centers=4, random_state=0)
    latent += rng.normal(size=latent.shape)
    views = {
        "image": np.tanh(0.3 * latent @ rng.normal(size=(4, 8))),
        "text": latent @ rng.normal(size=(4, 5)),
    }
    train = {name: rows[:300] for name, rows in views.items()}
    test = {name: rows[300:] for name, rows in views.items()}
    return train, test, y[300:]


def _step(**kind):
    torch.manual_seed(0)
    module = DCCAEModule({"a": 3, "b": 2}, 2, hidden_layer_sizes=[6], dropout=0.0)
    X = torch.randn(10, 5)
    domain = Domain(X, torch.zeros(10, 0), torch.arange(10))
    nothing = Domain(*(field[:0] for field in domain))
    return module, Batch(nothing, domain, Pairs(nothing.X, nothing.X))


def _objective(weight=0.5):
    return DCCAEObjective(regularization=0.1, lambda_reconstruction=weight)


def test_terms_equal_those_computed_view_by_view():
    module, batch = _step()
    a, b = module(batch.target.X)
    X_a, X_b = batch.target.X[:, :3], batch.target.X[:, 3:]
    error = (X_a - module.decoders[0](a)).square().sum() / 10
    error = error + (X_b - module.decoders[1](b)).square().sum() / 10
    rho = canonical_correlations(a, b, regularization=0.1)

    terms = _objective()(module, batch, 0.5)

    assert terms["correlation"].item() == pytest.approx(-rho.sum().item(), rel=1e-5)
    assert terms["reconstruction"].item() == pytest.approx(0.5 * error.item(), rel=1e-5)


@pytest.mark.parametrize("term", ["correlation", "reconstruction"])
def test_both_terms_train_both_encoders(term):
    module, batch = _step()
    _objective()(module, batch, 0.5)[term].backward()
    gradients = [encoder[0].weight.grad for encoder in module.encoders]

    assert all(gradient.abs().max() > 0 for gradient in gradients)
    assert (module.decoders[0][0].weight.grad is None) == (term == "correlation")


def test_a_step_has_static_shapes_and_never_waits_for_the_device():
    with FakeTensorMode():  # has shapes but no values: reading one raises
        module, batch = _step()
        sum(_objective()(module, batch, 0.5).values()).backward()

    assert all(parameter.grad is not None for parameter in module.parameters())


def test_decoders_mirror_the_encoders():
    module = DCCAEModule({"a": 7, "b": 4}, 2, hidden_layer_sizes=[6, 5], dropout=0.1)
    shapes = [
        tuple(layer.weight.shape)
        for layer in module.decoders[0]
        if isinstance(layer, torch.nn.Linear)
    ]

    assert shapes == [(5, 2), (6, 5), (7, 6)]


def test_retrieves_new_rows_and_learns_to_reconstruct(data):
    train, test, y = data
    dccae = DCCAE(**SMALL, lambda_reconstruction=0.1).fit(train)
    error = dccae.history_["reconstruction"]

    assert dccae.score(test, y) > 0.6  # chance is 0.25
    assert error[-1] < 0.7 * error[0]


def test_without_weight_it_embeds_as_the_plain_method_learns(data):
    train, _, _ = data
    term = [
        cls(**SMALL, **weight).fit(train).history_["correlation"][-1]
        for cls, weight in ((DCCA, {}), (DCCAE, {"lambda_reconstruction": 0.0}))
    ]

    assert term[1] == pytest.approx(term[0], abs=0.1)


def test_a_step_needs_more_pairs_than_there_are_components(data):
    with pytest.raises(ValueError, match="several times n_components=301 pairs"):
        DCCAE(**SMALL | {"n_components": 301}).fit(data[0])


def test_published_settings_build():
    assert DCCAE.published().get_params()["regularization"] == 1e-4
