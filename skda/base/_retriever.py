"""Validation, search and scoring shared by all estimators of retrieval."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skda.base._index import GalleryIndex
from skda.base._view_preprocessing import ViewPreprocessing, Views
from skda.metrics import mean_average_precision_score, mean_over_directions
from skda.utils._sklearn import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    fit_context,
    wrap_output,
)
from skda.utils.declaration import estimator
from skda.utils.views import ViewRows, count_pairs, is_list_of_views, is_mapping

__all__ = ["BaseRetriever"]


class ViewTransform(ViewPreprocessing, ABC):
    """Mixin that embeds views; only one array comes out as ``set_output`` says.

    scikit-learn wraps whatever the ``transform`` of a subclass of its own mixin
    returns, but dictionaries and lists of views are no tables.
    """

    @abstractmethod
    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        """Map validated and preprocessed rows of one view into the common space.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows.
        view : str
            Name of the view.

        Returns
        -------
        ndarray of shape (n, d)
            Embeddings.
        """

    def fit_transform(self, X: Views, y: ArrayLike | None = None, **params: Any) -> Any:
        """Fit to pairs and map them into the common space.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views.
        y : array-like of shape (n_samples,), default=None
            Categories of the pairs; -1, None, NaN or pandas.NA where unknown.
        **params : dict
            Passed to ``fit``.

        Returns
        -------
        dict of str to ndarray, list of ndarray, or ndarray
            What came in, embedded.
        """
        fitted: Self = self.fit(X, y, **params)  # type: ignore[attr-defined]
        return fitted.transform(X)

    def transform(self, X: Views) -> Any:
        """Map views into the common space.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Any part of the views as a mapping, not necessarily paired; or all of them
            as a list or as one array.

        Returns
        -------
        dict of str to ndarray, list of ndarray, or ndarray
            What came in, embedded, each view as float32 of shape (n_samples,
            n_components); for one array the embeddings of its views side by side.
        """
        check_is_fitted(self)
        embeddings = self._embed(self._views_by_name(X, fitting=False))
        if is_mapping(X):
            return embeddings
        parts = list(embeddings.values())
        if is_list_of_views(X):
            return parts
        return wrap_output("transform", np.hstack(parts), X, self)

    def _embed(self, views: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
        """Embed validated views."""
        return {
            name: self.embed_rows(rows, name).astype(np.float32)
            for name, rows in self._preprocess(views).items()
        }


@estimator
class BaseRetriever(
    ViewTransform, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Map the views of paired samples into one space, where cosines rank them.

    A subclass overrides :meth:`fit_views`, which learns from pairs, and
    :meth:`embed_rows`, which maps rows of one view. Search and scoring are here,
    validation and preprocessing in the base class.
    """

    published_params: ClassVar[dict[str, Any]] = {}
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True}

    @abstractmethod
    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        """Learn from pairs.

        Parameters
        ----------
        source : ViewRows
            Labeled pairs of known categories; no rows if there are none.
        target : ViewRows
            Pairs of new categories, each view of shape (n_target, p).
        """

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        """Build the estimator with the settings of its paper or public code.

        Parameters
        ----------
        **overrides : dict
            Parameters to set otherwise.

        Returns
        -------
        estimator : object
            Unfitted estimator.
        """
        return cls(**(cls.published_params | overrides))

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Views,
        y: ArrayLike | None = None,
        *,
        source: tuple[Views, ArrayLike] | None = None,
    ) -> Self:
        """Fit to pairs of new categories and, if there are any, of known ones.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views, row ``i`` of every one of shape (n_samples, n_view_features)
            describing sample ``i``. A list names them ``view0``, ``view1`` and so on;
            one array is cut into the columns that the parameter ``views`` says, by
            default into two halves. To cross-validate, pass one array or a
            :class:`skorch.helper.SliceDict`.
        y : array-like of shape (n_samples,), default=None
            Categories of the pairs; -1, None, NaN or pandas.NA where unknown.
        source : tuple (views, y_source), default=None
            Pairs of known categories, with the same views, and their categories. No
            category may be in ``y`` as well.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        source_rows, target_rows = self._check_domains(X, y, source)
        self.fit_views(source_rows, target_rows)
        first = {name: rows[:16] for name, rows in target_rows.views.items()}
        embeddings = [self.embed_rows(X, name) for name, X in first.items()]
        self._n_features_out = sum(rows.shape[1] for rows in embeddings)
        with np.errstate(over="ignore"):
            finite = [np.isfinite(rows.astype(np.float32)) for rows in embeddings]
        if not all(rows.all() for rows in finite):
            raise ValueError(
                f"The embeddings of {type(self).__name__} are not finite: scale the "
                f"features, scaling='feature' or a shared_transformer."
            )
        return self

    def retrieve(
        self,
        query: Mapping[str, ArrayLike],
        gallery: Mapping[str, ArrayLike],
        n_neighbors: int = 10,
        *,
        n_expansions: int = 0,
    ) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        """Find the rows of a gallery that are most like each query.

        Parameters
        ----------
        query : mapping of one str to array-like of shape (n_queries, n_view_features)
            Queries, under the name of their view: ``{"text": T}``.
        gallery : mapping of one str to array-like of shape (n_gallery, n_view_features)
            What to search, under the name of its view: ``{"image": A}``.
        n_neighbors : int, default=10
            How many rows to return for each query.
        n_expansions : int, default=0
            Query expansion: add to every query the mean of so many of its first hits,
            and search again.

        Returns
        -------
        indices : ndarray of shape (n_queries, n_neighbors)
            Rows of the gallery, the most similar first.
        similarities : ndarray of shape (n_queries, n_neighbors)
            Their cosine similarities.
        """
        queries, rows = (
            self._embed_one_view(query, "query"),
            self._embed_one_view(gallery, "gallery"),
        )
        index = GalleryIndex(n_neighbors=n_neighbors).fit(rows)
        return index.search(index.expand(queries, n_expansions))

    def score(self, X: Views, y: ArrayLike) -> float:
        """Measure how well each view retrieves each other one.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views.
        y : array-like of shape (n_samples,)
            Categories; a pair whose category is missing does not count.

        Returns
        -------
        float
            Mean average precision over the full ranking, averaged over all ordered
            pairs of views.
        """
        check_is_fitted(self)
        named = self._views_by_name(X, fitting=False)
        count_pairs(named)
        return mean_over_directions(self._embed(named), y, mean_average_precision_score)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _embed_one_view(
        self, views: Mapping[str, ArrayLike], role: str
    ) -> NDArray[np.floating]:
        got = list(views) if isinstance(views, Mapping) else type(views).__name__
        if not isinstance(views, Mapping) or len(views) != 1:
            raise ValueError(
                f"Expected {role} to be a mapping of one view, such as "
                f"{{'text': rows}}, got {got}."
            )
        (embeddings,) = self.transform(views).values()
        return embeddings
