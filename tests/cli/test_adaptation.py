"""Tests of the command line."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import ClassVar

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin

import skda
from skda import cli
from skda.cli import _adaptation as command
from skda.cli._options import QUICK_EPOCHS
from skda.comparison import _adaptation, _lineups
from skda.comparison._lineups import default_estimators
from skda.datasets import make_heterogeneous_domains
from skda.utils.labels import check_labels

mpl.use("Agg")

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

    def load_task(name, data_home, n_pairs):
        if name == "small":
            return domains
        return skda.datasets.load_task(name, data_home, n_pairs=n_pairs)

    monkeypatch.setattr(_adaptation, "load_task", load_task)
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
        "plain classifier",
        "AutoAdapter",
        "AutoAdapter, no source",
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


MISTAKES = [
    (["--task", "moons"], "Expected digits, .*reviews_books:.*, got 'moons'"),
    (["--task", "mnist:coil1"], "with the same classes, got 'mnist' and 'coil1'"),
    (["--task", "mnist:usps", "--pairs", "9"], "same objects, .* n_pairs=9 with 'mn"),
    (["--task", "amazon_surf:webcam_decaf6"], "SKDA_DATA"),
    (["--methods", "STN,Wonder"], "methods among .*SSAN.*, got 'Wonder'"),
    (["--splits", "0"], "n_splits to be at least 1"),
    (["--labels-per-class", "1000"], "at least 1000 labeled rows"),
    (
        ["--labels-per-class", "0", "--methods", "SVMt,STN"],
        "learn from a source where no target label is left, got SVMt: leave",
    ),
    (["--target-classes", "3"], "target_classes below the 3 classes .* got 3"),
    (["--target-classes", "2"], "20 in the source and 30 in the target, got plain cl"),
    (["--threads", "0"], "--threads to be at least 1, got 0"),
    (["--json", "nowhere/result.json"], "--json to be - or a file in a folder"),
    (["--json", "."], "--json to be - or a file in a folder"),
    (["--markdown", "nowhere/a.md"], "--markdown to be - or a file in a folder"),
    (["--json", "-", "--markdown", "-"], "--markdown to differ, got '-' for both"),
    (["--figure", "nowhere/a.png"], "--figure to be a file in a folder"),
    (["--figure", "-"], r"--figure to end in \.png, \.pdf, \.svg, got '-'"),
    (["--figure", "a.gif"], r"--figure to end in \.png, \.pdf, \.svg, got 'a.gif'"),
    (["--jobs", "0"], "--jobs to be 1 or more, or -1 for all, got 0"),
    (["--jobs", "2", "--threads", "2"], "got --threads 2 and --jobs 2: leave one"),
]


def test_mistakes_end_in_one_line_and_code_2(run):
    for argv, message in MISTAKES:
        code, out, err = run(*argv)

        assert code == 2, argv
        assert out == "", argv
        assert err.startswith("skda compare: error: "), argv
        assert err.count("\n") == 1, argv
        assert re.search(message, err), argv


def test_no_labels_and_few_classes_have_line_ups_of_their_own(own_alike, capsys):
    plain = _main(capsys, *own_alike, "--labels-per-class", "0", "--quick")
    partial = _main(
        capsys, *own_alike, "--target-classes", "2", "--quick", "--json", "p.json"
    )
    report = json.loads(Path("p.json").read_text())

    assert plain[0] == partial[0] == 0
    assert "no source" not in plain[1] + partial[1]
    assert "SPL" in plain[1]
    assert "last iterate, no label of the target." in " ".join(plain[1].split())
    assert "SourceOnly(LogisticRegression): SourceOnly(estimator=Log" in plain[1]
    assert "PruneClasses" in partial[1]
    assert "of which 2 classes are kept." in " ".join(partial[1].split())
    assert report["target_classes"] == 2
    assert report["n_per_class"] == 0
    assert {r["source"] for r in report["records"]} == {"real"}


def test_tasks_of_domains_with_the_same_features(tmp_path, capsys):
    data = make_heterogeneous_domains(60, 60, n_classes=3, random_state=0)
    X, y = data.source
    for side in ("books", "dvd"):
        np.savez(tmp_path / f"amazon_review400_{side}.npz", X=X, y=y)
    few = ["--methods", "SPL", "--splits", "1", "--target-classes", "2"]
    argv = ["--task", "reviews_books:reviews_dvd", "--data-home", str(tmp_path)]
    code = cli.main(["compare", *argv, *few])
    out, _ = capsys.readouterr()

    assert code == 0
    assert out.startswith("task reviews_books:reviews_dvd\n")
    assert "of which 2 classes are kept" in " ".join(out.split())


def test_too_few_test_rows_are_said_in_one_line(run, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, _, err = run("--methods", "SVMt", "--labels-per-class", "27")

    assert code == 0
    assert "skda compare: warning: There are only 9 rows to judge by" in err


# Files of the user's own


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a source and a target, of unequal columns, where we are."""
    domains = make_heterogeneous_domains(
        60, 90, n_classes=3, n_labeled_per_class=30, random_state=0
    )
    names = np.array(["ant", "bee", "cat"], dtype=object)
    X_source, y_source = domains.source
    source = pd.DataFrame(X_source).add_prefix("s").assign(kind=names[y_source])
    target = pd.DataFrame(domains.X).add_prefix("t")
    target.insert(1, "class", names[domains.y_true])
    target.loc[::3, "class"] = None
    source.to_csv(tmp_path / "a.csv", index=False)
    target.to_parquet(tmp_path / "b.parquet")
    np.savez(tmp_path / "c.npz", X=X_source, y=y_source)
    np.savez(tmp_path / "d.npz", X=domains.X, y=domains.y_true)
    monkeypatch.chdir(tmp_path)
    return target


