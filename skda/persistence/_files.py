"""Saving and loading."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import sklearn
import torch

import skda
from skda.persistence._archive import read_archive, write_archive
from skda.persistence._arrays import Arrays
from skda.persistence._decode import Decoder
from skda.persistence._encode import Encoder
from skda.persistence._foreign import from_skops, to_skops, untrusted_names
from skda.persistence._registry import registry, trusted_objects

__all__ = ["load", "save"]

FORMAT = "skda estimator"
#: To be raised when older versions can no longer read what is written.
FORMAT_VERSION = 1
#: The parts of a file; the last one is there if it has objects of scikit-learn.
MANIFEST, ARRAYS, FOREIGN = "manifest.json", "arrays.safetensors", "sklearn.skops"


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Save an estimator, fitted or not, without pickle.

    The file is a zip archive: a manifest in JSON with the parameters and the fitted
    attributes, the arrays and weights as safetensors, objects of scikit-learn inside in
    the format of skops, and a checksum over everything. It is written as a whole:
    whatever ends the process, there is the old file or the new one.

    Needs the extra ``save`` of skda.

    Parameters
    ----------
    estimator : estimator object
        Estimator of skda, or a pipeline, a search or the like of scikit-learn around
        one. Networks are saved with their weights and history, without the state of
        the optimizer.
    path : str or path-like
        The file. What is there already is replaced.

    Raises
    ------
    TypeError
        If it holds code: a lambda, a function inside another, a partial, a module with
        hooks.
    ModuleNotFoundError
        If safetensors or skops is not installed.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Load it.

    Examples
    --------
    >>> import os, tempfile
    >>> import skda
    >>> from skda.heterogeneous import GeoST
    >>> from skda.datasets import make_heterogeneous_domains
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> model = GeoST().fit(data.X, data.y, source=data.source)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skda.save(model, os.path.join(folder, "model.skda"))
    ...     loaded = skda.load(os.path.join(folder, "model.skda"))
    >>> bool((loaded.predict_proba(data.X) == model.predict_proba(data.X)).all())
    True
    """
    encoder = Encoder()
    try:
        content = encoder.encode(estimator, type(estimator).__name__)
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "versions": {
                package.__name__: package.__version__
                for package in (skda, np, sklearn, torch)
            },
            "classes": sorted(encoder.names),
            "content": content,
        }
        text = json.dumps(manifest, indent=1, allow_nan=False)
    except RecursionError:
        raise TypeError(
            "Expected parameters and fitted attributes that are not nested so deeply: "
            "the estimator cannot be saved."
        ) from None
    parts = {MANIFEST: text.encode(), ARRAYS: encoder.arrays.to_bytes()}
    if encoder.foreign:
        parts[FOREIGN] = to_skops(encoder.foreign)
    write_archive(path, parts)


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] = ()) -> Any:
    """Load an estimator that :func:`save` has saved, without running code of the file.

    Classes are looked up among those of skda, of PyTorch's layers and optimizers, and
    what skops trusts of scikit-learn; the file imports nothing. What was fitted on a
    device that is not there is loaded to the CPU.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of type or function, default=()
        Classes and functions from elsewhere that the file may name: your own methods,
        the factory passed as ``module``, callbacks.

    Returns
    -------
    estimator object
        The estimator. It predicts what the saved one does, to the bit on the same
        machine with the same versions, and can be cloned, fitted and saved again.

    Raises
    ------
    ValueError
        If the file is no file of :func:`save`, was changed or cut off, is of a newer
        format, or names a class that is not trusted.
    TypeError
        If `trusted` lists something else than classes and functions.
    ModuleNotFoundError
        If a package that the file needs is not installed.
    OSError
        If it cannot be read.

    See Also
    --------
    save : Save an estimator.

    Examples
    --------
    >>> import os, tempfile
    >>> import skda
    >>> from skda.baselines import SeededKMeans
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skda.save(SeededKMeans(), os.path.join(folder, "model.skda"))
    ...     skda.load(os.path.join(folder, "model.skda"))
    SeededKMeans()
    """
    objects = dict(registry()) | trusted_objects(trusted)
    parts = read_archive(path, {MANIFEST, ARRAYS}, {FOREIGN})
    try:
        return _decode(parts, objects)
    except _RefusedError as error:
        raise ValueError(f"Cannot load {path}: {error}") from None
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            f"Expected a file of skda.save in {path}, got one whose content does not "
            f"fit together ({type(error).__name__}: {error}): it was written by other "
            f"means, or by another version of skda."
        ) from error


class _RefusedError(ValueError):
    """What is wrong with a file, in words of its own."""


def _decode(parts: dict[str, bytes], objects: dict[str, Any]) -> Any:
    """Build the estimator from the parts of a file."""
    manifest = json.loads(parts[MANIFEST])
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']!r}")
    if manifest["format_version"] > FORMAT_VERSION:
        raise _RefusedError(
            f"it is of version {manifest['format_version']} of the format, written by "
            f"skda {manifest['versions']['skda']}, and skda {skda.__version__} reads "
            f"version {FORMAT_VERSION} and older: update skda."
        )
    foreign: list[Any] = []
    unknown = set(manifest["classes"]) - set(objects)
    if FOREIGN in parts:
        unknown |= set(untrusted_names(parts[FOREIGN], objects))
    if unknown:
        raise _RefusedError(
            f"expected classes of skda, scikit-learn and PyTorch, got "
            f"{', '.join(sorted(unknown))}: if you know them and where the file is "
            f"from, import them and pass them, load(path, trusted=[...])."
        )
    if FOREIGN in parts:
        foreign = from_skops(parts[FOREIGN])
    return Decoder(Arrays(parts[ARRAYS]), foreign, objects).decode(manifest["content"])
