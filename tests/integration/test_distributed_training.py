"""A network that two processes train is the one that a single process trains."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.integration.distributed_training import learn

ROOT = Path(__file__).parents[2]


@pytest.fixture
def found(tmp_path):
    """What either of two processes has learned."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = "tests.integration.distributed_training"
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", script, str(tmp_path / "found")],
            cwd=ROOT,
            env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=300) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    return [torch.load(tmp_path / f"found.{rank}") for rank in range(2)]


@pytest.mark.filterwarnings("ignore")
def test_two_processes_train_the_network_of_one(found):
    alone = learn()
    refusals = [each.pop("refusals") for each in found]

    for name, expected in alone.items():
        torch.testing.assert_close(found[0][name], expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(found[0][name], found[1][name], rtol=0, atol=1e-6)
    for batch_norm, seeds in refusals:
        assert batch_norm.startswith("Expected layers that look at single rows")
        assert seeds.startswith("Expected the same batch and the same weights")
