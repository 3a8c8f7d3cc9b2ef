"""Fit every estimator where scikit-learn dispatches to other array libraries.

A script, because scipy asks for ``SCIPY_ARRAY_API=1`` before it is imported. It prints
one line of JSON for every estimator and library.
"""

import json
import warnings

import numpy as np
import sklearn
import torch

from tests.properties.estimators import BUILDERS
from tests.properties.invariants import describe
from tests.properties.outputs import outputs

LIBRARIES = {"numpy": np.asarray, "torch": torch.as_tensor}


def problem_with(name, library):
    """Say what is wrong, if anything."""
    expected = outputs(name)
    try:
        with sklearn.config_context(array_api_dispatch=True):
            convert = LIBRARIES[library]
            got = outputs(name, convert=convert, convert_labels=convert)
    except Exception as error:  # noqa: BLE001 (looked at)
        return describe(error, where=True)
    # Another way to the same sums rounds them anew.
    same = all(np.allclose(got[key], expected[key], atol=1e-5) for key in expected)
    return None if same else "the result is another one"


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in BUILDERS:
        for library in LIBRARIES:
            record = {"name": name, "library": library}
            record["problem"] = problem_with(name, library)
            print(json.dumps(record), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
