"""Tests of the command line on paired data."""

import json
import os
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import skda
from skda import cli

mpl.use("Agg")

DATA_HOME = os.environ.get("SKDA_DATA")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line where small files are; gives exit code, output, errors."""
    rng = np.random.default_rng(0)
    y = np.arange(240) % 4
    latent = rng.normal(size=(4, 4))[y] + 0.5 * rng.normal(size=(240, 4))
    views = [latent @ rng.normal(size=(4, p)) for p in (8, 5, 6, 7)]
    names = ("image", "text", "image_deep", "text_deep")
    np.savez(
        tmp_path / "wikipedia.npz",
        **dict(zip(names, views, strict=True)),
        y=y,
        test=np.arange(240) >= 160,
        classes=np.array(["ant", "bee", "cat", "dog"]),
    )
    image = pd.DataFrame(views[0]).add_prefix("i")
    image.to_csv(tmp_path / "image.csv", index=False)
    text = pd.DataFrame(views[1]).add_prefix("t")
    text.assign(kind=np.array(["a", "b", "c", "d"])[y]).to_parquet(
        tmp_path / "text.parquet"
    )
    np.save(tmp_path / "short.npy", views[0][:50])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKDA_DATA", str(tmp_path))

    def run(*argv):
        try:
            code = cli.main(["compare", *argv])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


TASK = ["--task", "wikipedia"]
FAST = ["--methods", "PLS,RidgeCCA,MvDA", "--splits", "2"]
OWN = ["--view", "image=image.csv", "--view", "text=text.parquet"]
LABELS = ["--labels", "text.parquet", "--label", "kind"]


def test_the_table_has_the_settings_and_says_what_they_are(run):
    code, out, err = run(*TASK, "--quick", "--splits", "2")
    title, _, header, rule, *rows = out.partition("\n\nMean average")[0].splitlines()

    assert code == 0
    assert title == "task wikipedia"
    assert re.split("  +", header.strip()) == [
        "method",
        "source only",
        "source + new",
        "new alone",
        "- RidgeCCA, new",
        "seconds",
    ]
    assert [row.split()[0] for row in rows] == [
        "PLS",
        "MCCA",
        "RidgeCCA",
        "ClusterRetrieval",
        "MvDA",
        "GMLDA",
        "small",
        "chance",
    ]
    assert {len(row) for row in rows} == {len(header), len(rule)}
    assert "over 2 random halves" in " ".join(out.split())
    assert "(rows of the data set)" in " ".join(out.split())
    assert "PLS, MCCA: without labels" in out
    assert "small DMTL: DMTL(hidden_layer_sizes=(128, 128), n_components=64)." in out
    assert "--quick trained for 20 epochs: this is no result." in out
    assert "DMTL" in err  # the progress


def test_settings_that_a_method_has_not_are_left_open(run):
    _, out, _ = run(*TASK, *FAST)
    (mvda,) = re.findall("^MvDA.*$", out, re.MULTILINE)

    assert re.fullmatch(r"MvDA +[\d.]+ \+- [\d.]+ +- +- +[-+][\d.]+ \+- .*", mvda)


def test_one_split_has_no_deviation(run):
    _, out, _ = run(*TASK, "--methods", "PLS", "--splits", "1")

    assert "+-" not in out
    assert re.search(r"^RidgeCCA +- +- +0\.\d{3} +\+0\.000 ", out, re.MULTILINE)


def test_json_says_what_the_table_says_and_how_to_repeat_it(run, tmp_path):
    file = tmp_path / "result.json"
    _, out, _ = run(*TASK, *FAST, "--seed", "3", "--json", str(file))
    report = json.loads(file.read_text())
    task = skda.datasets.load_pairs("wikipedia")
    table = skda.compare_retrieval(
        task.views,
        task.y,
        test=task.test,
        methods=["PLS", "RidgeCCA", "MvDA"],
        n_splits=2,
        random_state=3,
    )

    assert [r["mAP"] for r in report["records"]] == pytest.approx(list(table["mAP"]))
    assert all(f"{r['mAP']:.3f}" in out for r in report["records"])
    assert report["views"] == {"image": 8, "text": 5}
    assert report["seed"] == 3
    assert report["n_splits"] == 2
    assert report["test"] == "rows of the data set"
    assert report["reference"] == "RidgeCCA"
    assert report["versions"]["skda"] == skda.__version__


def test_markdown_is_a_table_with_its_legend(run):
    _, out, _ = run(*TASK, *FAST, "--markdown", "-")
    title, _, header, rule, *rows, _, legend = out.splitlines()

    assert title == "**wikipedia**"
    assert header.count("|") == 7
    assert re.fullmatch(r"\| -+ \|( -+: \|){5}", rule)
    assert [row.split("|")[1].strip() for row in rows] == [
        "PLS",
        "RidgeCCA",
        "MvDA",
        "chance",
    ]
    assert legend.startswith("Mean average precision")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_one_command_draws_the_curves_and_the_embedding(run, tmp_path, kind):
    code, out, _ = run(*TASK, *FAST, "--figure", f"result.{kind}")
    curves, embedding = (
        (tmp_path / name).read_bytes()
        for name in (f"result.{kind}", f"result-embedding.{kind}")
    )

    assert code == 0
    assert "RidgeCCA" in out
    assert not plt.get_fignums()
    if kind == "svg":
        for text in (b"image \xe2\x86\x92 text, mAP below", b"MvDA", b"chance"):
            assert text in curves
        for text in (b"before: the views as they are", b"common space of RidgeCCA"):
            assert text in embedding
        assert any(name in embedding for name in (b"ant", b"bee", b"cat", b"dog"))


def test_own_files_are_compared_as_arrays_are(run):
    code, out, _ = run(*OWN, *LABELS, *FAST, "--json", "-")
    report = json.loads(out)
    text = pd.read_parquet("text.parquet")
    table = skda.compare_retrieval(
        {"image": pd.read_csv("image.csv"), "text": text.drop(columns="kind")},
        text["kind"],
        methods=["PLS", "RidgeCCA", "MvDA"],
        n_splits=2,
    )

    assert code == 0
    assert [r["mAP"] for r in report["records"]] == pytest.approx(list(table["mAP"]))
    assert report["task"] == "image.csv, text.parquet"
    assert report["files"] == {
        "image": "image.csv",
        "text": "text.parquet",
        "labels": "text.parquet",
    }
    assert report["test"] == "a quarter of every category"


def test_more_than_two_views_are_compared_to_mcca(run):
    third = ["--view", "deep=image.csv"]
    code, out, _ = run(*OWN, *third, *LABELS, "--splits", "1", "--quick")

    assert code == 0
    assert "- MCCA, new" in out
    assert "RidgeCCA" not in out


MISTAKES = [
    (["--task", "wikipedia:image"], "two or more of its views, .* got 'wiki"),
    (["--task", "mfeat:fou-kar"], "mfeat_digits.npz"),
    ([*TASK, "--methods", "PLS,Wonder"], "methods among .*DMTL.*, got 'Wonder'"),
    ([*TASK, "--methods", "GeoST"], "methods among .*, got 'GeoST'"),
    ([*TASK, "--splits", "0"], "n_splits to be at least 1"),
    ([*TASK, "--labels-per-class", "3"], "no --labels-per-class for paired data"),
    ([*TASK, "--target-classes", "3"], "no --target-classes for paired data"),
    ([*TASK, "--figure", "a.gif"], r"--figure to end in \.png, \.pdf, \.svg"),
    (OWN, "both --view and --labels, .* got one of them"),
    (LABELS, "both --view and --labels, .* got one of them"),
    ([*OWN, *LABELS, *TASK], "no other data beside --view, got --task: leave"),
    ([*OWN, *LABELS, "--data-home", "."], "beside --view, got --data-home"),
    ([*OWN, *LABELS, "--target", "image.csv"], "beside --view, got --target"),
    ([*OWN, *LABELS, "--source-label", "x"], "beside --view, got --source-label"),
    ([*OWN[:2], *LABELS], "files of two views or more, got"),
    (["--view", "image.csv", *LABELS], "--view NAME=FILE .* got 'image.csv'"),
    ([*OWN[:2], *OWN[:2], *LABELS], "with a name of its own, .* 'image=image.csv'"),
    ([*OWN, "--view", "x=short.npy", *LABELS], "as many rows in each, got"),
    ([*OWN, *LABELS[:2]], "Expected one column in text.parquet, got 6"),
    ([*OWN, "--labels", "none.csv"], "the file none.csv, got none"),
]


def test_mistakes_end_in_one_line_and_code_2(run):
    for argv, message in MISTAKES:
        code, out, err = run(*argv)

        assert code == 2, argv
        assert out == "", argv
        assert err.startswith("skda compare: error: "), argv
        assert err.count("\n") == 1, argv
        assert re.search(message, err), argv


@pytest.mark.skipif(
    not DATA_HOME or not Path(DATA_HOME, "wikipedia.npz").is_file(),
    reason="needs wikipedia.npz in the folder SKDA_DATA",
)
def test_the_table_of_wikipedia_stands_above_chance(capsys):
    options = ["--data-home", str(DATA_HOME), "--splits", "1", "--json", "-"]
    assert cli.main(["compare", *TASK, *options, "--methods", "ClusterRetrieval"]) == 0
    records = json.loads(capsys.readouterr().out)["records"]

    assert records[1]["setting"] == "source + new"
    assert records[1]["mAP"] > 1.5 * records[-1]["mAP"]
