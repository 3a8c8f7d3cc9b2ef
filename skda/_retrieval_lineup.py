"""Who takes part in comparisons of retrieval, in which settings, after what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import skda.retrieval
from skda._compare import _numbered
from skda._retrieval_protocol import CategorySplit
from skda.base import BaseRetriever
from skda.preprocessing import PerView
from skda.retrieval import DMTL, GMLDA, MCCA, PLS, ClusterRetrieval, MvDA, RidgeCCA

__all__ = [
    "default_methods",
    "method_named",
    "named_methods",
    "prepared",
    "reference_method",
    "settings_of",
]

#: Settings of methods that use no labels; they have no use for a source as such.
_UNSUPERVISED = dict.fromkeys(
    ("PLS", "MCCA", "DCCA", "DCCAE"), ("source", "pairs", "new")
)
#: Those of methods that have no use for unlabeled pairs.
_SUPERVISED = dict.fromkeys(("MvDA", "GMLDA", "ACMR"), ("source",))
#: Most principal components of a view that is wider than the pairs are many.
MOST_COMPONENTS = 100


def default_methods(n_views: int = 2) -> dict[str, Any]:
    """Build the default line-up: the methods that take so many views."""
    methods: list[BaseRetriever] = [
        PLS(),
        MCCA(),
        RidgeCCA(),
        ClusterRetrieval(),
        MvDA(),
        GMLDA(),
        DMTL(hidden_layer_sizes=(128, 128), n_components=64),
    ]
    return {
        type(method).__name__: method
        for method in methods
        if n_views == 2 or not method._needs_two_views
    }


def method_named(name: str) -> Any:
    """Build a method of the line-up, or any other retriever, by its name in any case.

    Parameters
    ----------
    name : str
        Name of the class.

    Returns
    -------
    retriever
        The method, unfitted.
    """
    classes = [getattr(skda.retrieval, known) for known in skda.retrieval.__all__]
    known = {c.__name__: c for c in classes if issubclass(c, BaseRetriever)}
    spelled = {known_name.lower(): known_name for known_name in known}
    if name.lower() not in spelled:
        raise ValueError(f"Expected methods among {', '.join(known)}, got {name!r}.")
    proper = spelled[name.lower()]
    return default_methods().get(proper) or known[proper]()


def settings_of(estimator: Any) -> tuple[str, ...]:
    """Tell in which settings a method makes sense."""
    inner = estimator
    while not isinstance(inner, BaseRetriever):  # in pipelines and searches
        inside = inner[-1] if isinstance(inner, Pipeline) else None
        inner = getattr(inner, "estimator", inside)
        if inner is None:
            break
    name = type(inner).__name__
    every = ("source", "source + new", "new")
    return (_UNSUPERVISED | _SUPERVISED).get(name, every)


def reference_method(n_views: int) -> str:
    """Name the method that all others are compared to, pair by pair of splits."""
    return "RidgeCCA" if n_views == 2 else "MCCA"


def named_methods(methods: Any, n_views: int) -> list[tuple[str, Any]]:
    """Give every method a name of its own."""
    if methods is None:
        return list(default_methods(n_views).items())
    if isinstance(methods, Mapping):
        named = list(methods.items())
    else:
        if isinstance(methods, str) or not isinstance(methods, Iterable):
            methods = [methods]
        built = [method_named(m) if isinstance(m, str) else m for m in methods]
        named = _numbered([(type(method).__name__, method) for method in built])
    if not named:
        raise ValueError("Expected methods to compare, got none.")
    for name, method in named:
        if isinstance(method, type):
            raise TypeError(
                f"Expected a retriever, an instance, got the class {method.__name__}: "
                f"pass {method.__name__}()."
            )
        if not all(
            hasattr(method, each) for each in ("fit", "transform", "get_params")
        ):
            raise TypeError(
                f"Expected a retriever, with fit and transform, got {method!r} as "
                f"{name!r}: pass one of skda.retrieval, or its name."
            )
    return named


def prepared(
    named: list[tuple[str, Any]],
    views: Mapping[str, Any],
    splits: list[CategorySplit],
    shared_transformer: Any,
    scaling: Any,
) -> list[tuple[str, Any]]:
    """Give all methods the same preprocessing."""
    given: dict[str, Any] = {}
    if isinstance(shared_transformer, str):
        fewest = min(len(rows) for split in splits for rows in split[:2])
        wide = {name for name, X in views.items() if X.shape[1] > fewest}
        if wide:
            given["shared_transformer"] = PerView(
                {
                    name: _reducer(X, fewest) if name in wide else StandardScaler()
                    for name, X in views.items()
                }
            )
            given["scaling"] = "view"
    elif shared_transformer is not None:
        given["shared_transformer"] = shared_transformer
    if scaling != "auto":
        given["scaling"] = scaling
    ready = []
    for name, method in named:
        params = {k: v for k, v in given.items() if k in method.get_params(deep=False)}
        ready.append((name, clone(method).set_params(**params)))
    return ready


def _reducer(X: Any, n_rows: int) -> Any:
    """Bring a wide view down to a few components."""
    counts = issparse(X) or (np.count_nonzero(X) < X.size / 2 and X.min() >= 0)
    n_components = min(MOST_COMPONENTS, n_rows)
    return make_pipeline(
        Normalizer() if counts else StandardScaler(),
        PCA(
            n_components,
            svd_solver="covariance_eigh" if issparse(X) else "auto",
            random_state=0,
        ),
    )
