"""skorch's callbacks, used as its users know them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, LRScheduler
from skorch.callbacks.logging import TensorBoard

from skda.baselines import TargetNet
from skda.heterogeneous import SSAN
from skda.unsupervised import DANN

X, Y = make_blobs(120, n_features=5, centers=3, cluster_std=3.0, random_state=0)
SOURCE = X[:60] + 0.5, Y[:60]


def test_early_stopping_needs_no_arguments():
    net = TargetNet(
        max_epochs=2000,
        lr=0.05,
        validation_fraction=0.3,
        callbacks=[EarlyStopping()],
        random_state=0,
    ).fit(X, Y)
    best = net.history_["valid_loss"].argmin()

    assert net.stopped_early_
    assert net.n_iter_ < 2000
    # patience=5 epochs without an improvement by a ten-thousandth
    assert net.n_iter_ - best <= 10


def test_checkpoint_needs_no_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = Checkpoint(load_best=True)
    net = TargetNet(
        max_epochs=30, validation_fraction=0.3, callbacks=[checkpoint], random_state=0
    ).fit(X, Y)
    best = torch.load(tmp_path / "params.pt", weights_only=True)

    for name, value in net.net_.module_.state_dict().items():
        assert torch.equal(value, best[name])


def test_epoch_scoring_scores_the_held_out_rows():
    scoring = EpochScoring("accuracy", lower_is_better=False, name="acc")
    net = TargetNet(
        max_epochs=5, validation_fraction=0.3, callbacks=[scoring], random_state=0
    ).fit(X, Y)

    np.testing.assert_allclose(net.history_["acc"], net.history_["valid_acc"])


class Writer:
    """Stands for TensorBoard's SummaryWriter, which insists on numbers."""

    def __init__(self):
        self.seen = {}

    def add_scalar(self, tag, scalar_value, global_step):
        self.seen.setdefault(tag, []).append(float(scalar_value))

    def __deepcopy__(self, memo):
        return self

    def close(self):
        """Do nothing."""


def test_tensorboard_writes_every_term():
    writer = Writer()
    callbacks = [TensorBoard(writer, close_after_train=False)]
    net = DANN(max_epochs=3, callbacks=callbacks, random_state=0)
    net.fit(X[60:], source=SOURCE)

    assert {"Loss/train_loss", "domain", "source_risk"} <= set(writer.seen)
    np.testing.assert_allclose(writer.seen["domain"], net.history_["domain"])


def test_held_out_labels_are_not_learned():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 40))  # which can only be learned by heart
    labels = np.arange(60) % 2
    net = TargetNet(max_epochs=300, lr=0.01, validation_fraction=0.5, random_state=0)
    net.fit(noise, labels)

    assert net.history_["valid_acc"][-1] < 0.8
    assert (net.predict(noise) == labels).mean() < 0.9
    assert (net.transduction_ == labels).all()


def test_without_target_labels_source_rows_are_held_out():
    net = DANN(max_epochs=3, validation_fraction=0.2, random_state=0)
    net.fit(X[60:], source=SOURCE)

    assert np.isfinite(net.history_["valid_loss"]).all()


def test_the_rotation_of_wide_rows_does_not_hide_them():
    labels = np.arange(60) % 3
    wide = np.random.default_rng(0).normal(size=(60, 300))
    wide[np.arange(60), labels] += 20
    net = SSAN(max_epochs=30, validation_fraction=0.3, random_state=0, optimizer="sgd")
    net.fit(wide, labels, source=SOURCE)
    logits = net.net_.evaluate(net.net_.module_, net._prepare_rows(wide, "target"))

    assert net.history_["valid_acc"][-1] > 0.5
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (EarlyStopping(), "EarlyStopping waits for 'valid_loss', and no row is held"),
        (Checkpoint(), "Checkpoint waits for 'valid_loss_best', and no row is held"),
        (("named", EarlyStopping()), "EarlyStopping waits for 'valid_loss'"),
        (EpochScoring("accuracy"), "EpochScoring scores validation rows, and no row"),
        (
            EpochScoring("accuracy", on_train=True),
            r"EpochScoring\(on_train=True\) scores predictions of training batches",
        ),
    ],
)
def test_what_cannot_work_is_said_before_training(callback, message):
    with pytest.raises(ValueError, match=message):
        DANN(max_epochs=3, callbacks=[callback]).fit(X[60:], source=SOURCE)


def test_too_few_labels_to_hold_out_are_said():
    y = np.where(np.arange(120) < 3, Y, -1)
    with pytest.raises(ValueError, match=r"holds out no row: the target has 3 labeled"):
        TargetNet(validation_fraction=0.2).fit(X, y)


def test_train_loss_may_be_watched_without_held_out_rows():
    callbacks = [EarlyStopping("train_loss", patience=3), LRScheduler()]
    net = TargetNet(max_epochs=8, callbacks=callbacks, random_state=0).fit(X, Y)

    assert net.n_iter_ <= 8
