"""Memory-mapped arrays train and predict from their files."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from skda.training.mapped import MappedSamples, stays_in_its_file
from skda.unsupervised import SourceOnly

#: A fit and a prediction of as many rows of 512 numbers as the argument says.
SCRIPT = """
import resource, sys
import numpy as np
import torch
from skda.unsupervised import SourceOnly

torch.set_num_threads(1)
X = np.memmap(sys.argv[1], dtype=np.float32, mode="r", shape=(int(sys.argv[2]), 512))
y = np.arange(len(X)) % 2
clf = SourceOnly(max_epochs=1, batch_size=1024, n_components=8, random_state=0)
clf.fit(X, source=(X, y)).predict(X)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.fixture(name="mapped")
def _mapped(tmp_path, monkeypatch):
    """Map rows of two classes, and take any array for large."""
    monkeypatch.setattr("skda.training.mapped.MOST_BYTES", 0)
    y = np.arange(200) % 2
    X = np.random.default_rng(0).normal(size=(200, 20)) + 2 * y[:, None]
    X = X.astype(np.float32)
    path = tmp_path / "rows"
    X.tofile(path)
    return np.memmap(path, dtype=np.float32, mode="r", shape=X.shape), X, y


def test_small_arrays_are_read_at_once(tmp_path):
    np.zeros((3, 2), np.float32).tofile(tmp_path / "rows")
    X = np.memmap(tmp_path / "rows", dtype=np.float32, mode="r", shape=(3, 2))

    assert not stays_in_its_file(X)
    assert not stays_in_its_file(np.zeros((3, 2)))


def test_a_mapped_array_trains_and_predicts_like_its_rows_in_memory(mapped):
    on_disk, X, y = mapped
    net = SourceOnly(max_epochs=5, random_state=0)

    predicted = net.fit(on_disk, source=(on_disk, y)).predict_proba(on_disk)

    in_memory = net.fit(X, source=(X, y)).predict_proba(X)
    np.testing.assert_allclose(predicted, in_memory, atol=1e-4)


def test_steps_read_the_rows_that_they_ask_for(mapped):
    on_disk, X, _ = mapped
    some = MappedSamples(on_disk, "X")[10:]

    (batch,) = some.batches([torch.tensor([0, 3])], torch.device("cpu"), training=True)

    assert some.shape == (190, 20)
    np.testing.assert_array_equal(batch, X[[10, 13]])


def test_rows_that_are_not_finite_are_refused(mapped, tmp_path):
    _, X, y = mapped
    X[17, 3] = np.nan
    X.tofile(tmp_path / "bad")
    bad = np.memmap(tmp_path / "bad", dtype=np.float32, mode="r", shape=X.shape)

    with pytest.raises(ValueError, match="Input X_target contains NaN"):
        SourceOnly(max_epochs=1, random_state=0).fit(bad, source=(X[:17], y[:17]))


@pytest.mark.slow
def test_memory_stays_constant_on_a_mapped_array(tmp_path):
    path, rng = tmp_path / "rows", np.random.default_rng(0)
    with path.open("wb") as file:
        for _ in range(100):
            file.write(rng.standard_normal((1000, 512), dtype=np.float32).tobytes())
    patch = "import skda.training.mapped as m; m.MOST_BYTES = 0\n"
    peaks = [
        float(
            subprocess.run(
                [sys.executable, "-c", patch + SCRIPT, path, n_rows],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for n_rows in ("10000", "100000")
    ]

    assert path.stat().st_size > 200e6
    assert peaks[1] - peaks[0] < 60
