"""Tests of `skda.partial.MPOT`."""

import sys

import numpy as np
import pytest
import torch

from skda.partial import MPOT
from skda.partial._mpot import transport_plan

pytest.importorskip("ot", reason="POT is not installed")


def test_the_terms_by_hand(make_net, make_terms, batch, gradients):
    clf = make_net(MPOT, lambda0=3.0, eta1=0.5, eta2=2.0, mass=0.4, epsilon=1.0)
    module, _, terms = make_terms(clf)
    f_s, f_t = module.encode(batch.source.X), module.encode(batch.target.X)
    log_p = module.classify(f_t).log_softmax(dim=1)
    y = batch.source.labels.argmax(dim=1)
    cost = torch.empty(9, 6, dtype=torch.float64)
    for i in range(9):
        for j in range(6):
            distance = (f_s[i] - f_t[j]).square().sum()
            cost[i, j] = 0.5 * distance - 2.0 * log_p[j, y[i]]
    plan = transport_plan(cost, 0.4, epsilon=1.0, max_iter=100)

    torch.testing.assert_close(terms["transport"], 3.0 * (plan * cost).sum())
    assert gradients(terms["transport"], module)["extractor.0.weight"].abs().max() > 0
    torch.testing.assert_close(terms["target_risk"], -log_p[1, 2])
    assert set(terms) == {"source_risk", "target_risk", "transport"}


@pytest.mark.parametrize("mass", [0.01, 0.4, 1.0])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_plan_moves_its_mass_and_no_row_more_than_it_has(mass, scale):
    torch.manual_seed(0)
    cost = scale * torch.rand(6, 8)
    plan = transport_plan(cost, mass, epsilon=0.5, max_iter=2000)

    assert plan.min() >= 0
    assert plan.sum().item() == pytest.approx(mass, rel=1e-3)
    assert plan.sum(dim=1).max() <= 1 / 6 + 1e-3
    assert plan.sum(dim=0).max() <= 1 / 8 + 1e-3


def test_what_is_far_stays_where_it_is():
    near, far = torch.zeros(2, 4), torch.full((2, 4), 20.0)
    plan = transport_plan(torch.cat([near, far]), 0.4, epsilon=0.5, max_iter=100)

    assert plan[:2].sum().item() == pytest.approx(0.4, rel=1e-4)
    assert plan[2:].sum() < 1e-6


@pytest.mark.parametrize(
    ("mass", "progress", "expected"),
    [(0.4, 0.0, 0.01), (0.41, 0.25, 0.21), (0.4, 0.9, 0.4), (0.005, 0.0, 0.005)],
)
def test_the_mass_rises_in_the_first_half(mass, progress, expected, make_net):
    objective = make_net(MPOT, mass=mass).make_objective()

    assert objective.mass_at(progress) == pytest.approx(expected)


@pytest.mark.parametrize("value", [0.5, 1.0])
def test_rows_may_be_equal(value, make_net):
    rows = np.full((6, 3), value)
    clf = make_net(MPOT, max_epochs=3).fit(rows, source=(rows, [0, 0, 1, 1, 2, 2]))

    assert np.isfinite(clf.predict_proba(rows)).all()


def test_without_its_solver_it_says_what_is_missing(
    make_net, partial_data, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ot", None)
    monkeypatch.setitem(sys.modules, "ot.partial", None)
    with pytest.raises(ModuleNotFoundError, match="MPOT solves for its plans with POT"):
        make_net(MPOT).fit(partial_data.X, source=partial_data.source)


@pytest.mark.parametrize(
    "params", [{"mass": 0.0}, {"mass": 1.5}, {"epsilon": 0.0}, {"max_iter": 0}]
)
def test_parameters_are_checked(params, partial_data):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of MPOT must be"):
        MPOT(**params).fit(partial_data.X, source=partial_data.source)
