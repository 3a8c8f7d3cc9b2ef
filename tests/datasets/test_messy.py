"""Tests of tables as they come: with words, gaps and columns of no use."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skda import cli
from skda.datasets import load_table
from skda.datasets._messy import load_domains
from skda.datasets._tables import load_paired_rows

pytest.importorskip("pyarrow")


def _frame(n=60, seed=0):
    """A table of three kinds, whose features are numbers, words and a name."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    return pd.DataFrame(
        {
            "name": [f"row {i}" for i in range(n)],
            "size": kind + rng.normal(size=n) / 4,
            "color": np.array(["red", "green", "blue"])[kind],
            "weight": kind - rng.normal(size=n) / 4,
            "kind": np.array(["ant", "bee", "cat"])[kind],
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _load(*frames, labels=None, **options):
    files = [f"{i}.csv" for i in range(len(frames))]
    for file, frame in zip(files, frames, strict=True):
        frame.to_csv(file, index=False)
    labels = ["kind"] * len(frames) if labels is None else labels
    return load_domains(files, labels, **options)


def test_words_become_columns_of_zeros_and_ones(folder):
    frame = _frame().drop(columns="name")
    ((domain,), (note,)) = _load(frame)
    expected = {
        "color_blue": frame["color"] == "blue",
        "color_green": frame["color"] == "green",
        "color_red": frame["color"] == "red",
        "size": frame["size"],
        "weight": frame["weight"],
    }

    assert domain.feature_names == list(expected)
    for i, column in enumerate(expected.values()):
        assert_array_equal(domain.data[:, i], column.astype(float))
    assert_array_equal(domain.target, frame["kind"])
    assert note == "0.csv: encoded 'color' (3 categories) as zeros and ones."


def test_numbers_alone_are_as_load_table_reads_them(folder):
    frame = _frame().drop(columns=["name", "color"])
    ((domain,), notes) = _load(frame)
    table = load_table("0.csv", "kind")

    assert_array_equal(domain.data, table.data)
    assert_array_equal(domain.target, table.target)
    assert domain.feature_names == table.feature_names
    assert notes == []


def test_columns_are_left_out_where_they_are(folder):
    other = _frame().drop(columns=["name", "weight"])
    domains, notes = _load(_frame(), other, drop=["name", "color"])

    assert [d.feature_names for d in domains] == [["size", "weight"], ["size"]]
    assert notes == ["0.csv: left out 'name', 'color'.", "1.csv: left out 'color'."]


def test_gaps_are_filled_from_their_own_domain(folder):
    frames = [_frame(seed=0).drop(columns="name"), _frame(seed=1).drop(columns="name")]
    for i, frame in enumerate(frames):
        frame["weight"] += 100 * i
        frame.loc[frame.index < 2, ["weight", "color"]] = None
        frame.loc[2:9, "color"] = "green"
    domains, notes = _load(*frames, impute=True)

    for frame, domain in zip(frames, domains, strict=True):
        columns = dict(zip(domain.feature_names, domain.data.T, strict=True))
        assert_array_equal(columns["weight"][:2], [frame["weight"].median()] * 2)
        assert_array_equal(columns["color_green"][:2], [1, 1])
    assert notes[1].endswith(
        "filled the gaps in 'color' (2), 'weight' (2), of numbers by the median, of "
        "words by the most frequent one."
    )


def test_domains_with_the_same_columns_stay_alike(folder):
    target, source = _frame(30).drop(columns="name"), _frame(60).drop(columns="name")
    source["color"] = source["color"].replace("red", "pink")
    (first, second), _ = _load(target, source[source.columns[::-1]])

    assert first.feature_names == second.feature_names
    assert {"color_red", "color_pink"} < set(first.feature_names)
    assert_array_equal(second.data[:, -2], source["size"])


def test_pairs_are_made_numbers_of_like_their_domain(folder):
    domains, _ = _load(
        _frame(), _frame().rename(columns={"size": "height"}), drop=["name"]
    )
    pairs = _frame()[:9].drop(columns="kind")
    pairs.loc[0, "color"] = "never seen"
    pairs[pairs.columns[::-1]].to_csv("t.csv", index=False)
    pairs.rename(columns={"size": "height"}).to_csv("s.csv", index=False)
    sides = load_paired_rows(["t.csv", "s.csv"], domains, ["kind", "kind"])

    for side, domain in zip(sides, domains, strict=True):
        assert_array_equal(side[1:], domain.data[1:9])
        assert_array_equal(side[0, :3], [0, 0, 0])


def test_many_categories_share_a_column(folder):
    frame = _frame(400).drop(columns="name")
    frame["color"] = [f"c{i % 70}" for i in range(400)]
    ((domain,), _) = _load(frame)

    assert domain.data.shape == (400, 52)
    assert_array_equal(domain.data[:, :50].sum(axis=1), np.ones(400))


MISTAKES = [
    ({}, "60 different words in 'name', such as 'row 0': leave it out .--drop name"),
    ({"drop": ["name", "names"]}, "the name of a feature, got 'names'; there are"),
    ({"drop": ["kind"]}, "--drop with the name of a feature, got 'kind'"),
    ({"drop": ["name"]}, "gaps in 'color', 'weight': fill them .--impute., or leave"),
    ({"drop": ["name"], "impute": True}, "a value in every column .* in 'weight': le"),
]


def test_what_cannot_be_made_numbers_of_is_told(folder):
    for options, message in MISTAKES:
        frame = _frame()
        if "name" in options.get("drop", ()):
            frame.loc[:3, "color"] = None
            frame["weight"] = np.nan
        with pytest.raises(ValueError, match=message):
            _load(frame, **options)
    np.savez("a.npz", X=np.eye(3), y=[0, 1, 2])
    with pytest.raises(ValueError, match=r"--impute with a table .* got a\.npz"):
        load_domains(["a.npz"], [None], impute=True)


def test_other_separators_are_read_and_decimal_commas_too(folder):
    frame = _frame().drop(columns=["name", "color"])
    for separator in (";", "\t", "|"):
        for decimal in ".,":
            frame.to_csv("x.csv", index=False, sep=separator, decimal=decimal)
            table = load_table("x.csv", "kind")

            assert table.feature_names == ["size", "weight"], (separator, decimal)
            assert_array_equal(table.data, frame[["size", "weight"]])


def test_one_command_compares_messy_files(folder, capsys):
    target, source = (
        _frame(90, seed=0),
        _frame(60, seed=1).rename(columns={"size": "s"}),
    )
    target.loc[:4, "weight"] = None
    target.to_csv("t.csv", index=False, sep=";")
    source.to_csv("s.csv", index=False)
    data = ["--source", "s.csv", "--target", "t.csv", "--label", "kind"]
    options = ["--drop", "name", "--impute", "--methods", "SVMt", "--splits", "1"]
    code = cli.main(["compare", *data, *options, "--json", "r.json"])
    out, err = capsys.readouterr()
    encoded = "left out 'name'; encoded 'color' (3 categories) as zeros and ones; "
    filled = (
        "filled the gaps in 'weight' (5), of numbers by the median, of words by the "
        "most frequent one."
    )
    said = [f"t.csv: {encoded}{filled}", f"s.csv: {encoded}found no gap to fill."]

    assert code == 0
    assert json.loads((folder / "r.json").read_text())["preparation"] == said
    for line in said:
        assert line in " ".join(out.split())
        assert f"skda compare: note: {line}\n" in err


def test_tasks_and_views_are_not_cleaned(capsys):
    for options in (["--drop", "x"], ["--impute"], ["--task", "wikipedia", "--impute"]):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["compare", *options])

        assert "--target with --drop and --impute, which" in capsys.readouterr().err
