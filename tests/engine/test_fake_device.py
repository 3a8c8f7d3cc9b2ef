"""Every objective trains on a device that is not the CPU, and waits for it in no step.

The device computes nothing, so that this can be seen where there is no accelerator: see
fake_device.py, which runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.engine.networks import NETWORKS, WAYS

ROOT = Path(__file__).parents[2]
VERSION = "2.13"  # of the private function that registers the device
#: What waits for the device at every step, where and why.
READERS = {("MPOT", True): "POT solves for the plan of every step on the CPU"}


@pytest.fixture(scope="module")
def results():
    """Train all of them, once, in another process."""
    if not torch.__version__.startswith(f"{VERSION}."):
        reason = f"knows the device of PyTorch {VERSION}, this is {torch.__version__}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: adjust fake_device.py")
        pytest.skip(reason)
    process = subprocess.run(
        [sys.executable, "-m", "tests.engine.fake_device"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    lines = map(json.loads, process.stdout.splitlines())
    return {(r["name"], r["source"], r["precision"]): r for r in lines}


@pytest.mark.parametrize(("source", "precision"), WAYS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_trains_without_waiting_for_its_device(
    results, name, source, precision
):
    result = results[name, source, precision]

    if (name, source) in READERS:
        assert ".numpy()" in result["error"]
    else:
        assert "error" not in result, result["traceback"]
        assert result["phases"]


def test_there_are_networks_of_every_kind():
    assert len(NETWORKS) >= 25
