"""Docstrings of the public API, validated by numpydoc."""

import importlib
import inspect
import pkgutil
from pprint import pformat

import pytest

import skda

validate = pytest.importorskip("numpydoc.validate").validate

# Style we disagree with; everything else numpydoc checks is on.
IGNORED = {
    "ES01",  # an extended summary is optional
    "EX01",  # so is an example...
    "SA01",  # ...and a See Also section
    "GL01",  # the summary starts on the line of the quotes
    "GL08",  # ruff (D1) already reports what has no docstring at all
    "RT02",  # an unnamed return value is fine
}
# Inside the engine one line may say it all; what a user calls has every section.
ONE_LINER_MAY_LACK = {"PR01", "RT01"}
USER_FACING = (
    "skda.auto._auto_adapter",
    "skda.auto._report",
    "skda.base",
    "skda.baselines",
    "skda.datasets",
    "skda.heterogeneous",
    "skda.inspection",
    "skda.losses",
    "skda.metrics",
    "skda.model_selection",
    "skda.partial",
    "skda.preprocessing",
    "skda.retrieval",
    "skda.unsupervised",
)


def _public_names():
    for module_info in pkgutil.walk_packages(skda.__path__, "skda."):
        module = importlib.import_module(module_info.name)
        for name in getattr(module, "__all__", []):
            obj = getattr(module, name)
            if getattr(obj, "__module__", None) != module.__name__:
                continue
            yield f"{module.__name__}.{name}"
            if inspect.isclass(obj):
                yield from (
                    f"{module.__name__}.{name}.{method}"
                    for method, value in vars(obj).items()
                    if not method.startswith("_") and inspect.isfunction(value)
                )


def _errors(path):
    """List what numpydoc finds wrong, as far as it matters here."""
    report = validate(path)
    one_liner = "\n" not in report["docstring"].strip()
    excused = one_liner and not path.startswith(USER_FACING)
    ignored = IGNORED | (ONE_LINER_MAY_LACK if excused else set())
    return [error for error in report["errors"] if error[0] not in ignored]


def test_docstrings_are_valid_numpydoc():
    paths = sorted(set(_public_names()))
    errors = {path: found for path in paths if (found := _errors(path))}

    assert not errors, pformat(errors, width=160)
    assert len(paths) > 100
