"""What users get wrong, and what must then be a clear error, if not a fit."""

import numpy as np
import pandas as pd
from scipy import sparse


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _of_target(change):
    """Change the rows of the target."""
    return lambda data: data._replace(X=change(_n_rows(data.X)))


def _of_labels(change):
    """Change the labels of the target, and those of the source in the same way."""

    def apply(data):
        y = None if data.y is None else change(list(data.y))
        if data.source is None or data.source[1] is None:
            return data._replace(y=y)
        X_source, y_source = data.source
        return data._replace(y=y, source=(X_source, change(list(y_source))))

    return apply


def _of_source(change):
    """Change the source, if there is one."""
    return lambda data: (
        data if data.source is None else data._replace(source=change(data.source))
    )


def _array(values):
    """Make an array of objects, whatever they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _wider(source):
    X = source[0].toarray() if sparse.issparse(source[0]) else np.asarray(source[0])
    return np.hstack([X, X[:, :1]]), source[1]


MISHAPS = {
    "the last label is missing": lambda data: (
        data if data.y is None else data._replace(y=data.y[:-1])
    ),
    "no rows": lambda data: data._replace(
        X=np.empty((0, 3)), y=None if data.y is None else data.y[:0]
    ),
    "no columns": _of_target(lambda n: np.empty((n, 0))),
    "one dimension": _of_target(np.arange),
    "three dimensions": _of_target(lambda n: np.ones((n, 2, 2))),
    "names": _of_target(lambda n: np.array([["red", "round"]] * n)),
    "numbers as strings": _of_target(
        lambda n: np.arange(2 * n).reshape(n, 2).astype(str)
    ),
    "names in a table": _of_target(
        lambda n: pd.DataFrame({"a": np.arange(n), "b": ["red"] * n})
    ),
    "dates": _of_target(lambda n: np.full((n, 2), np.datetime64("2024-01-01"))),
    "complex numbers": _of_target(lambda n: np.full((n, 2), 1j)),
    "dictionaries": _of_target(lambda n: _array([{"a": 1}] * n)[:, None]),
    "ragged rows": _of_target(lambda n: [[1.0] * (1 + i % 2) for i in range(n)]),
    "a scalar": lambda data: data._replace(X=3.0),
    "nothing": lambda data: data._replace(X=None),
    "a string": lambda data: data._replace(X="data.csv"),
    "duplicate names": _of_target(
        lambda n: pd.DataFrame(np.arange(2.0 * n).reshape(n, 2), columns=["a", "a"])
    ),
    "mixed names": _of_target(
        lambda n: pd.DataFrame(np.arange(2.0 * n).reshape(n, 2), columns=["a", 1])
    ),
    "labels in a column": _of_labels(lambda y: _array(y)[:, None]),
    "labels in two columns": _of_labels(lambda y: np.array([y, y], dtype=object).T),
    "labels in a table": _of_labels(lambda y: pd.DataFrame({"y": _array(y)})),
    "labels in lists": _of_labels(lambda y: [[label] for label in y]),
    "labels in tuples": _of_labels(lambda y: _array([(label,) for label in y])),
    "labels are dates": _of_labels(
        lambda y: np.array([np.datetime64("2024-01-01")] * len(y))
    ),
    "labels are infinite": _of_labels(lambda y: np.full(len(y), np.inf)),
    "labels are huge": _of_labels(
        lambda y: np.where(np.arange(len(y)) % 2, 1e300, 1.0)
    ),
    "labels are names and numbers": _of_labels(
        lambda y: _array(["ant" if i % 2 else i % 3 for i in range(len(y))])
    ),
    "labels are complex": _of_labels(lambda y: np.arange(len(y)) % 2 + 1j),
    "labels are a dictionary": _of_labels(lambda y: dict(enumerate(y))),
    "labels are a set": _of_labels(lambda y: {"ant", "bee"}),
    "labels are a number": _of_labels(lambda y: 1),
    "labels are sparse": _of_labels(lambda y: sparse.csr_array(np.ones((len(y), 1)))),
    "the source is a list": _of_source(list),
    "the source has three parts": _of_source(lambda source: (*source, None)),
    "the source lacks labels": _of_source(lambda source: (source[0], None)),
    "the source is its rows": _of_source(lambda source: source[0]),
    "the source is wider": _of_source(_wider),
    "the source has no rows": _of_source(
        lambda source: (np.empty((0, 3)), np.empty(0, dtype=int))
    ),
    "the source has one label too few": _of_source(
        lambda source: (source[0], source[1] if source[1] is None else source[1][:-1])
    ),
    "the source is strings": _of_source(lambda source: ("a.csv", "b.csv")),
    "the source is nothing": _of_source(lambda source: (None, None)),
}


def _of_view(change):
    """Change the first view of the pairs."""
    return lambda data: data._replace(X=data.X | {"a": change(data.X["a"])})


def _of_known_views(change):
    """Change the views of the source, a mapping."""
    return _of_source(lambda source: (change(source[0]), source[1]))


VIEW_MISHAPS = {
    name: mishap
    for name, mishap in MISHAPS.items()
    if name.startswith("labels")
    or name
    in (
        "the last label is missing",
        "the source is a list",
        "the source has three parts",
        "the source lacks labels",
        "the source is its rows",
        "the source has one label too few",
        "the source is strings",
        "the source is nothing",
    )
} | {
    "a view is a scalar": _of_view(lambda X: 3.0),
    "a view is nothing": _of_view(lambda X: None),
    "a view is one-dimensional": _of_view(lambda X: np.arange(_n_rows(X))),
    "a view is three-dimensional": _of_view(lambda X: np.ones((_n_rows(X), 2, 2))),
    "a view is names": _of_view(lambda X: np.array([["red", "round"]] * _n_rows(X))),
    "a view has no rows": _of_view(lambda X: np.empty((0, 3))),
    "a view has no columns": _of_view(lambda X: np.empty((_n_rows(X), 0))),
    "a view lacks a row": _of_view(lambda X: np.ones((_n_rows(X) - 1, 2))),
    "a known view is wider": _of_known_views(
        lambda views: views | {"a": np.ones((_n_rows(views["a"]), 7))}
    ),
    "the known views have other names": _of_known_views(
        lambda views: {f"{name}{name}": X for name, X in views.items()}
    ),
    "a known view is missing": _of_known_views(lambda views: {"a": views["a"]}),
    "a known view is one more": _of_known_views(
        lambda views: views | {"z": views["a"]}
    ),
    "the known views are a list": _of_known_views(lambda views: list(views.values())),
}
