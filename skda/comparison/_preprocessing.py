"""The same preprocessing for all methods of retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from skda.comparison._splits import CategorySplit
from skda.preprocessing import PerView

__all__ = ["prepared"]

#: Most principal components of a view that is wider than the pairs are many.
MOST_COMPONENTS = 100


def prepared(
    named: Sequence[tuple[str, Any]],
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
