"""Arrays of any type that has no objects, as safetensors."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.optional import import_optional

__all__ = ["Arrays"]

#: Types that safetensors has. Arrays of others are stored as their bytes.
NATIVE = {"bool", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
#: What the name of a type without objects looks like.
PLAIN_TYPE = re.compile(r"[<>|=]([biufcSUV]\d+|[mM]8(\[[\w/]+\])?)")


class Arrays:
    """The arrays of a file, by their names.

    Parameters
    ----------
    content : bytes, default=None
        What :meth:`to_bytes` returned; None for no arrays yet.
    """

    def __init__(self, content: bytes | None = None) -> None:
        needs = "skda.save and skda.load store arrays with safetensors"
        self._format = import_optional("safetensors.numpy", needs, extra="save")
        stored = {} if content is None else self._format.load(content)
        self._arrays: dict[str, NDArray[Any]] = stored

    def to_bytes(self) -> bytes:
        """Write all arrays."""
        content: bytes = self._format.save(self._arrays)
        return content

    def add(self, array: NDArray[Any], path: str) -> dict[str, Any]:
        """Add an array, and say how to find it.

        Parameters
        ----------
        array : ndarray
            The array.
        path : str
            Where it comes from, which gives it its name.

        Returns
        -------
        dict of str to object
            For :meth:`find`; JSON can say it.

        Raises
        ------
        TypeError
            If it has fields or objects.
        """
        dtype = array.dtype
        if not PLAIN_TYPE.fullmatch(dtype.str) or dtype.names or dtype.subdtype:
            raise TypeError(f"Expected arrays of plain values, got {dtype} in {path}.")
        # The order of its numbers is kept: sums depend on it in their last digits.
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        values = np.ascontiguousarray(array.T if is_fortran else array)
        values = values.reshape((array.T if is_fortran else array).shape)
        while path in self._arrays:
            path += "'"
        node = {
            "array": path,
            "dtype": dtype.str,
            "shape": list(values.shape),
            "order": "F" if is_fortran else "C",
        }
        if dtype.name not in NATIVE or dtype.byteorder == ">":
            values = np.frombuffer(values.tobytes(), dtype=np.uint8)
        self._arrays[path] = values
        return node

    def find(self, node: dict[str, Any]) -> NDArray[Any]:
        """Find an array.

        Parameters
        ----------
        node : dict of str to object
            What :meth:`add` returned.

        Returns
        -------
        ndarray
            The array, which may be written to.
        """
        if not PLAIN_TYPE.fullmatch(node["dtype"]):
            raise ValueError(f"no type of plain values: {node['dtype']!r}")
        stored = self._arrays[node["array"]]
        values = np.frombuffer(bytearray(stored.tobytes()), dtype=node["dtype"])
        array = values.reshape(node["shape"])
        return {"C": array, "F": array.T}[node["order"]]
