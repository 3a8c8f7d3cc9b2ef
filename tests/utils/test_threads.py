"""Tests of `skda.utils.threads`."""

import pytest
import torch

from skda.utils.threads import WORTH_THREADS, limit_threads


@pytest.fixture(autouse=True)
def _two_threads():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(n_threads)


@pytest.mark.parametrize(
    ("work", "device", "n_threads"),
    [(0, "cpu", 1), (2 * WORTH_THREADS, "cpu", 2), (0, "cuda", 2)],
)
def test_small_work_on_the_cpu_has_one_thread(work, device, n_threads):
    with limit_threads(work, torch.device(device)):
        assert torch.get_num_threads() == n_threads

    assert torch.get_num_threads() == 2


def test_threads_are_restored_after_an_error():
    with pytest.raises(RuntimeError), limit_threads(0, torch.device("cpu")):
        raise RuntimeError

    assert torch.get_num_threads() == 2
