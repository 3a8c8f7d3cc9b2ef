"""Every network, interrupted and resumed, is the one of a fit in one go."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skda.base import BasePairedClassifier, BaseRetriever
from skda.training import checkpoint
from tests.engine.networks import NETWORKS, SETTINGS

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 6)), np.arange(20) % 3
SOME = np.where(np.arange(20) < 9, Y, -1)


class Interruption(Callback):
    """Count the steps, and fail at one of them as a power cut would."""

    n_taken = 0  # by all of them, whatever a checkpoint restores

    def __init__(self, at=None):
        self.at = at
        self.n_steps_ = 0

    def on_batch_end(self, net, **kwargs):
        """Fail, at the step asked for."""
        self.n_steps_ += 1
        Interruption.n_taken += 1
        if self.n_steps_ == self.at:
            raise RuntimeError("power cut")


@pytest.fixture(autouse=True)
def _at_every_step(monkeypatch):
    """Write as often as there is something to write."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(checkpoint, "WRITING_SHARE", 1)


def _make(name, **params):
    """Build a small network, and what trains it."""
    estimator = NETWORKS[name]().set_params(**SETTINGS.get(name, {}))
    trained = getattr(estimator, "backbone", estimator)
    trained.set_params(max_epochs=3, random_state=0, **params)
    if name == "DMTL":
        estimator.set_params(dropout=0.3)
    return estimator


def _fit(estimator):
    if isinstance(estimator, BaseRetriever):
        views = {"image": X, "text": X[:, :5] + 1}
        estimator.fit(views, source=(views, Y + 3))
        return estimator.transform(views)
    pairs = (
        {"pairs": (X[:7], X[:7])} if isinstance(estimator, BasePairedClassifier) else {}
    )
    estimator.fit(X, SOME, source=(X[::-1] + 0.5, Y[::-1]), **pairs)
    return {"probabilities": estimator.predict_proba(X)}


def _state(estimator):
    """Collect everything that a network has learned, and how."""
    estimator = getattr(estimator, "backbone_", estimator)
    net = estimator.net_
    tensors = {}
    for kind, module in (("module", net.module_), ("criterion", net.criterion_)):
        tensors |= {f"{kind}.{k}": v for k, v in module.state_dict().items()}
    learned = {k: v for k, v in vars(estimator).items() if isinstance(v, np.ndarray)}
    return tensors, estimator.history_ | learned


def _assert_same(one, other):
    (tensors, arrays), (others, other_arrays) = _state(one), _state(other)
    assert tensors.keys() == others.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name
    assert arrays.keys() == other_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, other_arrays[name], err_msg=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_interrupted_network_goes_on_where_it_was(name, tmp_path):
    counter = Interruption()
    whole = _make(name, callbacks=[counter])
    expected = _fit(whole)
    (_, seen), *_ = getattr(whole, "backbone_", whole).net_.callbacks_
    n_steps = seen.n_steps_
    # In every phase of those that have two, in a later epoch, and not at its end.
    for at in (5, n_steps - 1):
        broken = _make(name, callbacks=[Interruption(at)], checkpoint=tmp_path)
        with pytest.raises(RuntimeError, match="power cut"):
            _fit(broken)
    n_taken = Interruption.n_taken
    resumed = _make(name, callbacks=[counter], checkpoint=tmp_path)
    found = _fit(resumed)

    assert n_steps > 5
    assert Interruption.n_taken - n_taken == n_steps - at + 1
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values)
    _assert_same(whole, resumed)
