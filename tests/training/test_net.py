"""Tests of `skda.training`: the training loop."""

import re

import pytest
import torch
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    GradientNormClipping,
    LRScheduler,
    ProgressBar,
)
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from skda.training import DomainNet, Domains, Objective, Phase, optimizer_params


class Module(nn.Module):
    """The smallest network with two named parts."""

    def __init__(self):
        super().__init__()
        self.source_part = nn.Linear(3, 2)
        self.target_part = nn.Linear(2, 2)


class Recorder(Objective):
    """Two terms, and a record of everything the net does with the objective."""

    def __init__(self, lr_multipliers=None):
        super().__init__()
        self.lr_multipliers = lr_multipliers or {}
        self.calls = []
        self.dtype = None

    def forward(self, module, batch, progress):
        self.calls.append(progress)
        out = module.source_part(batch.source.X)
        self.dtype = out.dtype
        return {
            "source_term": out.float().square().mean(),
            "target_term": 2 * module.target_part(batch.target.X).square().mean(),
        }

    def start_fit(self, module, domains):
        self.calls.append(f"start_fit on {len(domains.source.X)}")

    def start_epoch(self, module, domains, progress):
        self.calls.append(f"start_epoch on {len(domains.source.X)}")

    def end_step(self, module, batch):
        self.calls.append(f"end_step on {len(batch.source.X)}")


class CountSyncs(TorchDispatchMode):
    """Count how often a tensor becomes a Python number."""

    n_syncs = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.n_syncs += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.fixture
def make_net():
    """Build a small net that trains by plain gradient descent."""

    def make(criterion=None, **params):
        defaults = {"lr": 0.01, "max_epochs": 2, "batch_size": 4, "verbose": 0}
        torch.manual_seed(0)
        criterion = criterion or Recorder()
        return DomainNet(Module(), criterion=criterion, **(defaults | params))

    return make


def _progress(net):
    return [call for call in net.criterion_.calls if isinstance(call, float)]


def test_progress_counts_steps_however_they_fall_into_epochs(make_domains, make_net):
    mini = make_net(max_epochs=3, batch_size=2).fit(make_domains(8, 6))
    full = make_net(max_epochs=12, batch_size=8).fit(make_domains(8, 6))

    assert _progress(mini) == _progress(full) == [i / 12 for i in range(12)]


def test_hooks_run_around_every_fit_epoch_and_step(make_domains, make_net):
    net = make_net(max_epochs=2, batch_size=4).fit(make_domains(8, 6))

    epoch = ["start_epoch on 8", "end_step on 4", "end_step on 4"]
    names = [call for call in net.criterion_.calls if isinstance(call, str)]
    assert names == ["start_fit on 8", *epoch, *epoch]


def test_history_has_every_term_and_their_sum(make_domains, make_net):
    net = make_net().fit(make_domains())
    losses = net.history[:, ("source_term", "target_term", "train_loss")]

    assert len(losses) == 2
    assert all(a > 0 and a + b == total for a, b, total in losses)


def test_a_term_in_the_history_is_its_mean_over_the_epoch(make_domains, make_net):
    steps = []

    class Spy(Callback):
        def on_batch_end(self, net, values, **kwargs):
            steps.append(values)

    net = make_net(max_epochs=1, callbacks=[Spy()]).fit(make_domains())
    mean = torch.stack(steps).mean(dim=0)

    assert len(steps) == 2
    assert net.history[0, ("source_term", "target_term")] == tuple(mean.tolist())


@pytest.mark.parametrize(("callbacks", "n_reads"), [(None, 1), ([Callback()], 5)])
def test_terms_are_read_when_somebody_may_look(
    make_domains, make_net, monkeypatch, callbacks, n_reads
):
    reads = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda t: reads.append(t) or tolist(t))

    make_net(max_epochs=5, callbacks=callbacks).fit(make_domains())

    assert len(reads) == n_reads


@pytest.mark.parametrize("batch_size", [4, 8])
def test_training_never_waits_for_the_device(make_domains, make_net, batch_size):
    domains, net = make_domains(), make_net(max_epochs=3, batch_size=batch_size)

    with CountSyncs() as counter:
        net.fit(domains)

    assert counter.n_syncs == 0


def test_multipliers_become_parameter_groups(make_domains, make_net):
    objective = Recorder({"source_part": 0.1, "target_part.bias": 0.0})
    net = make_net(objective, lr=0.5).initialize()
    before = net.module_.target_part.bias.clone()
    net.partial_fit(make_domains())

    source, frozen, rest = net.optimizer_.param_groups
    assert [group["lr"] for group in (source, frozen, rest)] == [0.05, 0.0, 0.5]
    assert len(source["params"]) == 2
    assert rest["params"] == [net.module_.target_part.weight]
    assert torch.equal(net.module_.target_part.bias, before)


def test_parameters_of_the_objective_are_trained(make_domains, make_net):
    class Learns(Recorder):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(2, 1)

        def forward(self, module, batch, progress):
            z = self.head(module.source_part(batch.source.X))
            return {"head": (z - 1).square().mean()}

    objective = Learns()
    net = make_net(objective).fit(make_domains())

    assert not torch.equal(net.criterion_.head.weight, objective.head.weight)


