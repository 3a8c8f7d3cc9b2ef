"""Tests of the decorator that makes estimators of declared hyper-parameters."""

import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import field
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar, Literal

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import InvalidParameterError

from skda.base import estimator
from skda.utils._docstrings import Docstring
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.ranges import Auto, Count, LayerSizes, NonNegative, Positive


@estimator
class Training(BaseEstimator):
    """Shares the parameters of a training.

    Parameters
    ----------
    lr
        Learning rate.
    first, second : callable
        What to do, and what to do then.
    max_epochs
        Passes over the rows.

    Attributes
    ----------
    net_ : Net
        The network.
    n_iter_, n_steps_ : int
        Its training.
    """

    lr: Positive = 0.1
    first: Any = None
    second: Any = None
    max_epochs: Count | None = 100


@estimator
class Method(Training):
    """Adds a weight.

    It differs from its base in a default.

    Parameters
    ----------
    weight
        Weight of the loss.
    layers
        Widths.

    Attributes
    ----------
    means_ : ndarray
        Means.
    n_iter_ : int
        Epochs.

    Notes
    -----
    More.
    """

    weight: NonNegative = 1.0
    layers: LayerSizes = (8, 8)
    lr = 0.5

    uses_source: ClassVar[bool] = True
    seen: ClassVar = 0
    _cache: int = 0
    fitted_: int = 0


def _documented(cls):
    """Split the generated docstring of a class."""
    return Docstring.parse(cls.__doc__)


def _kinds(cls):
    """Map the names of every entry to its type and default."""
    return {entry.names: entry.type for entry in _documented(cls).parameters}


def _comparable(ranges):
    """Replace ranges, which have no equality, by their contents."""
    return {
        name: [vars(c) if isinstance(c, Interval | StrOptions) else c for c in range_]
        for name, range_ in ranges.items()
    }


def test_annotated_attributes_become_keywords_with_defaults():
    parameters = inspect.signature(Method).parameters

    assert {name: p.default for name, p in parameters.items()} == {
        "weight": 1.0,
        "layers": (8, 8),
        "lr": 0.5,
        "first": None,
        "second": None,
        "max_epochs": 100,
    }
    assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_own_parameters_come_first_as_documented():
    documented = [name for names in _kinds(Method) for name in names]

    assert list(inspect.signature(Method).parameters) == documented
    assert documented[:3] == ["weight", "layers", "lr"]


def test_the_signature_shows_types_without_ranges():
    signature = inspect.signature(Method)

    assert signature.parameters["weight"].annotation is float
    assert signature.parameters["max_epochs"].annotation == int | None
    assert signature.return_annotation is None


def test_ranges_come_from_types():
    @estimator
    class Ranged(BaseEstimator):
        number: float = 1.0
        whole: int = 1
        flag: bool = True
        text: str = "a"
        choice: Literal["a", "b"] = "a"
        several: Count | Auto | None = None
        function: Callable[[float], float] | None = None
        anything: Any = None
        anything_or_none: Any | None = None
        rows: list[Any] | None = None
        widths: Sequence[int] = ()
        share: Annotated[float, Interval(Real, 0, 1, closed="both"), "array-like"] = 0.5

    expected = {
        "number": [Real],
        "whole": [Integral],
        "flag": ["boolean"],
        "text": [str],
        "choice": [StrOptions({"a", "b"})],
        "several": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "function": [callable, None],
        "anything": "no_validation",
        "anything_or_none": "no_validation",
        "rows": [list, None],
        "widths": [Sequence],
        "share": [Interval(Real, 0, 1, closed="both"), "array-like"],
    }

    assert _comparable(Ranged._parameter_constraints) == _comparable(expected)


@pytest.mark.parametrize(
    "wrong", [{"weight": -1}, {"lr": 0}, {"max_epochs": 2.5}, {"layers": 3}]
)
def test_scikit_learn_checks_inherited_and_own_ranges(wrong):
    Method(weight=0, lr=1, max_epochs=None)._validate_params()

    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        Method(**wrong)._validate_params()


def test_a_default_is_changed_with_or_without_an_annotation():
    @estimator
    class Annotation(Training):
        lr: NonNegative = 0.0

    Annotation(lr=0)._validate_params()

    assert Method().lr == 0.5
    assert Annotation().lr == 0.0
    assert Training().lr == 0.1
    with pytest.raises(InvalidParameterError, match="lr"):
        Method(lr=0)._validate_params()


def test_a_changed_default_reaches_subclasses():
    @estimator
    class Sub(Method):
        weight = 2.0

    assert (Sub().lr, Sub().weight) == (0.5, 2.0)