@pytest.fixture
def own_alike(tmp_path, monkeypatch):
    """Options that name a source and a target of the same columns."""
    y = np.arange(120) % 3
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, 5))[y] * 4 + rng.normal(size=(120, 5))
    for name, shift in (("a.csv", 0), ("b.csv", 1)):
        frame = pd.DataFrame(X + shift).add_prefix("x").assign(kind=y)
        frame.to_csv(tmp_path / name, index=False)
    monkeypatch.chdir(tmp_path)
    return ["--source", "a.csv", "--target", "b.csv", "--label", "kind"]


def _main(capsys, *argv):
    try:
        code = cli.main(["compare", *argv])
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


SOURCE = ["--source", "a.csv", "--source-label", "kind"]
TARGET = ["--target", "b.parquet", "--label", "class"]
FAST = ["--methods", "SVMt,GeoST", "--splits", "2"]


def test_own_files_are_compared_as_arrays_are(own, capsys):
    code, out, _ = _main(capsys, *SOURCE, *TARGET, *FAST, "--json", "-")
    report = json.loads(out)
    source = pd.read_csv("a.csv")
    table = skda.compare(
        {name: default_estimators()[name] for name in ("SVMt", "GeoST")},
        own.drop(columns="class"),
        own["class"],
        source=(source.drop(columns="kind"), source["kind"]),
        n_splits=2,
    )

    assert code == 0
    assert [r["accuracy"] for r in report["records"]] == table["accuracy"].tolist()
    assert [r["source"] for r in report["records"]] == ["unused", "real", "none"]
    assert report["task"] == "a.csv -> b.parquet"
    assert report["files"] == {"source": "a.csv", "target": "b.parquet"}


def test_a_target_alone_has_no_row_with_a_source(own, capsys):
    code, out, _ = _main(capsys, *TARGET, *FAST)

    assert code == 0
    assert out.startswith("task b.parquet\n")
    assert re.findall("^GeoST.*?(?=  )", out, re.MULTILINE) == ["GeoST, no source"]
    assert "what the source is worth" not in out


