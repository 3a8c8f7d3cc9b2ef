"""Tests of `skda.utils.threads`."""

from concurrent.futures import ThreadPoolExecutor

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


def test_a_python_thread_that_starts_inside_keeps_its_threads():
    with ThreadPoolExecutor(1) as pool, limit_threads(0, torch.device("cpu")):
        n_inside = pool.submit(torch.get_num_threads).result()

    assert n_inside == 2


def test_large_work_that_starts_inside_small_work_is_rounded_alike():
    generator = torch.Generator().manual_seed(0)
    X, W = torch.randn(2, 256, 4096, generator=generator)

    def multiply():
        with limit_threads(2 * WORTH_THREADS, torch.device("cpu")):
            return X @ W.T

    alone = multiply()
    with ThreadPoolExecutor(1) as pool, limit_threads(0, torch.device("cpu")):
        beside = pool.submit(multiply).result()

    assert torch.equal(alone, beside)
