"""Paired data: several views of every sample, as cross-modal retrieval takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch
from sklearn.utils.validation import check_array

from skda.datasets._files import load_npz
from skda.datasets._mat import load_mat
from skda.datasets._readers import (
    labeled_rows,
    read_array,
    read_arrays,
    read_frame,
)
from skda.datasets._tables import load_table
from skda.utils.views import count_pairs

__all__ = [
    "PAIRED_TASKS",
    "VIEW_FILES",
    "PairedTask",
    "is_paired_task",
    "load_paired_files",
    "load_pairs",
    "load_views",
]

File = str | PathLike[str]

#: What a task is called, beside its views.
PAIRED_TASKS = {
    "wikipedia": "wikipedia:image-text",
    "wikipedia_deep": "wikipedia:image_deep-text_deep",
    "bbcsport": "bbcsport:view0-view1",
}
#: File of every data set, and what its views are called beside their name.
VIEW_FILES = {
    "wikipedia": ("wikipedia", ""),
    "bbcsport": ("bbcsport_2view", "X_"),
    "mfeat": ("mfeat_digits", "X_"),
    "msrc": ("msrc_v1", "X_"),
    "reuters": ("reuters_multilingual_1200", "X_view"),
}
#: What else is in these files.
_NO_VIEWS = ("y", "test", "classes")
_EXAMPLES = "mfeat:fou-kar, msrc:gist-hog or reuters:0-1"


class PairedTask(NamedTuple):
    """Samples that are seen in several views, and their categories.

    Parameters
    ----------
    views : dict of str to {ndarray, sparse matrix} of shape (n_samples, n_features)
        One matrix per view; row ``i`` of all of them is sample ``i``.
    y : ndarray of shape (n_samples,)
        Categories; -1, None, NaN or pandas.NA where unknown.
    test : ndarray of bool of shape (n_samples,) or None
        Rows that the data set keeps for tests, if it says so.
    classes : tuple of str or None
        Names of the categories 0, 1 and so on, if they are known.
    """

    views: dict[str, Any]
    y: NDArray[Any]
    test: NDArray[np.bool_] | None = None
    classes: tuple[str, ...] | None = None


def is_paired_task(name: str) -> bool:
    """Tell whether a task is one of :func:`load_pairs`, by its name.

    Parameters
    ----------
    name : str
        A name; "mfeat" alone is a task of two domains.

    Returns
    -------
    bool
        Whether it is.
    """
    data_set, _, views = name.partition(":")
    return (
        name in PAIRED_TASKS
        or name == "msrc"
        or (data_set in VIEW_FILES and bool(views))
    )


def load_pairs(name: str, *, data_home: File | None = None) -> PairedTask:
    """Load samples that are seen in several views.

    Parameters
    ----------
    name : str
        "wikipedia" (images as bags of SIFT words, texts as topics), "wikipedia_deep"
        (the same articles in learned features; those of the images are a principal
        component analysis that was fitted on all rows where they come from),
        "bbcsport" (two segments of articles), or a data set and two or more of its
        views, such as "mfeat:fou-kar" (digits), "msrc:gist-hog" (images), "reuters:0-1"
        (two languages), or "wikipedia:image_deep-text".
    data_home : str or path-like, default=None
        Folder of the files; None is the environment variable ``SKDA_DATA``.

    Returns
    -------
    PairedTask
        ``views``, ``y`` and, as far as the file has them, ``test`` and ``classes``.

    Raises
    ------
    ValueError
        If there is no such task.
    FileNotFoundError
        If its file is missing.

    See Also
    --------
    load_paired_files : Loads files of your own.
    skda.compare_retrieval : Compares methods on them.

    Examples
    --------
    >>> from skda.datasets import load_pairs
    >>> task = load_pairs("wikipedia")  # doctest: +SKIP
    >>> {view: X.shape for view, X in task.views.items()}  # doctest: +SKIP
    {'image': (2866, 128), 'text': (2866, 10)}
    """
    data_set, _, wanted = PAIRED_TASKS.get(name, name).partition(":")
    names = wanted.split("-")
    if data_set not in VIEW_FILES or len(names) < 2:
        raise ValueError(
            f"Expected {', '.join(PAIRED_TASKS)}, or a data set and two or more of its "
            f"views, such as {_EXAMPLES}, got {name!r}."
        )
    views, data = load_views(data_set, data_home)
    unknown = [view for view in names if view not in views]
    if unknown or len(set(names)) < len(names):
        choices = ", ".join(sorted(views))
        raise ValueError(
            f"Expected different views of {data_set} among {choices}, got {name!r}."
        )
    classes = data.get("classes")
    return PairedTask(
        {_view_name(view): views[view] for view in names},
        data["y"],
        data.get("test"),
        None if classes is None else tuple(classes.tolist()),
    )


def load_views(data_set: str, data_home: File | None) -> tuple[dict[str, Any], Bunch]:
    """Load all views of a data set.

    Parameters
    ----------
    data_set : str
        One of `VIEW_FILES`.
    data_home : str or path-like or None
        Folder of its file, as in :func:`load_pairs`.

    Returns
    -------
    views : dict of str to ndarray of shape (n_samples, n_features)
        The views, by their short names.
    data : Bunch
        All that is in the file.
    """
    file, prefix = VIEW_FILES[data_set]
    data = load_npz(file, data_home=data_home)
    keys = {key.removeprefix(prefix): key for key in data if key not in _NO_VIEWS}
    if data_set == "msrc":  # where X_gist512 is called gist
        keys = {view.rstrip("0123456789"): key for view, key in keys.items()}
    return {view: data[key] for view, key in keys.items()}, data


def load_paired_files(
    views: Mapping[str, File], labels: File, label: str | None = None
) -> PairedTask:
    r"""Load paired views from files of your own, one for each view.

    Row ``i`` of every file belongs to sample ``i``.

    Parameters
    ----------
    views : mapping of str to (str or path-like)
        The file of every view: ``.csv`` or ``.parquet``, of which all columns are
        features; ``.npz`` with an array ``X``; ``.npy``; or ``.mat``, as
        :func:`load_mat` reads it.
    labels : str or path-like
        The file of the categories, in a format of the same list, which may be one of
        `views`.
    label : str, default=None
        Name of the column or array with the categories. None takes ``y`` of an archive
        and the only column of a table.

    Returns
    -------
    PairedTask
        ``views`` and ``y``.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ModuleNotFoundError
        If what reads a format is not installed.
    ValueError
        If there are fewer than two views, if the files have different numbers of rows,
        or if one of them is not what it should be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skda.datasets import load_paired_files
    >>> with TemporaryDirectory() as folder:
    ...     image, text = Path(folder, "image.csv"), Path(folder, "text.csv")
    ...     _ = image.write_text("red,green\n0.1,0.9\n0.7,0.2\n")
    ...     _ = text.write_text("grass,rose,kind\n1,0,lawn\n0,1,bed\n")
    ...     task = load_paired_files(
    ...         {"image": image, "text": text}, labels=text, label="kind"
    ...     )
    >>> task.views["text"].shape, task.y
    ((2, 2), array(['lawn', 'bed'], dtype=object))
    """
    files = {name: Path(file).expanduser() for name, file in views.items()}
    labels_file = Path(labels).expanduser()
    if len(files) < 2:
        raise ValueError(
            f"Expected files of two views or more, got {list(files)}: retrieval is "
            f"from one view to another."
        )
    for file in (*files.values(), labels_file):
        if file.suffix.lower() not in _READERS:
            raise ValueError(
                f"Expected a file of type {', '.join(_READERS)}, got {str(file)!r}: "
                f"save it as one of these."
            )
        if not file.is_file():
            raise FileNotFoundError(
                f"Expected the file {file}, got none: check its name and folder."
            )
    y = _READERS[labels_file.suffix.lower()](labels_file, label)
    X = {
        name: _read_view(file, label if file == labels_file else None)
        for name, file in files.items()
    }
    count_pairs(X)
    if len(y) != count_pairs(X):
        raise ValueError(
            f"Expected a label for each of the {count_pairs(X)} rows of the views, "
            f"got {len(y)} in {labels_file}: row i of every file must belong to the "
            f"same sample."
        )
    if not labeled_rows(y, label or "y", labels_file).any():
        raise ValueError(f"Expected labels in {labels_file}, got none: label some.")
    return PairedTask(X, y)


def _view_name(view: str) -> str:
    """Name a view that is a number."""
    return f"view{view}" if view.isdigit() else view


def _read_view(file: Path, label: str | None) -> Any:
    """Read a matrix."""
    if file.suffix.lower() in (".csv", ".parquet"):
        return load_table(file, label).data
    if file.suffix.lower() == ".mat":
        return load_mat(file).data
    X = _array(file, "X")
    if X.ndim != 2:
        raise ValueError(
            f"Expected a matrix of shape (n_samples, n_features) in {file}, got shape "
            f"{X.shape}."
        )
    return check_array(X, input_name=f"the view in {file}")


def _array(file: Path, name: str) -> NDArray[Any]:
    """Read an array: the one of a file, or the one of that name in an archive."""
    if file.suffix.lower() == ".npy":
        return read_array(file)
    return read_arrays(file, [name])[name]


def _array_labels(file: Path, label: str | None) -> NDArray[Any]:
    y = _array(file, label or "y")
    if y.ndim > 1 and y.size == len(y):
        y = y.ravel()  # a column
    if y.ndim != 1:
        raise ValueError(
            f"Expected labels of shape (n_samples,) in {file}, got shape {y.shape}."
        )
    return y


def _table_labels(file: Path, label: str | None) -> NDArray[Any]:
    """Take the column of the labels, whatever the others are."""
    frame = read_frame(file, "load_paired_files")
    names = list(frame.columns)
    if label is None and len(names) == 1:
        label = names[0]
    if label not in names:
        raise ValueError(
            f"Expected {'one column' if label is None else f'a column {label!r}'} in "
            f"{file}, got {len(names)}, {names[:3]} and so on: name the column of the "
            f"labels."
        )
    column = frame.iloc[:, names.index(label)]
    y: NDArray[Any] = column.to_numpy(None if column.dtype.kind in "biuf" else object)
    return y


def _mat_labels(file: Path, label: str | None) -> NDArray[Any]:  # noqa: ARG001
    y: NDArray[Any] = load_mat(file).target
    return y


_READERS: dict[str, Callable[[Path, str | None], NDArray[Any]]] = {
    ".csv": _table_labels,
    ".parquet": _table_labels,
    ".npz": _array_labels,
    ".npy": _array_labels,
    ".mat": _mat_labels,
}
