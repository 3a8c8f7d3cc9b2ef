"""A transformer for every view of paired samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from skorch.helper import SliceDict

from skda.utils._sklearn import HasMethods, fit_context
from skda.utils.arrays import to_numpy
from skda.utils.operations import validate_data
from skda.utils.views import (
    count_pairs,
    is_list_of_views,
    is_mapping,
    name_views,
    slice_views,
    to_dense,
)

__all__ = ["PerView"]


class PerView(TransformerMixin, BaseEstimator):
    """Take every view of paired samples through a transformer of its own.

    Parameters
    ----------
    transformers : transformer or mapping of str to transformer or None
        One transformer, of which every view gets a clone; or one for each view by
        name, in which None and absent names leave a view as it is.
    views : mapping of str to slice or list, default=None
        Columns of every view where one array comes in; None cuts two halves, named
        ``view0`` and ``view1``.

    Attributes
    ----------
    transformers_ : dict of str to transformer or None
        The fitted transformers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import Normalizer, StandardScaler
    >>> from skda.preprocessing import PerView
    >>> pairs = {"image": np.array([[0.0], [2.0]]), "text": np.array([[3, 4], [0, 2]])}
    >>> scale = PerView({"image": StandardScaler(), "text": Normalizer()})
    >>> scaled = scale.fit_transform(pairs)
    >>> scaled["image"].ravel(), scaled["text"][0]
    (array([-1.,  1.]), array([0.6, 0.8]))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "transformers": [dict, HasMethods(["fit", "transform"])],
        "views": [dict, None],
    }

    def __init__(
        self, transformers: Any, *, views: Mapping[str, Any] | None = None
    ) -> None:
        self.transformers = transformers
        self.views = views

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Fit the transformer of every view.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Paired views.
        y : array-like of shape (n_samples,), default=None
            Passed on to the transformers.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        views = self._named(X, fitting=True)
        count_pairs(views)
        given = self.transformers
        if isinstance(given, Mapping):
            self._check_names(given, views)
            chosen = {name: given.get(name) for name in views}
        else:
            chosen = dict.fromkeys(views, given)
        self.transformers_ = {
            name: None
            if transformer is None
            else clone(transformer).fit(views[name], y)
            for name, transformer in chosen.items()
        }
        return self

    def transform(self, X: Any) -> Any:
        """Transform every view that is there.

        Parameters
        ----------
        X : mapping of str to array-like, list of array-like, or array-like
            Views; a mapping may hold a part of them.

        Returns
        -------
        dict of str to ndarray, list of ndarray, or ndarray
            What came in, transformed; a :class:`skorch.helper.SliceDict` stays one.
        """
        check_is_fitted(self)
        views = self._named(X, fitting=False)
        self._check_names(views, self.transformers_)
        ready = {name: self._one(name, rows) for name, rows in views.items()}
        if isinstance(X, SliceDict):
            return SliceDict(**ready)
        if is_mapping(X):
            return ready
        if is_list_of_views(X):
            return list(ready.values())
        return np.hstack(list(to_dense(ready).values()))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "transformers_")

    def _one(self, name: str, rows: Any) -> Any:
        transformer = self.transformers_[name]
        return rows if transformer is None else transformer.transform(rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True  # the transformers may refuse them
        return tags

    def _named(self, X: Any, *, fitting: bool) -> dict[str, Any]:
        if is_mapping(X) or is_list_of_views(X):
            return name_views(X)
        rows: Any = validate_data(
            self,
            to_numpy(X),
            reset=fitting,
            accept_sparse="csr",
            ensure_all_finite="allow-nan",
            ensure_min_features=2 if fitting else 1,
        )
        names = getattr(self, "feature_names_in_", None)
        return slice_views(rows, self.views, names)

    def _check_names(self, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ValueError(f"Expected views among {list(known)}, got {unknown}.")
