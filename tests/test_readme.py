"""The README keeps its word."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = r"(?ms)^```python\n(.*?)^```$\n\n^```text\n(.*?)^```$"
EXAMPLES = re.findall(BLOCKS, README.read_text())


@pytest.mark.parametrize(("example", "output"), EXAMPLES)
def test_an_example_of_the_readme_prints_what_stands_below_it(example, output, capsys):
    exec(compile(example, str(README), "exec"), {})

    assert capsys.readouterr().out.strip() == output.strip()


def test_every_example_of_the_readme_has_its_output():
    assert len(EXAMPLES) == README.read_text().count("```python") > 0
