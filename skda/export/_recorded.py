"""Arrays that record what NumPy does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from skda.export._graph import N_ROWS, Graph, NotExportable
from skda.utils.operations import Recordable

__all__ = ["Recorded", "handler_of", "operand", "records", "values_of"]

_HANDLERS: dict[Any, Callable[..., Any]] = {}


def records(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say how functions are written.

    Parameters
    ----------
    *functions : callable
        Functions of arrays or of tensors.

    Returns
    -------
    callable
        Decorator of a function that takes the same arguments.
    """

    def remember(handler: Callable[..., Any]) -> Callable[..., Any]:
        _HANDLERS.update(dict.fromkeys(functions, handler))
        return handler

    return remember


def handler_of(function: Any) -> Callable[..., Any]:
    """Look up how a function is written.

    Parameters
    ----------
    function : callable
        Function of arrays or of tensors.

    Returns
    -------
    callable
        Function that takes the same arguments.

    Raises
    ------
    NotExportable
        If nobody has said how.
    """
    try:
        return _HANDLERS[function]
    except KeyError:
        name = getattr(function, "__qualname__", repr(function))
        raise NotExportable(
            f"its prediction computes {name}, which is not written to ONNX"
        ) from None


def values_of(*args: Any) -> list[Any]:
    """Take what arguments are for the sample rows.

    Parameters
    ----------
    *args : object
        Arguments, of which some are recorded.

    Returns
    -------
    list
        Arrays in the place of what is recorded.
    """
    return [each.value if isinstance(each, Recorded) else each for each in args]


class Recorded(NDArrayOperatorsMixin, Recordable):
    """An array of the prediction of sample rows, and its name in the model.

    Parameters
    ----------
    graph : Graph
        Where to record.
    value : ndarray
        What the array is for the sample rows.
    name : str
        What it is called in the graph.
    """

    __array_priority__ = 1000

    def __init__(self, graph: Graph, value: Any, name: str) -> None:
        self.graph = graph
        self.value: NDArray[Any] = np.asarray(value)
        self.name = name

    def then(self, value: Any, op: str, inputs: list[str], **attributes: Any) -> Self:
        """Record a node that computes a new array."""
        return type(self)(self.graph, value, self.graph.add(op, inputs, **attributes))

    def record(self, function: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        return handler_of(function)(*args, **kwargs)

    def __array_ufunc__(
        self, ufunc: Any, method: str, *args: Any, **kwargs: Any
    ) -> Any:
        key = ufunc if method == "__call__" else getattr(ufunc, method)
        (out,) = kwargs.pop("out", (None,))
        where = kwargs.pop("where", True)
        result = handler_of(key)(*args, **kwargs)
        if where is not True:
            result = np.where(where, result, out)
        if isinstance(out, Recorded):
            out.value, out.name = result.value, result.name
            return out
        return result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return handler_of(func)(*args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotExportable("its prediction leaves NumPy, for what is not written")

    def __bool__(self) -> bool:
        raise NotExportable("its prediction takes different ways for different rows")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape for the sample rows."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """Number of entries for the sample rows."""
        return self.value.size

    @property
    def dtype(self) -> Any:
        """Type of the numbers."""
        return self.value.dtype

    @property
    def T(self) -> Self:  # noqa: N802 (NumPy calls it so)
        """The transposed array."""
        return self.then(self.value.T, "Transpose", [self.name])

    def copy(self, order: str = "C") -> Self:
        """Return what may be changed in place."""
        return type(self)(self.graph, self.value, self.name)

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """Convert the numbers."""
        if self.dtype == dtype:
            return self.copy()
        value = self.value.astype(dtype)
        return self.then(value, "Cast", [self.name], to=self.graph.type_of(value.dtype))

    def reshape(self, *shape: Any) -> Self:
        """Change the shape; the samples stay the first axis, or become it."""
        sizes = shape[0] if isinstance(shape[0], tuple) else shape
        # 0 is as many as there are: the number of samples is no part of the model.
        pairs = zip_longest(sizes, self.shape[: len(sizes)])
        wanted = [0 if new == old == N_ROWS else new for new, old in pairs]
        name = self.graph.constant(np.array(wanted, dtype=np.int64))
        return self.then(self.value.reshape(sizes), "Reshape", [self.name, name])

    def ravel(self) -> Self:
        """Make one axis of all."""
        return self.reshape(-1)

    def sum(self, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Any:
        """Add up entries."""
        return np.sum(self, axis=axis, keepdims=keepdims, **kwargs)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Average entries."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Find the largest entries."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Find the smallest entries."""
        return np.min(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Say whether an entry is true."""
        return np.any(self, axis=axis, keepdims=keepdims)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        """Bound entries."""
        return np.clip(self, low, high)

    def argmax(self, axis: Any = None) -> Any:
        """Find the places of the largest entries."""
        return np.argmax(self, axis=axis)

    def __getitem__(self, key: Any) -> Self:
        keys = key if isinstance(key, tuple) else (key,)
        result, axis = self, 0
        for each in keys:
            if each is Ellipsis:
                axis = result.ndim - (len(keys) - 1 - keys.index(Ellipsis))
            elif each is None:
                result = result._unsqueeze(axis)
                axis += 1
            else:
                result = result._take(each, axis)
                axis += 1 if isinstance(each, slice) else np.ndim(each)
        return result

    def _unsqueeze(self, axis: int) -> Self:
        axes = self.graph.constant(np.array([axis], dtype=np.int64))
        value = np.expand_dims(self.value, axis)
        return self.then(value, "Unsqueeze", [self.name, axes])

    def _take(self, key: Any, axis: int) -> Self:
        """Take entries of an axis by constant places."""
        size = self.shape[axis]
        if isinstance(key, Recorded):
            raise NotExportable("its prediction picks rows that depend on the data")
        if isinstance(key, slice) and key in (slice(None), slice(0, size)):
            return self
        if axis == 0 and size == N_ROWS:
            raise NotExportable("its prediction treats rows by their number")
        places = np.arange(size)[key]
        value = self.value[(slice(None),) * axis + (places,)]
        name = self.graph.constant(np.asarray(places, dtype=np.int64))
        return self.then(value, "Gather", [self.name, name], axis=axis)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, Recorded) or key.ndim not in (1, self.ndim):
            raise NotExportable("its prediction writes into an array of results")
        mask = key if key.ndim == self.ndim else key[:, None]
        changed: Any = np.where(mask, self.dtype.type(value), self)
        self.value, self.name = changed.value, changed.name


def operand(like: Recorded, value: Any, dtype: Any) -> str:
    """Name the operand of an operation entry by entry.

    A constant that has a row for every sample, such as ``np.zeros((len(X), 3))``, is
    one row that broadcasts.

    Parameters
    ----------
    like : Recorded
        Another operand.
    value : Recorded or array-like
        The operand.
    dtype : dtype
        Type to convert it to.

    Returns
    -------
    str
        Its name.
    """
    if isinstance(value, Recorded):
        return value.astype(dtype).name
    array = np.asarray(value, dtype=dtype)
    if array.ndim > 1 and len(array) == N_ROWS:
        array = single_row(array)
    return like.graph.constant(array)


def single_row(array: NDArray[Any]) -> NDArray[Any]:
    """Take the row that all samples have.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        Rows, which must be equal.

    Returns
    -------
    ndarray of shape (1, ...)
        The first.
    """
    if not (array == array[:1]).all():
        raise NotExportable("its prediction treats rows by their number")
    return array[:1]
