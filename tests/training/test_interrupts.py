"""Who ends a training: its user, by a signal, or a callback, on purpose."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping

import skda
from skda.baselines import TargetNet
from skda.heterogeneous import DATN

X, Y = make_blobs(60, n_features=4, random_state=0)


class At(Callback):
    """Act at the end of some epoch."""

    def __init__(self, epoch, act):
        self.epoch = epoch
        self.act = act

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            self.act()


def _interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def _raise_interrupt():
    raise KeyboardInterrupt


def _stop():
    raise skda.StopTraining


def test_the_users_interrupt_propagates_and_the_handler_stays():
    before = signal.getsignal(signal.SIGINT)
    stopping = EarlyStopping(monitor="train_loss", patience=1000)
    net = TargetNet(max_epochs=50, callbacks=[At(3, _interrupt), stopping])

    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_search_does_not_go_on_after_an_interrupt():
    net = TargetNet(max_epochs=5, callbacks=[At(2, _interrupt)])
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(net, {"lr": [0.1, 0.01]}, cv=2).fit(X, Y)


def test_an_interrupt_between_two_hooks_propagates():
    timer = threading.Timer(0.5, _interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        TargetNet(max_epochs=100_000, device="cpu").fit(X, Y)
    timer.join()


@pytest.mark.parametrize("act", [_raise_interrupt, _stop])
def test_a_callback_stops_on_purpose(act):
    net = TargetNet(max_epochs=50, callbacks=[At(4, act)]).fit(X, Y)

    assert net.n_iter_ == 4
    assert net.stopped_early_


def test_early_stopping_is_a_stop_on_purpose():
    stopping = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0)
    net = TargetNet(max_epochs=50, callbacks=[stopping]).fit(X, Y)

    assert net.n_iter_ < 10
    assert net.stopped_early_
    assert not TargetNet(max_epochs=2).fit(X, Y).stopped_early_


def test_a_stop_in_a_thread_needs_no_signal_handler():
    fitted = []

    def fit():
        stop = At(2, _raise_interrupt)
        fitted.append(TargetNet(max_epochs=9, callbacks=[stop]).fit(X, Y))

    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()

    assert fitted[0].n_iter_ == 2


@pytest.mark.parametrize(
    ("act", "phases"),
    [
        (_raise_interrupt, ["pretraining"] * 2 + ["transfer"] * 5),
        (_stop, ["pretraining"] * 2),
    ],
)
def test_a_stop_ends_its_phase_or_the_whole_fit(act, phases):
    clf = DATN(
        pretraining_epochs=5,
        transfer_epochs=5,
        callbacks=[At(2, act)],
        random_state=0,
    )
    y = np.where(np.arange(60) < 30, Y, -1)
    clf.fit(X, y, source=(X, Y), pairs=(X[:20], X[:20]))

    assert clf.history_["phase"].tolist() == phases


def test_a_process_interrupted_from_outside_dies_of_it():
    code = """
        from sklearn.datasets import make_blobs
        from skda.baselines import TargetNet
        X, y = make_blobs(60, random_state=0)
        net = TargetNet(max_epochs=10**6, device="cpu")
        print("ready", flush=True)
        net.fit(X, y)
        print("went on", flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        ready = run.stdout.readline()
        threading.Timer(1.0, run.send_signal, [signal.SIGINT]).start()
        out, err = run.communicate(timeout=60)

    assert ready == "ready\n"
    assert not out
    assert err.rstrip().endswith("KeyboardInterrupt")