def test_one_name_of_the_labels_is_enough_and_archives_need_none(own, capsys):
    pd.read_csv("a.csv").rename(columns={"kind": "class"}).to_csv("e.csv", index=False)
    tables = _main(capsys, "--source", "e.csv", *TARGET, *FAST)
    archives = _main(capsys, "--source", "c.npz", "--target", "d.npz", *FAST)

    assert tables[0] == archives[0] == 0
    assert "\nGeoST, no source" in tables[1]
    assert "\nGeoST, no source" in archives[1]


FILE_MISTAKES = [
    (SOURCE, "--target with --source, got none: name the file of the target"),
    (["--label", "kind"], "--target with --label, got none"),
    (["--source-label", "kind"], "--target with --source-label, got none"),
    ([*TARGET, "--task", "digits"], "either a task or files, got --task or"),
    ([*TARGET, "--data-home", "."], "either a task or files, got --task or"),
    ([*TARGET, *SOURCE[2:]], "Expected --source with --source-label, got none"),
    (TARGET[:2], "--label, the column of the labels in b.parquet, got none"),
    (["--target", "d.npz", *SOURCE[:2]], "column of the labels in a.csv, got none"),
    ([*TARGET, *SOURCE[:2]], "a column 'class' in a.csv, got 's0', .*'kind': name"),
    (
        ["--target", "none.csv", "--label", "y"],
        "the file none.csv, got none: check",
    ),
    (["--target", "a.xls"], r"a file of type \.csv, .*, got 'a.xls'"),
    (
        [*TARGET, "--source", "c.npz", "--source-label", "y"],
        r"got \d and others in the source, '...' and",
    ),
]


def test_mistakes_about_files_end_in_one_line(own, capsys):
    for argv, message in FILE_MISTAKES:
        code, out, err = _main(capsys, *argv)

        assert code == 2, argv
        assert out == "", argv
        assert err.count("\n") == 1, argv
        assert re.search(message, err), argv


# Pairs


class Paired(ClassifierMixin, BaseEstimator):
    """Predicts the first label, and remembers what it was fitted with."""

    __metadata_request__fit: ClassVar = {"source": True, "pairs": True}
    fits: ClassVar[list] = []

    def __init__(self, max_epochs=100):
        self.max_epochs = max_epochs

    def fit(self, X, y=None, *, source=None, pairs=None):
        self.fits.append((self.max_epochs, source, pairs))
        self.classes_ = check_labels(y, X).values[:1]
        return self

    def predict(self, X):
        return np.repeat(self.classes_, len(X))


@pytest.fixture
def fits(monkeypatch):
    """All that `Paired`, the only method that takes pairs, was fitted with."""
    monkeypatch.setattr(_lineups, "paired_estimators", lambda: {"Paired": Paired()})
    Paired.fits.clear()
    return Paired.fits


@pytest.fixture
def own_pairs(own):
    """Files of pairs, with their columns in other orders, and labels in one of them."""
    source, target = pd.read_csv("a.csv"), own.drop(columns="class")
    target[:7][target.columns[::-1]].to_csv("tp.csv", index=False)
    source[:7].sample(frac=1, axis=1, random_state=0).to_csv("sp.csv", index=False)
    np.savez("sp.npz", X=source.drop(columns="kind")[:7])
    np.savez("tp.npz", X=target[:7], y=np.zeros(7))
    return source.drop(columns="kind")[:7], target[:7]


def test_a_number_of_pairs_is_set_apart_in_a_task(run, fits):
    options = ["--methods", "SVMt,paired", "--splits", "1", "--pairs", "20"]
    code, out, _ = run(*options, "--json", "-", task="digits")
    text = run(*options, task="digits")[1]
    (_, source, (side, target_side)), (_, *nothing) = fits[:2]

    report = json.loads(out)
    assert code == 0
    assert (side.shape, target_side.shape) == ((20, 64), (20, 48))
    assert len(source[0]) == 905
    assert nothing == [None, None]
    assert report["n_pairs"] == 20
    assert [r["pairs"] for r in report["records"]] == [False, True, False]
    assert text.endswith(
        "Fitted with 20 pairs beside the source, and without any where there is none:\n"
        "Paired.\n"
    )


