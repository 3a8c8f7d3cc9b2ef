"""Views of paired samples: several modalities, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse, vstack
from sklearn.utils import check_array

from skda.utils.arrays import to_numpy
from skda.utils.labels import Labels
from skda.utils.optional import import_optional

__all__ = [
    "ViewRows",
    "count_pairs",
    "is_list_of_views",
    "is_mapping",
    "mean_and_scale",
    "name_views",
    "slice_views",
    "stack_rows",
    "to_dense",
]


class ViewRows(NamedTuple):
    """Paired samples, checked, transformed and dense.

    Parameters
    ----------
    views : dict of str to ndarray of shape (n, p_v)
        One matrix per view; row ``i`` of all of them is one pair.
    labels : Labels
        Categories of the pairs, as far as they are known.
    """

    views: dict[str, NDArray[Any]]
    labels: Labels

    @property
    def n_rows(self) -> int:
        """Count the pairs."""
        return len(self.labels.known)

    @property
    def widths(self) -> dict[str, int]:
        """Number of features of every view."""
        return {name: rows.shape[1] for name, rows in self.views.items()}

    def labeled(self) -> ViewRows:
        """Keep the pairs whose category is known.

        Returns
        -------
        ViewRows
            The labeled pairs.
        """
        known = self.labels.known
        views = {name: rows[known] for name, rows in self.views.items()}
        return ViewRows(views, self.labels._replace(known=known[known]))

    def stack(self, below: ViewRows) -> ViewRows:
        """Put other pairs below these.

        Parameters
        ----------
        below : ViewRows
            Pairs with the same views.

        Returns
        -------
        ViewRows
            All pairs.
        """
        if not below.n_rows or not self.n_rows:
            return self if self.n_rows else below
        views = {
            name: np.vstack([rows, below.views[name]])
            for name, rows in self.views.items()
        }
        known = np.concatenate([self.labels.known, below.labels.known])
        parts = self.labels.values, below.labels.values
        given = [values for values in parts if len(values)]
        values = np.concatenate(given) if given else self.labels.values
        return ViewRows(views, Labels(known, values))


def is_list_of_views(X: Any) -> bool:
    """Tell a list of matrices from one matrix that is written as a list of rows."""
    return isinstance(X, (list, tuple)) and all(
        len(getattr(view, "shape", ())) == 2 for view in X
    )


def is_mapping(X: Any) -> bool:
    """Tell a mapping of views from a sparse matrix that happens to be a dictionary."""
    return isinstance(X, Mapping) and not issparse(X)


def name_views(X: Any, names: list[str] | None = None) -> dict[str, Any]:
    """Name the views of a mapping or a list: view0, view1 and so on in a list."""
    if is_mapping(X):
        views = dict(X)
    else:
        names = names or [f"view{i}" for i in range(len(X))]
        if len(names) != len(X):
            raise ValueError(
                f"Expected one matrix for each of the views {names}, got {len(X)}: "
                f"pass a mapping for a part of the views."
            )
        views = dict(zip(names, X, strict=True))
    if not views:
        raise ValueError("Expected at least one view, got none.")
    return {name: to_numpy(view) for name, view in views.items()}


def slice_views(
    X: Any, slices: Mapping[str, Any] | None, feature_names: Any = None
) -> dict[str, Any]:
    """Cut one matrix into its views: the slices given, or two halves.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        All views, side by side.
    slices : mapping of str to slice or list, or None
        Columns of every view: a slice, or a list of positions or of names.
    feature_names : array-like of shape (p,), default=None
        Names of the columns.

    Returns
    -------
    dict of str to {ndarray, sparse matrix}
        The views.
    """
    if slices is None:
        half = (X.shape[1] + 1) // 2
        slices = {"view0": slice(0, half), "view1": slice(half, None)}
    names = [] if feature_names is None else list(feature_names)
    views = {}
    for view, columns in slices.items():
        positions = columns
        if not isinstance(columns, slice):
            unknown = [c for c in columns if isinstance(c, str) and c not in names]
            if unknown:
                raise ValueError(
                    f"Expected the columns of view {view!r} among {names}, got "
                    f"{unknown}."
                )
            positions = [names.index(c) if isinstance(c, str) else c for c in columns]
        views[view] = X[:, positions]
        if not views[view].shape[1]:
            raise ValueError(
                f"Expected at least one column in view {view!r}, got none of the "
                f"{X.shape[1]}: check views={dict(slices)!r}."
            )
    return views


def count_pairs(views: Mapping[str, Any]) -> int:
    """Count the pairs, of which every view must have the same number."""
    lengths = {name: _n_rows(X, name) for name, X in views.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"Expected paired views, with as many rows in each, got {lengths}: row i "
            f"of every view must belong to the same sample."
        )
    return next(iter(lengths.values()))


def _n_rows(X: Any, name: str) -> int:
    """Count the rows of a view, which has no shape if it is a list."""
    if hasattr(X, "shape"):
        n_rows = X.shape[0] if X.shape else None
    else:
        is_scalar = isinstance(X, (str, Mapping)) or not hasattr(X, "__len__")
        n_rows = None if is_scalar else len(X)
    if n_rows is None:
        raise ValueError(
            f"Expected rows in view {name!r}, got a single {type(X).__name__}: pass an "
            f"array, a sparse matrix, a frame or a list with a row for every pair."
        )
    return int(n_rows)


def to_dense(views: Mapping[str, Any]) -> dict[str, Any]:
    """Convert sparse matrices to dense ones."""
    return {
        name: X.toarray() if issparse(X) else X  # type: ignore[attr-defined]
        for name, X in views.items()
    }


def mean_and_scale(X: NDArray[Any], scaling: str | None) -> tuple[Any, Any]:
    """Compute mean and scale of a view; a constant is scaled by its power of two."""
    if scaling is None:
        return 0.0, 1.0
    axis = 0 if scaling == "feature" else None
    # A power of two is exact, and squares then neither overflow nor vanish.
    _, exponent = np.frexp(np.abs(X).max(initial=np.finfo(X.dtype).tiny))
    unit = np.ldexp(X.dtype.type(1), exponent - 1)
    rows = X / unit
    mean = rows.mean(axis=0)
    scale = np.sqrt(((rows - mean) ** 2).mean(axis=axis))
    tiny = 10 * np.finfo(X.dtype).eps * np.abs(rows).max(axis=axis, initial=0.0)
    # The mean of a constant is rounded, with many rows by more than that.
    varies = (scale > tiny) & (rows != rows[:1]).any(axis=axis)
    return mean * unit, np.where(varies, scale, 1.0).astype(X.dtype) * unit


def stack_rows(above: Any, below: Any, name: str) -> Any:
    """Stack arrays, sparse matrices or lists of rows of one view."""
    widths = [getattr(X, "shape", ())[1:] for X in (above, below)]
    if hasattr(above, "shape") and hasattr(below, "shape") and widths[0] != widths[1]:
        raise ValueError(
            f"Expected view {name!r} to have the same features in the source as in X, "
            f"got rows of shape {widths[0]} and {widths[1]}: pass the same columns."
        )
    if hasattr(above, "iloc") and hasattr(below, "iloc"):  # pandas is optional
        return import_optional("pandas", "Stacking frames").concat([above, below])
    if issparse(above) or issparse(below):
        return vstack([_storable(above, name), _storable(below, name)], format="csr")
    if isinstance(above, list) and isinstance(below, list):
        return above + below
    return np.concatenate([np.asarray(above), np.asarray(below)])


def _storable(X: Any, name: str) -> Any:
    """Make a sparse matrix of rows, of numbers of a type that it can have."""
    if issparse(X):
        return X
    rows = check_array(X, ensure_all_finite=False, input_name=f"view {name!r}")
    return csr_array(rows.astype(np.float32) if rows.dtype == np.float16 else rows)
