"""Tests of `skda.utils.validation`."""

import pickle
from concurrent.futures import Future
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from skda.utils.validation import (
    FeatureMemory,
    check_device,
    check_magnitude,
    check_pair,
    check_precision,
    validate_features,
)


def test_unknown_devices_are_an_error():
    with pytest.raises(
        ValueError, match=r"Expected a device that PyTorch knows.*'tpux'"
    ):
        check_device("tpux")


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3", torch.device("cuda")])
def test_cuda_where_there_is_none_is_an_error(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=r"of which PyTorch finds 0.*device='auto'"):
        check_device(device)


def test_auto_takes_cuda_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for available, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda a=available: a)

        assert check_device("auto") == torch.device(device)


@pytest.mark.parametrize("able", [True, False])
def test_auto_precision_asks_the_processor(able, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able})
    cpu = torch.device("cpu")

    assert check_precision("auto", cpu) == (torch.bfloat16 if able else None)
    assert check_precision("bfloat16", cpu) == torch.bfloat16
    assert check_precision("float32", cpu) is None


@pytest.mark.parametrize("pair", [[1, 2], (1,), (1, 2, 3), "ab"])
def test_a_pair_is_a_tuple_of_two(pair):
    with pytest.raises(TypeError, match=r"Expected source=\(a, b\), a tuple of two"):
        check_pair(pair, "source=(a, b)")


@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_values_whose_squares_overflow_are_an_error(make):
    X = np.diag([1.0, -1e160, 1e150])

    with pytest.raises(
        ValueError,
        match=r"up to 1e\+150 in X, got 1e\+160 in row 1, column 1, whose sq",
    ):
        check_magnitude(make(X), "X")

    check_magnitude(make(np.clip(X, -1e150, None)), "X")
    check_magnitude(make(np.diag([1.0, 1e30]).astype(np.float32)), "X", power=8)


def test_solvers_may_need_higher_powers():
    check_magnitude(np.full((2, 2), 1e73), "X", power=4)

    with pytest.raises(ValueError, match="whose 4th power overflows"):
        check_magnitude(np.full((2, 2), 1e74), "X", power=4)


def test_remembered_features_have_a_name_that_survives_pickling():
    memory = FeatureMemory("the source of GeoST")
    validate_features(memory, np.eye(3))
    loaded = pickle.loads(pickle.dumps(memory))  # noqa: S301

    for same in (deepcopy(memory), loaded):
        with pytest.raises(
            ValueError, match="X has 2 features, but the source of GeoST is expecting 3"
        ):
            validate_features(same, np.eye(2), reset=False)


def test_what_a_future_stands_for_is_fetched():
    future = Future()
    future.set_result([1, 2])

    assert check_pair((future, [0, 1]), "source=(a, b)") == ([1, 2], [0, 1])
