"""Tests of measuring the cells of tables."""

import os
import sys

import pytest

from benchmarks import _cells, _results
from benchmarks._cells import Cell


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Measure cells into an empty folder, and return the lines there."""
    for module in (_cells, _results):
        monkeypatch.setattr(module, "FOLDER", tmp_path)

    def run(cells, *arguments):
        monkeypatch.setattr(sys, "argv", ["cells", *arguments])
        _cells.run("file", {"all": cells}, _measure, "")
        return list(_results.load("file"))

    return run


def _measure(cell):
    return {"values": [cell.n_per_class] * cell.n_splits, "process": os.getpid()}


def test_what_is_there_is_not_measured_again(run):
    cells = [Cell("task", "method", {}, n, 2) for n in (1, 2, 2)]
    assert len(run(cells)) == 2
    assert len(run(cells)) == 2
    assert len(run(cells, "--splits", "3")) == 4
    assert len(run(cells, "--again")) == 6


def test_a_line_says_where_a_cell_was_measured(run):
    (line,) = run([Cell("task", "method", {"a": 1}, 3, 2)])

    assert line["cell"]["params"] == {"a": 1}
    assert line["values"] == [3, 3]
    assert line["threads"] == 1
    assert line["process"] == os.getpid()
