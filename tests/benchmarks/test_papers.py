"""Tests of the cells of the papers' tables, and of the pages made from them."""

import sys

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from benchmarks import _cells, _results, dmtl, papers, ssan, ssan_report, symnets
from benchmarks._cells import Cell
from benchmarks._pages import Picture, draw, heading, spell
from benchmarks._tables import Table

mpl.use("Agg")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of results."""
    for module in (_cells, _results):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def run(folder, monkeypatch):
    """Run made-up cells, and say which have been measured."""
    parts = {
        "a": [Cell("t", "M", {}), Cell("t", "M", {"beta": 0.0})],
        "b": [Cell("u", "M", {}, n_splits=3), Cell("t", "M", {}, n_splits=3)],
    }

    def run(*arguments):
        measured = []

        def measure(cell):
            measured.append(cell)
            return {"values": [0.5] * cell.n_splits}

        monkeypatch.setattr(sys, "argv", ["program", *arguments])
        _cells.run("cells", parts, measure, "Title")
        return measured

    return run


def test_a_cell_of_two_parts_is_measured_once_and_never_again(run):
    first = run()

    assert [(cell.task, cell.params) for cell in first] == [
        ("t", {}),
        ("t", {"beta": 0.0}),
        ("u", {}),
    ]
    assert run() == []
    assert len(run("--again")) == 3


def test_a_cell_with_fewer_splits_than_asked_for_is_measured_again(run):
    assert len(run("--splits", "1")) == 3
    assert [cell.n_splits for cell in run()] == [10, 10, 3]


def test_parts_tasks_and_methods_are_chosen(run):
    assert [cell.task for cell in run("--parts", "b", "--tasks", "u")] == ["u"]
    assert run("--methods", "other") == []


def test_the_line_with_the_most_splits_counts(run):
    run()
    run("--again", "--parts", "a", "--splits", "2")

    found = _cells.read("cells")
    assert len(found) == 3
    assert len(found[_cells.key_of(Cell("t", "M", {}))]["values"]) == 10
    pairs = _cells.find(found, [Cell("u", "M", {}), Cell("v", "M", {})])
    assert [cell.task for cell, _ in pairs] == ["u"]


@pytest.mark.parametrize("module", [ssan, symnets])
def test_every_cell_is_of_a_method_that_is_there(module):
    for cells in module.PARTS.values():
        for cell in cells:
            estimator = module.METHODS[cell.method.removesuffix(ssan.ALONE)]
            assert cell.params.keys() <= estimator.get_params().keys()


def test_every_cell_of_dmtl_is_of_a_method_and_a_setting_that_are_there():
    for cells in dmtl.PARTS.values():
        for cell in cells:
            method, setting = cell.method.split(dmtl.IN)
            there = dmtl.METHODS[method]
            assert setting in there.settings
            assert cell.params.keys() <= there.estimator.get_params().keys()


def test_without_results_of_its_own_a_paper_is_left_out(folder):
    assert ssan_report.ssan_parts() == []
    assert symnets.symnets_parts() == []


def test_tables_come_with_the_first_line(folder):
    cell = Cell(ssan.CALTECH_DSLR, "SSAN", {"beta": 0.0}, n_splits=2)
    _results.append("ssan", cell=cell._asdict(), values=[0.5, 0.75])
    text = spell(ssan_report.ssan_parts())

    assert text.startswith("SSAN\n----\n")
    assert "SSAN, beta = 0\n     - 62.5 ± 17.7\n     -\n     - 96.1" in text
    assert ".. image::" not in text


def test_what_a_default_is_changes_nothing():
    default = ssan.METHODS["SSAN"].get_params()["beta"]

    assert ssan.changed("beta", default) == {}
    assert ssan.changed("beta", 2 * default) == {"beta": 2 * default}


def test_pictures_are_drawn_alike_each_time(tmp_path):
    made = []

    def make():
        made.append(plt.subplots()[0])
        return made[-1]

    parts = [heading("T"), Table(["a"], [["b"]]), Picture("p", "What it shows", make)]
    texts = []
    for _ in range(2):
        draw(parts, tmp_path)
        texts.append((tmp_path / "p.svg").read_text())

    assert texts[0] == texts[1]
    assert len(made) == 2
    assert not plt.fignum_exists(made[0].number)
    assert ".. image:: /benchmarks/p.svg\n   :alt: What it shows" in spell(parts)


def test_the_pictures_of_the_page_are_there():
    for text in papers.texts().values():
        for line in text.splitlines():
            if line.startswith(".. image::"):
                name = line.rpartition("/")[2]
                assert (papers.DOCS / name).exists(), "run python -m benchmarks.papers"
