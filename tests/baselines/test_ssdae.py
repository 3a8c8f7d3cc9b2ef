"""Tests of `skda.baselines.SSDAE`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from skda.base import AutoEncoderObjective
from skda.baselines import SSDAE
from skda.modules import AutoEncoderClassifier

TINY = {"hidden_layer_sizes": (16, 8), "random_state": 0, "device": "cpu"}


def standing_still(progress):
    """Set every learning rate to zero."""
    return 0.0


def layers(network):
    """Take the weights and biases out of a chain of layers."""
    return [
        [parameter.detach().double().numpy() for parameter in layer.parameters()]
        for layer in network[::2]
    ]


def test_the_terms_are_those_of_the_equation(toy):
    clf = SSDAE(
        **TINY, recon_weight=0.5, lambda_reg=0.1, scaling=None, max_epochs=1,
        batch_size=-1, lr_schedule=standing_still,
    ).fit(toy.X, toy.y)  # fmt: skip
    module = clf.net_.module_
    z = toy.X
    for W, b in layers(module.encoder):
        z = np.maximum(z @ W.T + b, 0)
    (V1, b1), (V2, b2) = layers(module.decoder)
    reconstructed = np.maximum(z @ V1.T + b1, 0) @ V2.T + b2
    error = np.mean(np.sum((reconstructed - toy.X) ** 2, axis=1))
    theta = module.head.weight.detach().double().numpy().T
    known = toy.y != -1
    log_p = log_softmax(z[known] @ theta, axis=1)
    squares = [
        np.sum(p**2)
        for part in (module.encoder, module.decoder)
        for layer in layers(part)
        for p in layer
    ]

    found = {name: values[0] for name, values in clf.history_.items()}

    assert found["reconstruction"] == pytest.approx(0.5 * error, rel=1e-4)
    risk = -np.mean(log_p[np.arange(known.sum()), toy.y[known]])
    assert found["risk"] == pytest.approx(risk, rel=1e-4)
    assert found["decay"] == pytest.approx(0.1 * np.sum(squares), rel=1e-4)
    assert_allclose(np.log(clf.predict_proba(toy.X[known])), log_p, atol=1e-4)


def test_it_is_trained_by_the_objective_of_one_domain():
    clf = SSDAE(recon_weight=0.3, lambda_reg=0.2)
    objective = clf.make_objective()

    assert type(objective) is AutoEncoderObjective
    assert (objective.recon_weight, objective.lambda_reg) == (0.3, 0.2)


def test_a_few_labels_are_learned(toy):
    clf = SSDAE(**TINY, lr=0.01, max_epochs=60).fit(toy.X, toy.y)
    known = toy.y != -1

    assert_array_equal(clf.predict(toy.X[known]), toy.y[known])
    assert clf.score(toy.X, toy.y_true) > 0.8
    assert (np.diff(clf.history_["reconstruction"])[:10] < 0).mean() > 0.5


def test_unlabeled_rows_take_part(toy):
    known = np.flatnonzero(toy.y != -1)
    clf = SSDAE(**TINY, scaling=None, max_epochs=20, batch_size=-1)
    both = [
        clf.fit(toy.X[rows], toy.y[rows]).predict_proba(toy.X)
        for rows in (known, np.arange(len(toy.y)))
    ]

    assert not np.allclose(*both, atol=1e-3)


def test_the_source_is_ignored(toy):
    clf = SSDAE(**TINY, max_epochs=3)
    alone = clf.fit(toy.X, toy.y).predict_proba(toy.X)

    assert_array_equal(
        clf.fit(toy.X, toy.y, source=toy.source).predict_proba(toy.X), alone
    )


@pytest.mark.parametrize("linear_top", [True, False])
def test_the_top_layer_may_be_linear(toy, linear_top):
    clf = SSDAE(**TINY, linear_top=linear_top, max_epochs=2).fit(toy.X, toy.y)

    assert (clf.transform(toy.X) < 0).any() == linear_top


def test_constant_features_and_dead_units_are_harmless(toy):
    X = np.column_stack([toy.X, np.full(len(toy.X), 3.0)])
    clf = SSDAE(**TINY, max_epochs=2, lambda_reg=100.0, lr=1.0).fit(X, toy.y)

    assert np.isfinite(clf.predict_proba(X)).all()


def test_the_published_optimizer_forgets_faster(toy):
    clf = SSDAE.published(**TINY, max_epochs=2).fit(toy.X, toy.y)
    optimizer = clf.net_.optimizer_

    assert isinstance(optimizer, torch.optim.RMSprop)
    settings = optimizer.param_groups[0]
    assert (settings["lr"], settings["alpha"], settings["momentum"]) == (1e-4, 0.8, 0.8)
    assert isinstance(clf.net_.module_, AutoEncoderClassifier)


def test_no_layers_are_an_error(toy):
    with pytest.raises(ValueError, match="hidden_layer_sizes must have one layer"):
        SSDAE(hidden_layer_sizes=()).fit(toy.X, toy.y)


def test_no_label_is_an_error(toy):
    with pytest.raises(ValueError, match="SSDAE requires y to be passed"):
        SSDAE().fit(toy.X)