def test_pairs_bring_their_methods_and_quick_is_quick(run, fits):
    _, out, _ = run("--quick", "--pairs", "20", "--json", "-", task="digits")
    report = json.loads(out)

    assert [r["method"] for r in report["records"][-2:]] == ["Paired"] * 2
    assert [r["source"] for r in report["records"][-2:]] == ["real", "none"]
    assert [fit[0] for fit in fits] == [QUICK_EPOCHS] * 2


def test_without_pairs_nothing_tells_of_them(run, fits):
    report = json.loads(run("--methods", "SVMt", "--splits", "1", "--json", "-")[1])
    text = run("--methods", "SVMt", "--splits", "1")[1]

    assert report["n_pairs"] is None
    assert "pairs" not in text


@pytest.mark.parametrize(
    ("domains", "files"),
    [
        ([*SOURCE, *TARGET], ["sp.csv", "tp.csv"]),
        ([*SOURCE, *TARGET], ["sp.npz", "tp.npz"]),
        (["--source", "c.npz", "--target", "d.npz"], ["sp.npz", "tp.npz"]),
    ],
)
def test_files_of_pairs_have_the_columns_of_the_domains(
    own_pairs, capsys, fits, domains, files
):
    options = ["--methods", "Paired", "--splits", "1", "--pairs", *files]
    code, out, _ = _main(capsys, *domains, *options, "--markdown", "-", "--json", "r")
    (_, _, sides), (_, *nothing) = fits

    report = json.loads(Path("r").read_text("utf-8"))
    assert code == 0
    for side, expected in zip(sides, own_pairs, strict=True):
        assert_array_equal(side, expected)
    assert nothing == [None, None]
    assert report["n_pairs"] == 7
    assert report["files"]["source_pairs"] == files[0]
    assert report["files"]["target_pairs"] == files[1]
    assert "Fitted with 7 pairs beside the source, and without any where" in out


NUMBER = "Expected --pairs N with a task, how many samples to set apart, got"
FILES = "Expected --pairs SOURCE_FILE TARGET_FILE with files of your own, .* got"


PAIR_MISTAKES = [
    (["--pairs", "0"], f"{NUMBER} '0'"),
    (["--pairs", "many"], f"{NUMBER} 'many'"),
    (["--pairs", "sp.csv", "tp.csv"], f"{NUMBER} 'sp.csv tp.csv': pass one number"),
    (["--pairs", "1790"], "every class in both domains, got 1790"),
    (["--task", "office_caltech", "--pairs", "9"], "see the same objects, such as"),
    (["--task", "wikipedia", "--pairs", "9"], "no --pairs to compare retrieval"),
    (["--methods", "Paired"], "Expected --pairs with Paired, got none: say how"),
    (["--methods", "SVMt", "--pairs", "9"], "whose fit takes pairs, got none"),
    ([*SOURCE, *TARGET, "--pairs", "300"], f"{FILES} '300': name two files"),
    ([*SOURCE, *TARGET, "--pairs", "a", "b", "c"], f"{FILES} 'a b c'"),
    ([*TARGET, "--pairs", "sp.csv", "tp.csv"], "--source with --pairs, got none"),
    (
        [*SOURCE, *TARGET, "--pairs", "tp.csv", "sp.csv"],
        "features of a.csv in tp.csv, got a table that lacks 's0', .* has 't29'",
    ),
    (
        [*SOURCE, *TARGET, "--pairs", "sp.csv", "b.parquet"],
        "as many rows in both files of pairs, got 7 in sp.csv and 90 in b.parquet",
    ),
    (
        [*SOURCE, *TARGET, "--pairs", "tp.npz", "sp.npz"],
        "the 20 features of a.csv in tp.npz, got 30: write the same ones",
    ),
    (
        [*SOURCE, *TARGET, "--pairs", "sp.csv", "none.csv"],
        "the file none.csv, got none: check its name",
    ),
]


