"""Tables of the user's own: samples, features and labels in one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import Bunch, check_consistent_length

from skda.datasets._mat import load_mat
from skda.datasets._readers import labeled_rows, read_arrays, read_frame

__all__ = ["load_paired_rows", "load_table"]

#: Samples, labels or None, and the names of the features.
Table = tuple[Any, Any, list[str]]
#: Files whose columns have names.
FRAMES = (".csv", ".parquet")
#: How many names a message lists from either end.
MOST_NAMES = 4


def load_table(path: str | PathLike[str], label: str | None = None) -> Bunch:
    r"""Load samples and their labels from a file of your own.

    The suffix tells the format:

    - ``.csv`` and ``.parquet``: one row per sample, in the order of the file. Values
      of a ``.csv`` are separated by commas, or by semicolons, tabs or ``|`` where the
      first line has no comma; decimal commas are understood there. The column `label`
      has the labels; a gap in it is a sample without one. All other columns are
      features.
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
    file = located(path)
    read = _READERS[file.suffix.lower()]
    return as_bunch(*read(file, label), file, label)


def as_bunch(
    data: Any, target: Any, names: list[str], file: Path, label: str | None
) -> Bunch:
    """Check what was read of a file, see :func:`load_table`."""
    _check_features(data, names, file)
    if target is not None:
        check_consistent_length(data, target)
        if not labeled_rows(target, label or "y", file).any():
            raise ValueError(
                f"Expected labels in {label or 'y'!r} of {file}, got none: label some "
                f"rows."
            )
    return Bunch(data=data, target=target, feature_names=names, filename=str(file))


def load_paired_rows(
    paths: Sequence[str | PathLike[str]],
    domains: Sequence[Bunch],
    labels: Sequence[str | None] = (None, None),
) -> tuple[Any, Any]:
    """Load co-occurring samples, one file for every side.

    Parameters
    ----------
    paths : sequence of str or path-like
        The two files, of which row ``i`` is sample ``i``, in a format that
        :func:`load_table` reads.
    domains : sequence of Bunch
        What :func:`load_table` made of the other samples of the domains. A side has
        their features; where both have names, in any order.
    labels : sequence of str or None, default=(None, None)
        Columns that are left out, if they are there.

    Returns
    -------
    tuple of {ndarray, sparse matrix} of shape (n_pairs, n_features)
        The sides.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the features are not those of the domain, or if one file has more rows.
    """
    sides = [
        _load_side(located(path), domain, label)
        for path, domain, label in zip(paths, domains, labels, strict=True)
    ]
    n_rows = [side.shape[0] for side in sides]
    if n_rows[0] != n_rows[1]:
        raise ValueError(
            f"Expected as many rows in both files of pairs, got {n_rows[0]} in "
            f"{paths[0]} and {n_rows[1]} in {paths[1]}: row i of both must be one "
            f"sample."
        )
    return sides[0], sides[1]


def _load_side(file: Path, domain: Bunch, label: str | None) -> Any:
    """Load samples that have the features of a table, and maybe labels."""
    suffix = file.suffix.lower()
    if suffix in FRAMES:
        frame = read_frame(file)
        frame = frame.drop(columns=[] if label is None else label, errors="ignore")
        frame = domain.get("clean", _unchanged)(frame, file)
        if Path(domain.filename).suffix.lower() in FRAMES:
            frame = arrange(frame, domain.feature_names, domain.filename, file)
        data, _, names = _take_apart(frame, None, file)
    else:
        data = _archived(file, ["X"])[0] if suffix == ".npz" else load_mat(file).data
        names = _numbered(data)
    _check_features(data, names, file)
    if len(names) != len(domain.feature_names):
        raise ValueError(
            f"Expected the {len(domain.feature_names)} features of {domain.filename} "
            f"in {file}, got {len(names)}: write the same ones."
        )
    return data


def _unchanged(frame: Any, _file: Path) -> Any:
    return frame


def arrange(frame: Any, wanted: list[str], model: Any, file: Path) -> Any:
    """Put the columns of a table into the order of another one.

    Parameters
    ----------
    frame : DataFrame
        The table.
    wanted : list of str
        The columns.
    model : str or Path
        Where they are from, for errors.
    file : Path
        Where the table is from.

    Returns
    -------
    DataFrame
        The same columns in that order.

    Raises
    ------
    ValueError
        If it has others.
    """
    there = list(frame.columns)
    lacking = [name for name in wanted if name not in there]
    others = [name for name in there if name not in wanted]
    if lacking or others:
        raise ValueError(
            f"Expected the features of {model} in {file}, got a table that lacks "
            f"{list_some(lacking)}, and has {list_some(others)} beside: write the same "
            f"ones."
        )
    return frame[wanted]


