"""Objects as a tree that JSON can say, with arrays and scikit-learn's objects apart.

Every node of the tree is a number, a string, a list, or a dict whose first key says
what it is. An object that is there again is ``{"same": n}``, n its position among all
nodes but numbers and strings, in the order in which they end.
"""

from __future__ import annotations

import base64
import inspect
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from skda.persistence._arrays import Arrays
from skda.persistence._foreign import without_tree
from skda.persistence._registry import is_function, name_of
from skda.training.plain_state import take_apart

__all__ = ["Encoder", "is_foreign"]

#: Packages whose objects skops stores.
FOREIGN = ("sklearn.", "scipy.sparse.", "numpy.random.", "numpy.ma.")


def is_foreign(value: Any) -> bool:
    """Say whether skops stores an object, not the tree.

    Parameters
    ----------
    value : object
        The object.

    Returns
    -------
    bool
        Whether its class is one of scikit-learn, a sparse matrix or a generator.
    """
    return issparse(value) or f"{type(value).__module__}.".startswith(FOREIGN)


class Encoder:
    """Encodes one object.

    Attributes
    ----------
    arrays : Arrays
        The arrays of the object.
    foreign : list
        Objects that skops is to store.
    names : set of str
        Classes and functions that the tree names.
    """

    def __init__(self) -> None:
        self.arrays = Arrays()
        self.foreign: list[Any] = []
        self.names: set[str] = set()
        self._positions: dict[int, int | None] = {}
        self._kept: list[Any] = []  # lest an id is given to another object
        self._n_nodes = 0

    def encode(self, value: Any, path: str) -> Any:
        """Encode an object.

        Parameters
        ----------
        value : object
            The object.
        path : str
            Where it comes from, for errors and the names of arrays.

        Returns
        -------
        object
            Its tree.

        Raises
        ------
        TypeError
            If it is code, or of a class that says itself how to be pickled.
        """
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if id(value) in self._positions:
            position = self._positions[id(value)]
            if position is None:
                raise TypeError(
                    f"Expected objects without a way back to themselves, got a "
                    f"{kind.__name__} inside itself at {path}: it cannot be saved."
                )
            return {"same": position}
        self._positions[id(value)] = None
        self._kept.append(value)
        node = self._node(value, path)
        self._positions[id(value)] = self._n_nodes
        self._n_nodes += 1
        return node

    def _node(self, value: Any, path: str) -> Any:
        """Describe an object that has not come yet."""
        kind = type(value)
        if kind in _SIMPLE:
            return _SIMPLE[kind](value)
        if kind in (list, tuple, set, frozenset):
            nodes = [self.encode(x, f"{path}.{i}") for i, x in enumerate(value)]
            return nodes if kind is list else {kind.__name__: nodes}
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value), path)}
        if kind in (np.ndarray, np.memmap):
            return self._array(value, path)
        if inspect.isclass(value) or is_function(value):
            return {"name": self._name(value, path)}
        return self._instance(value, path)

    def _instance(self, value: Any, path: str) -> dict[str, Any]:
        """Describe a dict, a named tuple or an instance of a class of somebody."""
        kind = type(value)
        if kind is dict:
            return {"dict": self._pairs(value, path)}
        if isinstance(value, (nn.Module, Tensor)):
            return {"torch": self.encode(take_apart(value), path)}
        if is_foreign(value):
            self.foreign.append(without_tree(value))
            return {"foreign": len(self.foreign) - 1}
        if isinstance(value, dict):
            entries = self._pairs(value, path)
            return {"mapping": self._name(kind, path), "entries": entries}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            fields = self._pairs(value._asdict(), path)
            return {"named tuple": self._name(kind, path), "fields": fields}
        return self._object(value, path)

    def _pairs(self, content: dict[Any, Any], path: str) -> Any:
        """Encode the entries of a dict, as one of JSON if all keys are strings."""
        if all(type(key) is str for key in content):
            return {k: self.encode(v, f"{path}.{k}") for k, v in content.items()}
        return [
            [self.encode(k, f"{path}.keys"), self.encode(v, f"{path}.{k}")]
            for k, v in content.items()
        ]

    def _array(self, array: NDArray[Any], path: str) -> dict[str, Any]:
        if array.dtype != object:
            return self.arrays.add(array, path)
        items = [self.encode(x, f"{path}.{i}") for i, x in enumerate(array.flat)]
        return {"objects": items, "shape": list(array.shape)}

    def _name(self, value: Any, path: str) -> str:
        """Name a class or a function that an import would find."""
        name = name_of(value)
        if not inspect.isclass(value) and "<" in name:
            raise TypeError(_about_code(f"the function {name}", path))
        self.names.add(name)
        return name

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        """Encode an instance as its class and its state."""
        kind = type(value)
        if not _is_plain(kind):
            raise TypeError(_about_code(f"a {name_of(kind)}", path))
        node: dict[str, Any] = {"object": self._name(kind, path)}
        if not _has_own_state(kind):
            state = dict(vars(value))
            if isinstance(value, BaseEstimator):
                names = value.get_params(deep=False)
                given = {name: state.pop(name) for name in names if name in state}
                node["parameters"] = self._pairs(given, path)
            node["attributes"] = self._pairs(state, path)
        else:
            node["state"] = self._pairs(value.__getstate__(), path)
        return node


def _has_own_state(kind: type) -> bool:
    """Say whether a class says itself what to store."""
    return any("__getstate__" in vars(base) for base in _bases(kind))


def _bases(kind: type) -> list[type]:
    """List a class and its bases, without those that pickle in the usual way."""
    return [base for base in kind.__mro__ if base not in (object, BaseEstimator)]


def _is_plain(kind: type) -> bool:
    """Say whether the instances of a class are what their ``__dict__`` has."""
    if _has_own_state(kind) and hasattr(kind, "__setstate__"):
        return True
    builtin = [base for base in kind.__mro__ if not base.__flags__ & _HEAP_TYPE]
    named = {name for base in _bases(kind) for name in vars(base) if vars(base)[name]}
    special = {"__reduce__", "__reduce_ex__", "__slots__"} & named
    return builtin == [object] and not special


def _about_code(what: str, path: str) -> str:
    return (
        f"Expected parameters and fitted attributes that are data, got {what} at "
        f"{path}, which is code or has a state of its own: what is saved may name "
        f"classes, and functions at the top level of a module, which "
        f"skda.load(trusted=[...]) is then told of. Replace it by one of these."
    )


#: Flag of classes that are written in Python.
_HEAP_TYPE = 1 << 9

_SIMPLE: dict[type, Any] = {
    bytes: lambda value: {"bytes": base64.b64encode(value).decode()},
    complex: lambda value: {"complex": repr(value)},
    slice: lambda value: {"slice": [value.start, value.stop, value.step]},
    range: lambda value: {"range": [value.start, value.stop, value.step]},
    torch.device: lambda value: {"device": str(value)},
    torch.dtype: lambda value: {"torch dtype": str(value).removeprefix("torch.")},
}