def test_mistakes_about_pairs_end_in_one_line(own_pairs, capsys, fits):
    for argv, message in PAIR_MISTAKES:
        code, out, err = _main(capsys, *argv)

        assert code == 2, argv
        assert out == "", argv
        assert err.count("\n") == 1, argv
        assert re.search(message, err), argv
        assert not fits, argv


# Other outputs


def test_markdown_is_a_table_with_its_legend(run, tmp_path):
    file = tmp_path / "result.md"
    options = ["--methods", "SVMt,GeoST", "--splits", "2"]
    _, out, _ = run(*options, "--markdown", "-")
    run(*options, "--markdown", str(file))
    title, _, header, rule, *rows, _, legend = out.splitlines()

    assert title == "**small**"
    assert [c.strip() for c in header.split("|")[1:3]] == ["method", "accuracy in %"]
    assert re.fullmatch(r"\| -+ \|( -+: \|){3}", rule)
    assert [row.split("|")[1].strip() for row in rows] == [
        "SVMt",
        "GeoST",
        "GeoST, no source",
    ]
    assert all(re.search(r"\| +\d+\.\d ± +\d+\.\d \|", row) for row in rows)
    assert legend.startswith("Transductive accuracy")
    assert file.read_text("utf-8").splitlines()[:3] == out.splitlines()[:3]


def test_a_page_comes_beside_the_table_and_names_its_command(run, tmp_path):
    page = tmp_path / "page & more.html"
    page.write_text("old")
    code, out, _ = run("--methods", "SVMt", "--splits", "1", "--report", str(page))
    text = page.read_text()

    assert code == 0
    assert "SVMt" in out
    assert text.startswith("<!DOCTYPE html>")
    assert "--methods SVMt --splits 1" in text
    assert "page &amp; more.html" in text
    assert list(tmp_path.iterdir()) == [page]  # no journal and no part of it


def test_a_page_that_cannot_be_written_is_refused_before_any_fit(run, tmp_path):
    mistakes = {
        (str(tmp_path / "none" / "p.html"),): "a file in a folder that exists",
        (str(tmp_path / "p.txt"),): "--report to end in .html, .htm",
        ("-",): "--report to end in .html, .htm",
        ("p.html", "--json", "p.html"): "--json and --report to differ",
    }
    for argv, message in mistakes.items():
        code, out, err = run("--methods", "SVMt", "--report", *argv)

        assert code == 2
        assert not out
        assert message in err


@pytest.mark.parametrize(
    ("name", "start"), [("f.png", b"\x89PNG"), ("f.PDF", b"%PDF"), ("f.svg", b"<?xml")]
)
def test_a_figure_comes_beside_the_table(run, tmp_path, name, start):
    code, out, _ = run("--methods", "SVMt", "--figure", str(tmp_path / name))

    assert code == 0
    assert "SVMt" in out
    assert (tmp_path / name).read_bytes().startswith(start)
    assert not plt.get_fignums()


@pytest.mark.slow
def test_jobs_change_nothing(run):
    options = ["--methods", "SVMt,GeoST", "--splits", "2", "--json", "-"]
    one, two = (json.loads(run(*options, "--jobs", n)[1])["records"] for n in "12")

    for records in (one, two):
        for record in records:
            record.pop("seconds")
    assert two == one


def test_missing_matplotlib_is_told_before_the_fits(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run("--figure", str(tmp_path / "f.png"))

    assert code == 2
    assert err.startswith("skda compare: error: --figure draws with matplotlib")


def test_missing_pandas_is_a_mistake_too(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    code, _, err = run("--methods", "SVMt")

    assert code == 2
    assert "pip install 'skda[compare]'" in err


def test_an_interrupt_ends_quietly(run, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "compare", interrupt)

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


def test_what_takes_pairs_but_needs_none_may_be_named_without(run):
    options = ["--methods", "SVMt,AutoAdapter", "--splits", "1", "--json", "-"]
    code, out, _ = run(*options, task="digits")

    named = {r["method"] for r in json.loads(out)["records"]}
    assert code == 0
    assert named == {"SVMt", "AutoAdapter"}
