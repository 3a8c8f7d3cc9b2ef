"""A fit that is killed, however often, ends as one that is left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.integration.killed_fits import learn

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]
ROOT = Path(__file__).parents[2]
N_KILLS = 2


def _start(folder, pause):
    """Run the script up to where it starts to train."""
    sign = folder / "training"
    sign.unlink(missing_ok=True)
    script = "tests.integration.killed_fits"
    process = subprocess.Popen(
        [sys.executable, "-m", script, str(folder), str(pause)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    while not sign.exists():
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no signal to kill with")
def test_killed_fits_end_with_the_same_bits(tmp_path):
    expected = learn()
    seed = random.randrange(10**6)
    clock = random.Random(seed)
    ends = []
    for _ in range(N_KILLS):
        process = _start(tmp_path, 0.02)
        time.sleep(clock.uniform(0.1, 1.3))
        process.send_signal(signal.SIGKILL)
        ends.append(process.wait(timeout=300))
    process = _start(tmp_path, 0.0)
    assert process.wait(timeout=300) == 0
    found = torch.load(tmp_path / "learned.pt", weights_only=True)

    assert ends[0] == -signal.SIGKILL
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), f"{name}, with the seed {seed}"
