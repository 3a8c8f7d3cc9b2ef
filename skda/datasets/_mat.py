"""The files that were published with SSAN and STN."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.io import loadmat
from sklearn.utils import Bunch, check_consistent_length

from skda.utils.labels import UNLABELED

__all__ = ["load_mat"]

#: Where the files of a domain have its rows and their classes.
_DOMAINS = [("features", "labels"), ("source_features", "source_labels")]
#: Where those of a target have, per split, the labeled rows and the others.
_SPLITS = [
    ("training_features", "training_labels"),
    ("testing_features", "testing_labels"),
]


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
        If it is no file of this kind.

    References
    ----------
    .. [1] S. Li et al., "Simultaneous Semantic Alignment Network for Heterogeneous
       Domain Adaptation", ACM Multimedia 2020.
    .. [2] Y. Yao et al., "Heterogeneous Domain Adaptation via Soft Transfer Network",
       ACM Multimedia 2019.

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
    arrays = _read(file)
    for features, labels in _DOMAINS:
        if {features, labels} <= arrays.keys():
            data, target = _rows(arrays[features], arrays[labels])
            return Bunch(data=data, target=target, splits=[], filename=str(file))
    needed = [name for pair in _SPLITS for name in pair]
    if not set(needed) <= arrays.keys():
        alternatives = " or ".join(", ".join(pair) for pair in [*_DOMAINS, needed])
        raise ValueError(
            f"Expected the variables {alternatives} in {file}, got "
            f"{', '.join(arrays) or 'none'}: it has another layout; read it with "
            f"scipy.io.loadmat."
        )
    splits = _take_apart(arrays, needed, file)
    first = splits[0]
    return Bunch(data=first.X, target=first.y_true, splits=splits, filename=str(file))


def _read(file: Path) -> dict[str, Any]:
    """Read the variables."""
    if not file.is_file():
        raise FileNotFoundError(
            f"Expected the file {file}, got none: check its name and folder."
        )
    try:
        arrays = loadmat(file)
    except (NotImplementedError, ValueError) as error:
        raise ValueError(
            f"Expected a .mat file up to version 7 in {file}, got something else: in "
            f"MATLAB, save it with '-v7'."
        ) from error
    return {name: value for name, value in arrays.items() if name[:2] != "__"}


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
        shown, y_shown = _rows(*cell[:2])
        tested, y_tested = _rows(*cell[2:])
        stack = sparse.vstack if sparse.issparse(shown) else np.vstack
        y = np.concatenate([y_shown, np.full_like(y_tested, UNLABELED)])
        y_true = np.concatenate([y_shown, y_tested])
        splits.append(Bunch(X=stack([shown, tested]), y=y, y_true=y_true))
    return splits


def _rows(features: Any, labels: Any) -> tuple[Any, NDArray[np.int64]]:
    """Check rows and classes; MATLAB has columns of floats or of bytes for these."""
    y = np.asarray(labels).ravel().astype(np.int64)
    check_consistent_length(features, y)
    return features.tocsr() if hasattr(features, "tocsr") else features, y
