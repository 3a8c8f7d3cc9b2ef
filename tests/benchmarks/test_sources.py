"""Tests of the tables of several sources."""

import pytest

from benchmarks import _cells, _results, sources
from benchmarks._cells import Cell
from benchmarks._pages import spell


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of results."""
    for module in (_cells, _results):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def test_without_results_there_is_no_section(folder):
    assert sources.sources_parts() == []


def test_the_oracle_takes_the_source_that_is_best_over_all_splits(folder):
    for task in list(sources.TASKS)[:4]:
        _results.append(
            "sources",
            cell=Cell(task, "AutoAdapter", {}, 0, 2)._asdict(),
            values=[0.9, 0.9],
            unselected=[0.8, 0.8],
            singles=[[0.9, 0.4], [0.1, 0.8]],
            alone=[],
        )
    text = spell(sources.sources_parts())

    assert text.startswith("Several sources\n---------------\n")
    assert "several sources\n     - **90.0 ± 0.0**" in text
    assert "n = 2." in text
    assert "best single source (oracle)\n     - 60.0 ± 28.3" in text
    assert "mean of single sources\n     - 55.0 ± 14.1" in text
    assert "no source" not in text


def test_every_cell_is_of_a_method_and_of_sources_that_are_there():
    for cells in sources.PARTS.values():
        for cell in cells:
            name, _, end = cell.method.partition(", ")

            assert name in sources.METHODS
            assert f", {end}" in (sources.RENAMED, sources.POOLED) or not end
            assert len(sources.TASKS[cell.task]) > 1
