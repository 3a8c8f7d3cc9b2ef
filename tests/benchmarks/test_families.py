"""What the kinds of methods are told apart by."""

import numpy as np
import pytest

from benchmarks.boards.families import family, measure, winner
from benchmarks.boards.problems import Problem
from benchmarks.boards.report import ORACLE, Board
from benchmarks.boards.rows import BASELINE

KINDS = {
    "AutoAdapter": "AutoAdapter",
    "GeoST": "no network",
    "PruneClasses": "no network",
    "STN": "network",
    "ISRA": "network",
    "SourceOnly": "plain",
    BASELINE: "plain",
}


@pytest.mark.parametrize("method", KINDS)
def test_every_method_is_of_one_kind(method):
    assert family(method) == KINDS[method]


def test_the_oracle_does_not_win():
    scores = {ORACLE: 0.9, BASELINE: 0.5, "SPL": 0.8, "MCC": 0.7}
    fits = {("task", method): {"score": score} for method, score in scores.items()}
    fits["another", "MCC"] = {"score": 1.0}

    assert winner(Board((), fits, {}, {}), "task") == "no network"


def test_measures_are_those_of_the_data_before_any_fit():
    X = np.array([[0.0, -1.0], [0.0, 1.0], [2.0, -1.0], [2.0, 1.0]])
    y = np.array([0, -1, 1, 1])
    problem = Problem(X, y, y, X, y, (X + 1, np.array([0, 1, 1, 1])))
    n, d, ratio, classes, labels, skew, skew_source, *rest = measure(problem)

    assert (n, d, ratio, classes, labels) == (4, 2, 2.0, 2, 1.5)
    assert (skew, skew_source) == (2.0, 3.0)
    np.testing.assert_allclose(rest, [0.25, 1.0, 2.0, 4, 1.0])
