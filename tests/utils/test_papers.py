"""Tests that the table of papers says what the docstrings say."""

import importlib
import inspect
import pkgutil
import re

import pytest

import skda
from skda.utils.papers import KINDS, bibtex, reference, table

ENTRY = re.compile(r"^\.\. \[(\d+)\] (.*(?:\n   +\S.*)*)", re.MULTILINE)


def _cited():
    """References of every public class and function, in their order."""
    cited = {}
    for found in pkgutil.walk_packages(skda.__path__, "skda."):
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            entries = ENTRY.findall(inspect.getdoc(getattr(module, name)) or "")
            if entries and "References\n---" in inspect.getdoc(getattr(module, name)):
                texts = [" ".join(text.split()) for _, text in entries]
                cited.setdefault(name, texts)
    return cited


def test_docstrings_cite_what_the_table_has():
    methods = {
        name: [reference(key) for key in keys]
        for name, keys in table()["methods"].items()
    }

    assert _cited() == methods
    assert len(methods) > 80


def test_every_paper_of_the_table_is_cited():
    cited = {key for keys in table()["methods"].values() for key in keys}

    assert cited == set(table()["papers"])


@pytest.mark.parametrize("key", sorted(table()["papers"]))
def test_a_paper_has_a_number_only_where_one_was_read(key):
    paper = table()["papers"][key]

    assert ("read_in" in paper) == bool({"doi", "arxiv"} & paper.keys())
    assert re.fullmatch(r"\d{4}\.\d{4,5}", paper.get("arxiv", "1206.4660"))
    assert re.fullmatch(r"10\.\d{4}/\S+", paper.get("doi", "10.1000/1"))
    assert len(KINDS.keys() & paper.keys()) == 1


def test_bibtex_separates_all_authors():
    entry = bibtex("andrew2013deep")

    assert "author = {G. Andrew and R. Arora and J. Bilmes and K. Livescu}" in entry
