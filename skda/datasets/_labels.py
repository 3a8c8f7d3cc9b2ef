"""Labels hidden and sources turned into noise: what experiments are made of."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state, check_scalar

from skda.utils.labels import UNLABELED, check_labels, union_of_classes

__all__ = ["label_few", "noise_source"]

Codes = NDArray[np.int64]


def label_few(
    y: ArrayLike, n_per_class: int, random_state: int | RandomState | None = None
) -> NDArray[Any]:
    """Hide all labels but those of a few rows per class, drawn at random.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels. Rows that are unlabeled (-1, None, NaN) stay so and are never drawn.
    n_per_class : int
        How many rows of each class keep their label.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_samples,)
        A copy of ``y``, unlabeled but for the drawn rows. Whole numbers come as
        integers, with -1 for unlabeled; other labels as objects, with None.

    Raises
    ------
    ValueError
        If no row is labeled, or fewer than ``n_per_class`` rows of some class.

    Examples
    --------
    >>> from skda.datasets import label_few
    >>> label_few([0, 0, 0, 1, 1, 1], 1, random_state=0)
    array([-1, -1,  0, -1, -1,  1])
    >>> label_few(["cat", "cat", "dog"], 1, random_state=0)
    array([None, 'cat', 'dog'], dtype=object)
    """
    check_scalar(n_per_class, "n_per_class", Integral, min_val=0)
    codes, classes = _encode(y, y)
    members = [np.flatnonzero(codes == k) for k in range(len(classes))]
    short = [
        f"{len(rows)} of class {name!r}"
        for name, rows in zip(classes.tolist(), members, strict=True)
        if len(rows) < n_per_class
    ]
    if short:
        raise ValueError(
            f"Expected at least {n_per_class} labeled rows of every class, got "
            f"{', '.join(short)}: lower n_per_class, or leave out what is rare."
        )
    rng = check_random_state(random_state)
    drawn = np.concatenate(
        [rng.choice(rows, n_per_class, replace=False) for rows in members]
    )
    few = np.full_like(codes, UNLABELED)
    few[drawn] = codes[drawn]
    return _decode(few, classes)


def noise_source(
    X_source: Any,
    y_source: ArrayLike,
    kind: str = "gaussian",
    random_state: int | RandomState | None = None,
) -> tuple[Any, NDArray[Any]]:
    """Make a source that has nothing to teach, as large as a real one.

    A noise source is a handicap, not a control: a method is made to fit it, so that
    beating it proves no transfer. The control that tells what a source is worth is the
    same estimator with ``source=None``.

    Parameters
    ----------
    X_source : array-like of shape (n_samples, ...)
        Rows of the real source; some kinds take only their shape.
    y_source : array-like of shape (n_samples,)
        Their labels; unlabeled rows (-1, None, NaN) stay unlabeled.
    kind : {"gaussian", "shuffled", "renamed", "class_gaussian"}, default="gaussian"
        What is left of the source:

        - "gaussian": the labels. Rows are standard normal, whatever their class; a
          column of a frame that has no numbers is permuted.
        - "shuffled": the rows. The labels are permuted among the labeled ones.
        - "renamed": the rows, and which of them share a class. The names of the
          classes are permuted so that none keeps its own.
        - "class_gaussian": the labels, and that classes can be told apart. Each class
          has a standard normal mean, around which its rows are standard normal; an
          unlabeled row belongs to a random class.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise.

    Returns
    -------
    X : array-like of shape (n_samples, ...)
        ``X_source`` itself if its rows are kept, else new rows of the same shape; a
        frame of the same columns, if it is one.
    y : ndarray of shape (n_samples,)
        Labels as :func:`label_few` returns them.

    Raises
    ------
    ValueError
        If ``kind`` is unknown, or if the labels do not name two classes at least.

    Examples
    --------
    >>> from skda.datasets import noise_source
    >>> X, y = noise_source([[1.0], [2.0], [3.0]], [0, 1, -1], "renamed")
    >>> X, y
    ([[1.0], [2.0], [3.0]], array([ 1,  0, -1]))
    """
    if kind not in _KINDS:
        raise ValueError(f"Expected kind to be one of {list(_KINDS)}, got {kind!r}.")
    codes, classes = _encode(y_source, X_source)
    if len(classes) < 2:
        raise ValueError(
            f"Expected labels of at least two classes in y_source, got only "
            f"{classes.tolist()[0]!r}: there is nothing to confuse it with."
        )
    rng = check_random_state(random_state)
    X, noise_codes = _KINDS[kind](X_source, codes, rng)
    return X, _decode(noise_codes, classes)


def _gaussian(X: Any, codes: Codes, rng: RandomState) -> tuple[Any, Codes]:
    return _in_columns_of(X, rng.standard_normal(np.shape(X)), rng), codes


def _in_columns_of(X: Any, noise: NDArray[np.floating], rng: RandomState) -> Any:
    """Put noise into the columns of a frame; those of no numbers are permuted."""
    if not hasattr(X, "columns"):
        return noise
    columns = {name: np.asarray(X[name]) for name in X.columns}
    return type(X)(
        {
            name: values if column.dtype.kind in "biuf" else rng.permutation(column)
            for (name, column), values in zip(columns.items(), noise.T, strict=True)
        }
    )


def _shuffled(X: Any, codes: Codes, rng: RandomState) -> tuple[Any, Codes]:
    shuffled = codes.copy()
    known = codes != UNLABELED
    shuffled[known] = rng.permutation(codes[known])
    return X, shuffled


def _renamed(X: Any, codes: Codes, rng: RandomState) -> tuple[Any, Codes]:
    # Every class takes the name of the next one in a random circle, so none its own.
    circle = rng.permutation(codes.max() + 1)
    names = np.empty_like(circle)
    names[circle] = np.roll(circle, 1)
    return X, np.where(codes == UNLABELED, UNLABELED, names[codes])


def _class_gaussian(X: Any, codes: Codes, rng: RandomState) -> tuple[Any, Codes]:
    n_samples, *shape = np.shape(X)
    n_classes = codes.max() + 1
    strays = rng.randint(n_classes, size=n_samples)
    means = rng.standard_normal((n_classes, *shape))
    rows = means[np.where(codes == UNLABELED, strays, codes)]
    return _in_columns_of(X, rows + rng.standard_normal(rows.shape), rng), codes


_KINDS: dict[str, Callable[[Any, Codes, RandomState], tuple[Any, Codes]]] = {
    "gaussian": _gaussian,
    "shuffled": _shuffled,
    "renamed": _renamed,
    "class_gaussian": _class_gaussian,
}


def _encode(y: ArrayLike, X: Any) -> tuple[Codes, NDArray[Any]]:
    """Replace labels by the positions of their classes, missing ones by -1."""
    if y is None or not (labels := check_labels(y, X)).known.any():
        raise ValueError(
            "Every label is missing (-1, None or NaN): pass the labels that are known."
        )
    classes = union_of_classes(labels, labels)
    return labels.codes(classes), classes


def _decode(codes: Codes, classes: NDArray[Any]) -> NDArray[Any]:
    """Name the classes again, so that a missing label has its usual sign."""
    if classes.dtype.kind in "iu":
        return np.where(codes == UNLABELED, UNLABELED, classes[codes].astype(np.int64))
    y = np.full(len(codes), None, dtype=object)
    known = codes != UNLABELED
    y[known] = classes[codes[known]]
    return y
