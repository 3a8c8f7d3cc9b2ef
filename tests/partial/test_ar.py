"""Tests of `skda.partial.AR`."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from skda.partial import AR
from skda.partial._reweighting import SpectralLinear, nearest_weights
from skda.training import sigmoid_ramp


@pytest.mark.parametrize("rho", [0.1, 1.0, 4.0])
def test_the_weights_are_what_a_solver_finds(rho):
    d = np.random.default_rng(0).normal(size=8)
    w = nearest_weights(torch.from_numpy(d), rho).numpy()
    solved = minimize(
        lambda w: w @ d,
        np.ones(8),
        bounds=[(0, None)] * 8,
        constraints=[
            {"type": "eq", "fun": lambda w: w.mean() - 1},
            {"type": "ineq", "fun": lambda w: rho - np.mean((w - 1) ** 2)},
        ],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )

    assert w.min() >= 0
    assert w.mean() == pytest.approx(1)
    assert np.mean((w - 1) ** 2) == pytest.approx(rho, rel=1e-6)
    assert w @ d == pytest.approx(solved.fun, abs=1e-5)


@pytest.mark.parametrize("scores", [[3.0], [2.0, 2.0, 2.0], [0.0] * 5])
def test_equal_scores_have_equal_weights(scores):
    assert_allclose(nearest_weights(torch.tensor(scores), 5.0), 1.0)


def test_a_wide_bound_leaves_one_row():
    w = nearest_weights(torch.tensor([1.0, 0.0, 2.0]), 5.0)

    assert_allclose(w, [0.0, 3.0, 0.0], atol=1e-5)


def test_no_freedom_is_no_weight():
    assert_allclose(nearest_weights(torch.randn(9), 0.0), 1.0, atol=1e-3)


def test_a_layer_of_the_critic_stretches_nothing():
    torch.manual_seed(0)
    layer = SpectralLinear(6, 4)
    for _ in range(100):
        layer(torch.randn(2, 6))
    layer.eval()
    matrix = (layer(torch.eye(6)) - layer(torch.zeros(6))).detach()

    assert torch.linalg.matrix_norm(matrix, 2).item() == pytest.approx(1, abs=1e-3)
    copy = pickle.loads(pickle.dumps(layer))  # noqa: S301
    torch.testing.assert_close(copy(torch.eye(6)), layer(torch.eye(6)))


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(AR, lambda0=0.5, smoothing=0.2, critic_layer_sizes=(8,))
    module, objective, _ = make_terms(clf)
    w = torch.arange(9).double()
    objective.weights = w
    module.eval()
    terms = objective(module, batch, 0.7)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    log_p = module.classify(f_s).log_softmax(dim=1)
    y = batch.source.labels.argmax(dim=1)
    risks = -0.8 * log_p[torch.arange(9), y] - 0.2 * log_p.mean(dim=1)
    log_q = module.classify(f_t).log_softmax(dim=1)
    entropy = -(log_q.exp() * log_q).sum(dim=1).mean()
    d_s, d_t = module.criticize(f_s), module.criticize(f_t)

    torch.testing.assert_close(terms["source_risk"], w @ risks / w.sum())
    torch.testing.assert_close(terms["critic"], d_t.mean() - w @ d_s / w.sum())
    torch.testing.assert_close(terms["entropy"], 0.5 * sigmoid_ramp(0.7) * entropy)
    torch.testing.assert_close(terms["target_risk"], -log_q[1, 2])
    found = gradients(terms["critic"], module)
    trained = {name.split(".")[0] for name, g in found.items() if g is not None}
    assert trained == {"critic"}


def test_rows_of_absent_classes_weigh_little(make_net, make_partial):
    data = make_partial(0, shift=1.0)
    clf = make_net(AR).fit(data.X, source=data.source)
    y = data.source[1]

    assert clf.source_weights_.shape == (120,)
    assert clf.source_weights_.mean() == pytest.approx(1, abs=1e-3)
    assert clf.source_weights_[y >= 2].mean() < 0.3
    assert clf.source_weights_[y < 2].mean() > 1.5


@pytest.mark.parametrize(("n_refreshes", "weighs"), [(1, False), (2, True)])
def test_the_first_part_has_no_weights(n_refreshes, weighs, make_net, partial_data):
    clf = make_net(AR, n_refreshes=n_refreshes, max_epochs=4)
    clf.fit(partial_data.X, source=partial_data.source)

    assert (clf.source_weights_.std() > 0) == weighs


@pytest.mark.parametrize(
    "params", [{"rho": -1.0}, {"smoothing": 1.0}, {"n_refreshes": 0}]
)
def test_parameters_are_checked(params, partial_data):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of AR must be"):
        AR(**params).fit(partial_data.X, source=partial_data.source)
