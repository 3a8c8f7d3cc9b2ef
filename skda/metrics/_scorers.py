"""The metrics of retrieval as scorers of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.metrics._retrieval import (
    Metric,
    mean_average_precision_score,
    mean_over_directions,
    recall_at_k_score,
)
from skda.utils.validation import final_estimator

__all__ = ["embeddings_by_view", "retrieval_scorer"]

METRICS: dict[str, Any] = {
    "map": mean_average_precision_score,
    "recall": recall_at_k_score,
}


@dataclass(frozen=True)
class _RetrievalScorer:
    """A scorer that can be pickled; see :func:`retrieval_scorer`."""

    metric: str
    k: int | None
    query: str | None
    gallery: str | None

    def __call__(self, estimator: Any, X: Any, y: ArrayLike) -> float:
        embeddings = embeddings_by_view(estimator, X)
        depth = {} if self.k is None else {"k": self.k}
        metric: Metric = partial(METRICS[self.metric], **depth)
        if self.query is None or self.gallery is None:
            return mean_over_directions(embeddings, y, metric)
        unknown = {self.query, self.gallery} - set(embeddings)
        if unknown:
            raise ValueError(
                f"The scorer asks for the views {self.query!r} and {self.gallery!r}, "
                f"but the data have {list(embeddings)}."
            )
        return metric(y, y, embeddings[self.query], embeddings[self.gallery])


def retrieval_scorer(
    metric: str = "map",
    *,
    k: int | None = None,
    query: str | None = None,
    gallery: str | None = None,
) -> _RetrievalScorer:
    """Make a scorer of retrievers, for ``scoring`` in searches and cross-validation.

    It embeds the paired views of the rows that it is given, and lets each row of one
    view search all rows of another.

    Parameters
    ----------
    metric : {"map", "recall"}, default="map"
        :func:`mean_average_precision_score` or :func:`recall_at_k_score`.
    k : int, default=None
        How many ranks count; None is all of them for "map", and 10 for "recall".
    query : str, default=None
        View that asks. None, along with `gallery`, averages over all ordered pairs of
        views.
    gallery : str, default=None
        View that is searched.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, which can be pickled.

    Raises
    ------
    ValueError
        If the metric is unknown, or one of `query` and `gallery` is given alone.

    See Also
    --------
    mean_over_directions : The average over the ordered pairs of views.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cross_decomposition import PLSCanonical
    >>> from skda.metrics import retrieval_scorer
    >>> class Retriever(PLSCanonical):
    ...     views_ = ("image", "text")
    ...
    ...     def transform(self, X):
    ...         return dict(zip(self.views_, super().transform(*np.hsplit(X, 2))))
    >>> X = np.random.default_rng(0).normal(size=(20, 3))[:, [0, 1, 2, 0, 1, 2]]
    >>> retriever = Retriever(n_components=2).fit(*np.hsplit(X, 2))
    >>> scorer = retrieval_scorer("recall", k=1, query="text", gallery="image")
    >>> scorer(retriever, X, np.arange(20))
    1.0
    """
    if metric not in METRICS:
        raise ValueError(
            f"Expected the name of a metric out of {list(METRICS)}, got {metric!r}."
        )
    if (query is None) != (gallery is None):
        raise ValueError(
            f"Expected both query and gallery, or neither, got query={query!r} and "
            f"gallery={gallery!r}."
        )
    return _RetrievalScorer(metric, k, query, gallery)


def embeddings_by_view(estimator: Any, X: Any) -> dict[str, NDArray[Any]]:
    """Embed rows, and tell the views even where they come back side by side.

    Parameters
    ----------
    estimator : estimator object
        A fitted retriever, or a search or pipeline around one.
    X : mapping of str to array-like, list of array-like, or array-like
        Whatever it embeds.

    Returns
    -------
    dict of str to ndarray of shape (n_samples, n_components)
        Embeddings by view.

    Raises
    ------
    TypeError
        If the views have no names because the estimator is no retriever.
    """
    embeddings = estimator.transform(X)
    if isinstance(embeddings, Mapping):
        return dict(embeddings)
    final = final_estimator(estimator)
    if not hasattr(final, "views_"):
        raise TypeError(
            f"Expected a retriever, which has the names of its views in views_, got "
            f"{final!r}."
        )
    if not isinstance(embeddings, (list, tuple)):
        embeddings = np.hsplit(np.asarray(embeddings), len(final.views_))
    return dict(zip(final.views_, embeddings, strict=True))
