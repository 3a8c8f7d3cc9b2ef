"""Objects of scikit-learn, SciPy and NumPy inside, which skops stores."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from sklearn.neighbors import BallTree, KDTree

from skda.persistence._archive import check_members
from skda.persistence._registry import trusted_of_others
from skda.utils.optional import import_optional

__all__ = ["from_skops", "to_skops", "untrusted_names", "without_tree"]

_TREES = {"ball_tree": BallTree, "kd_tree": KDTree}
_NEED = "skda.save and skda.load store objects of scikit-learn with skops"


def to_skops(objects: list[Any]) -> bytes:
    """Store objects.

    Parameters
    ----------
    objects : list
        The objects.

    Returns
    -------
    bytes
        An archive of skops.

    Raises
    ------
    TypeError
        If one has code inside, or what skops cannot store.
    """
    skops = import_optional("skops.io", _NEED, extra="save")
    try:
        content: bytes = skops.dumps(objects)
        names = skops.get_untrusted_types(data=content)
    except Exception as error:
        raise TypeError(
            f"Expected objects of scikit-learn that skops can store, got one that it "
            f"cannot ({type(error).__name__}: {error}): replace it."
        ) from error
    code = [name for name in names if "<" in name]
    if code:
        raise TypeError(
            f"Expected parameters and fitted attributes that are data, got {code[0]} "
            f"inside an object of scikit-learn: move it to the top level of a module, "
            f"and name it in skda.load(trusted=[...])."
        )
    return content


def untrusted_names(content: bytes, known: Collection[str]) -> list[str]:
    """Name what is neither known to skops nor to the caller.

    Parameters
    ----------
    content : bytes
        An archive of skops.
    known : collection of str
        Classes and functions that may stand in it.

    Returns
    -------
    list of str
        The others.
    """
    skops = import_optional("skops.io", _NEED, extra="save")
    with ZipFile(BytesIO(content)) as archive:
        check_members(archive)
    names = skops.get_untrusted_types(data=content)
    return sorted(set(names) - set(known) - trusted_of_others())


def from_skops(content: bytes) -> list[Any]:
    """Load objects, all of whose classes :func:`untrusted_names` has found known.

    Parameters
    ----------
    content : bytes
        An archive of skops.

    Returns
    -------
    list
        The objects.
    """
    skops = import_optional("skops.io", _NEED, extra="save")
    names = skops.get_untrusted_types(data=content)
    objects: list[Any] = skops.loads(content, trusted=names)
    for value in objects:
        _build_tree(value)
    return objects


def without_tree(value: Any) -> Any:
    """Leave out the tree of an estimator of neighbors, which skops does not trust.

    Parameters
    ----------
    value : object
        Any object of scikit-learn.

    Returns
    -------
    object
        The object, or a shallow copy of it; :func:`from_skops` builds the tree again.
    """
    if getattr(value, "_fit_method", None) not in _TREES:
        return value
    bare = copy(value)
    bare._tree = None
    return bare


def _build_tree(value: Any) -> None:
    """Build the tree that :func:`without_tree` has left out."""
    method = getattr(value, "_fit_method", None)
    if method in _TREES and value._tree is None:
        settings = value.effective_metric_params_
        metric = value.effective_metric_
        make, size = _TREES[method], value.leaf_size
        value._tree = make(value._fit_X, size, metric=metric, **settings)
