"""Classifiers that learn from several sources, and from pairs with each of them."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike

from skda.base._paired import BasePairedClassifier
from skda.base._source_list import list_sources
from skda.base._sources import BaseSeveralSourcesClassifier
from skda.utils._sklearn import fit_context
from skda.utils.declaration import estimator

__all__ = ["BaseSeveralSourcesPairedClassifier"]


@estimator
class BaseSeveralSourcesPairedClassifier(
    BaseSeveralSourcesClassifier, BasePairedClassifier
):
    """Classify with the help of one source or several, and of pairs with each.

    Parameters
    ----------
    scaling : {"feature"} or None
        Whether to standardize every feature of either domain, by the rows of ``X`` and
        of the source.
    """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        pairs: Any = None,
    ) -> Self:
        """Fit to a partially labeled target, labeled sources and pairs of both.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are, in which case ``source`` is required, and a method that cannot
            do without any says so.
        source : tuple (X_source, y_source) or list of such tuples, default=None
            Source samples, of shape (n_source, n_source_features), and their labels,
            of shape (n_source,). In a list, every source may have features and classes
            of its own. None runs the method's target-only form where it has one, else
            trains on the labeled target samples alone.
        pairs : tuple (X_source_pairs, X_target_pairs), array-like or list, default=None
            Co-occurring samples, such as a text and its translation; their labels
            are not needed. Either a tuple of samples that are not in ``X``, of shapes
            (n_pairs, n_source_features) and (n_pairs, n_features); or, of shape
            (n_target, n_source_features), the source side of every row of ``X``, all
            NaN where there is none. Cross-validation cuts the second form with ``X``.
            It cannot cut the tuple: if that has rows of ``X``, or of the samples
            to predict later, then test samples leak into the training. Beside a list
            of sources, a list of as many, None for a source without pairs;
            cross-validation cuts nothing in it, so pass tuples there.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        one = BasePairedClassifier.fit
        if not isinstance(source, list):
            fitted = one(self, X, y, source=source, pairs=pairs)
            return self._remember_one(fitted, source)
        given = list_sources(source, pairs, self.source_transformer, X)
        if len(given) == 1:
            (only,) = given
            fitted = one(self, X, y, source=only.source, pairs=only.pairs)
            return self._remember_one(fitted, source)
        return self._fit_several(X, y, given)
