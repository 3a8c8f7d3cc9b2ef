"""Tests of the command that prints the papers of methods."""

import subprocess
import sys

import pytest

from skda import cli

LOADS = """
import sys
from skda.cli import main
main(["cite", "SSAN"])
sys.exit(bool({"numpy", "torch", "sklearn"} & set(sys.modules)))
"""


def test_the_paper_of_a_method_is_printed_as_bibtex(capsys):
    code = cli.main(["cite", "SSAN"])

    assert code == 0
    assert capsys.readouterr().out == (
        "@inproceedings{li2020simultaneous,\n"
        "  author = {S. Li and others},\n"
        "  title = {{Simultaneous Semantic Alignment Network for Heterogeneous Domain "
        "Adaptation}},\n"
        "  booktitle = {ACM Multimedia},\n"
        "  year = {2020},\n"
        "  eprint = {2008.01677},\n"
        "  archiveprefix = {arXiv},\n"
        "}\n"
    )


def test_a_paper_of_two_methods_is_printed_once(capsys):
    cli.main(["cite", "HFA", "SHFA"])

    printed = capsys.readouterr().out

    assert printed.count("@") == 2
    assert "  volume = {36},\n  number = {6},\n" in printed


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ssam", "did you mean SSAN"), ("nonsense", "others have none")],
)
def test_a_method_without_a_paper_is_an_error_in_one_line(name, hint, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["cite", name])

    error = capsys.readouterr().err

    assert error.count("\n") == 1
    assert hint in error


def test_citing_loads_nothing_that_takes_seconds():
    done = subprocess.run([sys.executable, "-c", LOADS], check=False)

    assert done.returncode == 0
