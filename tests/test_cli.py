"""Tests of the command line."""

import json
import re
import subprocess
import sys

import pytest
import torch

import skda
from skda import _compare, cli
from skda.datasets import make_heterogeneous_domains

HELP_LOADS = """
import sys
from skda.cli import main
try:
    main(["compare", "--help"])
except SystemExit:
    heavy = {"numpy", "torch", "sklearn", "skorch", "pandas"} & set(sys.modules)
    sys.exit(f"loaded {heavy}" if heavy else 0)
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line on small domains; gives exit code, output and errors."""
    domains = make_heterogeneous_domains(
        60, 90, n_classes=3, n_labeled_per_class=30, random_state=0
    )

    def load_task(name, data_home):
        return domains if name == "small" else skda.datasets.load_task(name, data_home)

    monkeypatch.setattr(_compare, "load_task", load_task)
    monkeypatch.delenv("SKDA_DATA", raising=False)

    def run(*argv, task="small"):
        try:
            code = cli.main(["compare", "--task", task, *argv])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


def test_the_table_names_methods_controls_and_what_the_numbers_are(run):
    code, out, err = run("--quick", "--splits", "2")
    title, _, header, rule, *rows = out.partition("\n\nTransductive")[0].splitlines()

    assert code == 0
    assert title == "task small"
    assert header.split() == ["method", "accuracy", "in", "%", "splits", "seconds"]
    assert [row[: rule.index("  ")].rstrip() for row in rows] == [
        "SVMt",
        "TargetNet",
        "LabelSpreading",
        "STN",
        "STN, no source",
        "SSAN",
        "SSAN, no source",
        "GeoST",
        "GeoST, no source",
    ]
    assert {len(row) for row in rows} == {len(header), len(rule)}
    assert all(" +- " in row for row in rows)
    assert "Transductive accuracy on the unlabeled target rows, last iterate" in out
    assert '"no source": the same method' in out
    assert "this is no result" in out
    assert "SSAN" in err  # the progress


def test_one_split_has_no_deviation(run):
    _, out, _ = run("--splits", "1", "--methods", "SVMt")

    assert "+-" not in out
    assert "no source" not in out


def test_methods_are_chosen_in_any_case_and_order(run):
    code, out, _ = run("--quick", "--methods", "stn, SVMT")

    assert code == 0
    assert out.index("STN") < out.index("SVMt")
    assert "SSAN" not in out


def test_json_says_what_the_table_says_and_how_to_repeat_it(run, tmp_path):
    file = tmp_path / "result.json"
    options = ["--methods", "SVMt,STN", "--quick", "--seed", "3"]
    code, out, _ = run(*options, "--labels-per-class", "2", "--json", str(file))
    report = json.loads(file.read_text())
    records = report["records"]

    assert code == 0
    assert "SVMt" in out
    assert [r["source"] for r in records] == ["unused", "real", "none"]
    assert records[0]["std"] is None  # of one split
    assert f"{100 * records[0]['accuracy']:.1f}" in out
    assert report["task"] == "small"
    assert report["seed"] == 3
    assert report["n_splits"] == 1
    assert report["n_per_class"] == 2
    assert report["torch_threads"] == torch.get_num_threads() == 1
    assert report["versions"]["torch"] == torch.__version__
    assert report["versions"]["skda"] == skda.__version__


def test_json_on_standard_output_stands_alone(run):
    _, out, _ = run("--methods", "SVMt", "--splits", "2", "--json", "-")
    (record,) = json.loads(out)["records"]

    assert len(record["accuracies"]) == record["n_splits"] == 2


def test_the_seed_makes_the_run(run):
    first, again, other = (
        json.loads(run("--methods", "SVMt", "--seed", seed, "--json", "-")[1])
        for seed in ("0", "0", "1")
    )

    assert first["records"][0]["accuracies"] == again["records"][0]["accuracies"]
    assert first["records"][0]["accuracies"] != other["records"][0]["accuracies"]


def test_the_embedded_digits_are_the_default(capsys):
    assert cli.main(["compare", "--methods", "SVMt", "--splits", "1"]) == 0
    assert capsys.readouterr().out.startswith("task digits\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--task", "moons"], "Expected digits, .* got 'moons'"),
        (["--task", "amazon_surf:webcam_decaf6"], "SKDA_DATA"),
        (["--methods", "STN,Wonder"], "--methods among .*SSAN.*, got 'Wonder'"),
        (["--splits", "0"], "n_splits to be at least 1"),
        (["--labels-per-class", "1000"], "at least 1000 labeled rows"),
        (["--threads", "0"], "--threads to be at least 1, got 0"),
        (["--json", "nowhere/result.json"], "--json to be - or a file in a folder"),
        (["--json", "."], "--json to be - or a file in a folder"),
    ],
)
def test_mistakes_end_in_one_line_and_code_2(run, argv, message):
    code, out, err = run(*argv)

    assert code == 2
    assert out == ""
    assert err.startswith("skda compare: error: ")
    assert err.count("\n") == 1
    assert re.search(message, err)


def test_missing_pandas_is_a_mistake_too(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    code, _, err = run("--methods", "SVMt")

    assert code == 2
    assert "pip install 'skda[compare]'" in err


def test_an_interrupt_ends_quietly(run, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(_compare, "compare", interrupt)

    assert run() == (130, "", "")


@pytest.mark.parametrize("argv", [[], ["destroy"], ["compare", "--splits", "few"]])
def test_bad_usage_ends_with_code_2(argv, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(argv)

    assert "usage: skda" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    subprocess.run([sys.executable, "-c", HELP_LOADS], check=True, capture_output=True)


def test_the_module_runs_and_knows_its_version():
    command = [sys.executable, "-m", "skda", "--version"]

    assert subprocess.check_output(command, text=True).strip() == (
        f"skda {skda.__version__}"
    )
