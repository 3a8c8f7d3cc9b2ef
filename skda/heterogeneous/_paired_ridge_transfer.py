"""A linear map from target to source, and the source's classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge

from skda.base import (
    BaseSeveralSourcesPairedClassifier,
    DomainName,
    PairedRows,
    Rows,
    estimator,
)
from skda.heterogeneous._mapped import Array, BaseMappedClassifier
from skda.utils.ranges import NonNegative
from skda.utils.warnings import warn_user

__all__ = ["PairedRidgeTransfer"]


@estimator
class PairedRidgeTransfer(BaseSeveralSourcesPairedClassifier, BaseMappedClassifier):
    r"""Linear map from target to source by pairs, and a classifier of the source.

    The control of every method that learns from pairs: two lines of scikit-learn. With
    the sides :math:`x_i` and :math:`u_i` of the pairs in source and target, the map
    minimizes

    .. math:: \sum_i \lVert x_i - W u_i - b \rVert^2 + \alpha \lVert W \rVert_F^2 .
        \tag{1}

    A classifier of labeled source rows then labels the mapped rows :math:`W u + b`.
    Labeled target rows, mapped, join its training: ``use_target_labels=False`` is the
    pure control, and what :meth:`published` returns. Unlabeled rows have no part in it,
    but for those of pairs. Without a source, the classifier learns from the labeled
    target rows as they are.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    alpha
        Ridge :math:`\alpha` of the map.

    Attributes
    ----------
    ridge_ : Ridge
        The map :math:`W, b`; only there with a source.

    See Also
    --------
    HHTL : Maps hidden layers too.
    DATN : Maps between networks that learn along.
    skda.baselines.TargetOnly : Any classifier, without the source.

    Notes
    -----
    With fewer pairs than features the ridge alone settles the map, and with one pair
    there is nothing but :math:`b`: every target row becomes the same.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import PairedRidgeTransfer
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = PairedRidgeTransfer()
    >>> clf = clf.fit(right[500:550], y[500:550], source=source, pairs=pairs)
    >>> clf.predict(right[550:]).shape
    (350,)
    """

    alpha: NonNegative = 1.0

    _of_source: ClassVar[tuple[str, ...]] = ("ridge_",)

    def transform(self, X: ArrayLike, *, domain: DomainName = "target") -> Array:
        """Map samples to what the classifier sees, features of the source.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from; with several sources the target alone.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Features of the source, those of several side by side; the target's own if
            there was none in the fit.
        """
        if not hasattr(self, "source_estimators_"):
            return super().transform(X, domain=domain)
        self._check_domain(domain)
        return np.hstack([each.transform(X) for each in self.source_estimators_])

    def _unlabeled_opinion(self, part: Any, X: Any, given: Any) -> Any:
        unlabeled = self._fit_one(X, None, given)
        return self._opinion(unlabeled, unlabeled.predict_proba(X))

    def _conclude(self, given: Any, target: Any, probabilities: Array) -> None:
        widths: Any = self.n_features_in_source_
        self._n_features_out = sum(widths)

    def _learn_map(self, source: Rows, target: Rows, pairs: PairedRows) -> None:
        n_unlabeled = (~source.labels.known).sum()
        if n_unlabeled:
            warn_user(
                f"PairedRidgeTransfer leaves out {n_unlabeled} unlabeled source "
                f"samples."
            )
        self.ridge_ = Ridge(alpha=self.alpha).fit(pairs.target, pairs.source)

    def _features(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        return X if domain == "source" else self._map_rows(self.ridge_, X)
