"""Tests of runs that are killed or interrupted, and of files that cannot be written."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skda import cli
from skda.cli import _adaptation as command

SCRIPT = Path(__file__).with_name("ended_runs.py")
N_FITS = 20  # STN and GeoST with and without a source, and SVMt, on four splits


def _write_domains(folder):
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    for name, width in (("a.csv", 4), ("b.csv", 5)):
        X = rng.normal(size=(3, width))[y] * 2 + rng.normal(size=(90, width))
        frame = pd.DataFrame(X).add_prefix("x").assign(kind=y)
        frame.to_csv(folder / name, index=False)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """What was left of runs that were ended, and the folder of their files."""
    folder = tmp_path_factory.mktemp("ended")
    _write_domains(folder)
    done = subprocess.run(
        [sys.executable, SCRIPT, folder],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return json.loads(done.stdout), folder


def _records(file):
    records = json.loads(file.read_text())["records"]
    return [{k: v for k, v in r.items() if k != "seconds"} for r in records]


def test_a_killed_run_loses_no_finished_fit(ended):
    found, folder = ended
    codes, counts = found["killed"].values()
    n_finished = [n for n, *_ in counts[:-1]]

    assert codes == [-9] * 5 + [0]
    assert n_finished == sorted(n_finished)
    assert 0 < n_finished[-1] <= N_FITS
    assert all(n == n_different for n, n_different, _ in counts)
    assert not any(is_written for *_, is_written in counts[:-1])
    assert _records(folder / "killed.json") == _records(folder / "whole.json")


def test_the_journal_goes_when_all_is_written(ended):
    _, folder = ended

    assert (folder / "whole.json").exists()
    assert not (folder / "whole.json.journal").exists()
    assert not (folder / "killed.json.journal").exists()
    assert not list(folder.glob(".*"))


def test_an_interrupted_run_writes_no_result(ended):
    run = ended[0]["interrupted"]

    assert run["code"] == 130
    assert run["files"] == ["interrupted.json.journal"]
    assert 2 <= run["n_lines"] < N_FITS
    assert "accuracy" not in run["output"]
    assert "Traceback" not in run["output"]


def test_on_a_full_disk_the_table_is_printed(ended):
    run = ended[0]["full"]

    assert run["code"] == 2
    assert run["files"] == ["full.json.journal"]
    assert 0 < run["n_lines"] < N_FITS
    assert "GeoST, no source" in run["output"]
    assert "warning: Not all finished fits could be kept: " in run["output"]
    assert "full.json could not be written (File too large): the" in run["output"]


def test_what_cannot_be_written_is_told_before_the_fits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _write_domains(tmp_path)
    data = ["--source", "a.csv", "--target", "b.csv", "--label", "kind"]
    for option, name in (
        ("--json", "a.csv/result.json"),
        ("--markdown", "a.csv/result.md"),
        ("--json", "/proc/result.json"),
        ("--figure", "/proc/result.png"),
    ):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["compare", *data, option, name])
        out, err = capsys.readouterr()

        assert out == ""
        assert err.startswith(f"skda compare: error: Expected {option} to be ")
        assert err.count("\n") == 1
    assert sorted(p.name for p in Path().iterdir()) == ["a.csv", "b.csv"]


def test_a_file_that_is_gone_at_the_end_costs_nothing_but_itself(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    _write_domains(tmp_path)
    (tmp_path / "out").mkdir()

    def remove(*args, **kwargs):
        table = compare(*args, **kwargs)
        shutil.rmtree(tmp_path / "out")
        return table

    compare = command.compare
    monkeypatch.setattr(command, "compare", remove)
    data = ["--target", "b.csv", "--label", "kind", "--methods", "SVMt"]
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", *data, "--markdown", "m.md", "--json", "out/j.json"])
    out, err = capsys.readouterr()

    assert "SVMt" in out
    assert Path("m.md").read_text().startswith("**b.csv**")
    assert "out/j.json could not be written (No such file or directory)" in err
