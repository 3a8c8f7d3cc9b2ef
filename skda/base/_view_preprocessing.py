"""Validation and preprocessing of paired views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skda.preprocessing import PerView
from skda.utils.arrays import to_numpy
from skda.utils.declaration import estimator
from skda.utils.labels import Labels, check_labels, union_of_classes
from skda.utils.operations import check_array, validate_data
from skda.utils.ranges import Transformer
from skda.utils.validation import (
    FeatureMemory,
    apply_transformer,
    check_magnitude,
    check_pair,
    validate_features,
)
from skda.utils.views import (
    ViewRows,
    count_pairs,
    is_list_of_views,
    is_mapping,
    mean_and_scale,
    name_views,
    slice_views,
    stack_rows,
    to_dense,
)

__all__ = ["ViewPreprocessing", "Views"]

Views = Any  # a mapping, a list or one array: see BaseRetriever.fit


@estimator
class ViewPreprocessing:
    """Mixin of retrievers: split inputs into views, validate and preprocess them.

    Parameters
    ----------
    views : mapping of str to slice or list
        Columns of every view, if one array is passed; None cuts two halves.
    shared_transformer : transformer
        Cloned for every view and fitted on all its rows, before all else; for one of
        its own in each view, pass a :class:`skda.preprocessing.PerView`.
    scaling : {"feature", "view"} or None
        Whether to standardize, by all pairs, every feature, every view as a whole, or
        neither.

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
    _scales_by_target: ClassVar[bool] = False
    _needs_two_views: ClassVar[bool] = False

    def _check_domains(
        self, X: Views, y: ArrayLike | None, source: tuple[Views, ArrayLike] | None
    ) -> tuple[ViewRows, ViewRows]:
        """Validate source and target, fit the preprocessing, set ``classes_``."""
        transformer = clone(self.shared_transformer, safe=False)
        self.shared_transformer_ = _wrap_per_view(transformer)
        raw = self._views_by_name(X, fitting=True)
        n_pairs = count_pairs(raw)
        if n_pairs < 2:
            raise ValueError(f"Expected at least two pairs in X, got {n_pairs}.")
        labels = check_labels(y, np.empty(n_pairs))
        if source is None:
            all_rows, known = raw, check_labels(None, np.empty(0))
        else:
            views, y_source = check_pair(source, "source=(views, y_source)")
            raw_source = self._views_by_name(views, fitting=False, complete=True)
            known = check_labels(y_source, np.empty(count_pairs(raw_source)))
            _check_source_labels(known, labels)
            all_rows = self._stack(raw_source, raw)
        any_labeled = known.known.any() or labels.known.any()
        self.classes_ = union_of_classes(known, labels) if any_labeled else np.empty(0)
        rows = self._fit_preprocessing(all_rows, known, labels)
        if is_mapping(X) or is_list_of_views(X):  # validate_data knows arrays
            vars(self).pop("feature_names_in_", None)  # of an earlier fit
            self.n_features_in_ = sum(self.view_widths_.values())
        return rows

    def _stack(self, source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
        """Put the rows of every view below those of the source."""
        if self.shared_transformer_ is None:  # which takes anything
            source = self._check_arrays(source, of=" of the source")
            target = self._check_arrays(target)
        return {name: stack_rows(source[name], X, name) for name, X in target.items()}

    def _fit_preprocessing(
        self, views: dict[str, Any], known: Labels, labels: Labels
    ) -> tuple[ViewRows, ViewRows]:
        """Fit the transformer and the scales, and split into source and target."""
        views = self._check_arrays(
            apply_transformer(self.shared_transformer_, views, fitting=True)
        )
        self.view_widths_ = {name: rows.shape[1] for name, rows in views.items()}
        n_source = len(known.known)
        for name, rows in views.items():
            for part, where in ((rows[:n_source], "source"), (rows[n_source:], "X")):
                if len(part) and not part.any():
                    raise ValueError(
                        f"View {name!r} of {where} is zero in all {len(part)} rows, so "
                        f"that nothing can be related to it: leave the view out."
                    )
        first = n_source if self._scales_by_target else 0
        self._scales = {
            name: mean_and_scale(rows[first:], self.scaling)
            for name, rows in views.items()
        }
        scaled = self._scale(views)
        return (
            ViewRows({name: rows[:n_source] for name, rows in scaled.items()}, known),
            ViewRows({name: rows[n_source:] for name, rows in scaled.items()}, labels),
        )

    def _views_by_name(
        self, X: Views, *, fitting: bool, complete: bool = False
    ) -> dict[str, Any]:
        """Split any form of input into views, and check their names."""
        if is_mapping(X) or is_list_of_views(X):
            names = None if fitting else list(self.views_)
            if fitting and self.views is not None:
                names = list(self.views)
            views = name_views(X, names)
        else:
            with np.errstate(over="ignore"):  # a value too large is an error, here
                rows: Any = validate_data(
                    self,
                    to_numpy(X),
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
            self._set_view_names(views)
        unknown = [name for name in views if name not in self.views_]
        missing = (
            [name for name in self.views_ if name not in views] if complete else []
        )
        if unknown or missing:
            raise ValueError(
                f"Expected the views {list(self.views_)}, got {list(views)}."
            )
        views = {name: views[name] for name in self.views_ if name in views}
        self._check_columns(views, fitting=fitting)
        return views

    def _check_columns(self, views: Mapping[str, Any], *, fitting: bool) -> None:
        """Check the names of the columns of every view, as scikit-learn does."""
        if fitting:
            called = type(self).__name__
            self._columns = {
                name: FeatureMemory(f"view {name!r} of {called}") for name in views
            }
        for name, X in views.items():
            columns = list(getattr(X, "columns", ()))
            repeated = sorted({str(c) for c in columns if columns.count(c) > 1})
            if repeated:
                raise ValueError(
                    f"Expected view {name!r} to have columns of different names, got "
                    f"several that are called {', '.join(repeated)}: rename them."
                )
            try:
                validate_features(
                    self._columns[name],
                    X,
                    reset=fitting,
                    skip_check_array=True,
                    ensure_2d=False,  # without it, lists of texts would fail
                )
            except ValueError as error:
                raise ValueError(f"View {name!r}: {error}") from None

    def _set_view_names(self, views: dict[str, Any]) -> None:
        if len(views) < 2 or (self._needs_two_views and len(views) > 2):
            wanted = "two views" if self._needs_two_views else "at least two views"
            raise ValueError(
                f"{type(self).__name__} expects {wanted}, got {list(views)}: retrieval "
                f"is from one view to another."
            )
        self.views_ = tuple(views)

    def _preprocess(self, views: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Transform, validate and scale the rows of views."""
        ready = apply_transformer(self.shared_transformer_, views, fitting=False)
        dense = self._check_arrays(ready)
        for name, rows in dense.items():
            if rows.shape[1] != self.view_widths_[name]:
                raise ValueError(
                    f"View {name!r} has {rows.shape[1]} features, but "
                    f"{type(self).__name__} is expecting {self.view_widths_[name]} "
                    f"features as input."
                )
        return self._scale(dense)

    def _check_arrays(
        self, views: Mapping[str, Any], *, of: str = ""
    ) -> dict[str, NDArray[Any]]:
        """Validate the matrices, and make them dense."""
        checked = {
            name: self._check_view(X, f"view {name!r}{of}") for name, X in views.items()
        }
        return to_dense(checked)

    def _check_view(self, X: Any, called: str) -> Any:
        """Validate one matrix, and call it by its name if there is an error."""
        try:
            with np.errstate(over="ignore"):  # a value too large is an error, here
                rows: Any = check_array(
                    to_numpy(X),
                    accept_sparse="csr",
                    dtype=self._dtype,
                    order="C",  # sums over columns are rounded by the order in memory
                    input_name=called,
                    estimator=self,
                )
        except (TypeError, ValueError) as error:
            message = str(error)
            if called in message:
                raise
            cure = "could not convert" in message and self.shared_transformer is None
            advice = "\nPass a shared_transformer that makes numbers of them."
            raise ValueError(f"V{called[1:]}: {message}{advice * cure}") from error
        check_magnitude(rows, called)
        return rows

    def _scale(self, views: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        ready = {}
        for name, rows in views.items():
            mean, scale = self._scales[name]
            ready[name] = (rows - mean) / scale
        return ready


def _wrap_per_view(transformer: Any) -> Any:
    """Make a transformer one for each view."""
    if transformer is None or isinstance(transformer, PerView):
        return transformer
    return PerView(transformer)


def _check_source_labels(known: Labels, labels: Labels) -> None:
    """Check that the source has categories, none of which is in ``y``."""
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
