"""The README keeps its word."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"(?ms)^```python\n(.*?)^```$", README.read_text())


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_of_the_readme_runs(example):
    exec(compile(example, str(README), "exec"), {})


def test_the_readme_has_an_example():
    assert EXAMPLES
