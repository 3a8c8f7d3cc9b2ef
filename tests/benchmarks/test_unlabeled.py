"""Tests of the table of classes that no target row is labeled with."""

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.utils import Bunch

from benchmarks import _cells, _results, unlabeled
from benchmarks._cells import Cell
from benchmarks._pages import draw, spell

mpl.use("Agg")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of results."""
    for module in (_cells, _results):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def data(monkeypatch):
    """Seven classes that lie alike in both domains."""
    rng = np.random.default_rng(0)
    y = np.arange(105) % 7
    latent = 4 * rng.normal(size=(7, 5))[y] + rng.normal(size=(105, 5))
    X_source, X = (latent @ rng.normal(size=(5, width)) for width in (6, 8))
    data = Bunch(X=X, y=y, source=(X_source, y))
    monkeypatch.setattr(unlabeled, "load", lambda task: data)
    return data


def _cell(method, *, lacking=False):
    return Cell("pacs", method, {"n_unlabeled": 2, "lacking": lacking}, 3, 2)


@pytest.mark.usefixtures("data")
def test_both_groups_of_rows_are_judged():
    ignored = unlabeled.measure(_cell("GeoST"))
    inferred = unlabeled.measure(_cell("GeoST, infer"))
    renamed = unlabeled.measure(_cell("GeoST, infer, renamed source"))

    assert ignored["unlabeled"] == ignored["values"] == [0, 0]
    assert np.mean(inferred["unlabeled"]) > np.mean(renamed["unlabeled"])
    assert min(inferred["labeled"]) > 0.5
    assert inferred["said"] > renamed["said"]


@pytest.mark.usefixtures("data")
def test_a_target_may_lack_the_classes():
    found = unlabeled.measure(_cell("GeoST, no source", lacking=True))

    assert found["unlabeled"] == [0, 0]
    assert min(found["labeled"]) > 0.5


def test_the_harmonic_mean():
    assert unlabeled.harmonic(0.5, 1.0) == pytest.approx(2 / 3)
    assert unlabeled.harmonic(0.0, 0.0) == 0


def test_no_task_that_confirms_is_one_for_choosing():
    choosing = {
        cell.task
        for part in ("main", "same", "many", "lacking")
        for cell in unlabeled.PARTS[part]
    }

    assert len(choosing) >= 12
    assert not choosing & {cell.task for cell in unlabeled.PARTS["confirm"]}


def test_a_table_has_the_tasks_that_all_methods_have(folder):
    assert unlabeled.unlabeled_parts() == []

    def add(cell, share):
        scores = {"unlabeled": [share], "labeled": [0.9], "values": [share]}
        _results.append("unlabeled", cell=cell._asdict(), **scores)

    cells = [c for c in unlabeled.PARTS["many"] if c.params["n_unlabeled"] == 5]
    for cell in cells[:-1]:
        add(cell, 0.25)
    assert unlabeled.unlabeled_parts() == []

    add(cells[-1], 0.75)
    text = spell(unlabeled.unlabeled_parts())
    assert "5 (1 tasks)" in text
    assert "75 / 90, 75" in text
    draw(unlabeled.unlabeled_parts(), folder)
    assert (folder / "papers_unlabeled_many.svg").exists()
    assert (folder / "unlabeled.jsonl").exists()
