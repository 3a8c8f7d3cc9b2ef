"""Domains of the boards by name: rows and classes of files, packages and tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.boards import tables
from skda.datasets import load_npz, load_task
from skda.datasets._domains import DOMAIN_FILES
from skda.datasets._files import OFFICE_DOMAINS
from skda.datasets._pairs import VIEW_FILES, load_views

__all__ = ["load_domain", "load_domains", "load_objects"]

Rows = tuple[NDArray[Any], NDArray[Any]]

_FILES = {name: file for files in DOMAIN_FILES.values() for name, file in files.items()}


@lru_cache(maxsize=8)
def load_domain(name: str) -> Rows:
    """Load rows and classes.

    Parameters
    ----------
    name : str
        A domain of :func:`skda.datasets.load_task`, such as "reviews_books"; several
        of them joined by "+", whose rows follow one another; "pixels_amazon", images
        of Office as 8 x 8 pixels; "digits8", "mnist8" and "usps8", digits as 8 x 8
        pixels; "mfeat16", those of mfeat as 16 x 16; "pascal_text"; "nuswide_tags"; or
        a table of :func:`benchmarks.boards.tables.names`, as "table_pima".

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows, of double precision.
    y : ndarray of shape (n_samples,)
        Classes.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ModuleNotFoundError
        If the package of a table is not installed.
    ValueError
        If there is no such domain, or if its file is damaged.
    """
    if "+" in name:
        parts = [load_domain(part) for part in name.split("+")]
        return np.vstack([X for X, _ in parts]), np.concatenate([y for _, y in parts])
    X, y = _load(name)
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or len(X) != len(y) or not np.isfinite(X).all():
        raise ValueError(
            f"Expected finite rows and a class for each of them in {name}, got shape "
            f"{X.shape} and {len(y)} classes: load its file anew."
        )
    return X, np.asarray(y)


def load_domains(source: str, target: str) -> tuple[Rows, Rows]:
    """Load the two domains of a published pair.

    Parameters
    ----------
    source, target : str
        Domains of :func:`skda.datasets.load_task`.

    Returns
    -------
    source, target : tuple (X, y)
        Rows, of double precision, and classes.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If there is no such pair, or if a file is damaged.
    """
    task = load_task(f"{source}:{target}")
    X_source, y_source = task.source
    return (np.asarray(X_source, float), y_source), (np.asarray(task.X, float), task.y)


def load_objects(name: str) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Load objects that are seen in two views made of one domain.

    Parameters
    ----------
    name : str
        "halves_DOMAIN", the first and the second half of its features; or
        "numbers_N", numbers of two mfeat digits, from 0 to N - 1, as two views.

    Returns
    -------
    views : dict of str to ndarray of shape (n_samples, n_features)
        Rows of the views.
    y : ndarray of shape (n_samples,)
        Categories.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If there is no such domain, or if its file is damaged.
    """
    kind, _, rest = name.partition("_")
    if kind == "numbers":
        return _two_digits(int(rest))
    X, y = load_domain(rest)
    middle = X.shape[1] // 2
    return {"first": X[:, :middle], "second": X[:, middle:]}, y


def _load(name: str) -> Rows:
    """Load a single domain as it is in its file."""
    prefix, _, rest = name.partition("_")
    if prefix == "table":
        table = tables.load(rest)
        return table.X, table.y
    if name in _OTHERS:
        return _OTHERS[name]()
    if prefix == "pixels":
        data = load_npz(f"office_caltech_{rest}_images64")
        return _shrink(data.X.transpose(0, 3, 1, 2) / 255.0, 8), data.y
    if name in _FILES or prefix in OFFICE_DOMAINS:
        data = load_npz(_FILES.get(name, f"office_caltech_{name}"))
        return data.X, data.y
    if prefix in VIEW_FILES:
        views, data = load_views(prefix, None)
        if rest in views:
            return views[rest], data.y
    raise ValueError(
        f"Expected a domain that benchmarks.boards.domains.load_domain lists, got "
        f"{name!r}."
    )


def _digits(file: str) -> Rows:
    """Load digits of 16 x 16 pixels as 8 x 8."""
    data = load_npz(file)
    return _shrink(data.X.reshape(-1, 1, 16, 16), 2), data.y


def _sklearn_digits() -> Rows:
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def _mfeat() -> Rows:
    """Load the mfeat digits, 16 x 15 pixels from 0 to 6, with an empty column."""
    data = load_npz("mfeat_digits")
    images = data.X_pix.reshape(-1, 16, 15) / 6.0
    return np.pad(images, ((0, 0), (0, 0), (0, 1))).reshape(len(images), -1), data.y


def _pascal() -> Rows:
    data = load_npz("pascal_sentence_partial")
    return data.text_unpaired, data.y_unpaired


def _nuswide() -> Rows:
    data = load_npz("nuswide_tag64")
    return data.X, data.y


_OTHERS = {
    "digits8": _sklearn_digits,
    "mnist8": lambda: _digits("digits_mnist256"),
    "usps8": lambda: _digits("digits_usps256"),
    "mfeat16": _mfeat,
    "pascal_text": _pascal,
    "nuswide_tags": _nuswide,
}


def _shrink(images: NDArray[Any], factor: int) -> NDArray[Any]:
    """Average squares of pixels of images of shape (n, n_channels, height, width)."""
    n, n_channels, height, width = images.shape
    blocks = images.reshape(
        n, n_channels, height // factor, factor, width // factor, factor
    )
    return blocks.mean(axis=(3, 5)).reshape(n, -1)


def _two_digits(n_numbers: int) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Put two digits side by side, 13 of every number; no digit is in two."""
    data = load_npz("mfeat_digits")
    rng = np.random.RandomState(0)
    unused = [rng.permutation(np.flatnonzero(data.y == k)).tolist() for k in range(10)]
    y = np.repeat(np.arange(n_numbers), 13)
    tens, ones = (
        np.array([unused[k].pop() for k in column]) for column in divmod(y, 10)
    )
    views = {"fou": data.X_fou, "kar": data.X_kar}
    return {name: np.hstack([X[tens], X[ones]]) for name, X in views.items()}, y
