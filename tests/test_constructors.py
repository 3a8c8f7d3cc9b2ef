"""No constructor changes unnoticed: names, kinds, defaults and ranges of parameters.

``constructors.json`` is what they are. After a change on purpose, write it anew by
``python -m tests.test_constructors`` at the root of the repository, read the difference
and commit it along with a fragment for the changelog.
"""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

from sklearn.utils._param_validation import StrOptions, make_constraint

import skda

SNAPSHOT = Path(__file__).parent / "constructors.json"
FAMILIES = (
    "auto",
    "baselines",
    "heterogeneous",
    "model_selection",
    "partial",
    "preprocessing",
    "retrieval",
    "unsupervised",
)
ROOT = Path(skda.__file__).parent


def _estimators():
    """Name every public class that has hyper-parameters."""
    for family in FAMILIES:
        module = importlib.import_module(f"skda.{family}")
        for name in module.__all__:
            cls = getattr(module, name)
            if inspect.isclass(cls) and hasattr(cls, "get_params"):
                yield f"{family}.{name}", cls


def _spell(constraint):
    """Spell what a parameter may be, with the options of a text in one order."""
    made = make_constraint(constraint)
    if isinstance(made, StrOptions):
        return f"one of {sorted(made.options)}"
    return str(made)


def _constructor(cls):
    """Spell every parameter of a constructor: its kind, default and range."""
    ranges = getattr(cls, "_parameter_constraints", {})
    spelled = {}
    for name, parameter in sorted(inspect.signature(cls).parameters.items()):
        accepted = ranges.get(name, "no_validation")
        texts = [] if isinstance(accepted, str) else sorted(map(_spell, accepted))
        kind = parameter.kind.description
        spelled[name] = f"{kind}, default {parameter.default!r}: {' or '.join(texts)}"
    return spelled


def _snapshot():
    return {name: _constructor(cls) for name, cls in _estimators()}


def test_constructors_are_what_they_were():
    assert _snapshot() == json.loads(SNAPSHOT.read_text())


def _classes():
    """Find every class of skda, public or not, that its own module defines."""
    for info in pkgutil.walk_packages(skda.__path__, "skda."):
        if info.name.rpartition(".")[2] == "__main__":
            continue
        module = importlib.import_module(info.name)
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__ == info.name:
                yield cls


def test_every_class_that_declares_parameters_is_decorated():
    declared, forgotten = [], []
    for cls in _classes():
        bases = [base for base in cls.__mro__[1:] if "_declaration" in vars(base)]
        own = vars(cls).get("_declaration")
        names = {name for base in bases for name in base._declaration.parameters}
        annotated = {
            name
            for name, hint in inspect.get_annotations(cls).items()
            if not name.startswith("_")
            and not name.endswith("_")
            and "ClassVar" not in str(hint)
        }
        if own is not None:
            declared.append(cls)
        elif bases and (annotated | (names & set(vars(cls)))):
            forgotten.append(cls.__qualname__)

    assert len(declared) > 10
    assert not forgotten


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(_snapshot(), indent=1, sort_keys=True) + "\n")
