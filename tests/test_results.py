"""The figures in README and documentation are those of the results files."""

import json
from pathlib import Path

import pytest

from benchmarks import report

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"


def test_every_generated_table_is_up_to_date():
    stale = [
        str(path.relative_to(ROOT))
        for path, text in report.render().items()
        if not path.exists() or path.read_text() != text
    ]

    assert not stale, "run python -m benchmarks.report"


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.jsonl")))
def test_every_line_says_what_its_figure_depends_on(path):
    wanted = {"device", "threads", "versions", "commit", "dirty", "time"}
    records = list(map(json.loads, path.read_text().splitlines()))
    if path.stem.startswith("boards_"):  # whose lines name those of run and parameters
        there = {record["fit"] for record in records}
        for record in records:
            if "task" in record:
                assert {record["run"], record.get("params", record["run"])} <= there
        records = [record for record in records if record["fit"].startswith("run-")]
    for record in records:
        assert wanted <= record.keys()


def test_only_the_latest_run_counts():
    runs = [{"task": "t", "value": 1}, {"task": "u", "value": 2}]

    found = report.latest([*runs, {"task": "t", "value": 3}], "task")

    assert [record["value"] for record in found.values()] == [3, 2]


def test_figures_are_means_deviations_and_paired_differences():
    assert report.percent([0.5, 0.7]) == "60.0 ± 14.1 (2)"
    assert report.difference([0.5, 0.7, 0.9], [0.4, 0.5]) == "+15.0 (5.0)"


def test_a_table_stands_between_its_markers():
    text = "above\n<!-- table: t -->\nold\n<!-- end -->\nbelow"

    assert report.filled(text, "t", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="Expected the markers <!-- table: u -->"):
        report.filled(text, "u", "new\n")
