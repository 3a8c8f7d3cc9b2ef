"""Every public name has a page in the API reference, and only public names have."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skda
import skda.base
from skda.utils._docstrings import Docstring

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


def _object(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_public_names_stand_in_the_api_reference():
    public = set().union(*map(_public, MODULES)) - {"skda.__version__"}
    documented = set(_documented())
    # What has several names needs a page under one of them.
    shown = {id(_object(path)) for path in documented}
    missing = {path for path in public - documented if id(_object(path)) not in shown}

    assert not missing, "add these to a table of docs/api"


def test_the_api_reference_lists_public_names_only():
    documented = set(_documented())
    modules = {path.rpartition(".")[0] for path in documented}

    assert documented <= set().union(*map(_public, modules))


#: What users of an estimator call.
FOR_USERS = {
    "expand",
    "fit",
    "kneighbors",
    "predict",
    "predict_proba",
    "published",
    "retrieve",
    "score",
    "search",
    "transform",
}


def _hooks():
    """Methods that the table of the API reference tells authors to override."""
    module = None
    for line in (API / "extending.rst").read_text().splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   (\w+)\.(\w+)$", line):
            yield getattr(importlib.import_module(module), match[1]), match[2]


def test_every_hook_of_a_base_stands_in_the_api_reference():
    listed = {name for _, name in _hooks()}
    bases = [getattr(skda.base, name) for name in skda.base.__all__]
    methods = {
        f"{base.__name__}.{name}"
        for base in bases
        if inspect.isclass(base) and base.__name__.startswith(("Base", "OneStream"))
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
        if name not in listed | FOR_USERS
    }

    assert not methods, "list these in docs/api/extending.rst"


def test_hooks_in_the_api_reference_are_documented():
    sections = ("Parameters\n----------", "Returns\n-------")
    hooks = list(_hooks())
    bare = [
        f"{cls.__name__}.{name}"
        for cls, name in hooks
        if not any(part in inspect.getdoc(getattr(cls, name)) for part in sections)
    ]

    assert len(hooks) > 20
    assert not bare


def test_only_pages_of_bases_have_the_hooks():
    jinja2 = pytest.importorskip("jinja2")
    text = (API.parent / "_templates" / "autosummary" / "class.rst").read_text()
    environment = jinja2.Environment(autoescape=False)
    environment.filters["underline"] = str
    template = environment.from_string(text)
    names = {"objname": "X", "methods": [], "attributes": [], "hooks": ["fit_rows"]}

    left_out = [
        module
        for module in ("skda.base", "skda.training", "skda.modules", "skda.partial")
        if "fit_rows" in template.render(**names, module=module)
    ]

    assert left_out == ["skda.partial"]


def _public_estimators():
    for name in {"skda.base", *MODULES} - {"skda.training"}:
        module = importlib.import_module(name)
        for cls in (getattr(module, public) for public in module.__all__):
            if inspect.isclass(cls) and issubclass(cls, BaseEstimator):
                yield cls, Docstring.parse(cls.__doc__)


def _fitted_attributes(cls):
    """Find what the methods of a class and of its bases here set."""
    for base in cls.__mro__:
        if base.__module__.startswith("skda."):
            source = textwrap.dedent(inspect.getsource(base))
            for node in ast.walk(ast.parse(source)):
                stored = isinstance(node, ast.Attribute) and isinstance(
                    node.ctx, ast.Store
                )
                if stored and re.fullmatch(r"[a-z]\w*_", node.attr):
                    yield node.attr


def _names(entries):
    return {name.lstrip("*") for entry in entries for name in entry.names}


def test_docstrings_have_all_parameters_and_attributes():
    wrong = {}
    for cls, docstring in _public_estimators():
        parameters = set(inspect.signature(cls).parameters)
        differing = parameters ^ _names(docstring.parameters)
        attributes = set(_fitted_attributes(cls))
        if missing := differing | attributes - _names(docstring.attributes):
            wrong[cls.__name__] = missing

    assert not wrong


def test_docstrings_have_the_attributes_of_the_bases():
    lacking, n_inherited = {}, 0
    for cls, docstring in _public_estimators():
        declared = [vars(b)["_declaration"] for b in cls.__mro__ if _declares(b)]
        inherited = {n for d in declared for n in _names(d.docstring.attributes)}
        n_inherited += len(inherited)
        if missing := inherited - _names(docstring.attributes):
            lacking[cls.__name__] = missing

    assert not lacking
    assert n_inherited > 100


def _declares(cls):
    return "_declaration" in vars(cls)


def test_every_script_of_the_gallery_has_its_place_on_the_first_page():
    gallery = API.parent / "gallery"
    listed = re.findall(r"plot_\w+\.py", (gallery / "README.rst").read_text())

    assert sorted(listed) == sorted(path.name for path in gallery.glob("plot_*.py"))
