"""Rows of the boards: plain baselines as a user would tune them, and all methods."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from benchmarks.boards.problems import Objects, Problem
from skda import auto, baselines, heterogeneous, partial, retrieval, unsupervised
from skda.baselines._tuned_classifier import (
    DEFAULT,
    REPRESENTATIONS,
    TunedClassifier,
    candidates_for,
)
from skda.comparison._adaptation import taken_by_fit
from skda.comparison._engine import seeded_clone
from skda.comparison._lineups import settings_of
from skda.comparison._retrieval import Retrieval, retrieval_row
from skda.utils.labels import UNLABELED

__all__ = [
    "BASELINE",
    "DEFAULT",
    "LEFT_OUT",
    "Retriever",
    "choose",
    "measure",
    "measure_baseline",
    "methods",
]

#: Name of the row of plain baselines.
BASELINE = "plain baseline"
#: What these measure, in the order of a record.
SCORES = ("score", "balanced", "new_score", "new_balanced")
#: Methods of skda that no board has, with the reason.
LEFT_OUT = {
    **dict.fromkeys(
        ("DATN", "HHTL", "PairedRidgeTransfer", "SSDAE"),
        "learns from pairs, of which the boards have none",
    ),
    "GalleryIndex": "an index, no method",
    "TargetOnly": "wraps a classifier, as the plain baselines do",
    "TunedClassifier": "chooses the plain baseline of the board itself",
}
#: Of retrieval; the first one of RidgeCCA is the chosen one.
_PLAIN_RETRIEVERS = {
    "RidgeCCA": retrieval.RidgeCCA(),
    "PLS": retrieval.PLS(),
    "MCCA": retrieval.MCCA(),
}
_SEED = 0


class Retriever(NamedTuple):
    """A method of retrieval in one setting.

    Parameters
    ----------
    estimator : estimator
        The method.
    setting : str
        One of `skda.comparison._retrieval.SETTINGS`.
    """

    estimator: Any
    setting: str


def methods(group: str) -> dict[str, Any]:
    """Build every method that can be run on a group of tasks, at its defaults.

    Parameters
    ----------
    group : str
        One of :data:`benchmarks.boards.tasks.GROUPS`.

    Returns
    -------
    dict of str to (estimator or Retriever)
        The methods by name.
    """
    if group == "retrieval":
        return {
            f"{name}, {setting}": Retriever(estimator, setting)
            for name, estimator in _all_of(retrieval).items()
            for setting in settings_of(estimator)
        }
    first = _all_of(auto)
    if group == "few":
        return first | _all_of(baselines) | _all_of(heterogeneous)
    if group == "unsupervised":
        return first | _all_of(unsupervised)
    plain = ("SPL", "CenteredLabelPropagation", "TargetCentroids", "SourceOnly")
    every = _all_of(unsupervised)
    return first | _all_of(partial) | {name: every[name] for name in plain}


def measure(method: Any, problem: Problem | Objects) -> dict[str, Any]:
    """Fit a method and judge it.

    Parameters
    ----------
    method : estimator or Retriever
        One of :func:`methods`.
    problem : Problem or Objects
        What to fit it to.

    Returns
    -------
    dict
        "score", the accuracy on the rows of the fit whose class was hidden, or the
        mean average precision; "balanced" accuracy; "new_score" and "new_balanced" on
        rows that no fit saw; "seconds" of the processor to fit and to label the rows
        of the fit; "warnings", how each one begins; of an estimator with a report, also
        "evidence", "expected_accuracy" and "p_below".
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if isinstance(problem, Objects):
            found = _measure_retriever(method, problem)
        else:
            found = _measure_classifier(method, problem)
    said = {f"{w.category.__name__}: {str(w.message)[:80]}" for w in caught}
    return found | {"warnings": sorted(said)}


def measure_baseline(problem: Problem | Objects) -> dict[str, Any]:
    """Measure all plain baselines, and the one that a user would choose.

    Parameters
    ----------
    problem : Problem or Objects
        What to fit them to.

    Returns
    -------
    dict
        What :func:`measure` gives of the chosen one; "chosen", its name; "oracle", the
        name of the one with the best score, of equal ones the chosen one; "candidates",
        the four scores of each by name.
    """
    start = time.process_time()
    if isinstance(problem, Objects):
        rows = {
            f"{name}, {setting}": _measure_retriever(Retriever(each, setting), problem)
            for name, each in _PLAIN_RETRIEVERS.items()
            for setting in settings_of(each)
        }
        chosen = next(iter(rows))
        seconds = rows[chosen]["seconds"]
        found = {name: [row[key] for key in SCORES] for name, row in rows.items()}
    else:
        chosen = choose(problem)
        judged = {chosen: _judge_candidate(chosen, problem)}
        seconds = time.process_time() - start
        for name in candidates_for(problem.X.shape[1]):
            if name not in judged:
                judged[name] = _judge_candidate(name, problem)
        found = {name: scores for name, scores in judged.items() if scores is not None}
        # The chosen one comes first, so that it is the best of equal ones.
    oracle = max(found, key=lambda name: found[name][0])
    return dict(zip(SCORES, found[chosen], strict=True)) | {
        "seconds": seconds,
        "warnings": [],
        "chosen": chosen,
        "oracle": oracle,
        "candidates": found,
    }


