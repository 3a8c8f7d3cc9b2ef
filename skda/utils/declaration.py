"""Hyper-parameters that are declared once, as annotated attributes of a class.

A hyper-parameter is one line: name, type with its range, default. Its text is an entry
of the class's own docstring. From these, :func:`estimator` makes the constructor, the
ranges that scikit-learn validates, and a docstring that also has the parameters and
the fitted attributes of the base classes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field
from inspect import get_annotations
from numbers import Integral, Real
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from skda.utils._docstrings import Docstring, Entry
from skda.utils._sklearn import StrOptions

__all__ = ["constraints_of", "estimator"]

Class = TypeVar("Class", bound=type)

#: What scikit-learn accepts as a value of a type that has no range.
PLAIN_TYPES: dict[Any, list[Any]] = {
    Any: [],
    NoneType: [None],
    bool: ["boolean"],
    float: [Real],
    int: [Integral],
    Callable: [callable],
}


class Parameter(NamedTuple):
    """One hyper-parameter of a class.

    Parameters
    ----------
    hint : object
        Its type, resolved, with the range.
    default : object
        Its default, or ``MISSING``.
    positional : bool
        Whether it may be passed by position.
    removed : bool
        Whether the class has no such parameter, although a base class has.
    """

    hint: Any
    default: Any
    positional: bool
    removed: bool

    def field(self) -> Any:
        """Spell it for ``dataclasses``."""
        return field(
            default=self.default, kw_only=not self.positional, init=not self.removed
        )

    def default_text(self) -> str:
        """Spell the default as a docstring does."""
        if self.default is MISSING:
            return ""
        if isinstance(self.default, str):
            return f', default="{self.default}"'
        return f", default={self.default!r}"


class Declaration(NamedTuple):
    """What one class declares itself, without its bases.

    Parameters
    ----------
    parameters : dict of str to Parameter
        Its hyper-parameters.
    docstring : Docstring
        What its docstring says before the base classes' entries are added.
    """

    parameters: dict[str, Parameter]
    docstring: Docstring


@dataclass_transform(
    kw_only_default=True, eq_default=False, field_specifiers=(field, Field)
)
def estimator(class_: Class) -> Class:
    """Make the constructor, the validation and the docstring of an estimator.

    Every annotated attribute whose name neither starts nor ends with an underscore is a
    hyper-parameter, ``ClassVar`` excepted. A base class hands down its own; where two
    declare one, the first in the order of method resolution counts. A default is
    changed by an assignment, with or without an annotation. Parameters are
    keyword-only, unless declared as ``dataclasses.field(default=..., kw_only=False)``;
    ``field(default=..., init=False)`` removes one that a base class has.

    Parameters
    ----------
    class_ : type
        A class of estimators, concrete or abstract.

    Returns
    -------
    type
        The same class.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skda.base import estimator
    >>> from skda.utils.ranges import Positive
    >>> @estimator
    ... class Ridge(BaseEstimator):
    ...     alpha: Positive = 1.0
    >>> Ridge(alpha=2.0)
    Ridge(alpha=2.0)
    """
    cls: Any = class_
    # Types may be names of the function in which the class is defined.
    names = sys._getframe(1).f_locals
    own = _own_parameters(cls, names)
    cls._declaration = Declaration(own, Docstring.parse(cls.__doc__))
    parameters = _all_parameters(cls)
    docstring = _complete_docstring(cls, parameters)
    if "__init__" not in vars(cls):
        _make_constructor(cls, _in_order(parameters, docstring))
    cls._parameter_constraints = {
        name: constraints_of(parameter.hint) or "no_validation"
        for name, parameter in parameters.items()
        if not parameter.removed
    }
    cls.__doc__ = docstring.render()
    return class_


def _own_parameters(
    cls: type, names: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Parameter]:
    """Read what the body of a class declares, in types of its module or in names."""
    inherited = _all_parameters(cls)
    local = {**names, **vars(cls)}
    hints = {
        name: hint
        for name, hint in get_annotations(cls, locals=local, eval_str=True).items()
        if not name.startswith("_")
        and not name.endswith("_")
        and ClassVar not in {hint, get_origin(hint)}
    }
    changed = [n for n in vars(cls) if n in inherited and n not in hints]
    hints |= {name: inherited[name].hint for name in changed}
    own = {}
    for name, hint in hints.items():
        given = vars(cls).get(name, MISSING)
        if not isinstance(given, Field):
            before = inherited.get(name)
            positional = before is not None and name in changed and before.positional
            own[name] = Parameter(hint, given, positional, removed=False)
        else:
            own[name] = Parameter(
                hint, given.default, given.kw_only is False, removed=not given.init
            )
    return own


def _all_parameters(cls: type) -> dict[str, Parameter]:
    """Collect the hyper-parameters of a class, its own first."""
    parameters: dict[str, Parameter] = {}
    for base in cls.__mro__:
        declaration = vars(base).get("_declaration")
        if declaration is not None:
            parameters = parameters | {
                name: parameter
                for name, parameter in declaration.parameters.items()
                if name not in parameters
            }
    return parameters


def _in_order(
    parameters: Mapping[str, Parameter], docstring: Docstring
) -> dict[str, Parameter]:
    """Order hyper-parameters as they are documented; those that are not come first."""
    documented = [name for entry in docstring.parameters for name in entry.names]
    order = [name for name in parameters if name not in documented] + documented
    return {name: parameters[name] for name in order}


def _make_constructor(cls: type, parameters: Mapping[str, Parameter]) -> None:
    """Let ``dataclasses`` write a constructor that stores every hyper-parameter."""
    annotations = dict(get_annotations(cls))
    # A private or fitted attribute with an annotation is no argument.
    cls.__annotations__ = {n: p.hint for n, p in parameters.items()}
    for name, parameter in parameters.items():
        if parameter.default is not MISSING:
            setattr(cls, name, parameter.field())
    if not hasattr(cls, "__post_init__"):
        cls.__post_init__ = _check_decorated  # type: ignore[attr-defined]
    dataclass(kw_only=True, eq=False, repr=False, match_args=False)(cls)
    cls.__annotations__ = annotations
    constructor: Any = cls.__init__  # type: ignore[misc]
    hints = get_type_hints(constructor)  # without the ranges
    constructor.__annotations__ = hints | {"return": None}
    # Only the constructor is wanted. With its fields, a class would be a dataclass to
    # other libraries, and a subclass would list the parameters of its bases first.
    del cls.__dataclass_fields__  # type: ignore[attr-defined]


def _check_decorated(self: Any) -> None:
    """Reject hyper-parameters of a subclass that nobody has read."""
    cls = type(self)
    if "_declaration" in vars(cls):
        return
    forgotten = _own_parameters(cls)
    if forgotten:
        raise TypeError(
            f"{cls.__name__} declares the hyper-parameters {', '.join(forgotten)}, but "
            f"its constructor does not know them: put @skda.base.estimator above the "
            f"class."
        )


def constraints_of(hint: Any) -> list[Any]:
    """List what scikit-learn accepts as a value of a type.

    Parameters
    ----------
    hint : object
        A type, perhaps with a range.

    Returns
    -------
    list
        Constraints, any one of which is enough; empty if anything is accepted.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return list(args[1:])
    if origin in (Union, UnionType):
        ranges = [constraints_of(arg) for arg in args]
        return [c for constraints in ranges for c in constraints] if all(ranges) else []
    if origin is Literal:
        return [StrOptions(set(args))]
    kind = origin or hint
    return PLAIN_TYPES.get(kind, [kind])


