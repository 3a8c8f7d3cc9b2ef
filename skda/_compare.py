"""The comparison behind `skda.compare` and `skda compare`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC
from sklearn.utils import Bunch

from skda._protocol import (
    Outcome,
    Row,
    draw_splits,
    evaluate_all,
    label_of,
    learns_from_source,
    taken_by_fit,
)
from skda.baselines import SSDAE, TargetNet, TargetOnly
from skda.datasets import load_task
from skda.heterogeneous import DATN, HHTL, SSAN, STN, GeoST, PairedRidgeTransfer
from skda.utils.optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare", "default_estimators", "paired_estimators"]


def compare(
    estimators: Any = None,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    source: tuple[ArrayLike, ArrayLike] | None = None,
    pairs: Any = None,
    task: str | None = None,
    n_splits: int = 3,
    random_state: int | np.random.RandomState | None = 0,
    n_per_class: int = 3,
    data_home: str | PathLike[str] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Compare estimators on a target of which few labels are known.

    In each split all target labels but `n_per_class` per class are hidden, every
    estimator is fitted to all target rows with the labels that are left, and its
    accuracy after the last iteration is measured on the rows whose label was hidden.
    This accuracy is transductive, and no estimator sees the labels that it is judged
    by. All estimators have the same splits.

    An estimator that learns from the source has a second row, fitted to the same splits
    without one, and without pairs: the difference is what they are worth.

    Parameters
    ----------
    estimators : dict, list of (str, estimator) or list of estimators, default=None
        What to compare. None takes the default line-up: an SVM, a network and label
        spreading, which know the target only, then STN, SSAN and GeoST; with `pairs`,
        the methods that learn from these, too.
    X : {array-like, sparse matrix} of shape (n_target, n_features), default=None
        Target samples. None takes those of `task`.
    y : array-like of shape (n_target,), default=None
        Their true labels; -1, None, NaN or pandas.NA where even you do not know them.
        Such rows are part of every fit and of no test.
    source : tuple (X_source, y_source), default=None
        Source samples, of shape (n_source, n_source_features), and their labels.
    pairs : tuple (X_source_pairs, X_target_pairs), array-like or int, default=None
        Co-occurring samples for the estimators whose `fit` takes them, in either form
        that it takes; the others do without. Of a task, how many to set apart, see
        :func:`skda.datasets.load_task`.
    task : str, default=None
        Data to compare on, if not `X`: anything that
        :func:`skda.datasets.load_task` knows, such as "amazon_surf:webcam_decaf6".
        None, without `X`, is "digits", which needs no file.
    n_splits : int, default=3
        How many times the labels are drawn.
    random_state : int, RandomState instance or None, default=0
        Seed of the splits, and of the estimators whose own `random_state` is None.
        More splits begin with those of fewer.
    n_per_class : int, default=3
        How many labels of each class are left.
    data_home : str or path-like, default=None
        Folder of the files of `task`; None is the environment variable ``SKDA_DATA``.
    n_jobs : int, default=None
        How many fits run at the same time, each in a process with one thread; -1 is one
        per core. None is 1, unless joblib is told otherwise. On one thread the table is
        the same for all, but for the seconds.
    verbose : int, default=0
        Whether to show the progress, on the standard error stream.

    Returns
    -------
    pandas.DataFrame
        The methods in the order given, each followed by its control: "method";
        "source" ("real", "none" in the control, "unused" if the method cannot use
        one); "pairs", whether it was fitted with them; "accuracy" and its "std" over
        the splits; "n_splits"; "seconds", to fit and predict, per split; "accuracies",
        a tuple with one per split.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    TypeError
        If something to compare is not an estimator.
    ValueError
        If data and settings do not make a comparison.

    See Also
    --------
    skda.datasets.load_task : Loads the data of a task.
    skda.datasets.label_few : Draws the labels that are left.
    skda.baselines.TargetOnly : Makes a control of any classifier.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from skda import compare
    >>> from skda.baselines import TargetOnly
    >>> table = compare({"SVMt": TargetOnly(SVC(kernel="linear"))}, n_splits=2)
    >>> table[["method", "source", "n_splits"]]
      method  source  n_splits
    0   SVMt  unused         2
    """
    pandas = import_optional("pandas", "skda.compare returns a pandas.DataFrame")
    given = {"X": X, "y": y, "source": source, "pairs": pairs}
    data = _data(given, task, data_home)
    if estimators is None:
        estimators = default_estimators(paired=pairs is not None)
    fit_params = {"source": data.source, "pairs": data.get("pairs")}
    rows = _rows(_named(estimators), fit_params)
    splits = draw_splits(data.X, data.y, n_splits, n_per_class, random_state)
    outcomes = evaluate_all(
        ((row, split) for row in rows for split in splits),
        data.X,
        [label_of(row.method, row.source) for row in rows for _ in splits],
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return pandas.DataFrame(
        [
            _summary(row, outcomes[i * n_splits : (i + 1) * n_splits])
            for i, row in enumerate(rows)
        ]
    )


def default_estimators(*, paired: bool = False) -> dict[str, Any]:
    """Build the default line-up, controls first; maybe with those who need pairs."""
    # Rows of unit length are what the papers give these controls.
    spreading = LabelSpreading("knn", n_neighbors=10, alpha=0.8, max_iter=1000)
    usual = {
        "SVMt": make_pipeline(Normalizer(), TargetOnly(SVC(kernel="linear"))),
        "TargetNet": TargetNet(),
        "LabelSpreading": make_pipeline(
            Normalizer(), TargetOnly(spreading, unlabeled="keep")
        ),
        "STN": STN(),
        "SSAN": SSAN(),
        "GeoST": GeoST(),
    }
    return usual | (paired_estimators() if paired else {})


def paired_estimators() -> dict[str, Any]:
    """Build what is to be held against each other where there are pairs."""
    methods = (SSDAE(), PairedRidgeTransfer(), HHTL(), DATN())
    return {type(method).__name__: method for method in methods}


def _data(
    given: dict[str, Any], task: str | None, data_home: str | PathLike[str] | None
) -> Bunch:
    """Take the user's data, or load a task."""
    pairs = given["pairs"]
    n_pairs = int(pairs) if isinstance(pairs, Integral) else None
    names = [name for name, value in given.items() if value is not None]
    if names == (["pairs"] if n_pairs is not None else []):
        return load_task("digits" if task is None else task, data_home, n_pairs=n_pairs)
    if task is not None:
        raise ValueError(
            f"Expected either a task or data, got task={task!r} and "
            f"{', '.join(names)}: a task brings its own data."
        )
    if not {"X", "y"} <= set(names):
        raise ValueError(
            f"Expected X and y, the target and the true labels to judge by, got "
            f"{', '.join(names)}: pass both, or a task."
        )
    _check_pairs(given)
    return Bunch(**given)


def _check_pairs(given: dict[str, Any]) -> None:
    """Insist on samples for pairs, and on a source beside them."""
    if isinstance(given["pairs"], Integral):
        raise ValueError(
            f"Expected samples as pairs of X, got the number {given['pairs']}, which "
            f"is for a task: pass pairs=(X_source_pairs, X_target_pairs)."
        )
    if given["pairs"] is not None and given["source"] is None:
        raise ValueError(
            "Expected source=(X_source, y_source) beside pairs, got none: pass it, or "
            "leave pairs out."
        )


def _named(estimators: Any) -> list[tuple[str, Any]]:
    """Give every estimator a name of its own."""
    if isinstance(estimators, Mapping):
        estimators = estimators.items()
    elif hasattr(estimators, "fit") or not isinstance(estimators, Iterable):
        estimators = [estimators]  # a pipeline, too, although it is a sequence
    entries = list(estimators)
    if not entries:
        raise ValueError("Expected estimators to compare, got none.")
    if not all(isinstance(entry, tuple) and len(entry) == 2 for entry in entries):
        entries = _numbered([(type(entry).__name__, entry) for entry in entries])
    counts = Counter(name for name, _ in entries)
    for name, estimator in entries:
        if counts[name] > 1:
            raise ValueError(
                f"Expected estimators with different names, got {name!r} "
                f"{counts[name]} times: rename all but one."
            )
        _check_estimator(name, estimator)
    return entries


def _numbered(entries: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Tell the later ones of a name from the first by a number."""
    seen: Counter[str] = Counter()
    numbered = []
    for name, estimator in entries:
        seen[name] += 1
        numbered.append(
            (name if seen[name] == 1 else f"{name}-{seen[name]}", estimator)
        )
    return numbered


def _check_estimator(name: str, estimator: Any) -> None:
    if isinstance(estimator, type):
        raise TypeError(
            f"Expected an estimator, got the class {estimator.__name__}: pass "
            f"{estimator.__name__}()."
        )
    methods = ("fit", "predict", "get_params", "set_params")
    lacking = [method for method in methods if not hasattr(estimator, method)]
    if lacking:
        raise TypeError(
            f"Expected an estimator with {', '.join(methods)}, got {estimator!r} as "
            f"{name!r}, which lacks {', '.join(lacking)}."
        )


def _rows(named: list[tuple[str, Any]], given: dict[str, Any]) -> list[Row]:
    """List what to fit: every method, and its control without a source."""
    given = {name: value for name, value in given.items() if value is not None}
    rows = []
    for method, estimator in named:
        taken = taken_by_fit(estimator, {"source", "pairs"})
        adapts = learns_from_source(estimator)
        fit_params = {name: value for name, value in given.items() if name in taken}
        if adapts and fit_params:
            rows.append(Row(method, "real", estimator, fit_params))
        rows.append(Row(method, "none" if adapts else "unused", estimator, {}))
    if "pairs" in given and not any("pairs" in row.fit_params for row in rows):
        raise ValueError(
            "Expected an estimator whose fit takes pairs, got none: leave pairs out."
        )
    return rows


def _summary(row: Row, outcomes: list[Outcome]) -> dict[str, Any]:
    accuracies, seconds = zip(*outcomes, strict=True)
    return {
        "method": row.method,
        "source": row.source,
        "pairs": "pairs" in row.fit_params,
        "accuracy": float(np.mean(accuracies)),
        "std": float(np.std(accuracies, ddof=1)) if len(outcomes) > 1 else np.nan,
        "n_splits": len(outcomes),
        "seconds": float(np.mean(seconds)),
        "accuracies": tuple(map(float, accuracies)),
    }
