"""
Save, load, ship
================

The model is good: now it is to run somewhere else, on a machine that should not run
whatever a file tells it to, or has neither skda nor PyTorch. A file for the first, and
one for the second.
"""

# %%
# Save and load
# -------------
#
# The file holds numbers and names, no code: unlike a pickle, loading it runs nothing.
# What is loaded predicts the same, to the bit.
import tempfile
from pathlib import Path

import numpy as np

import skda
from skda.datasets import label_few, load_digits_domains
from skda.heterogeneous import STN, GeoST

digits = load_digits_domains()
y = label_few(digits.y, 3, random_state=0)
models = {"GeoST": GeoST(), "STN": STN(max_epochs=50, random_state=0)}
folder = Path(tempfile.mkdtemp())
for name, model in models.items():
    model.fit(digits.X, y, source=digits.source)
    skda.save(model, folder / f"{name}.skda")
    loaded = skda.load(folder / f"{name}.skda")
    assert np.array_equal(loaded.predict_proba(digits.X), model.predict_proba(digits.X))
    print(f"{name}: {(folder / f'{name}.skda').stat().st_size / 1000:.0f} kB")

# %%
# A file that was changed by one bit is refused.
damaged = folder / "damaged.skda"
content = bytearray((folder / "STN.skda").read_bytes())
content[len(content) // 2] ^= 1
damaged.write_bytes(bytes(content))
try:
    skda.load(damaged)
except ValueError as error:
    print(error)
else:
    raise AssertionError("a damaged file was loaded")

# %%
# Export to ONNX
# --------------
#
# :func:`skda.export_onnx` writes the whole prediction of a row: scaling, smoothing by
# the neighbors among the fitted rows, network or linear map, softmax. A runtime of
# ONNX computes it, in any language. Before a file is written it is compared with the
# estimator on rows that are given.
import onnxruntime

sessions = {}
for name, model in models.items():
    skda.export_onnx(model, folder / f"{name}.onnx", X=digits.X)
    sessions[name] = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    labels, probabilities = sessions[name].run(None, {"X": digits.X})
    furthest = np.abs(probabilities - model.predict_proba(digits.X)).max()
    assert furthest < 1e-5
    print(f"{name}: differs by at most {furthest:.0e}")

# %%
# What one row takes
# ------------------
#
# A service asks row by row. Each point is one call; the axis is logarithmic.
from timeit import timeit

import matplotlib.pyplot as plt

row = digits.X[:1]
calls = {}
for name, model in models.items():
    calls[f"{name}.predict_proba"] = lambda model=model: model.predict_proba(row)
    calls[f"{name}.onnx"] = lambda name=name: sessions[name].run(None, {"X": row})

figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
rng = np.random.default_rng(0)
for i, (name, predict) in enumerate(calls.items()):
    times = [timeit(predict, number=1) for _ in range(65)]
    milliseconds = 1000 * np.array(times[5:])  # but for the first, which take longer
    heights = i + rng.uniform(-0.15, 0.15, len(milliseconds))
    color = "C1" if name.endswith("onnx") else "C0"
    ax.plot(milliseconds, heights, ".", color=color, alpha=0.3)
    ax.plot(np.median(milliseconds), i, "|", color=color, markersize=22)
ax.set(xscale="log", xlabel="Milliseconds for one row", yticks=range(len(calls)))
ax.set_yticklabels(calls)
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# When not to
# -----------
#
# A file of :func:`skda.save` needs skda where it is read, in a version that knows its
# format. A model in ONNX needs nothing, and checks nothing: it does not notice columns
# in another order. What cannot be exported is in a list: :ref:`deployment`.
