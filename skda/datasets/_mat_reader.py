"""Read variables of a ``.mat`` file, in a process of its own.

SciPy's reader crashes on some files that are damaged, and asks for any memory that a
header names. :func:`skda.datasets._mat.read_variables` runs this file as a script,
which is why it imports nothing of skda: that would take longer than the reading.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat
from scipy.sparse import issparse

__all__ = ["main"]

Arrays = dict[str, Any]


def main(file: str, out: str, memory: str, seconds: str, *names: str) -> None:
    """Write the variables to an archive of arrays, and how to join them to stdout.

    Parameters
    ----------
    file : str
        The ``.mat`` file.
    out : str
        The ``.npz`` file to write.
    memory, seconds : str
        What the process may use: bytes, and seconds of the processor.
    *names : str
        The variables, as far as they are there.
    """
    _limit(int(memory), int(seconds))
    said: dict[str, Any] = {}
    arrays: Arrays = {}
    try:
        said["names"] = [name for name, *_ in whosmat(file)]
        found = loadmat(file, variable_names=list(names))
        wanted = {name: found[name] for name in names if name in found}
        said["parts"] = {name: _taken(wanted[name], arrays) for name in wanted}
        np.savez(out, **arrays)
    except Exception as error:  # noqa: BLE001 (SciPy raises whatever comes)
        said = {"error": f"{type(error).__name__}: {error}"}
    json.dump(said, sys.stdout)


def _taken(value: Any, arrays: Arrays) -> dict[str, Any]:
    """Take a variable apart into arrays of numbers."""
    if issparse(value):
        matrix: Any = value
        matrix.check_format(full_check=True)  # else a wrong index crashes what follows
        rows = matrix.tocsr()
        parts = [_kept(part, arrays) for part in (rows.data, rows.indices, rows.indptr)]
        return {"sparse": parts, "shape": rows.shape}
    if value.dtype == object:
        cells = [_taken(cell, arrays) for cell in value.flat]
        return {"cells": cells, "shape": value.shape}
    if value.dtype.kind in "biuf":
        return {"array": _kept(value, arrays)}
    return {"other": str(value.dtype), "shape": value.shape}


def _kept(array: NDArray[Any], arrays: Arrays) -> str:
    key = f"part{len(arrays)}"
    arrays[key] = array
    return key


def _limit(memory: int, seconds: int) -> None:
    """Bound what a damaged header may ask for, where the system can."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ModuleNotFoundError:
        return
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(limit)[1]
        bound = value if most == resource.RLIM_INFINITY else min(value, most)
        try:
            resource.setrlimit(limit, (bound, most))
        except (ValueError, OSError):  # macOS knows some limits, and sets none
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
