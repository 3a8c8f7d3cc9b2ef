"""What was compared on, in numbers: sizes, classes and labels of the data."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_consistent_length
from sklearn.utils.validation import _num_samples, check_array

from skda.utils.labels import check_labels
from skda.utils.views import count_pairs

__all__ = ["check_views", "describe_domains", "describe_views", "seed_of"]


def check_views(views: Mapping[str, Any], y: ArrayLike) -> dict[str, Any]:
    """Check paired views, of which rows will be taken, against their labels."""
    if not isinstance(views, Mapping) or len(views) < 2:
        raise ValueError(
            f"Expected a mapping of two views or more by name, such as "
            f"{{'image': A, 'text': T}}, got "
            f"{list(views) if isinstance(views, Mapping) else type(views).__name__}."
        )
    checked = {
        name: check_array(X, accept_sparse="csr", input_name=f"view {name!r}")
        for name, X in views.items()
    }
    count_pairs(checked)
    check_consistent_length(*checked.values(), y)
    return checked


def describe_domains(data: Bunch, hidden: NDArray[np.bool_]) -> dict[str, Any]:
    """Describe a target, its sources and pairs.

    Parameters
    ----------
    data : Bunch
        With `X` and `y`, and maybe `source` and `pairs`.
    hidden : ndarray of shape (n_target,)
        Rows whose label is hidden, in one of the splits.

    Returns
    -------
    dict
        "domains", a description of each with the number of labels that are shown; and
        "n_pairs", None without any.
    """
    source, pairs = data.get("source"), data.get("pairs")
    sources = source if isinstance(source, list) else [source] if source else []
    domains = [_describe("target", data.X, data.y)]
    domains[0]["n_labels"] -= int(hidden.sum())
    domains += [_describe("source", *each) for each in sources]
    n_pairs = len(data.y) if pairs is not None else None
    if isinstance(pairs, tuple):
        n_pairs = _num_samples(pairs[0])
    return {"domains": domains, "n_pairs": n_pairs}


def describe_views(views: Mapping[str, Any], y: ArrayLike) -> dict[str, Any]:
    """Describe paired views.

    Parameters
    ----------
    views : mapping of str to {ndarray, sparse matrix}
        The views.
    y : array-like of shape (n_samples,)
        Categories.

    Returns
    -------
    dict
        "domains", with a description of each view.
    """
    return {"domains": [_describe(str(name), X, y) for name, X in views.items()]}


def seed_of(random_state: Any) -> int | None:
    """Tell the seed, if it is one that can be written down."""
    return int(random_state) if isinstance(random_state, Integral) else None


def _describe(name: str, X: Any, y: ArrayLike) -> dict[str, Any]:
    """Count rows, features, labels, and the rows of every class."""
    labels = check_labels(y, X)
    classes, counts = np.unique(labels.values, return_counts=True)
    shape = getattr(X, "shape", None) or np.shape(X)
    return {
        "name": name,
        "n_rows": len(labels.known),
        "n_features": int(shape[1]) if len(shape) == 2 else None,  # not of images
        "n_labels": int(labels.known.sum()),
        "classes": dict(zip(map(str, classes), counts.tolist(), strict=True)),
    }
