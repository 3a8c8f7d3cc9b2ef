"""Published data sets, read from ``.npz`` files that are at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skda.datasets._readers import read_arrays

__all__ = ["OFFICE_DOMAINS", "load_npz", "load_office_caltech", "locate"]

DataHome = str | os.PathLike[str] | None

OFFICE_DOMAINS = ["amazon", "caltech", "webcam", "dslr"]
_FEATURES = {
    "surf": "SURF bag-of-words counts, 800 columns of uint8",
    "decaf6": "DeCAF6 (fc6 after ReLU), 4096 columns of float32",
    "googlenet": "GoogLeNet pool features, 1024 columns of float32",
    "squeezenet": "SqueezeNet fire9 averages, 512 columns of float32",
    "images64": "the images, resized to 64 x 64 x 3 of uint8",
}
_DESCR = """\
Office+Caltech-10
-----------------

Images of the ten classes that Office-31 and Caltech-256 share, taken from the shop
amazon.com, from Caltech-256, with a webcam and with a digital SLR camera.

domain   : {domain}, {n_samples} rows
features : {features}

Features are raw. The rows of surf, decaf6, squeezenet and images64 are the same images
in the same order; those of googlenet stand in another order within each class.

References
----------
Saenko, Kulis, Fritz and Darrell, "Adapting visual category models to new domains",
ECCV 2010.
Gong, Shi, Sha and Grauman, "Geodesic flow kernel for unsupervised domain adaptation",
CVPR 2012.
"""


def load_npz(name: str, data_home: DataHome = None) -> Bunch:
    """Load the arrays of a ``.npz`` file, as they are.

    Parameters
    ----------
    name : str
        Name of the file, without its suffix, and without a folder.
    data_home : str or path-like, default=None
        Folder of the file; None is the environment variable ``SKDA_DATA``.

    Returns
    -------
    Bunch
        The arrays by name. Files of features have ``X``, ``y`` and often ``classes``;
        files of row-aligned views have one array per view and ``y``.

    Raises
    ------
    ValueError
        If the name leads out of the folder, or if the file is damaged.
    FileNotFoundError
        If there is no such file, or no folder to look into.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skda.datasets import load_npz
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/toy.npz", X=np.eye(2), y=[0, 1])
    ...     load_npz("toy", data_home=folder).y
    array([0, 1])
    """
    if not name or any(character in name for character in "/\\:\0"):
        raise ValueError(
            f"Expected the name of a file in the folder data_home, got {name!r}: leave "
            f"out the folder, and pass it as data_home."
        )
    return Bunch(**read_arrays(locate(name, data_home)))


@overload
def load_office_caltech(
    domain: str,
    features: str,
    *,
    return_X_y: Literal[False] = False,
    data_home: DataHome = None,
) -> Bunch: ...


@overload
def load_office_caltech(
    domain: str,
    features: str,
    *,
    return_X_y: Literal[True],
    data_home: DataHome = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...


def load_office_caltech(
    domain: str,
    features: str,
    *,
    return_X_y: bool = False,
    data_home: DataHome = None,
) -> Bunch | tuple[NDArray[Any], NDArray[np.int64]]:
    """Load one domain of Office+Caltech-10, in one kind of features.

    Reads ``office_caltech_<domain>_<features>.npz``, with arrays ``X``, ``y`` and
    ``classes``, and returns them as they are. SURF has counts, of widely different
    sums, which are best scaled to unit length: methods that have ``normalize`` do so
    themselves, for others there is :class:`sklearn.preprocessing.Normalizer`.

    Parameters
    ----------
    domain : {"amazon", "caltech", "webcam", "dslr"}
        Where the images come from.
    features : {"surf", "decaf6", "googlenet", "squeezenet", "images64"}
        What they are described by. Rows of all kinds but "googlenet" are aligned.
    return_X_y : bool, default=False
        Whether to return the two arrays only.
    data_home : str or path-like, default=None
        Folder of the file; None is the environment variable ``SKDA_DATA``.

    Returns
    -------
    Bunch
        With the attributes

        data : ndarray of shape (n_samples, n_features)
            The features; (n_samples, 64, 64, 3) for "images64".
        target : ndarray of shape (n_samples,)
            The classes, from 0 to 9.
        target_names : ndarray of shape (10,)
            Their names.
        domain, features : str
            The arguments.
        DESCR : str
            What the data is.
        filename : str
            The file it was read from.

        With ``return_X_y=True`` a tuple of ``data`` and ``target``.

    Raises
    ------
    ValueError
        If ``domain`` or ``features`` is unknown.
    FileNotFoundError
        If there is no such file. Not every pair has one: we know of no public copy of
        DeCAF6 for amazon and caltech, nor of GoogLeNet for caltech.

    See Also
    --------
    load_npz : Load any other file of the same folder.

    Examples
    --------
    >>> from skda.datasets import load_office_caltech
    >>> X, y = load_office_caltech("dslr", "surf", return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (157, 800)
    """
    for argument, value, choices in (
        ("domain", domain, OFFICE_DOMAINS),
        ("features", features, list(_FEATURES)),
    ):
        if value not in choices:
            raise ValueError(
                f"Expected {argument} to be one of {choices}, got {value!r}."
            )
    name = f"office_caltech_{domain}_{features}"
    path = locate(name, data_home, siblings=f"office_caltech_{domain}_*")
    arrays = read_arrays(path)
    X, y = arrays["X"], arrays["y"]
    if return_X_y:
        return X, y
    return Bunch(
        data=X,
        target=y,
        target_names=arrays["classes"],
        domain=domain,
        features=features,
        DESCR=_DESCR.format(
            domain=domain, n_samples=len(y), features=_FEATURES[features]
        ),
        filename=str(path),
    )


def locate(name: str, data_home: DataHome, siblings: str = "*") -> Path:
    """Find a file, or say where it should be and which of its siblings are there.

    Parameters
    ----------
    name : str
        Its name, without the suffix ``.npz``.
    data_home : str or path-like or None
        Its folder; None is the environment variable ``SKDA_DATA``.
    siblings : str, default="*"
        Pattern of the names to list if it is not there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no folder to look into.
    """
    home = data_home or os.environ.get("SKDA_DATA")
    if not home:
        raise FileNotFoundError(
            f"Expected a folder that holds {name}.npz, got none: pass it as data_home, "
            f"or set the environment variable SKDA_DATA to it."
        )
    folder = Path(home).expanduser()
    path = folder / f"{name}.npz"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in folder.glob(f"{siblings}.npz")))
        raise FileNotFoundError(
            f"Expected the file {path}: put it there, or point data_home or the "
            f"environment variable SKDA_DATA to the folder that has it. Files like it "
            f"in that folder: {there or 'none'}."
        )
    return path
