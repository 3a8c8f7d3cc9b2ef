"""Types of hyper-parameters, each with the range that scikit-learn validates."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Annotated, Any, Literal

import numpy as np

from skda.utils._sklearn import HasMethods, Interval, Options, StrOptions

__all__ = [
    "Auto",
    "BatchSize",
    "ClassWeight",
    "Count",
    "Fraction",
    "LayerSizes",
    "NonNegative",
    "Positive",
    "PositiveShare",
    "Power",
    "ProperFraction",
    "RandomState",
    "Share",
    "SharedTransformer",
    "TargetShares",
    "Transformer",
    "Verbosity",
    "WholeNumber",
]

Auto = Literal["auto"]
Positive = Annotated[float, Interval(Real, 0, None, closed="neither")]
NonNegative = Annotated[float, Interval(Real, 0, None, closed="left")]
Fraction = Annotated[float, Interval(Real, 0, 1, closed="left")]
ProperFraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]
Share = Annotated[float, Interval(Real, 0, 1, closed="both")]
PositiveShare = Annotated[float, Interval(Real, 0, 1, closed="right")]
Count = Annotated[int, Interval(Integral, 1, None, closed="left")]
WholeNumber = Annotated[int, Interval(Integral, 0, None, closed="left")]
BatchSize = Annotated[
    int, Interval(Integral, 1, None, closed="left"), Options(Integral, {-1})
]
Power = Annotated[
    float | str, Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})
]
ClassWeight = Annotated[
    dict[Any, float] | str | None, dict, StrOptions({"balanced"}), None
]
LayerSizes = Annotated[Sequence[int], "array-like"]
RandomState = Annotated[int | np.random.RandomState | None, "random_state"]
Verbosity = Annotated[int, "verbose"]
Transformer = Annotated[Any, HasMethods(["fit_transform", "transform"]), None]
TargetShares = Annotated[Any, StrOptions({"balanced"}), "array-like", None]
SharedTransformer = Annotated[Any, HasMethods(["fit", "transform"]), None]
