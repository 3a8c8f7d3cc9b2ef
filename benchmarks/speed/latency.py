"""Time of the prediction of one row: of the estimator, and of the exported model.

One thread, 500 target and 500 source rows of 64 features, ten classes. The median CPU
time of many calls should be at most two milliseconds. ``ColumnTransformer`` is GeoST
with one before it, and rows that are frames of one row.

    python -m benchmarks.speed.latency [--record]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks._results import append
from skda import AutoAdapter, export_onnx
from skda.baselines import BalancedLabelPropagation, TargetOnly
from skda.datasets import label_few
from skda.heterogeneous import CDSPP, SSAN, STN, GeoST
from skda.unsupervised import (
    CORAL,
    DANN,
    SPL,
    CenteredLabelPropagation,
    TargetCentroids,
)

#: Milliseconds that the prediction of one row may take.
AIM = 2.0
N_CALLS = 200
NAMES = [f"f{i}" for i in range(64)]
SCALED = make_column_transformer(
    (StandardScaler(), NAMES[:32]), remainder="passthrough"
)
METHODS = {
    "TargetOnly": TargetOnly(LogisticRegression()),
    "BalancedLabelPropagation": BalancedLabelPropagation(),
    "TargetCentroids": TargetCentroids(),
    "SPL": SPL(),
    "CORAL": CORAL(),
    "CenteredLabelPropagation": CenteredLabelPropagation(),
    "DANN": DANN(max_epochs=2, random_state=0),
    "CDSPP": CDSPP(),
    "GeoST": GeoST(),
    "STN": STN(max_epochs=2, random_state=0),
    "SSAN": SSAN(max_epochs=2, random_state=0),
    "AutoAdapter": AutoAdapter(),
    "ColumnTransformer": GeoST(target_transformer=SCALED),
}


def measure(name: str) -> dict[str, float]:
    """Fit, export, and time both predictions, in milliseconds."""
    rng = np.random.default_rng(0)
    y = np.arange(500) % 10
    X, X_s = (rng.normal(size=(500, 64)) + 2 * np.eye(10, 64)[y] for _ in range(2))
    few = label_few(y, 3, random_state=0)
    estimator: Any = clone(METHODS[name])
    source = {} if name.startswith(("TargetOnly", "Balanced")) else {"source": (X_s, y)}
    table: Any = pd.DataFrame(X, columns=NAMES) if name == "ColumnTransformer" else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(table, few, **source)
    row = table[:1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(estimator, path, X=table)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
        size = path.stat().st_size
    feed = {"X": X[:1]}
    return {
        "milliseconds": _median(lambda: estimator.predict_proba(row)),
        "onnx_milliseconds": _median(lambda: session.run(None, feed)),
        "onnx_kib": size / 1024,
    }


def _median(call: Callable[[], Any]) -> float:
    """Take the median CPU time of a call, in milliseconds."""
    seconds = []
    for _ in range(N_CALLS):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return 1000 * float(np.median(seconds))


def main() -> None:
    """Print, and on demand record, one line per method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in METHODS:
        found = measure(name)
        print(
            f"{name:24} {found['milliseconds']:6.2f} ms"
            f"   ONNX {found['onnx_milliseconds']:6.2f} ms {found['onnx_kib']:7.0f} KiB"
        )
        if arguments.record:
            append("speed_latency", method=name, aim=AIM, **found)


if __name__ == "__main__":
    main()
