"""Tables of the user's own: samples, features and labels in one file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_consistent_length

from skda.datasets._mat import load_mat
from skda.utils.labels import check_labels
from skda.utils.optional import import_optional

__all__ = ["load_table"]

#: Samples, labels or None, and the names of the features.
Table = tuple[Any, Any, list[str]]
#: How many names a message lists from either end.
MOST_NAMES = 4


def load_table(path: str | PathLike[str], label: str | None = None) -> Bunch:
    r"""Load samples and their labels from a file of your own.

    The suffix tells the format:

    - ``.csv`` and ``.parquet``: one row per sample, in the order of the file. The
      column `label` has the labels; a gap in it is a sample without one. All other
      columns are features.
    - ``.npz``: the array ``X`` has the samples; the array `label`, by default ``y``,
      their labels.
    - ``.mat``: what :func:`load_mat` reads, which has a place for the labels.

    Parameters
    ----------
    path : str or path-like
        The file.
    label : str, default=None
        Name of the column or array with the labels. None takes all columns of a table
        for features.

    Returns
    -------
    Bunch
        With the attributes

        data : {ndarray, sparse matrix} of shape (n_samples, n_features)
            The features.
        target : ndarray of shape (n_samples,) or None
            The labels; -1, None, NaN or pandas.NA where there is none.
        feature_names : list of str
            Names of the columns; "x0", "x1" and so on where they have none.
        filename : str
            The file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If what reads the format, pandas or pyarrow, is not installed.
    ValueError
        If the format is unknown, if a column is missing, has no name, is not numeric or
        has gaps, or if no sample is labeled.

    See Also
    --------
    load_npz : Loads the arrays of a file as they are.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skda.datasets import load_table
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pets.csv")
    ...     _ = file.write_text("size,weight,kind\n40,9,cat\n70,30,dog\n50,11,\n")
    ...     pets = load_table(file, label="kind")
    >>> pets.data.shape, pets.feature_names
    ((3, 2), ['size', 'weight'])
    >>> pets.target
    array(['cat', 'dog', nan], dtype=object)
    """
    file = Path(path).expanduser()
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise ValueError(
            f"Expected a file of type {', '.join(_READERS)}, got {str(path)!r}: save "
            f"it as one of these."
        )
    if not file.is_file():
        raise FileNotFoundError(
            f"Expected the file {file}, got none: check its name and folder."
        )
    data, target, names = read(file, label)
    _check_features(data, names, file)
    if target is not None:
        check_consistent_length(data, target)
        if not check_labels(target, data).known.any():
            raise ValueError(
                f"Expected labels in {label or 'y'!r} of {file}, got none: label some "
                f"rows."
            )
    return Bunch(data=data, target=target, feature_names=names, filename=str(file))


def _read_csv(file: Path, label: str | None) -> Table:
    pandas = import_optional("pandas", "load_table reads .csv files with pandas")
    # All of it at once, or pandas may find another type in every part of a column.
    return _take_apart(pandas.read_csv(file, low_memory=False), label, file)


def _read_parquet(file: Path, label: str | None) -> Table:
    pandas = import_optional("pandas", "load_table reads .parquet files with pandas")
    import_optional("pyarrow", "load_table reads .parquet files with pyarrow")
    return _take_apart(pandas.read_parquet(file, engine="pyarrow"), label, file)


def _take_apart(frame: Any, label: str | None, file: Path) -> Table:
    """Tell the labels from the features."""
    frame.columns = frame.columns.astype(str)
    target = None
    if label is not None:
        if label not in frame.columns:
            raise ValueError(
                f"Expected a column {label!r} in {file}, got {_some(frame.columns)}: "
                f"name the column of the labels."
            )
        column = frame.pop(label)
        target = column.to_numpy(None if column.dtype.kind in "biuf" else object)
    _check_columns(frame, file)
    return frame.to_numpy(np.float64, na_value=np.nan), target, list(frame.columns)


def _check_columns(frame: Any, file: Path) -> None:
    """Insist on columns that can be features."""
    nameless = [name for name in frame.columns if name.startswith("Unnamed: ")]
    if nameless:
        raise ValueError(
            f"Expected a name for every column of {file}, got {_some(nameless)}: leave "
            f"out the numbers of the rows (in pandas, to_csv(index=False)), as they "
            f"may tell the label."
        )
    words = [name for name, dtype in frame.dtypes.items() if not _is_number(dtype)]
    if words:
        raise ValueError(
            f"Expected features that are numbers in {file}, got others in "
            f"{_some(words)}: encode or leave out these columns."
        )


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biuf"


def _read_npz(file: Path, label: str | None) -> Table:
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"Expected an archive of arrays in {file}, got something else: write it "
            f"with numpy.savez."
        )
    label = "y" if label is None else label
    with np.load(file, allow_pickle=False) as arrays:
        missing = [name for name in ("X", label) if name not in arrays]
        if missing:
            raise ValueError(
                f"Expected the arrays 'X' and {label!r} in {file}, got "
                f"{_some(arrays)}: it lacks {_some(missing)}."
            )
        X, y = arrays["X"], arrays[label]
    if X.ndim != 2 or not _is_number(X.dtype):
        raise ValueError(
            f"Expected an array of numbers of shape (n_samples, n_features) for 'X' in "
            f"{file}, got one of shape {X.shape} and type {X.dtype}."
        )
    return X, y, _numbered(X)


def _read_mat(file: Path, label: str | None) -> Table:  # noqa: ARG001 (it has a place)
    domain = load_mat(file)
    return domain.data, domain.target, _numbered(domain.data)


def _check_features(data: Any, names: list[str], file: Path) -> None:
    """Insist on features, and on a value for all of them."""
    if not names:
        raise ValueError(
            f"Expected features in {file}, got none: it needs a column beside the "
            f"labels."
        )
    values = data if isinstance(data, np.ndarray) else data.max(axis=0).toarray()
    gaps = np.flatnonzero(np.isnan(values.astype(float)).any(axis=0))
    if len(gaps):
        raise ValueError(
            f"Expected a number in every row of every feature in {file}, got gaps in "
            f"{_some([names[i] for i in gaps])}: fill them, or leave out these rows or "
            f"columns."
        )


def _numbered(X: NDArray[Any]) -> list[str]:
    return [f"x{i}" for i in range(X.shape[1])]


def _some(names: Any) -> str:
    """List names, but of thousands the first and the last only."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > 2 * MOST_NAMES:
        quoted[MOST_NAMES:-MOST_NAMES] = ["..."]
    return ", ".join(quoted) or "none"


_READERS: dict[str, Callable[[Path, str | None], Table]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".npz": _read_npz,
    ".mat": _read_mat,
}
