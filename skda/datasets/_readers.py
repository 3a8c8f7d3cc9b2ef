"""Readers of files that may be damaged: data, or an error of one line."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.labels import check_labels
from skda.utils.optional import import_optional

__all__ = ["labeled_rows", "read_array", "read_arrays", "read_frame", "reading"]

#: What separates values where commas do not.
SEPARATORS = (";", "\t", "|")
#: How much of what a reader complains about is worth passing on.
MOST_CHARACTERS = 200


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Say in one line that a file cannot be read, whatever its reader raises.

    Parameters
    ----------
    file : Path
        The file that is read in the block.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    try:
        yield
    except (FileNotFoundError, ModuleNotFoundError, PermissionError):
        raise  # these say it better
    except Exception as error:
        # Readers raise whatever comes, from zlib.error to UnboundLocalError.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(
            f"Expected a file that can be read, got {file}, which is damaged or not "
            f"what its name says ({reason[:MOST_CHARACTERS]}): write it again."
        ) from error


def read_arrays(file: Path, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays of a ``.npz`` file.

    Parameters
    ----------
    file : Path
        The file.
    names : list of str, default=None
        Which ones; None is all of them.

    Returns
    -------
    dict of str to ndarray
        The arrays.

    Raises
    ------
    ValueError
        If it is no archive of arrays, or one that is damaged, or lacks an array.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"Expected an archive of arrays in {file}, got something else: write it "
            f"with numpy.savez."
        )
    with reading(file):
        _check_size(file)
        with np.load(file, allow_pickle=False) as arrays:
            there = list(arrays)
            wanted = there if names is None else names
            found = {name: arrays[name] for name in wanted if name in there}
        others = [name for name, x in found.items() if not isinstance(x, np.ndarray)]
        if others:
            raise TypeError(f"its member {others[0]!r} is no array")
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ValueError(
            f"Expected the array{'s' * (len(wanted) > 1)} "
            f"{' and '.join(map(repr, wanted))} in {file}, got "
            f"{', '.join(map(repr, there)) or 'none'}: it lacks "
            f"{', '.join(map(repr, missing))}."
        )
    return found


def read_array(file: Path) -> NDArray[Any]:
    """Read the array of a ``.npy`` file.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    with reading(file):
        array = np.load(file, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise TypeError("it has several arrays, as .npz files have")
        return array


def read_frame(file: Path, reader: str = "load_table") -> Any:
    """Read a table with pandas.

    Parameters
    ----------
    file : Path
        A ``.csv`` or ``.parquet`` file.
    reader : str, default="load_table"
        Who needs pandas, for an error if there is none.

    Returns
    -------
    DataFrame
        The table, with rows; the names of the columns are strings and differ.

    Raises
    ------
    ModuleNotFoundError
        If pandas or pyarrow is not installed.
    ValueError
        If it cannot be read, or has no rows.
    """
    suffix = file.suffix.lower()
    pandas = import_optional("pandas", f"{reader} reads {suffix} files with pandas")
    if suffix == ".parquet":
        import_optional("pyarrow", f"{reader} reads .parquet files with pyarrow")
    with reading(file):
        if suffix == ".parquet":
            frame = pandas.read_parquet(file, engine="pyarrow")
        else:
            frame = _read_csv(file, pandas)
    if not len(frame):
        raise ValueError(f"Expected rows in {file}, got none: write one per sample.")
    frame.columns = frame.columns.astype(str)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(
            f"Expected columns of different names in {file}, got {twice[0]!r} twice: "
            f"rename one."
        )
    return frame


def _read_csv(file: Path, pandas: Any) -> Any:
    """Read values separated by commas, or by what the first line has instead."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline()
    others = [s for s in SEPARATORS if s in header and "," not in header]
    # All at once, or pandas may find another type in every part of a column.
    options = {"sep": (others or [","])[0], "low_memory": False}
    try:
        if not others:
            return pandas.read_csv(file, **options)
        # Where the comma does not separate values, it may be the decimal one.
        frames = [pandas.read_csv(file, **options, decimal=sign) for sign in ".,"]
    except pandas.errors.EmptyDataError:
        return pandas.DataFrame()
    return max(frames, key=lambda frame: frame.select_dtypes("number").shape[1])


def labeled_rows(y: Any, name: str, file: Path) -> NDArray[np.bool_]:
    """Tell which rows are labeled, or what is wrong with the labels of the file.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.
    name : str
        What they are called in the file.
    file : Path
        The file.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        Whether each row is labeled.

    Raises
    ------
    ValueError
        If they are no labels.
    """
    try:
        return check_labels(y, y).known
    except ValueError as error:
        raise ValueError(f"{error} (The labels are {name!r} of {file}.)") from error


def _check_size(file: Path) -> None:
    """Insist on arrays that fit into the memory of the machine, where it is known."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # as on Windows
        return
    if size > memory:
        raise MemoryError(
            f"its arrays take {size / 2**30:.0f} GiB, more than the memory of the "
            f"machine"
        )
