"""Global settings of scikit-learn change no result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch

from tests.properties.estimators import BUILDERS
from tests.properties.outputs import outputs

ROOT = Path(__file__).parents[2]
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def _assert_same(got, expected, atol=0.0):
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(got[key], values, rtol=0, atol=atol, err_msg=key)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
@pytest.mark.parametrize("output", FRAMES)
@pytest.mark.parametrize("name", BUILDERS)
def test_the_global_output_changes_no_result(name, output, scaled):
    expected = outputs(name, scaled=scaled)
    with sklearn.config_context(transform_output=output):
        got = outputs(name, scaled=scaled)

    _assert_same(got, expected)


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize("name", BUILDERS)
def test_frames_give_the_results_of_arrays(name, output):
    def frame(X):
        return FRAMES.get(output, pd.DataFrame)(
            {f"f{j}": X[:, j] for j in range(X.shape[1])}
        )

    expected = outputs(name)
    with sklearn.config_context(transform_output=output):
        got = outputs(name, convert=frame)

    _assert_same(got, expected, atol=1e-5)  # sums in another order are rounded anew


@pytest.mark.parametrize("name", BUILDERS)
def test_tensors_give_the_results_of_arrays(name):
    def require_gradients(X):
        return torch.tensor(X, requires_grad=True)

    got = outputs(name, convert=require_gradients, convert_labels=torch.as_tensor)

    _assert_same(got, outputs(name), atol=1e-5)


@pytest.fixture(scope="module")
def dispatched():
    """Run all of them in a process that dispatches to other array libraries."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.properties.array_api"],
        cwd=ROOT,
        env=os.environ | {"SCIPY_ARRAY_API": "1"},  # before the first import
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return {
        (r["name"], r["library"]): r
        for r in map(json.loads, process.stdout.splitlines())
    }


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("name", BUILDERS)
def test_array_api_dispatch_changes_no_result(dispatched, name, library):
    assert dispatched[name, library]["problem"] is None
