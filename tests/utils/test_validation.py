"""Tests of `skda.utils.validation`."""

import pytest
import torch

from skda.utils.validation import check_device, check_pair, check_precision


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