def _complete_docstring(cls: type, parameters: Mapping[str, Parameter]) -> Docstring:
    """Add the entries of the bases, types and defaults to what a class says itself."""
    docstrings = [
        vars(base)["_declaration"].docstring
        for base in cls.__mro__
        if "_declaration" in vars(base)
    ]
    left = {name for name, parameter in parameters.items() if not parameter.removed}
    entries: list[Entry] = []
    for entry in (e for docstring in docstrings for e in docstring.parameters):
        entries += list(_with_defaults(entry.about(left), parameters))
        left -= set(entry.names)
    entries.sort(key=lambda entry: not parameters[entry.names[0]].positional)
    attributes: list[Entry] = []
    seen: set[str] = set()
    for entry in (e for docstring in docstrings for e in docstring.attributes):
        attributes.append(entry.about(set(entry.names) - seen))
        seen |= set(entry.names)
    attributes = [entry for entry in attributes if entry.names]
    return docstrings[0]._replace(parameters=entries, attributes=attributes)


def _with_defaults(
    entry: Entry, parameters: Mapping[str, Parameter]
) -> Iterator[Entry]:
    """Add types and defaults to an entry, apart where the names differ in them."""
    kinds: dict[str, list[str]] = {}
    for name in entry.names:
        parameter = parameters[name]
        kind = (entry.type or _spelled(parameter.hint)) + parameter.default_text()
        kinds.setdefault(kind, []).append(name)
    for kind, names in kinds.items():
        yield Entry(tuple(names), kind, entry.text)


def _spelled(hint: Any) -> str:
    """Spell a type as a docstring does, without None, which the default tells."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _spelled(args[0])
    if origin in (Union, UnionType):
        return " or ".join(_spelled(arg) for arg in args if arg is not NoneType)
    if origin is Literal:
        return "{" + ", ".join(f'"{arg}"' for arg in args) + "}"
    if origin is Sequence:
        return f"sequence of {_spelled(args[0])}"
    return {Any: "object", Callable: "callable"}.get(origin or hint) or hint.__name__
