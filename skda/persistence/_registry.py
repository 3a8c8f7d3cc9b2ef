"""The classes that may stand in a file.

They are found in skda itself, in PyTorch's layers and optimizers, and in what the
caller trusts. A name in a file is looked up here and never imported.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import torch
from scipy import sparse
from sklearn import model_selection
from sklearn.dummy import DummyClassifier
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

from skda.model_selection import _scorers as scorers
from skda.training import schedules
from skda.training.plain_state import PickledState

__all__ = ["is_function", "name_of", "registry", "trusted_objects", "trusted_of_others"]

#: Packages of skda whose objects an estimator may hold.
PACKAGES = (
    "auto",
    "base",
    "baselines",
    "heterogeneous",
    "model_selection",
    "modules",
    "partial",
    "preprocessing",
    "retrieval",
    "training",
    "unsupervised",
    "utils",
)


def name_of(value: Any) -> str:
    """Name a class or a function.

    Parameters
    ----------
    value : type or function
        The class or function.

    Returns
    -------
    str
        Its module and its name in there.
    """
    return f"{value.__module__}.{value.__qualname__}"


def is_function(value: Any) -> bool:
    """Say whether an object is a function, of Python or of a module in C.

    Parameters
    ----------
    value : object
        The object.

    Returns
    -------
    bool
        Whether it is one, and no method.
    """
    in_c = inspect.isbuiltin(value) and inspect.ismodule(value.__self__)
    return in_c or inspect.isfunction(value)


@cache
def registry() -> Mapping[str, Any]:
    """List what every file may contain.

    Returns
    -------
    mapping of str to (type or function)
        Classes of skda, its schedules of learning rates, metrics and scorers, and the
        layers and optimizers of PyTorch, by their names.
    """
    objects: list[Any] = []
    for package in PACKAGES:
        for module in _modules(f"skda.{package}"):
            objects += _defined_in(module, inspect.isclass)
    for module in (schedules, *_modules("skda.metrics"), scorers):
        objects += _defined_in(module, inspect.isfunction)
    objects += [OrderedDict, print]  # where callbacks write to
    for namespace in (torch.nn, torch.optim):
        objects += [c for c in vars(namespace).values() if inspect.isclass(c)]
    objects.remove(PickledState)  # which is not data
    return MappingProxyType({name_of(value): value for value in objects})


@cache
def trusted_of_others() -> frozenset[str]:
    """Name what skops does not trust by itself and is data all the same.

    Returns
    -------
    frozenset of str
        Names of scikit-learn's splitters, scorers and their functions, which searches
        hold, and of sparse arrays.
    """
    named = [get_scorer(name) for name in get_scorer_names()]
    forms = [check_scoring(DummyClassifier(), scoring) for scoring in (None, ["r2"])]
    objects = {scorer._score_func for scorer in named} | set(map(type, named + forms))
    objects |= {
        value
        for value in vars(model_selection).values()
        if inspect.isclass(value) and hasattr(value, "split")
    }
    objects |= {c for c in vars(sparse).values() if inspect.isclass(c)}
    return frozenset(map(name_of, objects))


def trusted_objects(trusted: Iterable[Any]) -> dict[str, Any]:
    """Check what a caller trusts.

    Parameters
    ----------
    trusted : iterable of type or function
        Classes and functions.

    Returns
    -------
    dict of str to (type or function)
        The same, by their names.

    Raises
    ------
    TypeError
        If one is neither a class nor a function.
    """
    if isinstance(trusted, str) or not isinstance(trusted, Iterable):
        raise TypeError(
            f"Expected trusted to be a list of classes and functions, got {trusted!r}."
        )
    objects = list(trusted)
    for value in objects:
        if not (inspect.isclass(value) or is_function(value)):
            raise TypeError(
                f"Expected trusted to list classes and functions, got {value!r}: pass "
                f"the class itself, imported by you, such as trusted=[MyMethod]."
            )
    return {name_of(value): value for value in objects}


def _modules(package: str) -> Iterable[Any]:
    """Import a package of skda and all modules in it."""
    module = importlib.import_module(package)
    yield module
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        yield importlib.import_module(found.name)


def _defined_in(module: Any, is_kind: Any) -> list[Any]:
    return [
        value
        for value in vars(module).values()
        if is_kind(value) and value.__module__ == module.__name__
    ]
