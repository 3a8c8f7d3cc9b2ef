"""What an installation promises: a quick import, few requirements, one version."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

import skda

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {"LICENSE", "README.md", "benchmarks", "docs", "setup.py", "skda", "tests"}

LIST_HEAVY_IMPORTS = """
import sys, skda
print(*sorted({"torch", "sklearn", "skorch", "scipy", "pandas"} & set(sys.modules)))
"""

FIT_WITHOUT_EXTRAS = """
import sys
from importlib.machinery import PathFinder

EXTRAS = {"matplotlib", "ot", "pandas", "polars", "pyarrow"}

class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in EXTRAS
        return None if absent else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutExtras

from sklearn.datasets import make_blobs
from skda.heterogeneous import STN

X, y = make_blobs(30, n_features=3, random_state=0)
X_source, y_source = make_blobs(30, n_features=2, random_state=0)
stn = STN(max_epochs=2, random_state=0).fit(X, y, source=(X_source, y_source))
print(stn.predict(X).shape)
"""


def _output(*command):
    """Run a command at the root of the repository."""
    return subprocess.check_output(command, cwd=ROOT, text=True)


def _text(path):
    """Read a file of the repository."""
    return (ROOT / path).read_text()


def _python(*arguments):
    """Run a fresh interpreter that treats warnings as errors."""
    return _output(sys.executable, "-W", "error", *arguments).strip()


def test_import_loads_nothing_heavy():
    assert _python("-c", LIST_HEAVY_IMPORTS) == ""


def test_fit_needs_none_of_the_extras():
    assert _python("-c", FIT_WITHOUT_EXTRAS) == "(30,)"


def test_setup_takes_the_version_from_the_package():
    if find_spec("setuptools") is None:  # importing it here would clash with distutils
        pytest.skip("setuptools is not installed")

    assert _output(sys.executable, "setup.py", "--version").split()[-1] == (
        skda.__version__
    )


def test_the_version_is_written_once():
    files = ["setup.py", "docs/conf.py", "README.md"]

    assert not [f for f in files if skda.__version__ in (ROOT / f).read_text()]


def test_the_package_is_marked_as_typed():
    assert (Path(skda.__file__).parent / "py.typed").exists()


def test_the_visible_top_level_is_as_agreed():
    if not (ROOT / ".git").exists() or which("git") is None:
        pytest.skip("not a checkout")
    command = "git ls-files --cached --others --exclude-standard"
    paths = _output(*command.split()).splitlines()
    visible = {path.partition("/")[0] for path in paths if not path.startswith(".")}

    assert visible == TOP_LEVEL


def test_the_citation_file_names_the_address_of_the_project_if_there_is_one():
    citation = (ROOT / "docs" / "CITATION.cff").read_text()
    named = re.findall(r"^repository-code: (\S+)$", citation, re.MULTILINE)
    setup = (ROOT / "setup.py").read_text()
    url = re.search(r'^URL = "(.*)"$', setup, re.MULTILINE)[1]

    assert named == ([url] if url else []), "repository-code is the URL of setup.py"


def test_the_citation_file_agrees_with_the_package():
    citation = (ROOT / "docs" / "CITATION.cff").read_text()
    required = ["cff-version: 1.2.0", "message: ", 'title: "skda: ', "authors:"]
    setup = (ROOT / "setup.py").read_text()
    license_ = re.search(r'license="(.+)"', setup)[1]

    assert not [key for key in required if f"\n{key}" not in f"\n{citation}"]
    assert f"\nlicense: {license_}\n" in citation


@pytest.mark.parametrize(
    "page", ["README.md", ".github/CONTRIBUTING.md", ".github/PULL_REQUEST_TEMPLATE.md"]
)
def test_files_that_a_page_of_the_repository_points_to_are_there(page):
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    named = re.findall(r"(?<![\w/(.])(docs/[\w./]+\w)", path.read_text())
    missing = [link for link in links if not (path.parent / link).exists()]

    assert not missing + [name for name in named if not (ROOT / name).exists()]


def test_the_oldest_versions_are_those_that_are_tried():
    tried = re.findall(r"^(\S+)==(\S+)$", _text(".ci/minimum.txt"), re.MULTILINE)
    required = re.search(r"install_requires=\[(.*?)\]", _text("setup.py"), re.DOTALL)[1]
    allowed = re.findall(r'"([\w-]+)>=([\d.]+)"', required)

    assert allowed == [(name, oldest.removesuffix(".0")) for name, oldest in tried]
