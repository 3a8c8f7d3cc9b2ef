"""A method in a package of its own: installed, checked and compared from outside."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PACKAGE = HERE / "outside_package"
PAGE = HERE.parent / "docs" / "adding_a_method.rst"
INSTALL = "-m pip install --quiet --no-deps --no-build-isolation --no-index --target"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the package into a folder of its own, from a copy of its files."""
    if not (find_spec("pip") and find_spec("setuptools")):
        pytest.skip("needs pip and setuptools")
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(PACKAGE, folder / "files")
    command = [sys.executable, *INSTALL.split(), folder / "site", folder / "files"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "site"


def test_an_installed_method_passes_the_checks_and_stands_in_the_table(
    installed, tmp_path
):
    pytest.importorskip("pandas")
    script = shutil.copy(PACKAGE / "check.py", tmp_path)
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    output = subprocess.check_output(
        [sys.executable, "-W", "ignore", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        text=True,
    )
    header, *rows = [line.split() for line in output.splitlines()]

    assert header[:4] == ["method", "source", "pairs", "accuracy"]
    assert [row[1:3] for row in rows] == [
        ["CentroidMatching", "real"],
        ["CentroidMatching", "none"],
    ]
    assert float(rows[0][4]) > float(rows[1][4]) + 0.05


def test_the_method_takes_at_most_sixty_lines():
    lines = (PACKAGE / "centroid_matching.py").read_text().splitlines()

    assert len(lines) <= 60


def test_the_documentation_shows_the_files_themselves():
    page = PAGE.read_text()
    names = [path.name for path in PACKAGE.glob("*.*")]
    shown = [f".. literalinclude:: ../tests/outside_package/{n}" in page for n in names]

    assert len(shown) == 3
    assert all(shown)
