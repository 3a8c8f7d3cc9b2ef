"""Compiled steps learn the same."""

import numpy as np
import pytest
import torch
from torch import nn

from skda.heterogeneous import SSAN
from skda.training import Objective, compiled
from skda.training.compiled import CompiledObjective
from tests.training.test_resuming import SOME, X, Y, _fit, _make

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", ["STN", "SHOT", "MPOT"])
def test_compiled_steps_learn_the_same(name, monkeypatch):
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(compiled, "COMPILER", {"backend": keep})
    torch._dynamo.reset()
    plain, fast = _fit(_make(name)), _fit(_make(name, compile=True))
    torch._dynamo.reset()

    assert graphs
    for key, values in plain.items():
        np.testing.assert_allclose(fast[key], values, atol=1e-5)


class Kept(Objective):
    """Keep the features of every step, as methods do with what they report."""

    def __init__(self):
        super().__init__()
        self.register_buffer("center", torch.zeros(2))
        self.seen = torch.zeros(2)


def test_what_a_graph_leaves_is_copied_before_its_next_replay(monkeypatch):
    objective, output = Kept(), torch.zeros(2)
    steps = []
    marker = "cudagraph_mark_step_begin"
    monkeypatch.setattr(torch.compiler, marker, lambda: steps.append(1))

    def replay(objective, module, batch, progress):
        output.fill_(batch)  # as a CUDA graph does, which has one place for it
        objective.seen = objective.center = output
        return {"loss": output.sum()}

    compiled_objective = CompiledObjective(objective, nn.Module(), torch.device("cpu"))
    compiled_objective.makes_graphs = True
    compiled_objective._evaluate = replay
    left = []
    for number in (1.0, 2.0):
        compiled_objective(number, 0.5)
        left.append((objective.seen, objective.center))

    assert len(steps) == 2
    assert compiled_objective.progress == 0.5
    assert [float(seen[0]) for seen, _ in left] == [1.0, 2.0]
    assert [float(center[0]) for _, center in left] == [1.0, 2.0]


@pytest.mark.gpu
def test_graphs_learn_the_same():
    settings = {"max_epochs": 30, "device": "cuda", "random_state": 0}
    given = {"source": (X[::-1] + 0.5, Y[::-1])}
    plain, fast = (
        SSAN(**settings, compile=compiles).fit(X, SOME, **given)
        for compiles in (False, True)
    )

    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    for name, column in plain.history_.items():
        if column.dtype.kind == "f":
            np.testing.assert_allclose(fast.history_[name], column, rtol=1e-3)
