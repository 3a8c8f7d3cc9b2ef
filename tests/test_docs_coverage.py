"""Every public name has a page in the API reference, and only public names have."""

import importlib
import pkgutil
import re
from pathlib import Path

import skda

API = Path(__file__).parent.parent / "docs" / "api"
#: Modules of which only some names are for those who add a method.
ENGINE = {"base", "cli", "comparison", "data", "net", "schedules", "utils"}
MODULES = ["skda"] + [
    f"skda.{module.name}"
    for module in pkgutil.iter_modules(skda.__path__)
    if not module.name.startswith("_") and module.name not in ENGINE
]


def _documented():
    """Names that the autosummary tables list, each with its module."""
    for page in API.glob("*.rst"):
        module = None
        for line in page.read_text().splitlines():
            if match := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = match[1]
            elif module and (match := re.match(r"   (\w+)$", line)):
                yield f"{module}.{match[1]}"


def _public(module):
    return {f"{module}.{name}" for name in importlib.import_module(module).__all__}


def test_public_names_stand_in_the_api_reference():
    public = set().union(*map(_public, MODULES)) - {"skda.__version__"}

    assert not public - set(_documented()), "add these to a table of docs/api"


def test_the_api_reference_lists_public_names_only():
    documented = set(_documented())
    modules = {path.rpartition(".")[0] for path in documented}

    assert documented <= set().union(*map(_public, modules))