def choose(problem: Problem) -> str:
    """Choose a plain baseline as a user would, by labels that are not hidden.

    Parameters
    ----------
    problem : Problem
        The problem; of the target, only the labels shown are looked at.

    Returns
    -------
    str
        What :class:`skda.baselines.TunedClassifier` chooses by the labeled rows, or by
        the source where no target row is labeled.
    """
    if (problem.y != UNLABELED).any():
        return TunedClassifier().fit(problem.X, problem.y).best_
    X, _, y = _labeled(problem)
    return TunedClassifier().fit(X, y).best_


def _all_of(package: Any) -> dict[str, Any]:
    """Build all estimators of a package."""
    classes = {name: getattr(package, name) for name in package.__all__}
    return {
        name: each()
        for name, each in classes.items()
        if name not in LEFT_OUT and hasattr(each, "get_params")
    }


def _labeled(problem: Problem) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Find the rows of the domain with labels: all of them, and the labeled ones."""
    known = problem.y != UNLABELED
    if known.any():
        return problem.X, problem.X[known], problem.y[known]
    if problem.source is None:
        raise ValueError("Expected labels in the target or a source, got neither.")
    X, y = problem.source
    return X, X, y


def _represent(
    transformer: Any, X_fit: NDArray[Any], X: NDArray[Any]
) -> NDArray[np.float64]:
    """Learn a representation from some rows, and apply it to others."""
    return np.asarray(clone(transformer).fit(X_fit).transform(X))


def _predict(
    classifier: Any, labeled: tuple[NDArray[Any], NDArray[Any]], X: NDArray[Any]
) -> NDArray[Any] | None:
    """Fit and predict; None where there are too few rows for the classifier."""
    with warnings.catch_warnings():
        # Of rounds that were not enough, and of classes with a single row.
        warnings.simplefilter("ignore")
        try:
            return clone(classifier).fit(*labeled).predict(X)
        except (ValueError, np.linalg.LinAlgError):
            return None


def _judge_candidate(name: str, problem: Problem) -> list[float] | None:
    """Measure the four scores of a plain baseline; None if it cannot be fitted."""
    rows, classifier = candidates_for(problem.X.shape[1])[name]
    X_all, X, y = _labeled(problem)
    parts = [
        _represent(REPRESENTATIONS[rows], X_all, each)
        for each in (X, problem.X, problem.X_new)
    ]
    predicted = _predict(classifier, (parts[0], y), np.vstack(parts[1:]))
    if predicted is None:
        return None
    n_target = len(problem.X)
    return _scores(problem, predicted[:n_target], predicted[n_target:])


def _scores(problem: Problem, here: NDArray[Any], new: NDArray[Any]) -> list[float]:
    """Score labels of the rows of the fit, where they were hidden, and of new rows."""
    hidden = problem.y == UNLABELED
    found = []
    for truth, predicted in (
        (problem.truth[hidden], here[hidden]),
        (problem.y_new, new),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
            balanced = balanced_accuracy_score(truth, predicted)
        found += [accuracy_score(truth, predicted), balanced]
    return [round(float(score), 5) for score in found]


def _measure_classifier(estimator: Any, problem: Problem) -> dict[str, Any]:
    """Fit a classifier, with the source if it takes one."""
    given: Mapping[str, Any] = {}
    if problem.source is not None and taken_by_fit(estimator, {"source"}):
        given = {"source": problem.source}
    labels = problem.y if (problem.y != UNLABELED).any() else None
    start = time.process_time()
    fitted = seeded_clone(estimator, _SEED).fit(problem.X, labels, **given)
    if hasattr(fitted, "transduction_"):
        here = np.asarray(fitted.transduction_)
    else:
        here = fitted.predict(problem.X)
    seconds = time.process_time() - start
    scores = _scores(problem, here, fitted.predict(problem.X_new))
    found = dict(zip(SCORES, scores, strict=True)) | {"seconds": seconds}
    return found | _statement(fitted)


def _statement(fitted: Any) -> dict[str, Any]:
    """Take down what an estimator expects of itself, if it says that."""
    report = getattr(fitted, "report_", {})
    names = ("evidence", "expected_accuracy", "p_below")
    return {name: report[name] for name in names if report.get(name) is not None}


def _measure_retriever(method: Retriever, problem: Objects) -> dict[str, Any]:
    """Fit a retriever, and rank the test rows of the new categories."""
    row = retrieval_row("", method.setting, method.estimator)
    start = time.process_time()
    outcome = Retrieval(problem.views, problem.y).evaluate(row, problem.split)
    seconds = time.process_time() - start
    scores = dict.fromkeys(SCORES) | {"score": outcome.scores["mAP"]}
    return scores | {"seconds": seconds}
