"""Tests of `skda.utils.optional`."""

import json
import sys

import pytest

from skda.utils.optional import import_optional


def test_a_package_that_is_there_is_imported():
    assert import_optional("json", "A test imports it") is json


@pytest.mark.parametrize("module", ["absent", "absent.part"])
def test_a_package_that_is_not_there_is_asked_for(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    expected = (
        r"^A test imports it, and absent is not installed: run pip install "
        r"'skda\[compare\]'\.$"
    )
    with pytest.raises(ModuleNotFoundError, match=expected) as caught:
        import_optional(module, "A test imports it")

    assert caught.value.name == "absent"


def test_a_package_that_lacks_another_says_so_itself(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="named 'no_such_package'"):
        import_optional("broken_package", "A test imports it")