def test_an_estimator_may_be_first_and_positional():
    @estimator
    class Meta(Training):
        estimator: Any = field(default=None, kw_only=False)

    @estimator
    class Needed(BaseEstimator):
        scale: Positive = 1.0
        estimator: Any = field(kw_only=False)

    @estimator
    class Other(Meta):
        estimator = "other"

    assert Meta("inner", lr=1.0).estimator == "inner"
    assert next(iter(inspect.signature(Meta).parameters)) == "estimator"
    assert Needed("inner").estimator == "inner"
    assert Other().estimator == "other"
    assert Other("inner").estimator == "inner"
    with pytest.raises(TypeError, match="estimator"):
        Needed()
    with pytest.raises(TypeError, match="positional"):
        Method(1.0)


def test_a_positional_parameter_of_a_base_is_documented_first():
    @estimator
    class Meta(BaseEstimator):
        """Fits an estimator.

        Parameters
        ----------
        estimator
            What to fit.
        """

        estimator: Any = field(default=None, kw_only=False)

    @estimator
    class Weighted(Meta):
        """Adds a weight.

        Parameters
        ----------
        weight
            Weight of the loss.
        """

        weight: Positive = 1.0

    documented = Docstring.parse(Weighted.__doc__).parameters

    assert [entry.names for entry in documented] == [("estimator",), ("weight",)]


def test_init_false_removes_a_parameter():
    @estimator
    class Fixed(Method):
        """Has no learning rate."""

        lr: Positive = field(default=0.25, init=False)

    @estimator
    class Sub(Fixed):
        """Inherits that."""

    for cls in (Fixed, Sub):
        assert "lr" not in cls().get_params()
        assert "lr" not in cls._parameter_constraints
        assert ("lr",) not in _kinds(cls)
        assert cls().lr == 0.25
        with pytest.raises(TypeError, match="lr"):
            cls(lr=1.0)


def test_of_two_bases_the_first_of_the_resolution_order_wins():
    @estimator
    class Slow(Training):
        lr = 0.01
        max_epochs = 7

    @estimator
    class Short(Training):
        max_epochs: Count = 3

    @estimator
    class Both(Short, Slow):
        """Has both."""

    @estimator
    class Reversed(Slow, Short):
        """Has both."""

    assert (Both().lr, Both().max_epochs) == (0.01, 3)
    assert Both._parameter_constraints["max_epochs"] == [
        *Short._parameter_constraints["max_epochs"]
    ]
    assert (Reversed().lr, Reversed().max_epochs) == (0.01, 7)


@pytest.mark.parametrize("body", ["new: float = 1.0", "lr = 0.2"])
def test_a_forgotten_decorator_is_an_error_that_says_so(body):
    namespace = {"Training": Training}
    exec(f"class Forgotten(Training):\n    {body}", namespace)

    with pytest.raises(TypeError, match=r"Forgotten declares .*put @skda.base.estim"):
        namespace["Forgotten"]()


def test_a_subclass_that_declares_nothing_needs_no_decorator():
    class Plain(Method):
        """Overrides a method."""

        _note = "private"
        kind: ClassVar[str] = "plain"

    assert Plain(weight=3).get_params()["weight"] == 3


def test_a_constructor_of_ones_own_stays():
    @estimator
    class Own(Training):
        extra: Count = 1

        def __init__(self, extra=2, **training):
            super().__init__(**training)
            self.extra = extra

    assert Own(lr=1.0).__dict__ == {**Training(lr=1.0).__dict__, "extra": 2}
    assert "extra" in Own._parameter_constraints


def test_classes_and_instances_are_plain():
    assert not hasattr(Method, "__dataclass_fields__")
    assert Method() != Method()
    assert {Method()}


def test_clone_pickle_params_and_repr_work():
    method = Method(weight=2.0, layers=[3], first=len)

    assert clone(method).get_params() == method.get_params()
    assert clone(method).layers is not method.layers
    assert pickle.loads(pickle.dumps(method)).get_params() == method.get_params()  # noqa: S301
    assert method.set_params(lr=3.0).lr == 3.0
    assert repr(Method(weight=2.0)) == "Method(weight=2.0)"
    with pytest.raises(ValueError, match="Invalid parameter 'mass'"):
        method.set_params(mass=1)


def test_own_entries_come_first_and_shared_ones_after():
    assert list(_kinds(Method)) == [
        ("weight",),
        ("layers",),
        ("lr",),
        ("first", "second"),
        ("max_epochs",),
    ]


def test_types_and_defaults_are_generated():
    assert _kinds(Method) == {
        ("weight",): "float, default=1.0",
        ("layers",): "sequence of int, default=(8, 8)",
        ("lr",): "float, default=0.5",
        ("first", "second"): "callable, default=None",
        ("max_epochs",): "int, default=100",
    }
    assert _kinds(Training)[("lr",)] == "float, default=0.1"


