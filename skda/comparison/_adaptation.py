"""The comparison of classifiers behind `skda.compare` and `skda compare`."""

from __future__ import annotations

import inspect
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import get_routing_for_object

from skda.comparison._advice import advise
from skda.comparison._data import describe_domains, seed_of
from skda.comparison._engine import (
    Experiment,
    Outcome,
    Row,
    Shown,
    evaluate_rows,
    spread,
)
from skda.comparison._journal import Journal
from skda.comparison._lineups import (
    FIRST,
    PLAIN,
    choose_classifiers,
    classifier_lineup,
)
from skda.comparison._scores import accuracies_of, are_skewed
from skda.comparison._splits import LabelSplit, label_splits
from skda.comparison._warnings import by_row
from skda.datasets import load_task
from skda.datasets._target_classes import keep_classes
from skda.utils.optional import import_optional
from skda.utils.validation import final_estimator

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Adaptation",
    "compare",
    "labels_left",
    "learns_from_source",
    "row_label",
    "taken_by_fit",
]


class Adaptation(Experiment):
    """Classifiers of a target, judged by the labels that were hidden from them.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_target, n_features)
        Target samples.
    """

    def __init__(self, X: Any) -> None:
        self.X = X

    @property
    def data(self) -> tuple[Any, ...]:
        """The target samples; their labels are those of the splits."""
        return (self.X,)

    def show(self, row: Row, split: LabelSplit) -> Shown:
        """Show the target with the labels that are left, and the source of the row."""
        return Shown(self.X, split.y, row.fit_params, row.setting == "none")

    def apply(self, fitted: Any, split: LabelSplit) -> Any:
        """Label the rows that the estimator was fitted to."""
        # A method with a graph knows more of them than of the same rows seen anew.
        final = final_estimator(fitted)
        if hasattr(final, "transduction_"):
            return final.transduction_
        return fitted.predict(self.X)

    def judge(
        self, output: Any, split: LabelSplit
    ) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
        """Measure both accuracies on the rows whose label was hidden."""
        predicted = np.asarray(output)[split.hidden]
        return accuracies_of(split.y_hidden, predicted), {}


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
    n_per_class: int | None = None,
    target_classes: int | None = None,
    data_home: str | PathLike[str] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    journal: str | PathLike[str] | None = None,
) -> pd.DataFrame:
    """Compare estimators on a target of which few labels are known, or none.

    In each split all target labels but `n_per_class` per class are hidden, every
    estimator is fitted to all target rows with the labels that are left, and its
    accuracy after the last iteration is measured on the rows whose label was hidden.
    This accuracy is transductive, and no estimator sees the labels that it is judged
    by. All estimators have the same splits.

    An estimator that learns from the source has a second row, fitted to the same splits
    without one, and without pairs: the difference is what they are worth. Where no
    label is left (`n_per_class` 0) there is no such row, as nothing could be learned.

    Parameters
    ----------
    estimators : dict, list of (str, estimator) or list of estimators, default=None
        What to compare; a name instead of an estimator, such as "STN", is that class of
        :mod:`skda` with its defaults. None takes a default line-up, which begins with
        the "plain classifier", :class:`skda.baselines.TunedClassifier`, and with
        AutoAdapter. With few labels: an SVM, a network and label spreading, which know
        the target only, then STN, SSAN and GeoST; with `pairs`, the methods that learn
        from these, too. With no labels: a logistic regression and a network of the
        source, then CenteredLabelPropagation, TargetCentroids, SPL, MCC and SymNets;
        with `pairs` AutoAdapter, PairedRidgeTransfer, HHTL and DATN. With
        `target_classes`: the same controls, then PruneClasses, SHOT, BA3US and ISRA.
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
    n_per_class : int, default=None
        How many labels of each class are left. With 0 all are hidden, and every method
        has to learn from the source. None is 3, or 0 with `target_classes`.
    target_classes : int, default=None
        How many classes the target keeps, for partial adaptation: the first ones of the
        source, in the order of their names. Other target rows are left out, and those
        without a label. None keeps all.
    data_home : str or path-like, default=None
        Folder of the files of `task`; None is the environment variable ``SKDA_DATA``.
    n_jobs : int, default=None
        How many fits run at the same time, each in a process with one thread; -1 is one
        per core. None is 1, unless joblib is told otherwise. On one thread the table is
        the same for all, but for the seconds.
    verbose : int, default=0
        Whether to show the progress, on the standard error stream.
    journal : str or path-like, default=None
        File in which every finished fit is kept at once, so that a run which was ended
        goes on where it was: a fit that is found there, with the same data, parameters
        and split, is not done again. None keeps nothing.

    Returns
    -------
    pandas.DataFrame
        The methods in the order given, each followed by its control: "method";
        "source" ("real", "none" in the control, "unused" if the method cannot use
        one); "pairs", whether it was fitted with them; "accuracy" and its "std" over
        the splits; "balanced_accuracy", the mean over the classes; "n_splits";
        "seconds", to fit and predict, per split; "accuracies", a tuple with one per
        split. Its ``attrs`` have "advice", a sentence on what to take and how sure that
        is, if the plain classifier is there; "skewed", whether a class is three times
        as frequent as another; "warnings", by row; and "data", what was compared on.

    Raises
    ------
    ModuleNotFoundError
        If pandas is not installed.
    TypeError
        If something to compare is not an estimator.
    ValueError
        If data and settings do not make a comparison.

    Warns
    -----
    UserWarning
        If there are so few rows to judge by that the figures mean little.

    See Also
    --------
    skda.datasets.load_task : Loads the data of a task.
    skda.datasets.label_few : Draws the labels that are left.
    skda.baselines.TargetOnly : Makes a control of any classifier.
    skda.inspection.write_report : Writes a page that can be sent.

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
    if target_classes is not None:
        data = keep_classes(data, target_classes, "target_classes")
    n_left = labels_left(n_per_class, target_classes)
    lineup = classifier_lineup(
        n_per_class=n_left, target_classes=target_classes, paired=pairs is not None
    )
    named = choose_classifiers(estimators, lineup)
    _check_features(named, data)
    fit_params = {"source": data.source, "pairs": data.get("pairs")}
    rows = _rows(named, fit_params, has_labels=n_left > 0)
    splits = label_splits(data.X, data.y, n_splits, n_left, random_state)
    outcomes = evaluate_rows(
        Adaptation(data.X),
        rows,
        splits,
        n_jobs=n_jobs,
        verbose=verbose,
        journal=None if journal is None else Journal(journal),
    )
    table = pandas.DataFrame(list(map(_summary, rows, outcomes)))
    labels = [row.label for row in rows]
    said = list(zip(labels, table["accuracies"], strict=True))
    table.attrs = {
        "advice": advise(said, PLAIN, FIRST),
        "skewed": are_skewed(splits[0].y_hidden),
        "warnings": by_row(labels, outcomes),
        "data": describe_domains(data, splits[0].hidden)
        | {
            "task": task or ("digits" if X is None else None),
            "n_per_class": n_left,
            "target_classes": target_classes,
            "seed": seed_of(random_state),
        },
    }
    return table


def labels_left(n_per_class: int | None, target_classes: int | None) -> int:
    """Say how many labels of a class are left where that was not said."""
    if n_per_class is not None:
        return n_per_class
    return 3 if target_classes is None else 0


def row_label(method: str, source: str) -> str:
    """Name a row; a method without the source that it could use is marked."""
    return f"{method}, no source" if source == "none" else method


def taken_by_fit(estimator: Any, names: set[str]) -> set[str]:
    """Tell which fit parameters an estimator takes, for itself or for one inside."""
    own = names & inspect.signature(estimator.fit).parameters.keys()
    if own:
        return own
    try:
        return get_routing_for_object(estimator).consumes("fit", names)
    except NotImplementedError:  # by meta-estimators that hand on nothing
        return set()


def learns_from_source(estimator: Any) -> bool:
    """Tell whether a source makes a difference to an estimator."""
    if not taken_by_fit(estimator, {"source"}):
        return False
    parts = [estimator, *estimator.get_params().values()]
    return all(getattr(part, "uses_source", True) for part in parts)


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


def _check_features(named: list[tuple[str, Any]], data: Bunch) -> None:
    """Refuse methods for domains of the same features where these differ."""
    domains = (data.source[0] if data.source else None), data.X
    shapes = [getattr(X, "shape", None) or (0,) for X in domains]
    widths = [shape[-1] for shape in shapes]
    if not all(len(shape) == 2 for shape in shapes) or len(set(widths)) == 1:
        return
    alike = [
        name
        for name, each in named
        if getattr(each, "needs_same_features", False)
        and each.source_transformer is None
        and each.target_transformer is None
    ]
    if alike:
        raise ValueError(
            f"Expected methods for domains of different features, {widths[0]} in "
            f"the source and {widths[1]} in the target, got {', '.join(alike)}, "
            f"which need the same: choose from skda.heterogeneous, which needs some "
            f"target labels."
        )


def _rows(
    named: list[tuple[str, Any]], given: dict[str, Any], *, has_labels: bool
) -> list[Row]:
    """List what to fit: every method, and its control without a source."""
    given = {name: value for name, value in given.items() if value is not None}
    if not has_labels:
        _check_unlabeled(named, given)
    rows = []
    for method, estimator in named:
        taken = taken_by_fit(estimator, {"source", "pairs"})
        adapts = learns_from_source(estimator)
        fit_params = {name: value for name, value in given.items() if name in taken}
        if adapts and fit_params:
            rows.append(Row(method, "real", method, estimator, fit_params))
        if has_labels:  # else there is nothing to learn from without a source
            setting = "none" if adapts else "unused"
            label = row_label(method, setting)
            rows.append(Row(method, setting, label, estimator, {}))
    if "pairs" in given and not any("pairs" in row.fit_params for row in rows):
        raise ValueError(
            "Expected an estimator whose fit takes pairs, got none: leave pairs out."
        )
    return rows


def _check_unlabeled(named: list[tuple[str, Any]], given: dict[str, Any]) -> None:
    """Insist on a source and on methods that learn from it: there is nothing else."""
    if "source" not in given:
        raise ValueError(
            "Expected source=(X_source, y_source) where no target label is left, got "
            "none: pass it, or raise n_per_class."
        )
    without = [name for name, each in named if not learns_from_source(each)]
    if without:
        raise ValueError(
            f"Expected methods that learn from a source where no target label is "
            f"left, got {', '.join(without)}: leave them out, or raise n_per_class."
        )


def _summary(row: Row, outcomes: list[Outcome]) -> dict[str, Any]:
    """Average over the splits."""
    accuracies = [float(outcome.scores["accuracy"]) for outcome in outcomes]
    return {
        "method": row.method,
        "source": row.setting,
        "pairs": "pairs" in row.fit_params,
        "accuracy": float(np.mean(accuracies)),
        "std": spread(accuracies),
        "balanced_accuracy": float(
            np.mean([outcome.scores["balanced_accuracy"] for outcome in outcomes])
        ),
        "n_splits": len(outcomes),
        "seconds": float(np.mean([outcome.seconds for outcome in outcomes])),
        "accuracies": tuple(accuracies),
    }
