"""Networks are taken apart into data and put together again."""

import copy
import pickle

import numpy as np
import pytest
import torch
from skops import io as skops
from torch import nn

from skda.baselines import TargetNet
from skda.training.plain_state import put_together, take_apart
from tests.properties.estimators import (
    BUILDERS,
    RETRIEVERS,
    build_estimator,
    takes_pairs,
    toy_domains,
)

NETWORKS = [
    *("SSAN", "STN", "DANN", "DATN", "BA3US", "ISRA", "DMTL", "SSDAE", "ACMR"),
    *("ADDA", "MCC", "PADA", "SHOT", "A2KTStyle"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", [*NETWORKS, "ClusterRetrieval", "GeoST", "MCCA"])
def test_skops_stores_fitted_estimators(name):
    data = toy_domains(name)
    pairs = {"pairs": data.pairs} if takes_pairs(name) else {}
    source = {} if name in RETRIEVERS else {"source": data.source}
    y = data.source[1] if name in RETRIEVERS else data.y
    fitted = build_estimator(name).fit(data.X, y, **source, **pairs)
    content = skops.dumps(fitted)

    loaded = skops.loads(content, trusted=skops.get_untrusted_types(data=content))

    method = "transform" if name in RETRIEVERS else "predict_proba"
    results = [getattr(e, method)(data.X) for e in (fitted, loaded)]
    np.testing.assert_array_equal(*results)
    assert name in BUILDERS


def test_modules_come_back_with_attributes_buffers_and_mode():
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding="same"), nn.BatchNorm2d(2)).eval()
    module.note = {"rates": [0.1, torch.ones(2)]}
    module.register_buffer("passing", torch.zeros(2), persistent=False)
    images = torch.rand(4, 1, 5, 5)

    built = put_together(take_apart(module))

    assert torch.equal(built(images), module(images))
    assert built.state_dict().keys() == module.state_dict().keys()
    assert torch.equal(built.note["rates"][1], torch.ones(2))
    assert not built.training
    assert "passing" in dict(built.named_buffers())


def test_shared_and_frozen_weights_stay_so():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    first.bias.requires_grad_(requires_grad=False)
    module = nn.Sequential(first, second, first)

    built = put_together(take_apart(module))

    assert built[0] is built[2]
    assert built[0].weight is built[1].weight
    assert not built[0].bias.requires_grad
    assert isinstance(built[0].weight, nn.Parameter)


@pytest.mark.parametrize("shape", [(), (0,), (3, 2)])
def test_types_that_numpy_lacks_are_kept(shape):
    tensor = torch.rand(shape).to(torch.bfloat16)

    built = put_together(take_apart(tensor))

    assert built.dtype == torch.bfloat16
    assert torch.equal(built, tensor)


def test_hooks_sparse_tensors_and_cycles_are_refused():
    hooked, cycle = nn.ReLU(), nn.Sequential()
    hooked.register_forward_hook(lambda *args: None)
    cycle.append(nn.Sequential(cycle))

    with pytest.raises(TypeError, match="a ReLU with _forward_hooks: remove them"):
        take_apart(hooked)
    with pytest.raises(TypeError, match="dense tensors, got one of layout"):
        take_apart(torch.eye(2).to_sparse())
    with pytest.raises(TypeError, match="inside itself"):
        take_apart(cycle)


def test_only_modules_are_built():
    state = take_apart(nn.ReLU())

    with pytest.raises(TypeError, match="Expected a class of modules, got"):
        put_together(state._replace(kind=dict))


def test_copies_and_pickles_of_nets_keep_the_optimizer():
    net = TargetNet(max_epochs=2, random_state=0).fit([[0.0], [1.0]], [0, 1]).net_

    for same in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):  # noqa: S301
        states = [n.optimizer_.state_dict()["state"] for n in (net, same)]
        assert states[0].keys() == states[1].keys()
        assert states[0]
        assert net.history == same.history