def test_types_are_spelled_as_in_a_docstring():
    @estimator
    class Spelled(BaseEstimator):
        """Has parameters.

        Parameters
        ----------
        choice
            A.
        mixed
            B.
        function
            C.
        anything
            D.
        needed
            E.
        """

        choice: Literal["a", "b"] = "a"
        mixed: Count | Auto | None = "auto"
        function: Callable[[float], float] | None = None
        anything: Any = 1
        needed: Sequence[int] = field()

    assert _kinds(Spelled) == {
        ("choice",): '{"a", "b"}, default="a"',
        ("mixed",): 'int or {"auto"}, default="auto"',
        ("function",): "callable, default=None",
        ("anything",): "object, default=1",
        ("needed",): "sequence of int",
    }


def test_an_own_text_replaces_the_shared_one():
    @estimator
    class Own(Training):
        """Has a text of its own.

        Parameters
        ----------
        lr
            Learning rate; 0.003 in the paper.
        """

    texts = {entry.names: entry.text for entry in _documented(Own).parameters}

    assert texts[("lr",)] == ("    Learning rate; 0.003 in the paper.",)
    assert texts[("max_epochs",)] == ("    Passes over the rows.",)
    assert Own.__doc__.count("Learning rate") == 1


def test_names_that_share_a_text_part_when_their_defaults_differ():
    @estimator
    class Parted(Training):
        """Has a second step."""

        second = len

    kinds = _kinds(Parted)
    texts = {entry.names: entry.text for entry in _documented(Parted).parameters}

    assert kinds[("first",)] == "callable, default=None"
    assert kinds[("second",)].startswith("callable, default=<built-in function len>")
    assert texts[("first",)] == texts[("second",)]


def test_one_of_two_names_may_be_removed_or_have_its_own_text():
    @estimator
    class Fewer(Training):
        """Has one step.

        Parameters
        ----------
        second : callable
            The only step.
        """

        first = field(default=None, init=False)

    assert list(_kinds(Fewer)) == [("second",), ("lr",), ("max_epochs",)]


def test_attributes_of_the_bases_are_listed_once():
    attributes = [entry.names for entry in _documented(Method).attributes]

    assert attributes == [("means_",), ("n_iter_",), ("net_",), ("n_steps_",)]


def test_everything_else_of_a_docstring_stays():
    docstring = _documented(Method)

    assert docstring.head[:3] == [
        "Adds a weight.",
        "",
        "It differs from its base in a default.",
    ]
    assert docstring.tail[:3] == ["Notes", "-----", "More."]
    assert Docstring.parse(docstring.render()) == docstring


def test_a_class_without_a_docstring_shows_the_shared_entries():
    @estimator
    class Silent(Training):
        undocumented: int = 1

    assert list(_kinds(Silent)) == [("lr",), ("first", "second"), ("max_epochs",)]
    assert next(iter(inspect.signature(Silent).parameters)) == "undocumented"


OPTIMIZED = '''
from sklearn.base import BaseEstimator
from skda.utils.declaration import estimator

@estimator
class Base(BaseEstimator):
    """A base.

    Parameters
    ----------
    alpha
        A weight.
    """

    alpha: float = 1.0

@estimator
class Method(Base):
    """A method."""

    beta: float = 2.0

print(Base.__doc__.strip() or None)
print(Method(alpha=3.0))
'''


def test_estimators_do_without_docstrings():
    output = subprocess.check_output([sys.executable, "-OO", "-c", OPTIMIZED])

    assert output.split() == [b"None", b"Method(alpha=3.0)"]


SNIPPET = """
from skda.base import BaseOneStreamClassifier, estimator
from skda.unsupervised import DANN
from skda.utils.ranges import Positive


@estimator
class Mine(BaseOneStreamClassifier):
    sharpness: Positive = 1.0
    blunt: Positive = "very"


DANN(lambda0=1.0, max_epochs=3, random_state=0)
Mine(sharpness=2.0, lr=0.1)
DANN(lamda0=1.0)
Mine(sharpnes=2.0)
Mine(sharpness="much")
"""


@pytest.mark.slow
def test_mypy_sees_unknown_keywords_and_wrong_types(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "snippet.py").write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "snippet.py"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stdout.splitlines() if "snippet.py" in line]

    assert [line.split(":")[1] for line in errors] == ["10", "15", "16", "17"]
    assert 'Unexpected keyword argument "lamda0" for "DANN"' in errors[1]
    assert 'Unexpected keyword argument "sharpnes" for "Mine"' in errors[2]
