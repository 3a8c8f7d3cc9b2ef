"""Data of every shape, type and scale, described by a few words and a seed."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from scipy import sparse

from tests.properties.mishaps import MISHAPS

CONTAINERS = {
    "array": np.asarray,
    "fortran": np.asfortranarray,
    "reversed": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X: _read_only(X.copy()),
    "list": lambda X: X.tolist(),
    "object": lambda X: X.astype(object),
    "pandas": lambda X: pd.DataFrame(X, columns=_names(X)),
    "pandas nullable": lambda X: pd.DataFrame(X, columns=_names(X)).convert_dtypes(),
    "polars": lambda X: pl.DataFrame(
        {name: X[:, j] for j, name in enumerate(_names(X))}
    ),
    "csr": lambda X: sparse.csr_array(_storable(X)),
    "csr matrix": lambda X: sparse.csr_matrix(_storable(X)),
    "csc": lambda X: sparse.csc_array(_storable(X)),
    "coo": lambda X: sparse.coo_array(_storable(X)),
}
TYPES = ["float64", "float32", "float16", "int64", "int8", "uint8", "bool"]
STRUCTURES = [
    "plain",
    "constant column",
    "duplicate columns",
    "duplicate rows",
    "rows all equal",
    "a zero row",
    "rows all zero",
]
DEFECTS = {"a NaN": np.nan, "an infinity": np.inf, "a huge value": 1e300}
LABELS = {
    "integers": [0, 1, 2, 3],
    "other integers": [-7, -2, 5, 2**40],
    "whole floats": [0.0, 1.0, 2.0, 3.0],
    "booleans": [False, True],
    "strings": ["ant", "bee", "cat", "dog"],
    "bytes": [b"ant", b"bee", b"cat", b"dog"],
    "one class": [1],
    "fractions": [0.5, 1.5, 2.25, 3.5],
    "one string": ["ant"],
}
MARKS = {"-1": -1, "None": None, "NaN": np.nan, "NA": pd.NA}
FORMS = [
    "array",
    "list",
    "object",
    "pandas",
    "pandas categories",
    "pandas nullable",
    "polars",
]


@dataclass(frozen=True)
class DomainCase:
    """One domain: its rows, and how they are stored."""

    n_rows: int
    n_features: int
    dtype: str
    container: str
    structure: str
    defect: str
    exponent: int


@dataclass(frozen=True)
class LabelCase:
    """Labels of one domain, and how they are stored."""

    kind: str
    n_classes: int
    known: str
    mark: str
    form: str
    imbalanced: bool


@dataclass(frozen=True)
class Case:
    """The data of one fit."""

    target: DomainCase
    source: DomainCase | None
    y: LabelCase
    y_source: LabelCase
    n_pairs: int
    mishap: str
    seed: int


class Data(NamedTuple):
    """What a fit is given, and rows of the target to predict."""

    X: Any
    y: Any
    source: Any
    pairs: Any


def mostly(value, others):
    """Draw one value most of the time, which is also what a failure shrinks to."""
    usual = st.just(value)
    return st.one_of(usual, usual, usual, st.sampled_from([value, *others]))


ROWS = st.sampled_from([8, 30, 1, 2, 3, 70])


def domain_cases(n_features, n_rows=ROWS):
    """Describe one domain."""
    return st.builds(
        DomainCase,
        n_rows=n_rows,
        n_features=n_features,
        dtype=mostly("float64", TYPES),
        container=st.one_of(st.just("array"), st.sampled_from(list(CONTAINERS))),
        structure=st.one_of(st.just("plain"), st.sampled_from(STRUCTURES)),
        defect=st.one_of(st.just("none"), mostly("none", DEFECTS)),
        exponent=st.one_of(st.just(0), st.integers(-100, 100)),
    )


LABEL_CASES = st.builds(
    LabelCase,
    kind=mostly("integers", LABELS),
    n_classes=st.sampled_from([2, 3, 4, 2, 3, 4, 2, 1]),
    known=st.sampled_from(["some", "some", "all", "one", "no", "absent"]),
    mark=mostly("-1", MARKS),
    form=mostly("array", FORMS),
    imbalanced=mostly(False, [False, True]),
)
WIDTHS = st.sampled_from([3, 1, 2, 8, 90])


@st.composite
def cases(draw, *, same_features, needs_source=False):
    """Describe the data of a fit."""
    target = draw(domain_cases(WIDTHS))
    widths = st.just(target.n_features) if same_features else WIDTHS
    source = draw(domain_cases(widths))
    y, y_source = draw(LABEL_CASES), draw(LABEL_CASES)
    if draw(mostly(True, [False])):  # labels of one kind, and known in the source
        y_source = replace(y, n_classes=4, known="all", imbalanced=y_source.imbalanced)
    if not needs_source and draw(mostly(False, [True])):
        source = None
    n_pairs = draw(st.sampled_from([6, -1, 1, 0]))
    mishap = draw(st.one_of(st.just("none"), mostly("none", MISHAPS)))
    return Case(target, source, y, y_source, n_pairs, mishap, draw(st.integers(0, 999)))


def build(case):
    """Make the data that a case describes."""
    rng = np.random.default_rng(case.seed)
    X, y = make_domain(case.target, case.y, rng)
    source = pairs = None
    if case.source is not None:
        source = make_domain(case.source, case.y_source, rng)
        pairs = _pairs(case, rng)
    data = Data(X, y, source, pairs)
    return MISHAPS.get(case.mishap, lambda data: data)(data)


def make_domain(domain, labels, rng, first_class=0):
    """Make the rows and the labels of a domain, of all classes from a first one on."""
    n_rows = _n_rows(domain, labels)
    classes = (LABELS[labels.kind][first_class:] or [0])[: labels.n_classes]
    codes = rng.integers(len(classes), size=n_rows)
    codes[: len(classes)] = np.arange(len(classes))[:n_rows]
    if labels.imbalanced:
        codes = (np.arange(n_rows) == 0) * (len(classes) - 1)
    X = rng.normal(scale=3, size=(4, domain.n_features))[codes]
    X = X + rng.normal(size=X.shape)
    rows = _typed(_structured(X, domain), domain)
    return CONTAINERS[domain.container](rows), _labels(labels, classes, codes, rng)


def _n_rows(domain, labels):
    """Count the rows: enough for one of a thousand, unless that takes long."""
    return 1001 if labels.imbalanced and domain.n_features < 10 else domain.n_rows


def _structured(X, domain):
    change = {
        "constant column": (np.s_[:, 0], 2.0),
        "duplicate columns": (np.s_[:, -1:], X[:, :1].copy()),
        "duplicate rows": (np.s_[1::2], X[: X[1::2].shape[0]].copy()),
        "rows all equal": (np.s_[:], X[0].copy()),
        "a zero row": (np.s_[0], 0.0),
        "rows all zero": (np.s_[:], 0.0),
    }
    if domain.structure in change:
        where, value = change[domain.structure]
        X[where] = value
    if domain.defect in DEFECTS:
        X[-1, -1] = DEFECTS[domain.defect]
    return X


def _unit(domain):
    """Tell the unit of the features of a domain; whole numbers have none."""
    dtype = np.dtype(domain.dtype)
    if dtype.kind != "f":
        return 1.0
    limit = 10 if dtype.itemsize == 2 else 100  # a float16 reaches 2**15
    return 2.0 ** np.clip(domain.exponent, -limit, limit)


def _typed(X, domain):
    dtype = np.dtype(domain.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype.kind == "f":
            return (X * _unit(domain)).astype(dtype)
        finite = np.nan_to_num(X, posinf=9, neginf=-9)
        if dtype.kind == "b":
            return finite > 0
        limits = np.iinfo(dtype)
        lowest, highest = max(limits.min, -1e6), min(limits.max, 1e6)
        return np.clip(10 * finite, lowest, highest).astype(dtype)


def _labels(case, classes, codes, rng):
    if case.known == "absent":
        return None
    known = {
        "all": np.ones(len(codes), dtype=bool),
        "some": rng.random(len(codes)) < 0.5,
        "one": np.arange(len(codes)) == 0,
        "no": np.zeros(len(codes), dtype=bool),
    }[case.known]
    mark = MARKS[case.mark]
    values = [
        classes[k] if there else mark for k, there in zip(codes, known, strict=True)
    ]
    return _FORMS[case.form](values)


def _array(values):
    """Make an array as a user would, of objects only where nothing else will do."""
    kinds = {type(value) for value in values}
    if kinds <= {int} or kinds <= {str} or kinds <= {bool} or kinds <= {int, float}:
        return np.array(values)
    return np.array(values, dtype=object)


def _polars(values):
    absent = [None if pd.isna(value) else value for value in values]
    return pl.Series("y", absent, strict=False)


_FORMS = {
    "array": _array,
    "list": list,
    "object": lambda values: np.array(values, dtype=object),
    "pandas": lambda values: pd.Series(values, index=range(7, 7 + len(values))),
    "pandas categories": lambda values: pd.Series(values).astype("category"),
    "pandas nullable": lambda values: pd.Series(values, dtype=object).convert_dtypes(),
    "polars": _polars,
}


def _pairs(case, rng):
    """Make pairs as a tuple, or, for -1, as one source row for every target row."""
    widths = case.source.n_features, case.target.n_features
    scales = _unit(case.source), _unit(case.target)
    if case.n_pairs >= 0:
        return tuple(
            scale * rng.normal(size=(case.n_pairs, width))
            for width, scale in zip(widths, scales, strict=True)
        )
    rows = scales[0] * rng.normal(size=(_n_rows(case.target, case.y), widths[0]))
    rows[::2] = np.nan
    return rows


def _names(X):
    return [f"f{j}" for j in range(X.shape[1])]


def _storable(X):
    return X.astype(np.float32) if X.dtype == np.float16 else X  # scipy has none


def _read_only(X):
    X.setflags(write=False)
    return X
