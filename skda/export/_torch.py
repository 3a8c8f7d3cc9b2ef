"""How functions of PyTorch are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from skda.export._graph import NotExportable
from skda.export._recorded import Recorded, handler_of, records
from skda.utils.operations import expit, softmax

__all__ = ["RecordedTensor", "records_tensors"]


class RecordedTensor:
    """A tensor of the prediction of sample rows, and its name in the model.

    Parameters
    ----------
    recorded : Recorded
        The same as an array.
    """

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return handler_of(func)(*args, **(kwargs or {}))

    def __getattr__(self, name: str) -> Any:
        method = getattr(Tensor, name, None)
        if name.startswith("__") or method is None:
            raise AttributeError(name)
        handler = handler_of(method)
        return lambda *args, **kwargs: handler(self, *args, **kwargs)

    @property
    def shape(self) -> torch.Size:
        """Shape for the sample rows."""
        return torch.Size(self.recorded.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.recorded.ndim

    @property
    def dtype(self) -> torch.dtype:
        """Type of the numbers."""
        return torch.from_numpy(np.empty(0, self.recorded.dtype)).dtype

    @property
    def device(self) -> torch.device:
        """Device, which is that of arrays."""
        return torch.device("cpu")

    def dim(self) -> int:
        """Count the axes."""
        return self.ndim

    def size(self, dim: int | None = None) -> Any:
        """Shape, or one of its entries."""
        return self.shape if dim is None else self.shape[dim]

    def __len__(self) -> int:
        return len(self.recorded)

    def __getitem__(self, key: Any) -> RecordedTensor:
        keys = key if isinstance(key, tuple) else (key,)
        return RecordedTensor(self.recorded[tuple(map(_array, keys))])

    def __add__(self, other: Any) -> Any:
        return _wrap(self.recorded + _array(other))

    def __sub__(self, other: Any) -> Any:
        return _wrap(self.recorded - _array(other))

    def __mul__(self, other: Any) -> Any:
        return _wrap(self.recorded * _array(other))

    def __truediv__(self, other: Any) -> Any:
        return _wrap(self.recorded / _array(other))

    def __matmul__(self, other: Any) -> Any:
        return _wrap(self.recorded @ _array(other))

    def __neg__(self) -> Any:
        return _wrap(-self.recorded)

    def __rsub__(self, other: Any) -> Any:
        return _wrap(_array(other) - self.recorded)

    __radd__, __rmul__ = __add__, __mul__


def _array(value: Any) -> Any:
    """Make an array, recorded or not, of what a tensor may be."""
    if isinstance(value, RecordedTensor):
        return value.recorded
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _wrap(value: Any) -> RecordedTensor:
    return RecordedTensor(value)


def records_tensors(*functions: Any) -> Any:
    """Say how functions of tensors are written, by arrays.

    Parameters
    ----------
    *functions : callable
        Functions of tensors.

    Returns
    -------
    callable
        Decorator of a function that takes the same arguments as arrays.
    """

    def remember(handler: Any) -> Any:
        def of_tensors(*args: Any, **kwargs: Any) -> RecordedTensor:
            arrays = [_array(each) for each in args]
            named = {name: _array(each) for name, each in kwargs.items()}
            return _wrap(handler(*arrays, **named))

        return records(*functions)(of_tensors)

    return remember


@records_tensors(torch.tanh, Tensor.tanh, F.tanh)
def _tanh(X: Any) -> Any:
    return np.tanh(X)


@records_tensors(torch.sigmoid, Tensor.sigmoid, F.sigmoid)
def _sigmoid(X: Any) -> Any:
    return expit(X)


@records_tensors(torch.exp, Tensor.exp)
def _exp(X: Any) -> Any:
    return np.exp(X)


@records_tensors(torch.softmax, F.softmax, Tensor.softmax)
def _softmax(X: Any, dim: int, **kwargs: Any) -> Any:
    return softmax(X, dim % X.ndim)


@records_tensors(Tensor.to, Tensor.type)
def _to(X: Any, *args: Any, **kwargs: Any) -> Any:
    dtypes = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.dtype)]
    if not dtypes:
        return X
    return X.astype(torch.empty(0, dtype=dtypes[0]).numpy().dtype)


@records_tensors(Tensor.float)
def _float(X: Any) -> Any:
    return X.astype(np.float32)


@records_tensors(torch.log, Tensor.log)
def _log(X: Any) -> Any:
    return np.log(X)


@records_tensors(F.log_softmax, torch.log_softmax, Tensor.log_softmax)
def _log_softmax(X: Any, dim: int) -> Any:
    return X - _logsumexp_of(X, dim % X.ndim, keepdims=True)


@records_tensors(torch.logsumexp, Tensor.logsumexp)
def _logsumexp(X: Any, dim: int, keepdim: bool = False) -> Any:
    return _logsumexp_of(X, dim % X.ndim, keepdims=keepdim)


def _logsumexp_of(X: Any, axis: int, *, keepdims: bool) -> Any:
    largest = np.max(X, axis=axis, keepdims=True)
    total = np.sum(np.exp(X - largest), axis=axis, keepdims=True)
    result = np.log(total) + largest
    return result if keepdims else np.sum(result, axis=axis)


@records_tensors(torch.clamp, Tensor.clamp)
def _clamp(X: Any, *bounds: Any, **named: Any) -> Any:
    low, high = (*bounds, None, None)[:2]
    return np.clip(X, named.get("min", low), named.get("max", high))


@records_tensors(torch.ones_like)
def _ones_like(X: Any) -> Any:
    return np.full_like(X, 1)


@records_tensors(torch.transpose, Tensor.transpose)
def _transpose(X: Any, dim0: int, dim1: int) -> Any:
    order = list(range(X.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return X.then(X.value.transpose(order), "Transpose", [X.name], perm=order)


@records_tensors(Tensor.double)
def _double(X: Any) -> Any:
    return X.astype(np.float64)


@records(torch.chunk, Tensor.chunk)
def _chunk(X: RecordedTensor, chunks: int, dim: int = 0) -> list[RecordedTensor]:
    dim, (size, rest) = dim % X.ndim, divmod(X.shape[dim], chunks)
    if not dim or rest:
        raise NotExportable("its network cuts samples into parts that are not equal")
    before = (slice(None),) * dim
    return [X[(*before, slice(i * size, (i + 1) * size))] for i in range(chunks)]


@records_tensors(Tensor.detach, Tensor.contiguous, Tensor.clone)
def _same(X: Any, **kwargs: Any) -> Any:
    return X


@records_tensors(torch.flatten, Tensor.flatten)
def _flatten(X: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if start_dim == 0 or end_dim not in (-1, X.ndim - 1):
        raise NotExportable("its network flattens other axes than those of a sample")
    return X.reshape(*X.shape[:start_dim], -1)


@records_tensors(Tensor.reshape, Tensor.view)
def _reshape(X: Any, *shape: Any) -> Any:
    return X.reshape(*shape)


@records_tensors(torch.mean, Tensor.mean)
def _mean(X: Any, dim: Any = None, keepdim: bool = False) -> Any:
    axis = tuple(a % X.ndim for a in np.atleast_1d(dim)) if dim is not None else None
    return np.mean(X, axis=axis, keepdims=keepdim)


@records_tensors(torch.sum, Tensor.sum)
def _sum(X: Any, dim: Any = None, keepdim: bool = False) -> Any:
    axis = tuple(a % X.ndim for a in np.atleast_1d(dim)) if dim is not None else None
    return np.sum(X, axis=axis, keepdims=keepdim)


@records_tensors(torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__)
def _add(X: Any, Y: Any) -> Any:
    return X + Y


@records_tensors(torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__)
def _mul(X: Any, Y: Any) -> Any:
    return X * Y


@records_tensors(torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm)
def _matmul(X: Any, Y: Any) -> Any:
    return X @ Y


@records(torch.cat)
def _cat(tensors: Any, dim: int = 0) -> RecordedTensor:
    arrays = [_array(each) for each in tensors]
    return _wrap(np.concatenate(arrays, axis=dim % arrays[0].ndim))


@records(torch.stack)
def _stack(tensors: Any, dim: int = 0) -> RecordedTensor:
    arrays = [_array(each) for each in tensors]
    return _wrap(np.stack(arrays, axis=dim % (arrays[0].ndim + 1)))
