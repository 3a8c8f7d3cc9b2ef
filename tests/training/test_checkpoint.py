"""What a folder of checkpoints promises: whole files, of one fit, without code."""

import io
import os
import pickle
from functools import partial
from hashlib import blake2b

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn
from torch.utils.data import TensorDataset

from skda.baselines import TargetNet
from skda.heterogeneous import SSAN
from skda.partial import SHOT
from skda.training import checkpoint
from skda.training.checkpoint import CheckpointFolder, pack, unpack
from skda.unsupervised import DANN, SourceOnly

X, Y = make_blobs(90, n_features=5, centers=3, cluster_std=3.0, random_state=0)
SOURCE = X[:45] + 0.5, Y[:45]
Net = partial(TargetNet, max_epochs=4, batch_size=40, random_state=0)


class Count(Callback):
    """Count the steps of all fits, and fail at one of them."""

    n_steps = 0

    def __init__(self, at=None):
        self.at = at

    def on_batch_end(self, net, training, **kwargs):
        """Fail, at the step asked for."""
        Count.n_steps += training
        if Count.n_steps == self.at:
            raise RuntimeError("power cut")


@pytest.fixture(autouse=True)
def _at_every_step(monkeypatch):
    """Write as often as there is something to write."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", 1)
    monkeypatch.setattr(Count, "n_steps", 0)


def interrupt(estimator, at, *args, **kwargs):
    """Fit up to a step."""
    Count.n_steps = 0
    callbacks = [*(estimator.callbacks or []), Count(at)]
    broken = type(estimator)(**estimator.get_params() | {"callbacks": callbacks})
    with pytest.raises(RuntimeError, match="power cut"):
        broken.fit(*args, **kwargs)


def test_a_finished_fit_returns_at_once_with_the_same_result(tmp_path):
    first = Net(checkpoint=tmp_path).fit(X, Y)
    again = Net(checkpoint=str(tmp_path), callbacks=[Count()], verbose=0).fit(X, Y)

    assert Count.n_steps == 0
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))
    np.testing.assert_array_equal(
        again.history_["train_loss"], first.history_["train_loss"]
    )


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"lr": 0.5}, X, r"parameters: lr \(0.01 there, 0.5 here\)"),
        ({"random_state": 1}, X, "parameters: random_state .* initial network"),
        ({"max_epochs": 5}, X, "max_epochs .* objective of the phase 'train'"),
        ({}, X[::-1], "data: target"),
        ({"validation_fraction": 0.2}, X, "data: .*held-out rows"),
    ],
    ids=["lr", "seed", "epochs", "rows", "held-out"],
)
def test_the_state_of_another_fit_is_refused(tmp_path, params, data, message):
    interrupt(Net(checkpoint=tmp_path), 3, X, Y)
    other = Net(checkpoint=tmp_path).set_params(**params)

    with pytest.raises(ValueError, match=message):
        other.fit(data, Y)


def test_the_state_of_another_version_is_refused(tmp_path, monkeypatch):
    interrupt(Net(checkpoint=tmp_path), 3, X, Y)
    monkeypatch.setattr("skda.__version__", "99.0")

    with pytest.raises(ValueError, match=r"versions: skda \('?0.1.0.*99.0"):
        Net(checkpoint=tmp_path).fit(X, Y)


def test_callbacks_and_verbosity_may_change(tmp_path):
    interrupt(Net(checkpoint=tmp_path), 3, X, Y)
    resumed = Net(checkpoint=tmp_path, device="cpu", callbacks=[Count()]).fit(X, Y)

    np.testing.assert_array_equal(
        resumed.predict_proba(X), Net().fit(X, Y).predict_proba(X)
    )


@pytest.mark.parametrize("damage", [b"", b"half", None], ids=["empty", "cut", "bit"])
def test_a_damaged_file_leaves_the_one_before(tmp_path, damage):
    interrupt(Net(checkpoint=tmp_path), 6, X, Y)
    _damage(tmp_path / checkpoint.NAME, damage)
    Count.n_steps = 0
    with pytest.warns(UserWarning, match="goes on from the one before"):
        resumed = Net(checkpoint=tmp_path, callbacks=[Count()]).fit(X, Y)
    expected = Net().fit(X, Y)

    assert Count.n_steps == 12 - 4  # of four epochs of three steps, four were kept
    np.testing.assert_array_equal(resumed.predict_proba(X), expected.predict_proba(X))


def _damage(file, damage):
    content = bytearray(file.read_bytes())
    if damage is None:
        content[len(content) // 2] ^= 1
    else:
        content = content[: len(content) // 2] if damage else b""
    file.write_bytes(content)


def test_damaged_files_alone_are_an_error(tmp_path):
    interrupt(Net(checkpoint=tmp_path), 6, X, Y)
    for name in (checkpoint.NAME, checkpoint.PREVIOUS):
        _damage(tmp_path / name, b"cut")

    with (
        pytest.raises(ValueError, match=r"cannot be used: .* Delete the folder"),
        pytest.warns(UserWarning, match="cannot be used"),
    ):
        Net(checkpoint=tmp_path).fit(X, Y)


def test_a_newer_format_is_named(tmp_path):
    folder = CheckpointFolder(tmp_path)
    folder.write({"step": 1})
    file = tmp_path / checkpoint.NAME
    file.write_bytes(
        file.read_bytes().replace(checkpoint.MAGIC, b"skda checkpoint 7\n")
    )

    with pytest.raises(ValueError, match="it has format 7"):
        folder.read()


class Bomb:
    """Run a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch exploded",)


