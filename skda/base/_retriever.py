"""Validation, search and scoring shared by all estimators of retrieval."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skda.base._index import GalleryIndex
from skda.metrics import mean_average_precision_score, mean_over_directions
from skda.preprocessing import PerView
from skda.utils._sklearn import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    fit_context,
)
from skda.utils.declaration import estimator
from skda.utils.labels import Labels, check_labels, union_of_classes
from skda.utils.ranges import Transformer
from skda.utils.validation import apply_transformer, check_pair
from skda.utils.views import (
    ViewRows,
    is_list_of_views,
    is_mapping,
    mean_and_scale,
    n_paired_rows,
    name_views,
    slice_views,
    stacked,
    to_dense,
)

__all__ = ["BaseRetriever"]

Views = Any  # a mapping, a list or one array: see the docstring of fit


@estimator
class BaseRetriever(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC
):
    """Map the views of paired samples into one space, where cosines rank them.

    A subclass overrides :meth:`fit_views`, which learns from pairs, and
    :meth:`embed_rows`, which maps rows of one view. Validation, preprocessing, search
    and scoring are here.

    Parameters
    ----------
    views : mapping of str to slice or list
        Columns of every view, if one array is passed; None cuts two halves.
    shared_transformer : transformer
        Cloned for every view and fitted on all its rows, before all else; for one of
        its own in each view, pass a :class:`skda.preprocessing.PerView`.
    scaling : {"feature", "view"} or None
        Whether every feature is standardized, every view scaled as a whole, or neither.

    Attributes
    ----------
    views_ : tuple of str
        Names of the views.
    view_widths_ : dict of str to int
        Number of features of every view, after ``shared_transformer``.
    classes_ : ndarray of shape (n_classes,)
        Categories seen in ``fit``; empty if none was labeled.
    n_features_in_ : int
        Number of features, over all views.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if one array with names that are strings was passed.
    shared_transformer_ : transformer or None
        The fitted transformer.
    """

    views: Annotated[Mapping[str, Any] | None, dict, None] = None
    shared_transformer: Transformer = None
    scaling: Literal["feature", "view"] | None = "feature"

    _dtype: ClassVar[type] = np.float64
    published_params: ClassVar[dict[str, Any]] = {}
    _scales_by_target: ClassVar[bool] = False
    _needs_two_views: ClassVar[bool] = False
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
        few = {name: rows[:1] for name, rows in target_rows.views.items()}
        shapes = {name: self.embed_rows(rows, name).shape for name, rows in few.items()}
        self._n_features_out = sum(shape[1] for shape in shapes.values())
        return self

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
        views = self._named(X, fitting=False)
        embeddings = {
            name: self.embed_rows(rows, name).astype(np.float32)
            for name, rows in self._prepared(views).items()
        }
        if is_mapping(X):
            return embeddings
        parts = list(embeddings.values())
        return parts if is_list_of_views(X) else np.hstack(parts)

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
            self._one_view(query, "query"),
            self._one_view(gallery, "gallery"),
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
        named = self._named(X, fitting=False)
        n_paired_rows(named)
        return mean_over_directions(
            self.transform(named), y, mean_average_precision_score
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _one_view(
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

    def _check_domains(
        self, X: Views, y: ArrayLike | None, source: tuple[Views, ArrayLike] | None
    ) -> tuple[ViewRows, ViewRows]:
        """Check both parts, fit what comes before the method, learn ``classes_``."""
        self.shared_transformer_ = _per_view(clone(self.shared_transformer, safe=False))
        raw = self._named(X, fitting=True)
        n_pairs = n_paired_rows(raw)
        if n_pairs < 2:
            raise ValueError(f"Expected at least two pairs in X, got {n_pairs}.")
        labels = check_labels(y, np.empty(n_pairs))
        if source is None:
            everything, known = raw, check_labels(None, np.empty(0))
        else:
            views, y_source = check_pair(source, "source=(views, y_source)")
            raw_source = self._named(views, fitting=False, complete=True)
            known = check_labels(y_source, np.empty(n_paired_rows(raw_source)))
            _check_known(known, labels)
            everything = {n: stacked(raw_source[n], rows) for n, rows in raw.items()}
        some = known.known.any() or labels.known.any()
        self.classes_ = union_of_classes(known, labels) if some else np.empty(0)
        rows = self._fitted_rows(everything, known, labels)
        if is_mapping(X) or is_list_of_views(X):  # one array has said its own
            self.n_features_in_ = sum(self.view_widths_.values())
        return rows

    def _fitted_rows(
        self, everything: dict[str, Any], known: Labels, labels: Labels
    ) -> tuple[ViewRows, ViewRows]:
        """Fit the transformer and the scales, and tell source from target again."""
        views = self._dense(
            apply_transformer(self.shared_transformer_, everything, fitting=True)
        )
        self.view_widths_ = {name: rows.shape[1] for name, rows in views.items()}
        n_source = len(known.known)
        first = n_source if self._scales_by_target else 0
        self._scales = {
            name: mean_and_scale(rows[first:], self.scaling)
            for name, rows in views.items()
        }
        scaled = self._scaled(views)
        return (
            ViewRows({name: rows[:n_source] for name, rows in scaled.items()}, known),
            ViewRows({name: rows[n_source:] for name, rows in scaled.items()}, labels),
        )

    def _named(
        self, X: Views, *, fitting: bool, complete: bool = False
    ) -> dict[str, Any]:
        """Tell the views of whatever came in, and check their names."""
        if is_mapping(X) or is_list_of_views(X):
            names = None if fitting else list(self.views_)
            if fitting and self.views is not None:
                names = list(self.views)
            views = name_views(X, names)
        else:
            rows: Any = validate_data(
                self,
                X,
                reset=fitting,
                accept_sparse="csr",
                dtype=self._dtype,
                ensure_min_features=2 if fitting else 1,
                ensure_min_samples=2 if fitting else 1,
                ensure_all_finite=self.shared_transformer is None,
            )
            views = slice_views(
                rows, self.views, getattr(self, "feature_names_in_", None)
            )
        if fitting:
            self._learn_names(views)
        unknown = [name for name in views if name not in self.views_]
        missing = (
            [name for name in self.views_ if name not in views] if complete else []
        )
        if unknown or missing:
            raise ValueError(
                f"Expected the views {list(self.views_)}, got {list(views)}."
            )
        return {name: views[name] for name in self.views_ if name in views}

    def _learn_names(self, views: dict[str, Any]) -> None:
        if len(views) < 2 or (self._needs_two_views and len(views) > 2):
            wanted = "two views" if self._needs_two_views else "at least two views"
            raise ValueError(
                f"{type(self).__name__} expects {wanted}, got {list(views)}: retrieval "
                f"is from one view to another."
            )
        self.views_ = tuple(views)

    def _prepared(self, views: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Take new rows to what the method works on."""
        ready = apply_transformer(self.shared_transformer_, views, fitting=False)
        dense = self._dense(ready)
        for name, rows in dense.items():
            if rows.shape[1] != self.view_widths_[name]:
                raise ValueError(
                    f"View {name!r} has {rows.shape[1]} features, but "
                    f"{type(self).__name__} is expecting {self.view_widths_[name]} "
                    f"features as input."
                )
        return self._scaled(dense)

    def _dense(self, views: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Check matrices, and fill them in where they are sparse."""
        checked: dict[str, Any] = {
            name: check_array(
                X,
                accept_sparse="csr",
                dtype=self._dtype,
                input_name=f"view {name!r}",
                estimator=self,
            )
            for name, X in views.items()
        }
        return to_dense(checked)

    def _scaled(self, views: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        ready = {}
        for name, rows in views.items():
            mean, scale = self._scales[name]
            ready[name] = (rows - mean) / scale
        return ready


def _per_view(transformer: Any) -> Any:
    """Give every view a transformer of its own."""
    if transformer is None or isinstance(transformer, PerView):
        return transformer
    return PerView(transformer)


def _check_known(known: Labels, labels: Labels) -> None:
    """Check that the source has categories, and that they are not the new ones."""
    if not known.known.any():
        raise ValueError(
            "Expected source=(views, y_source) with categories, but every label of it "
            "is missing: put unlabeled pairs into X."
        )
    if labels.known.any():
        union_of_classes(known, labels)  # which refuses names beside numbers
        both = np.intersect1d(known.values, labels.values)
        if both.size:
            raise ValueError(
                f"Expected new categories in y, but {both.tolist()} are in the source "
                f"as well: put all labeled pairs of a category on one side."
            )
