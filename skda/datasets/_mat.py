"""The files that were published with SSAN and STN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Bunch, check_consistent_length

from skda.datasets._readers import MOST_CHARACTERS
from skda.utils.labels import UNLABELED

__all__ = ["load_mat", "read_variables"]

#: Where the files of a domain have its rows and their classes.
_DOMAINS = [("features", "labels"), ("source_features", "source_labels")]
#: Where those of a target have, per split, the labeled rows and the others.
_SPLITS = [
    ("training_features", "training_labels"),
    ("testing_features", "testing_labels"),
]

#: What reads a file, and may take as much of the machine as a large one needs:
#: seconds, and one more per MiB; bytes, and so many more per byte.
_READER = str(Path(__file__).with_name("_mat_reader.py"))
SECONDS = 60
MEMORY = 4 * 2**30
EXPANSION = 32
#: Numbers of classes are below.
MOST_CLASSES = 2**31


def load_mat(path: str | PathLike[str]) -> Bunch:
    """Load a domain, or the splits of one, from a ``.mat`` file.

    This is the layout of the files that come with the code of SSAN [1]_ and STN [2]_.
    It has the variables

    - ``features`` (n_samples, n_features) and ``labels`` (n_samples, 1), or
      ``source_features`` and ``source_labels``; or
    - ``training_features``, ``training_labels``, ``testing_features`` and
      ``testing_labels``, cell arrays of shape (1, n_splits): the target rows of each
      split, those whose label a method may see and those that it is tested on.

    Parameters
    ----------
    path : str or path-like
        The file, as MATLAB writes it up to version 7.

    Returns
    -------
    Bunch
        With the attributes

        data : {ndarray, sparse matrix} of shape (n_samples, n_features)
            All rows, of a file with splits those of the first one.
        target : ndarray of shape (n_samples,)
            Their classes, from 1, all of them.
        splits : list of Bunch
            The splits, if the file has any. Each has the rows ``X``, the labeled ones
            first, their labels ``y``, -1 for those that are tested on, and ``y_true``.
        filename : str
            The file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no file of this kind, or if it is damaged.

    Notes
    -----
    The file is read in a process of its own, which a damaged file may crash, and which
    may take 60 seconds and 4 GiB, more for a large file.

    References
    ----------
    .. [1] S. Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous
       Domain Adaptation", ACM Multimedia 2020. arXiv:2008.01677.
    .. [2] Y. Yao et al., "Heterogeneous Domain Adaptation via Soft Transfer Network",
       ACM Multimedia 2019. arXiv:1908.10552. doi:10.1145/3343031.3350955.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from skda.datasets import load_mat
    >>> with TemporaryDirectory() as folder:
    ...     savemat(f"{folder}/toy.mat", {"features": np.eye(2), "labels": [[1], [2]]})
    ...     load_mat(f"{folder}/toy.mat").target
    array([1, 2])
    """
    file = Path(path).expanduser()
    needed = [name for pair in _SPLITS for name in pair]
    names, arrays = read_variables(file, [*(n for d in _DOMAINS for n in d), *needed])
    for features, labels in _DOMAINS:
        if {features, labels} <= arrays.keys():
            data, target = _rows(arrays[features], arrays[labels], file)
            return Bunch(data=data, target=target, splits=[], filename=str(file))
    if not set(needed) <= arrays.keys():
        alternatives = " or ".join(", ".join(pair) for pair in [*_DOMAINS, needed])
        raise ValueError(
            f"Expected the variables {alternatives} in {file}, got "
            f"{', '.join(names) or 'none'}: it has another layout; read it with "
            f"scipy.io.loadmat."
        )
    splits = _take_apart(arrays, needed, file)
    first = splits[0]
    return Bunch(data=first.X, target=first.y_true, splits=splits, filename=str(file))


def read_variables(file: Path, names: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Read variables in a process of its own, which a damaged file may crash.

    Parameters
    ----------
    file : Path
        The file.
    names : list of str
        The variables to read, as far as they are there.

    Returns
    -------
    names : list of str
        All that is in the file.
    variables : dict of str to {ndarray, sparse matrix}
        The variables: matrices, or arrays of objects for cell arrays. What has no
        numbers is an array of type void.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"Expected the file {file}, got none: check its name and folder."
        )
    with TemporaryDirectory(prefix="skda") as folder:
        out = Path(folder, "variables.npz")
        said = _run_reader(file, out, names)
        if "error" in said:
            reason = " ".join(said["error"].split())[:MOST_CHARACTERS]
            raise ValueError(
                f"Expected a .mat file up to version 7 in {file}, got one that cannot "
                f"be read ({reason}): unless it is damaged, in MATLAB save it with "
                f"'-v7'."
            )
        if not said["parts"]:
            return said["names"], {}
        with np.load(out, allow_pickle=False) as arrays:
            parts = said["parts"].items()
            return said["names"], {name: _joined(part, arrays) for name, part in parts}


def _run_reader(file: Path, out: Path, names: list[str]) -> dict[str, Any]:
    """Run the reader, and say what became of it."""
    size = file.stat().st_size
    seconds = SECONDS + size // 2**20
    limits = [str(MEMORY + EXPANSION * size), str(seconds)]
    path = os.pathsep.join(folder or os.curdir for folder in sys.path)
    try:
        done = subprocess.run(
            [sys.executable, "-P", _READER, file, out, *limits, *names],
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it took more than {seconds} seconds"}
    if done.returncode:
        return {"error": f"its reader crashed, return code {done.returncode}"}
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _joined(part: dict[str, Any], arrays: Any) -> Any:
    """Join the arrays of a variable again."""
    if "array" in part:
        return arrays[part["array"]]
    shape = tuple(part["shape"])
    if "sparse" in part:
        return sparse.csr_matrix(tuple(arrays[key] for key in part["sparse"]), shape)
    if "other" in part:
        return np.broadcast_to(np.void(b""), shape)
    cells = np.empty(len(part["cells"]), dtype=object)
    for i, cell in enumerate(part["cells"]):
        cells[i] = _joined(cell, arrays)
    return cells.reshape(shape)


def _take_apart(arrays: dict[str, Any], names: list[str], file: Path) -> list[Bunch]:
    """Join what each split has for training and for testing."""
    shapes = {name: arrays[name].shape for name in names}
    cells = all(arrays[name].dtype == object for name in names)
    if not cells or len(set(shapes.values())) > 1 or not arrays[names[0]].size:
        got = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
        raise ValueError(
            f"Expected cell arrays with one cell per split in {file}, got {got}"
            f"{'' if cells else ', not all of them cell arrays'}."
        )
    splits = []
    for cell in zip(*(arrays[name].ravel() for name in names), strict=True):
        shown, y_shown = _rows(cell[0], cell[1], file)
        tested, y_tested = _rows(cell[2], cell[3], file)
        if shown.shape[1] != tested.shape[1]:
            raise ValueError(
                f"Expected rows of one width in {file}, got {shown.shape[1]} and "
                f"{tested.shape[1]} columns in a split."
            )
        some_sparse = sparse.issparse(shown) or sparse.issparse(tested)
        stack = partial(sparse.vstack, format="csr") if some_sparse else np.vstack
        y = np.concatenate([y_shown, np.full_like(y_tested, UNLABELED)])
        y_true = np.concatenate([y_shown, y_tested])
        splits.append(Bunch(X=stack([shown, tested]), y=y, y_true=y_true))
    return splits


def _rows(features: Any, labels: Any, file: Path) -> tuple[Any, NDArray[np.int64]]:
    """Check rows and classes; MATLAB has columns of floats or of bytes for these."""
    real = all(array.dtype.kind in "biuf" for array in (features, labels))
    if not real or features.ndim != 2 or sparse.issparse(labels):
        raise ValueError(
            f"Expected matrices of real numbers for features and labels in {file}, got "
            f"shapes {features.shape} and {labels.shape} of types {features.dtype} and "
            f"{labels.dtype}."
        )
    check_consistent_length(features, labels.ravel())
    y = labels.ravel().astype(np.float64)
    if not (np.abs(y) < MOST_CLASSES).all() or (y != np.floor(y)).any():
        raise ValueError(
            f"Expected classes that are whole numbers in {file}, got others: number "
            f"them from 1."
        )
    return features, y.astype(np.int64)