@pytest.mark.parametrize("save", [torch.save, pickle.dump], ids=["torch", "pickle"])
def test_no_code_of_a_file_runs(tmp_path, monkeypatch, save):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    save({"seed": Bomb()}, buffer)
    body = buffer.getvalue()
    checksum = blake2b(body, digest_size=32).digest()
    (tmp_path / checkpoint.NAME).write_bytes(body + checksum + checkpoint.MAGIC)

    with pytest.raises(ValueError, match="more than numbers and texts"):
        Net(checkpoint=tmp_path).fit(X, Y)
    assert not (tmp_path / "exploded").exists()


def test_a_write_that_fails_leaves_the_state_before(tmp_path, monkeypatch):
    folder = CheckpointFolder(tmp_path)
    folder.write({"step": 1})
    monkeypatch.setattr("os.fsync", lambda descriptor: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        folder.write({"step": 2})

    assert folder.read() == {"step": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", 0.05)
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 10.0)
    monkeypatch.setattr(
        checkpoint, "write_whole", lambda *args: now.__setitem__(0, now[0] + 3.0)
    )
    folder = CheckpointFolder(tmp_path)
    n_written = 0
    while now[0] < 10_000:
        now[0] += 1.0
        if folder.is_due:
            folder.write({})
            n_written += 1

    assert 0.04 < n_written * 3.0 / now[0] <= 0.0502


def test_short_fits_write_once(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 100)
    Net(checkpoint=tmp_path / "new" / "folder").fit(X, Y)
    names = {file.name for file in (tmp_path / "new" / "folder").iterdir()}

    assert names == {checkpoint.NAME, "lock"}


def test_without_a_seed_the_fit_goes_on_with_the_one_it_drew(tmp_path):
    np.random.seed(3)  # noqa: NPY002
    expected = Net(random_state=None, validation_fraction=0.2).fit(X, Y)
    np.random.seed(3)  # noqa: NPY002
    net = Net(random_state=None, validation_fraction=0.2, checkpoint=tmp_path)
    interrupt(net, 5, X, Y)
    resumed = net.fit(X, Y)

    np.testing.assert_array_equal(resumed.predict_proba(X), expected.predict_proba(X))


def test_two_fits_cannot_share_a_folder_at_a_time(tmp_path):
    class Nested(Callback):
        def on_epoch_end(self, net, **kwargs):
            Net(checkpoint=tmp_path).fit(X, Y)

    with pytest.raises(ValueError, match="in use by another fit"):
        Net(checkpoint=tmp_path, callbacks=[Nested()]).fit(X, Y)


def test_a_warm_start_has_no_checkpoint(tmp_path):
    net = Net(warm_start=True).fit(X, Y).set_params(checkpoint=tmp_path)

    with pytest.raises(ValueError, match=r"warm_start goes on .* set one of them"):
        net.fit(X, Y)


def test_callbacks_go_on_where_they_were(tmp_path):
    settings = {
        "max_epochs": 100,
        "lr": 0.05,
        "validation_fraction": 0.3,
        "callbacks": [
            EarlyStopping(patience=3, load_best=True),
            LRScheduler("StepLR", step_size=2, gamma=0.9),
        ],
    }
    whole = Net(**settings).fit(X, Y)
    net = Net(**settings, checkpoint=tmp_path)
    for at in (5, 2 * whole.n_iter_ - 3):
        interrupt(net, at if at == 5 else at - 4, X, Y)
    resumed = net.fit(X, Y)

    assert whole.stopped_early_
    assert resumed.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(
        resumed.history_["event_lr"], whole.history_["event_lr"]
    )


def test_a_stopped_phase_is_not_entered_again(tmp_path):
    net = SHOT(max_epochs=3, batch_size=20, random_state=0)
    expected = net.fit(X[45:], source=SOURCE).predict_proba(X)
    net = SHOT(max_epochs=3, batch_size=20, random_state=0, checkpoint=tmp_path)
    interrupt(net, 12, X[45:], source=SOURCE)
    Count.n_steps = 0
    net.set_params(callbacks=[Count()]).fit(X[45:], source=SOURCE)

    assert Count.n_steps == 18 - 11
    assert net.history_["phase"].tolist() == ["source"] * 3 + ["target"] * 3
    np.testing.assert_array_equal(net.predict_proba(X), expected)


def noisy(x):
    """Draw from PyTorch's generator, as transforms of images do."""
    return x + 0.1 * torch.randn_like(x)


def with_dropout():
    """Build a network that draws from PyTorch's generator, too."""
    return nn.Sequential(nn.Flatten(), nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Dropout())


def test_samples_of_a_dataset_and_their_transforms_go_on(tmp_path):
    rows = torch.from_numpy(X).float()
    source = TensorDataset(rows[:45]), Y[:45]
    settings = {
        "module": with_dropout,
        "train_transform": noisy,
        "batch_size": 16,
        "max_epochs": 3,
        "random_state": 0,
    }
    whole = DANN(**settings).fit(TensorDataset(rows[45:]), source=source)
    net = DANN(**settings, checkpoint=tmp_path)
    for at in (2, 5):
        interrupt(net, at, TensorDataset(rows[45:]), source=source)
        Count.n_steps = 0
    resumed = net.fit(TensorDataset(rows[45:]), source=source)

    np.testing.assert_array_equal(
        resumed.predict_proba(TensorDataset(rows)),
        whole.predict_proba(TensorDataset(rows)),
    )
    with pytest.raises(ValueError, match="data: source"):
        net.fit(TensorDataset(rows[45:]), source=(source[0], 2 - Y[:45]))


def test_layers_that_train_in_coordinates_of_the_rows_go_on(tmp_path):
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(30, 400)).astype(np.float32)
    some = np.where(np.arange(30) < 12, np.arange(30) % 3, -1)
    settings = {"max_epochs": 40, "n_hidden": 64, "random_state": 0}
    expected = SSAN(**settings).fit(wide, some, source=SOURCE).predict_proba(wide)
    net = SSAN(**settings, checkpoint=tmp_path)
    interrupt(net, 17, wide, some, source=SOURCE)
    net.fit(wide, some, source=SOURCE)

    np.testing.assert_array_equal(net.predict_proba(wide), expected)


def test_an_optimizer_with_more_than_numbers_is_an_error(tmp_path):
    class Odd(torch.optim.SGD):
        def state_dict(self):
            return {"state": Bomb()}

    net = SourceOnly(max_epochs=2, optimizer=Odd, checkpoint=tmp_path)

    with pytest.raises(TypeError, match="numbers and tensors alone, got Odd"):
        net.fit(X, source=SOURCE)


def test_plain_data_comes_back_as_it_was():
    value = {
        "list": [1, 2.5, float("inf"), None, True],
        2: (torch.arange(4)[1:3], np.float32(0.1), np.arange(3.0)),
    }
    found = unpack(pack(value))

    assert found["list"] == value["list"]
    assert torch.equal(found[2][0], value[2][0])
    assert found[2][1] == value[2][1]
    assert found[2][1].dtype == np.float32
    np.testing.assert_array_equal(found[2][2], value[2][2])
    with pytest.raises(TypeError, match="Expected plain data, got Bomb"):
        pack([Bomb()])
