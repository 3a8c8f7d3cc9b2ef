"""Domains with the same features and classes, one file each."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_X_y

from skda.datasets._files import locate
from skda.datasets._readers import read_arrays, reading

__all__ = ["DOMAIN_FILES", "load_domains"]

#: The file of every domain, by data set.
DOMAIN_FILES = {
    "reviews": {
        f"reviews_{name}": f"amazon_review400_{name}"
        for name in ("books", "dvd", "elec", "kitchen")
    },
    "pacs": {
        f"pacs_{name}": f"pacs_{name}_squeezenet"
        for name in ("art_painting", "cartoon", "photo", "sketch")
    },
    "mnist_usps": {"mnist": "digits_mnist256", "usps": "digits_usps256"},
    "coil": {"coil1": "coil20_coil1", "coil2": "coil20_coil2"},
}


def load_domains(
    data_set: str, source: str, target: str, data_home: str | PathLike[str] | None
) -> Bunch:
    """Load two domains of a data set.

    Parameters
    ----------
    data_set : str
        One of `DOMAIN_FILES`.
    source, target : str
        Two of its domains.
    data_home : str or path-like or None
        Folder of the files, as in :func:`load_task`.

    Returns
    -------
    Bunch
        With ``X``, ``y`` and ``source``.

    Raises
    ------
    ValueError
        If the data set has no such domains, if they are one and the same, or if a file
        is damaged.
    """
    files = DOMAIN_FILES[data_set]
    for domain in (source, target):
        if domain not in files:
            raise ValueError(f"Expected one of {', '.join(files)}, got {domain!r}.")
    if source == target:
        raise ValueError(
            f"Expected two domains, got {source!r} twice, whose target rows the source "
            f"would show with their labels: choose another of {', '.join(files)}."
        )
    (X_source, y_source), (X, y) = (
        _load(files[domain], data_home) for domain in (source, target)
    )
    if X_source.shape[1] != X.shape[1]:
        raise ValueError(
            f"Expected as many features in {source} and {target}, got "
            f"{X_source.shape[1]} and {X.shape[1]}: one of the files is not what its "
            f"name says."
        )
    return Bunch(X=X, y=y, source=(X_source, y_source))


def _load(
    name: str, data_home: str | PathLike[str] | None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Load the rows of a file, half precision as single, and their classes."""
    file = locate(name, data_home)
    arrays = read_arrays(file, ["X", "y"])
    with reading(file):
        X, y = check_X_y(arrays["X"], arrays["y"], dtype=[np.float32, np.float64])
    return X, y
