"""Operations of predictions, on arrays and on what stands for them.

A prediction is written in NumPy, and in the functions here where NumPy has none that
takes other objects than arrays. They can therefore be recorded, see
:mod:`skda.export`; and they do without the validation of those of SciPy and
scikit-learn, which costs more than the operation itself where there is one row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.linalg import solve_triangular as scipy_solve_triangular
from scipy.sparse import issparse
from scipy.spatial import distance
from sklearn import preprocessing
from sklearn.metrics import pairwise
from sklearn.utils import validation

__all__ = [
    "Recordable",
    "cdist",
    "check_array",
    "expit",
    "interpolate_columns",
    "normalize",
    "rbf_kernel",
    "recordable",
    "row_sums",
    "softmax",
    "solve_triangular",
    "spread_columns",
    "squared_distances",
    "take_rows",
    "validate_data",
    "xlogy",
]

Array = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])

#: Samples with so many numbers at most are validated here.
FEW_NUMBERS = 65536


class Recordable(ABC):
    """What stands for an array, and records what is done to it."""

    @abstractmethod
    def record(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """Record the call of a function.

        Parameters
        ----------
        function : callable
            What was called.
        args : tuple
            Its arguments, of which this is one.
        kwargs : dict
            Its keyword arguments.

        Returns
        -------
        Recordable
            What stands for the result.
        """


def recordable(function: Function) -> Function:
    """Let arguments that stand for arrays record a function instead of running it.

    Parameters
    ----------
    function : callable
        Function of arrays.

    Returns
    -------
    callable
        The same, for arrays.
    """

    @wraps(function)
    def run_or_record(*args: Any, **kwargs: Any) -> Any:
        for each in args:
            if isinstance(each, Recordable):
                return each.record(run_or_record, args, kwargs)
        return function(*args, **kwargs)

    return run_or_record  # type: ignore[return-value]


@recordable
def softmax(X: Any, axis: int) -> Array:
    """Take exponentials and divide them by their sum, as SciPy does.

    Parameters
    ----------
    X : ndarray
        Logits.
    axis : int
        Axis to sum over.

    Returns
    -------
    ndarray
        Probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.operations import softmax
    >>> softmax(np.zeros((1, 2)), axis=1)
    array([[0.5, 0.5]])
    """
    shifted = np.exp(X - np.max(X, axis=axis, keepdims=True))
    return shifted / np.sum(shifted, axis=axis, keepdims=True)


def normalize(X: Any, norm: str = "l2") -> Any:
    """Divide rows by their length, as scikit-learn does.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        Rows.
    norm : {"l2", "l1"}, default="l2"
        The length.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n, p)
        Rows of length one; a row of zeros stays one.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.operations import normalize
    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    if issparse(X) or not hasattr(X, "dtype") or X.dtype.kind != "f":
        return preprocessing.normalize(X, norm=norm)
    rows = X.copy(order="K")
    if norm == "l1":
        lengths = np.sum(np.abs(rows), axis=1)
    else:
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if not isinstance(X, Recordable) and not np.isfinite(lengths).all():
        return preprocessing.normalize(X, norm=norm)  # which says what is wrong
    none = lengths < 10 * np.finfo(X.dtype).eps
    rows /= np.where(none, X.dtype.type(1), lengths)[:, None]
    return rows


@recordable
def cdist(
    X: Array, Y: Array, metric: Literal["euclidean", "sqeuclidean"] = "euclidean"
) -> Array:
    """Measure the distances between rows.

    Parameters
    ----------
    X, Y : ndarray of shape (n, p), (m, p)
        Rows.
    metric : {"euclidean", "sqeuclidean"}, default="euclidean"
        What to measure.

    Returns
    -------
    ndarray of shape (n, m)
        Distances.
    """
    return distance.cdist(X, Y, metric)


@recordable
def squared_distances(X: Array, Y: Array) -> Array:
    """Measure squared distances between rows, as scikit-learn does.

    Parameters
    ----------
    X, Y : ndarray of shape (n, p), (m, p)
        Rows; those of one array have a distance of zero to themselves.

    Returns
    -------
    ndarray of shape (n, m)
        Squared distances.
    """
    return pairwise.pairwise_distances(X, Y, metric="sqeuclidean")


@recordable
def rbf_kernel(X: Array, Y: Array, gamma: float) -> Array:
    """Evaluate a Gaussian kernel.

    Parameters
    ----------
    X, Y : ndarray of shape (n, p), (m, p)
        Rows.
    gamma : float
        Factor of their squared distances.

    Returns
    -------
    ndarray of shape (n, m)
        The kernel.
    """
    return pairwise.rbf_kernel(X, Y, gamma=gamma)


