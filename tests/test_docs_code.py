"""Every block of code in the documentation is run somewhere."""

import ast
import re
import shlex
import textwrap
from itertools import takewhile
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from skda import cli
from skda.cli._parser import build_parser

mpl.use("Agg")

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {
    str(page.relative_to(DOCS)): page.read_text()
    for folder in (".", "user_guide", "api")
    for page in sorted((DOCS / folder).glob("*.rst"))
}

#: First lines of the blocks of Python that nothing runs, each with the reason.
NOT_RUN = {
    "# train.py, started by: accelerate launch --num_processes 4 train.py": (
        "needs several processes; tests/integration has it"
    ),
    'client = dask.distributed.Client("tcp://scheduler:8786")': (
        "needs a cluster; tests/integration has it"
    ),
    'ray.init("auto")': "needs a cluster; tests/integration has it",
    "from my_package import MyMethod, make_extractor": "a package of the reader's",
    "mlflow.sklearn.autolog()": "MLflow is no requirement; tests/integration has it",
}


def _blocks(text, opening):
    """Find the indented blocks below lines that match."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if re.search(opening, line):
            block = takewhile(_is_below(line), lines[i + 1 :])
            yield textwrap.dedent("\n".join(block)).strip()


def _is_below(opening):
    """Make the check that a line is farther in than the one that opens a block."""
    indent = " " * (len(opening) - len(opening.lstrip()) + 1)
    return lambda line: not line or line.startswith(indent)


def _is_python(block):
    try:
        return bool(ast.parse(block).body)
    except SyntaxError:
        return False


def test_no_page_has_python_that_nothing_runs():
    literal = r"^ *(?!\.\.)\S.*::$"
    found = {
        (name, block.splitlines()[0])
        for name, text in PAGES.items()
        for block in [
            *_blocks(text, r"\.\. code-block:: (?:python|pycon)"),
            *filter(_is_python, _blocks(text, literal)),
        ]
    }

    assert {line for _, line in found} == set(NOT_RUN), (
        "make these a `.. doctest::`, which the build runs, or add a reason above"
    )


COMMANDS = sorted(
    {
        line.partition("  #")[0].strip()
        for text in PAGES.values()
        for block in _blocks(text, r"\.\. code-block:: sh")
        for line in block.splitlines()
        if line.startswith("skda ")
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documentation_has_options_that_exist(command):
    _, *argv = shlex.split(command)

    arguments = build_parser().parse_args(argv)

    assert arguments.command in ("compare", "cite")


def _save(name, n_features, n_rows):
    """Write a table with a column of labels, as ``kind``."""
    rng = np.random.default_rng(0)
    kind = np.arange(n_rows) % 2
    X = rng.normal(size=(2, n_features))[kind] * 3 + rng.normal(
        size=(n_rows, n_features)
    )
    frame = pd.DataFrame(X).add_prefix(f"x{n_features}_")
    if not name.startswith("paired"):
        frame["kind"] = kind
    write = frame.to_parquet if name.endswith(".parquet") else frame.to_csv
    write(name, index=False)


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if "compare" in c and "--data-home" not in c],
)
def test_a_command_of_the_documentation_runs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for n_features, names in {
        4: ("a.csv", "photos.csv", "paired_photos.csv"),
        3: ("b.csv", "sketches.parquet", "texts.csv", "paired_texts.csv"),
    }.items():
        for name in names:
            _save(name, n_features, 40)
    _, *argv = shlex.split(command)

    methods = "GeoST,PairedRidgeTransfer" if "--pairs" in argv else "GeoST"
    code = cli.main([*argv, "--quick", "--jobs", "1", "--methods", methods])

    assert code == 0
    assert "GeoST" in capsys.readouterr().out
