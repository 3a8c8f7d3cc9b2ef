"""Objects from the trees of :mod:`skda.persistence._encode`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skda.persistence._arrays import Arrays
from skda.training.plain_state import put_together

__all__ = ["Decoder"]


class Decoder:
    """Decodes one tree.

    Parameters
    ----------
    arrays : Arrays
        The arrays of the file.
    foreign : sequence of object
        What skops has loaded.
    objects : mapping of str to (type or function)
        What names may stand for.
    """

    def __init__(
        self, arrays: Arrays, foreign: Sequence[Any], objects: Mapping[str, Any]
    ) -> None:
        self._arrays = arrays
        self._objects = objects
        self._values: list[Any] = []
        self._built: dict[int, Any] = {}  # modules, by the id of their state
        self._readers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "array": arrays.find,
            "dict": lambda node: self._entries(node["dict"]),
            "foreign": lambda node: foreign[node["foreign"]],
            "mapping": self._mapping,
            "name": lambda node: objects[node["name"]],
            "named tuple": self._named_tuple,
            "object": self._object,
            "objects": self._array,
            "scalar": lambda node: self._array(node["scalar"])[()],
            "torch": lambda node: put_together(self.decode(node["torch"]), self._built),
        }

    def decode(self, node: Any) -> Any:
        """Decode a tree.

        Parameters
        ----------
        node : object
            The tree, from JSON.

        Returns
        -------
        object
            What it describes.
        """
        if not isinstance(node, (list, dict)):
            return node
        if isinstance(node, dict) and "same" in node:
            return self._values[node["same"]]
        if isinstance(node, dict) and "float" in node:
            return float(node["float"])
        value = self._value(node)
        self._values.append(value)
        return value

    def _value(self, node: list[Any] | dict[str, Any]) -> Any:
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        kind, content = next(iter(node.items()))
        if kind in _SIMPLE:
            return _SIMPLE[kind](content)
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](self.decode(item) for item in content)
        return self._readers[kind](node)

    def _entries(self, content: Any) -> dict[Any, Any]:
        """Decode the entries of a dict."""
        if isinstance(content, dict):
            return {key: self.decode(value) for key, value in content.items()}
        return {self.decode(key): self.decode(value) for key, value in content}

    def _array(self, node: dict[str, Any]) -> NDArray[Any]:
        if "objects" not in node:
            return self._arrays.find(node)
        array = np.empty(len(node["objects"]), dtype=object)
        for i, item in enumerate(node["objects"]):
            array[i] = self.decode(item)
        return array.reshape(node["shape"])

    def _class(self, name: str, base: type = object) -> Any:
        found = self._objects[name]
        if not (isinstance(found, type) and issubclass(found, base)):
            raise ValueError(f"{name} is no class of this kind")
        return found

    def _mapping(self, node: dict[str, Any]) -> Any:
        kind = self._class(node["mapping"], dict)
        value = kind.__new__(kind)
        dict.update(value, self._entries(node["entries"]))
        return value

    def _named_tuple(self, node: dict[str, Any]) -> Any:
        kind = self._class(node["named tuple"], tuple)
        return kind(**self._entries(node["fields"]))

    def _object(self, node: dict[str, Any]) -> Any:
        """Build an instance, of an estimator with parameters that are new by now."""
        kind = self._class(node["object"])
        if "state" in node:
            value, state = object.__new__(kind), self._entries(node["state"])
            restore = getattr(value, "__setstate__", vars(value).update)
            restore(state)
            return value
        if "parameters" in node:
            if not issubclass(kind, BaseEstimator):
                raise ValueError(f"{node['object']} is no estimator")
            value = kind(**self._entries(node["parameters"]))
        else:
            value = object.__new__(kind)
        vars(value).update(self._entries(node["attributes"]))
        return value


_CONTAINERS = {"tuple": tuple, "set": set, "frozenset": frozenset}


def _torch_dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"PyTorch has no type {name!r}")
    return dtype


_SIMPLE: dict[str, Any] = {
    "bytes": base64.b64decode,
    "complex": complex,
    "slice": lambda bounds: slice(*bounds),
    "range": lambda bounds: range(*bounds),
    "device": torch.device,
    "torch dtype": _torch_dtype,
}