def located(path: str | PathLike[str]) -> Path:
    """Insist on a file that can be read."""
    file = Path(path).expanduser()
    if file.suffix.lower() not in _READERS:
        raise ValueError(
            f"Expected a file of type {', '.join(_READERS)}, got {str(path)!r}: save "
            f"it as one of these."
        )
    if not file.is_file():
        raise FileNotFoundError(
            f"Expected the file {file}, got none: check its name and folder."
        )
    return file


def _read_table(file: Path, label: str | None) -> Table:
    return _take_apart(read_frame(file), label, file)


def _take_apart(frame: Any, label: str | None, file: Path) -> Table:
    """Tell the labels from the features."""
    target = pop_labels(frame, label, file)
    _check_columns(frame, file)
    return frame.to_numpy(np.float64, na_value=np.nan), target, list(frame.columns)


def pop_labels(frame: Any, label: str | None, file: Path) -> Any:
    """Take the labels out of a table, if there are any.

    Parameters
    ----------
    frame : DataFrame
        The table, which loses the column.
    label : str or None
        Its name.
    file : Path
        Where the table is from, for errors.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        The labels.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if label is None:
        return None
    if label not in frame.columns:
        raise ValueError(
            f"Expected a column {label!r} in {file}, got {list_some(frame.columns)}: "
            f"name the column of the labels."
        )
    column = frame.pop(label)
    return column.to_numpy(None if column.dtype.kind in "biuf" else object)


def check_names(frame: Any, file: Path) -> None:
    """Insist on columns that have names."""
    nameless = [name for name in frame.columns if name.startswith("Unnamed: ")]
    if nameless:
        raise ValueError(
            f"Expected a name for every column of {file}, got "
            f"{list_some(nameless)}: leave out the numbers of the rows (in pandas, "
            f"to_csv(index=False)), as they may tell the label."
        )


def _check_columns(frame: Any, file: Path) -> None:
    """Insist on columns that can be features."""
    check_names(frame, file)
    words = [name for name, dtype in frame.dtypes.items() if not is_number(dtype)]
    if words:
        raise ValueError(
            f"Expected features that are numbers in {file}, got others in "
            f"{list_some(words)}: encode or leave out these columns."
        )


def is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biuf"


def _read_npz(file: Path, label: str | None) -> Table:
    X, y = _archived(file, ["X", "y" if label is None else label])
    return X, y, _numbered(X)


def _archived(file: Path, names: list[str]) -> list[NDArray[Any]]:
    """Read arrays by name, the samples first."""
    found = list(read_arrays(file, names).values())
    X = found[0]
    if X.ndim != 2 or not is_number(X.dtype):
        raise ValueError(
            f"Expected an array of numbers of shape (n_samples, n_features) for 'X' in "
            f"{file}, got one of shape {X.shape} and type {X.dtype}."
        )
    return found


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
    is_sparse = issparse(data)
    values = data.data if is_sparse else data
    if values.dtype.kind != "f":
        return  # and take no memory for a copy in floats
    missing = np.isnan(values)
    gaps = np.flatnonzero(missing.any(axis=0))
    if is_sparse:
        gaps = np.unique(data.indices[missing])
    if len(gaps):
        raise ValueError(
            f"Expected a number in every row of every feature in {file}, got gaps in "
            f"{list_some([names[i] for i in gaps])}: fill them, or leave out these "
            f"rows or columns."
        )


def _numbered(X: NDArray[Any]) -> list[str]:
    return [f"x{i}" for i in range(X.shape[1])]


def list_some(names: Any) -> str:
    """List names, but of thousands the first and the last only."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > 2 * MOST_NAMES:
        quoted[MOST_NAMES:-MOST_NAMES] = ["..."]
    return ", ".join(quoted) or "none"


_READERS: dict[str, Callable[[Path, str | None], Table]] = {
    ".csv": _read_table,
    ".parquet": _read_table,
    ".npz": _read_npz,
    ".mat": _read_mat,
}
