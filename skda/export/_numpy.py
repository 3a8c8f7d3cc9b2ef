"""How functions of NumPy are written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.export._graph import N_ROWS, NotExportable
from skda.export._recorded import Recorded, operand, records, single_row, values_of

__all__ = ["first_recorded", "gather", "interpolate", "top_of_rows"]

_OPERATORS = {
    np.absolute: "Abs",
    np.add: "Add",
    np.divide: "Div",
    np.equal: "Equal",
    np.exp: "Exp",
    np.greater: "Greater",
    np.greater_equal: "GreaterOrEqual",
    np.invert: "Not",
    np.less: "Less",
    np.less_equal: "LessOrEqual",
    np.log: "Log",
    np.logical_and: "And",
    np.logical_not: "Not",
    np.logical_or: "Or",
    np.maximum: "Max",
    np.minimum: "Min",
    np.multiply: "Mul",
    np.negative: "Neg",
    np.power: "Pow",
    np.sign: "Sign",
    np.sqrt: "Sqrt",
    np.subtract: "Sub",
    np.tanh: "Tanh",
}
_REDUCTIONS = {
    np.max: "ReduceMax",
    np.mean: "ReduceMean",
    np.min: "ReduceMin",
    np.sum: "ReduceSum",
}


def first_recorded(args: Any) -> Recorded:
    """Find the first recorded one of arguments.

    Parameters
    ----------
    args : iterable
        Arguments.

    Returns
    -------
    Recorded
        The first.
    """
    return next(each for each in args if isinstance(each, Recorded))


def _write_elementwise(ufunc: Any, op: str) -> None:
    @records(ufunc)
    def write(*args: Any) -> Recorded:
        first = first_recorded(args)
        with np.errstate(all="ignore"):
            value = ufunc(*values_of(*args))
        compares = value.dtype == bool
        dtype = np.result_type(*values_of(*args)) if compares else value.dtype
        inputs = [operand(first, each, dtype) for each in args]
        return first.then(value, op, inputs)


def _write_reduction(function: Any, op: str) -> None:
    @records(function)
    def write(X: Recorded, axis: Any = None, keepdims: Any = False) -> Recorded:
        if axis is None or (axis == 0 and len(X) == N_ROWS):
            raise NotExportable("its prediction of a row depends on the other rows")
        value = function(X.value, axis=axis, keepdims=keepdims)
        X = X.astype(value.dtype)
        axes = X.graph.constant(np.atleast_1d(axis).astype(np.int64))
        return X.then(value, op, [X.name, axes], keepdims=int(bool(keepdims)))


for _pair in _OPERATORS.items():
    _write_elementwise(*_pair)
for _each in _REDUCTIONS.items():
    _write_reduction(*_each)


@records(np.any)
def _any(X: Recorded, axis: Any = None, keepdims: Any = False) -> Any:
    true = np.where(X if X.dtype == bool else X != 0, 1, 0)
    return np.max(true, axis=axis, keepdims=keepdims).astype(bool)


@records(np.argmax)
def _argmax(X: Recorded, axis: Any = None) -> Recorded:
    value = X.value.argmax(axis=axis)
    return X.then(value, "ArgMax", [X.name], axis=axis, keepdims=0)


@records(np.not_equal)
def _not_equal(X: Any, Y: Any) -> Any:
    return np.logical_not(np.equal(X, Y))


@records(np.square)
def _square(X: Recorded) -> Any:
    return X * X


@records(np.ldexp)
def _ldexp(X: Recorded, exponents: Any) -> Any:
    return X * np.ldexp(X.dtype.type(1), exponents)


@records(np.clip)
def _clip(X: Recorded, low: Any, high: Any) -> Any:
    rows: Any = X if low is None else np.maximum(X, X.dtype.type(low))
    return rows if high is None else np.minimum(rows, X.dtype.type(high))


@records(np.linalg.norm)
def _norm(X: Recorded, axis: Any = None, keepdims: Any = False) -> Any:
    return np.sqrt(np.sum(X * X, axis=axis, keepdims=keepdims))


@records(np.where)
def _where(condition: Any, x: Any, y: Any) -> Recorded:
    args = condition, x, y
    first = first_recorded(args)
    value = np.where(*values_of(*args))
    types = (np.dtype(bool), value.dtype, value.dtype)
    pairs = zip(args, types, strict=True)
    return first.then(value, "Where", [operand(first, a, dtype) for a, dtype in pairs])


@records(np.matmul)
def _matmul(A: Any, B: Any) -> Recorded:
    first = first_recorded((A, B))
    value = np.matmul(*values_of(A, B))
    names = [
        each.astype(value.dtype).name
        if isinstance(each, Recorded)
        else first.graph.constant(np.asarray(each, dtype=value.dtype))
        for each in (A, B)
    ]
    return first.then(value, "MatMul", names)


@records(np.einsum)
def _einsum(equation: str, *args: Any) -> Recorded:
    first = first_recorded(args)
    value = np.einsum(equation, *values_of(*args))
    names = [operand(first, each, value.dtype) for each in args]
    return first.then(value, "Einsum", names, equation=equation)


@records(np.concatenate)
def _concatenate(arrays: Any, axis: int = 0) -> Recorded:
    parts = list(arrays)
    first = first_recorded(parts)
    if len(parts) == 1:
        return first
    if axis == 0:
        raise NotExportable("its prediction stacks rows")
    value = np.concatenate(values_of(*parts), axis=axis)
    names = [_with_rows(first, each, value.dtype) for each in parts]
    return first.then(value, "Concat", names, axis=axis)


def _with_rows(like: Recorded, part: Any, dtype: Any) -> str:
    """Name an array, which has a row for every sample."""
    if isinstance(part, Recorded):
        return part.astype(dtype).name
    return like.graph.repeat(single_row(np.asarray(part, dtype=dtype)), like.name)


@records(np.hstack)
def _hstack(arrays: Any) -> Any:
    return np.concatenate(arrays, axis=1)


@records(np.column_stack)
def _column_stack(arrays: Any) -> Any:
    columns = [each[:, None] if each.ndim == 1 else each for each in arrays]
    return np.concatenate(columns, axis=1)


@records(np.full_like)
def _full_like(X: Recorded, fill_value: Any) -> Recorded:
    value = np.full_like(X.value, fill_value)
    shape = X.graph.add("Shape", [X.name])
    name = X.graph.constant(np.array(fill_value, dtype=X.dtype))
    return X.then(value, "Expand", [name, shape])


@records(np.zeros_like)
def _zeros_like(X: Recorded) -> Recorded:
    return _full_like(X, 0)


@records(np.sort)
def _sort(X: Recorded, axis: int = -1) -> Recorded:
    return top_of_rows(X, X.shape[axis], largest=0)[0]


def top_of_rows(X: Recorded, k: int, *, largest: int) -> tuple[Recorded, Recorded]:
    """Find the largest or smallest entries of rows, in their order.

    Parameters
    ----------
    X : Recorded of shape (n, p)
        Rows.
    k : int
        How many entries to find in each.
    largest : {1, 0}
        Whether to find the largest.

    Returns
    -------
    values, places : Recorded of shape (n, k)
        The entries, and their places.
    """
    graph, order = X.graph, np.argsort(-X.value if largest else X.value, axis=1)[:, :k]
    inputs = [X.name, graph.constant(np.array([k], dtype=np.int64))]
    names = graph.add_many("TopK", inputs, 2, axis=1, largest=largest, sorted=1)
    values = np.take_along_axis(X.value, order, axis=1), order
    first, second = zip(values, names, strict=True)
    return Recorded(graph, *first), Recorded(graph, *second)


@records(np.interp)
def interpolate(x: Recorded, xp: Any, fp: Any) -> Any:
    """Map values by a curve that is linear piece by piece.

    Parameters
    ----------
    x : Recorded of shape (n,)
        Values.
    xp, fp : ndarray of shape (m,)
        Where the pieces meet, in ascending order, and the results there.

    Returns
    -------
    Recorded of shape (n,)
        Results.
    """
    knots, heights = np.asarray(xp), np.asarray(fp)
    if len(knots) == 1:
        return x * 0 + heights[0]
    slopes = np.diff(heights) / np.diff(knots)
    inside = _clip(x, knots[0], knots[-1])
    piece = np.sum((inside[:, None] >= knots[1:-1]).astype(np.int64), axis=1)
    start, height, slope = (gather(piece, a) for a in (knots, heights, slopes))
    return height + (inside - start) * slope


@records(np.take)
def _take(X: Recorded, places: Any, axis: int) -> Recorded:
    return X[(slice(None),) * axis + (places,)]


def gather(places: Recorded, table: NDArray[Any]) -> Recorded:
    """Look up entries, or rows, of a constant.

    Parameters
    ----------
    places : Recorded
        Numbers of the entries.
    table : ndarray
        The constant.

    Returns
    -------
    Recorded
        The entries.
    """
    name = places.graph.constant(table)
    return places.then(table[places.value], "Gather", [name, places.name], axis=0)


@records(np.stack)
def _stack(arrays: Any, axis: int = 0) -> Recorded:
    parts = list(arrays)
    first = first_recorded(parts)
    value = np.stack(values_of(*parts), axis=axis)
    axes = first.graph.constant(np.array([axis], dtype=np.int64))
    names = [_with_rows(first, each, value.dtype) for each in parts]
    parts = [first.graph.add("Unsqueeze", [name, axes]) for name in names]
    return first.then(value, "Concat", parts, axis=axis)


@records(np.broadcast_to)
def _broadcast_to(X: Recorded, shape: Any) -> Any:
    return X + np.zeros((1, *shape[1:]), X.dtype)
