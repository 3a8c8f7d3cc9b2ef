import numpy as np
import pytest
import torch
from torch import nn

from skda.training.divergence import (
    DivergenceCheck,
    check_collapse,
    check_losses,
    check_parameters,
    refuse_singular,
    variation,
)


def test_a_loss_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match=r"diverged: b=nan\. .* lr=0\.1, or scale"):
        check_losses(("a", "b"), (1.0, float("nan")), lr=0.1)


def test_the_first_epoch_with_an_infinite_loss_is_the_last():
    check = DivergenceCheck(lr=1.0)
    check.watch(("a",), torch.tensor([1.0]))

    with pytest.raises(ValueError, match="diverged: a=inf"):
        check.watch(("a",), torch.tensor([float("inf")]))


@pytest.mark.parametrize("name", ["weight", "running_var"])
def test_weights_and_buffers_must_be_finite(name):
    norm = nn.BatchNorm1d(3)
    check_parameters(norm, lr=1.0)
    with torch.no_grad():
        getattr(norm, name)[1] = float("nan")

    with pytest.raises(ValueError, match="diverged: the weights of the network"):
        check_parameters(norm, lr=1.0)


def test_a_module_without_parameters_is_finite():
    check_parameters(nn.ReLU(), lr=1.0)


def test_variation_is_relative():
    rows = torch.full((3, 2), 1e6)

    assert variation(rows) == 0
    assert variation(rows[:1]) == 0
    assert variation(rows + torch.tensor([[0.0], [1e6], [0.0]])) == 0.5


def test_only_what_varied_clearly_before_can_collapse():
    before = {"source": 1e-3, "target": 0.2}
    check_collapse(before, {"source": 0.0, "target": 1e-5}, [2.0, 1.0], lr=1.0)

    with pytest.raises(ValueError, match="all samples of the target to the same"):
        check_collapse(before, {"source": 0.0, "target": 0.0}, [2.0, 1.0], lr=1.0)


def test_what_varied_at_all_can_collapse_if_the_loss_has_grown():
    before = {"source": 0.0, "target": 1e-3}
    check_collapse(before, {"source": 0.0, "target": 1e-4}, [1.0, 50.0], lr=1.0)

    with pytest.raises(ValueError, match="all samples of the target to the same"):
        check_collapse(before, {"source": 0.0, "target": 0.0}, [1.0, 50.0], lr=1.0)


def test_a_failed_decomposition_is_a_divergence():
    with pytest.raises(ValueError, match="diverged: a matrix"), refuse_singular(1.0):
        torch.linalg.svd(torch.full((2, 2), np.nan))


class Arriving(torch.Tensor):
    """Losses on a GPU, whose copies have a device of their own."""

    @property
    def device(self):
        return torch.device("cuda")

    def to(self, *args, **kwargs):
        return self.as_subclass(torch.Tensor)


def test_losses_on_a_gpu_are_read_once_their_copies_have_arrived(monkeypatch):
    arrived = []

    class Event:
        def record(self, stream):
            pass

        def query(self):
            return bool(arrived)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    check = DivergenceCheck(lr=1.0)
    losses = torch.tensor([float("nan")]).as_subclass(Arriving)
    for _ in range(25):
        check.watch(("a",), losses)
    assert len(check.copies) == 2

    arrived.append(True)
    with pytest.raises(ValueError, match="diverged: a=nan"):
        check.watch(("a",), losses)