@recordable
def row_sums(weights: Any) -> Array:
    """Add up the weights of every row.

    Parameters
    ----------
    weights : sparse matrix of shape (n, m)
        Weights.

    Returns
    -------
    ndarray of shape (n, 1)
        The sums.
    """
    return np.asarray(weights.sum(axis=1)).reshape(-1, 1)


@recordable
def expit(X: Array) -> Array:
    """Evaluate the logistic function.

    Parameters
    ----------
    X : ndarray
        Values.

    Returns
    -------
    ndarray
        Values from 0 to 1.
    """
    return special.expit(X)


@recordable
def xlogy(X: Any, Y: Array) -> Array:
    """Multiply by a logarithm, so that zero times anything is zero.

    Parameters
    ----------
    X, Y : ndarray
        Factors, and what to take the logarithm of.

    Returns
    -------
    ndarray
        The products.
    """
    return special.xlogy(X, Y)


@recordable
def interpolate_columns(X: Array, curves: Sequence[tuple[Array, Array]]) -> Any:
    """Map every column by a curve of its own, piece by piece linear.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Columns.
    curves : sequence of p tuples of ndarray
        Where the pieces meet, in ascending order, and the values there.

    Returns
    -------
    ndarray of shape (n, p)
        Values.
    """
    values = np.empty_like(X)
    for j, column in enumerate(X.T):
        values[:, j] = np.interp(column, *curves[j])
    return values


def solve_triangular(A: Array, b: Any) -> Any:
    """Solve equations with a lower triangular matrix.

    Parameters
    ----------
    A : ndarray of shape (p, p)
        The matrix.
    b : ndarray of shape (p, n)
        Right sides.

    Returns
    -------
    ndarray of shape (p, n)
        The solutions.
    """
    if isinstance(b, Recordable):
        return np.linalg.inv(A) @ b  # type: ignore[operator]
    return scipy_solve_triangular(A, b, lower=True)


def spread_columns(
    P: Any, columns: NDArray[Any], n_columns: int, fill: float = 0.0
) -> Any:
    """Put columns among others that have one value.

    Parameters
    ----------
    P : ndarray of shape (n, m)
        Columns.
    columns : ndarray of shape (m,)
        Their places.
    n_columns : int
        Number of columns afterwards.
    fill : float, default=0.0
        Value of the other columns.

    Returns
    -------
    ndarray of shape (n, n_columns)
        All columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.operations import spread_columns
    >>> spread_columns(np.ones((1, 2)), np.array([0, 2]), 3)
    array([[1., 0., 1.]])
    """
    origin = np.full(n_columns, P.shape[1])
    origin[columns] = np.arange(P.shape[1])
    both = np.hstack([P, np.full_like(P[:, :1], fill)])
    return np.take(both, origin, axis=1)  # of rows, in the order of memory


@recordable
def take_rows(codes: Any, table: NDArray[Any]) -> Any:
    """Look up rows of a table.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Numbers of the rows.
    table : ndarray of shape (m, p)
        The table.

    Returns
    -------
    ndarray of shape (n, p)
        The rows.
    """
    return table[codes]


@recordable
def check_array(X: Any, **params: Any) -> Any:
    """Validate an array, as scikit-learn does.

    Parameters
    ----------
    X : array-like
        The array.
    **params : dict
        Arguments of scikit-learn's function.

    Returns
    -------
    {ndarray, sparse matrix}
        The validated array.
    """
    return validation.check_array(X, **params)


@recordable
def validate_data(owner: Any, X: Any, *args: Any, **params: Any) -> Any:
    """Validate the samples of an estimator, as scikit-learn does.

    A few rows of a plain array, of which there is little to say, are not taken through
    all that may be wrong with data.

    Parameters
    ----------
    owner : estimator
        What remembers number and names of the features.
    X : {array-like, sparse matrix} of shape (n, p)
        Samples.
    *args : tuple
        Labels, if there are any.
    **params : dict
        Arguments of scikit-learn's function.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n, p)
        The validated samples.
    """
    if not args and _is_plain(owner, X, params):
        dtypes = params["dtype"]
        dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes]
        rows = X if X.dtype in dtypes else X.astype(dtypes[0])
        if np.isfinite(rows).all():
            return rows
    return validation.validate_data(owner, X, *args, **params)


def _is_plain(owner: Any, X: Any, params: dict[str, Any]) -> bool:
    """Say whether samples are a small array of numbers without names."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.kind == "f"
        and 0 < X.size <= FEW_NUMBERS
        and params.get("reset") is False
        and "dtype" in params
        and params.keys() <= {"accept_sparse", "dtype", "reset"}
        and X.shape[1] == getattr(owner, "n_features_in_", None)
        and not hasattr(owner, "feature_names_in_")
    )
