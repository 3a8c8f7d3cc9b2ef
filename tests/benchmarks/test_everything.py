"""Tests of the page of all results: its data, and its script."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import everything

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "_static" / "all_results.js"
CIRCUMSTANCES = {"commit": "abc", "time": "2026-01-02T03:04:05"}


@pytest.fixture
def folder(tmp_path):
    """Results of a script, of cells, of a speed and of a board."""
    files = {
        "partial": [
            {"group": "g", "task": "a:b", "method": "<M>", "values": [0.1]},
            {"group": "g", "task": "a:b", "method": "<M>", "values": [0.25, 0.75]},
        ],
        "ssan": [{"cell": {"task": "t", "method": "M", "params": {"beta": 2}}}],
        "speed_engine": [{"name": "small", "ratio": 1.5}],
    }
    files["ssan"][0]["values"] = [0.5, float("nan")]
    for name, lines in files.items():
        metric = {} if "speed" in name else {"metric": "accuracy, last iterate"}
        texts = (json.dumps(line | metric | CIRCUMSTANCES) for line in lines)
        (tmp_path / f"{name}.jsonl").write_text("\n".join(texts))
    run = {"fit": "run-1", **CIRCUMSTANCES}
    fit = {"fit": "f", "run": "run-1", "task": "few/amazon_squeezenet/1"}
    fit |= {"method": "M", "score": 0.5, "seconds": 1.0}
    lines = [run, fit, fit | {"fit": "g", "method": "N", "score": None}]
    (tmp_path / "boards_few.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def _rows(gathered):
    for row in gathered["rows"]:
        fields = dict(zip(gathered["columns"], row, strict=True))
        yield {
            column: gathered["names"][column][value]
            if column in gathered["names"]
            else value
            for column, value in fields.items()
        }


def test_of_every_combination_the_latest_line_is_a_row(folder):
    rows = {row["family"]: row for row in _rows(everything.gather(folder))}

    assert len(rows) == 4
    assert rows["partial"]["score"] == 0.5
    assert rows["partial"]["n"] == 2
    assert rows["ssan"]["setting"] == "beta = 2"
    assert rows["ssan"]["n"] == 1  # what is no number does not count
    assert rows["speed: engine"]["metric"] == "ratio of times"
    assert rows["boards: few"]["setting"] in ("choosing", "confirming")
    assert {(row["commit"], row["date"]) for row in rows.values()} == {
        ("abc", "2026-01-02")
    }


def test_every_row_has_a_command_of_a_script_that_is_there(folder):
    del folder
    commands = everything.gather()["names"]["command"]
    modules = {re.search(r"-m benchmarks\.([\w.]+)", text)[1] for text in commands}

    assert len(modules) > 20
    for module in modules:
        path = everything.HERE / (module.replace(".", "/") + ".py")
        assert path.exists(), module
        text = path.read_text()
        helpers = ("_cells", "_homogeneous")
        text += "".join((everything.HERE / f"{n}.py").read_text() for n in helpers)
        for command in commands:
            if f"benchmarks.{module} " in command:
                for option in re.findall(r"--[a-z]+", command):
                    assert f'"{option}"' in text, command


def test_the_page_reads_what_is_written(folder, tmp_path):
    everything.write(tmp_path / "static" / "results.js", folder)
    text = (tmp_path / "static" / "results.js").read_text()
    page = (DOCS / "benchmarks" / "all_results.html").read_text()
    script = SCRIPT.read_text()

    assert text.startswith(f"{everything.PREFIX}{{")
    assert json.loads(text.removeprefix(everything.PREFIX).rstrip().rstrip(";"))
    assert everything.PREFIX.split()[0] in script
    assert set(re.findall(r'find\("(\w+)"\)', script)) <= set(
        re.findall(r'data-part="(\w+)"', page)
    )
    shown = re.search(r"const SHOWN = (\[.*?\]);", script)[1]
    assert set(json.loads(shown)) <= set(everything.COLUMNS)
    assert "innerHTML" not in script
    assert "http" not in page


def test_the_script_finds_sorts_and_writes(folder):
    """Node runs the script where there is one; the test above reads it anyway."""
    node = shutil.which("node")
    if node is None:
        return
    program = f"""
    const page = require({json.dumps(str(SCRIPT))});
    const data = {json.dumps(everything.gather(folder))};
    const rows = page.decodeResults(data);
    const sorted = (up) => page.sortResults(rows, "seconds", up);
    console.log(JSON.stringify({{
      command: page.filterResults(rows, "PARTIAL a:b", "")[0].command,
      none: page.filterResults(rows, "nothing", "").length,
      family: page.filterResults(rows, "", "ssan").length,
      first: [sorted(true)[0].seconds, sorted(false)[0].seconds],
      cells: rows.map((row) => page.cellText(row, "score")),
    }}));
    """
    done = subprocess.run([node, "-e", program], capture_output=True, check=True)
    found = json.loads(done.stdout)

    assert found["command"] == (
        "python -m benchmarks.partial --groups g --tasks 'a:b' --methods '<M>' --again"
    )
    assert found["none"] == 0
    assert found["family"] == 1
    assert found["first"] == [1, 1]  # what has none comes last either way
    assert sorted(found["cells"]) == ["1.50", "50.0", "50.0", "50.0 ± 35.4"]