def test_phases_share_the_module_and_restart_the_progress(make_domains, make_net):
    net = make_net(phase="first", max_epochs=1).fit(make_domains())
    weight = net.module_.source_part.weight
    first_loss = net.history[-1, "source_term"]
    second = Phase(Recorder({"source_part": 0.5}), max_epochs=2, phase="second")
    net.set_params(**second._asdict()).partial_fit(make_domains())

    assert net.columns()["phase"].tolist() == ["first", "second", "second"]
    assert net.module_.source_part.weight is weight
    assert net.history[-1, "source_term"] < first_loss
    assert _progress(net) == [0.0, 0.25, 0.5, 0.75]
    assert net.optimizer_.param_groups[0]["lr"] == 0.005


def test_what_the_constructor_is_given_is_not_trained(make_domains, make_net):
    net = make_net()
    before = {k: v.clone() for k, v in net.module.state_dict().items()}
    first = net.fit(make_domains()).history[:, "train_loss"]

    assert all(torch.equal(before[k], v) for k, v in net.module.state_dict().items())
    assert not net.criterion.calls
    assert net.fit(make_domains()).history[:, "train_loss"] == first


def test_early_stopping_watches_a_term(make_domains, make_net):
    stop = EarlyStopping("target_term", patience=2, threshold=10, sink=lambda _: None)
    net = make_net(max_epochs=50, callbacks=[stop]).fit(make_domains())

    assert len(net.history) == 3


def test_callbacks_of_skorch_work(make_domains, make_net, tmp_path, capsys):
    callbacks = [
        Checkpoint(monitor=None, dirname=str(tmp_path)),
        LRScheduler("StepLR", step_size=1, gamma=0.5, step_every="batch"),
        GradientNormClipping(1e-3),
        ProgressBar(),
    ]
    net = make_net(max_epochs=2, batch_size=4, callbacks=callbacks, verbose=1)
    net.fit(make_domains(8, 8))
    _, err = capsys.readouterr()

    assert (tmp_path / "params.pt").exists()
    assert net.optimizer_.param_groups[0]["lr"] == 0.01 / 2**4
    assert "0/2" in err  # the bar of two steps


def test_verbose_shows_a_bar_with_the_terms(make_domains, make_net, capsys):
    make_net(max_epochs=3, verbose=1, phase="transfer").fit(make_domains())
    quiet = capsys.readouterr()
    make_net(max_epochs=3, verbose=0).fit(make_domains())
    silent = capsys.readouterr()

    assert "transfer: 100%" in quiet.err
    assert "3/3" in quiet.err
    assert "source_term=" in quiet.err
    assert "train_loss=" in quiet.err
    assert silent.err == silent.out == quiet.out == ""


def test_momentum_of_sgd_is_nesterovs():
    assert optimizer_params("sgd", 0.9, 0.0)["optimizer__nesterov"]
    assert not optimizer_params("sgd", 0.0, 0.0)["optimizer__nesterov"]
    assert "optimizer__nesterov" not in optimizer_params("rmsprop", 0.9, 0.0)


def test_clipping_sees_the_gradient(make_domains, make_net):
    free, clipped = (
        make_net(max_epochs=1, batch_size=8, callbacks=callbacks).fit(make_domains())
        for callbacks in (None, [GradientNormClipping(1e-6)])
    )
    start = clipped.module.source_part.weight

    assert torch.allclose(clipped.module_.source_part.weight, start, atol=1e-7)
    assert not torch.allclose(free.module_.source_part.weight, start, atol=1e-7)


def test_autocast_lowers_the_precision_of_the_objective(make_domains, make_net):
    net = make_net(autocast=torch.bfloat16).fit(make_domains())

    assert net.criterion_.dtype == torch.bfloat16
    assert net.module_.source_part.weight.dtype == torch.float32


def test_hooks_need_not_restore_the_training_mode(make_domains, make_net):
    class Evaluates(Recorder):
        def start_epoch(self, module, domains, progress):
            module.eval()
            self.grad_is_on = torch.is_grad_enabled()

    net = make_net(Evaluates()).fit(make_domains())

    assert net.module_.training
    assert not net.criterion_.grad_is_on


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "None"),
        ({}, "an empty dict"),
        ([torch.tensor(1.0)], "a list"),
        (torch.tensor(1.0), "a Tensor of shape ()"),
        (0.5, "a float"),
        ({"risk": torch.ones(2)}, "a Tensor of shape (2,) under 'risk'"),
        ({"risk": torch.tensor(1.0), "norm": 0.5}, "a float under 'norm'"),
        ({"risk": None}, "None under 'risk'"),
    ],
)
def test_an_objective_that_returns_no_terms_is_told_so(
    make_domains, make_net, returned, got
):
    class Wrong(Objective):
        def forward(self, module, batch, progress):
            return returned

    message = (
        f"Expected Wrong to return a dict of terms by name, each a Tensor of shape (), "
        f"got {got}: weight every term and reduce it to one number."
    )

    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make_net(Wrong()).fit(make_domains())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_never_waits_for_the_gpu(make_domains, make_net):
    whole = make_domains().whole
    domains = Domains(whole._make(part._make(t.cuda() for t in part) for part in whole))
    net = make_net(device="cuda").fit(domains)  # sets the device up
    net.notify("on_train_begin", X=domains)

    torch.cuda.set_sync_debug_mode("error")
    try:
        net.fit_loop(domains)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_training_that_diverges_stops_in_its_epoch(make_domains, make_net):
    net = make_net(max_epochs=50, lr=1e30)

    with pytest.raises(ValueError, match="diverged: source_term=inf"):
        net.fit(make_domains())

    assert len(net.history) < 5
