"""Asymmetric regularized cross-domain transformation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.heterogeneous._margin import BaseMarginClassifier
from skda.heterogeneous._squared_hinge import Array, fit_bilinear, row_space
from skda.utils.operations import spread_columns
from skda.utils.ranges import Count, Positive

__all__ = ["ARCT"]


@estimator
class ARCT(BaseMarginClassifier):
    r"""Asymmetric cross-domain transformation: a similarity of source and target rows.

    Classifies a target by a few labeled rows and a labeled source that has other
    features [1]_. A map :math:`W`, which need not be symmetric or square, makes
    inner products of the rows of a class large, and of rows of different classes small,

    .. math::

        \min_W \; \tfrac12 \|W\|_F^2 + \tfrac{\gamma}{2} \sum_{ij}
        \max(0, 1 - s_{ij} \, x_i^{s\top} W x_j^t)^2, \tag{1}

    over all labeled rows of the source and of the target, with :math:`s_{ij} = 1` where
    their classes are the same, else -1. The score of a class is the mean similarity
    :math:`x_i^{s\top} W x` of a row to its nearest source rows of that class. With
    one neighbor, the class with the largest score is that of the nearest source row.
    Unlabeled rows have no part in it, and a class without a source row is never
    predicted.

    There is no ``transform``: the map takes rows to features of the source, but only as
    far as the source looks at them. Without a source, the labeled target rows stand
    in its place, which makes of Equation 1 a similarity within the target.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    gamma
        Weight :math:`\gamma` of the errors.
    n_neighbors
        Number of source rows of a class that score it.
    tol
        Norm of the gradient, relative to that at zero, at which Equation 1 is solved.
    max_iter
        Most iterations of L-BFGS.

    Attributes
    ----------
    source_rows_ : ndarray of shape (n_labeled, n_source_features)
        Labeled rows of the source; those of the target without one.
    source_codes_ : ndarray of shape (n_labeled,)
        Places of their classes in ``classes_``.
    map_ : ndarray of shape (n_source_features, n_features)
        The map :math:`W`.
    n_iter_ : int
        Number of iterations.

    See Also
    --------
    MMDT : Learns classifiers of the source in place of similarities to its rows.

    Notes
    -----
    The public code, part of that of :class:`MMDT`, solves the dual by one constraint
    at a time, the one that is violated most, until none is by more than 0.01. Equation
    1 is its primal, which is smooth and has one solution, :math:`W = X_s^\top S X_t`.
    It is found in the spaces that the rows of both domains span, where an iteration
    costs :math:`O(n_s r_t (r_s + n_t))` for :math:`n` labeled rows that span :math:`r`
    dimensions. :meth:`published` has the settings of that code.

    A row of the source is scored by its inner products with the rows of the source, and
    not by itself: it must be new for the score to tell anything.

    References
    ----------
    .. [1] B. Kulis, K. Saenko and T. Darrell, "What You Saw Is Not What You Get: Domain
       Adaptation Using Asymmetric Kernel Transforms", CVPR 2011.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import ARCT
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = ARCT().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    gamma: Positive = 10.0
    n_neighbors: Count = 5
    tol: Positive = 1e-3
    max_iter: Count = 2000

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "n_neighbors": 1,
    }

    def _learn(self, source: Rows, target: Rows) -> None:
        target = target.labeled()
        first = source if len(source.X) else target
        self.source_rows_ = first.X
        self.source_codes_ = first.labels.codes(self.classes_)
        same = self.source_codes_[:, None] == target.labels.codes(self.classes_)
        left, left_basis = row_space(first.X)
        right, right_basis = row_space(target.X)
        B, self.n_iter_ = fit_bilinear(
            left,
            right,
            np.where(same, 1.0, -1.0),
            self.gamma / 2,
            tol=self.tol,
            max_iter=self.max_iter,
            name="ARCT",
        )
        self.map_ = left_basis.T @ B @ right_basis

    def _scores(self, X: NDArray[Any], domain: DomainName) -> Array:
        mapped = X if domain == "source" else X @ self.map_.T
        similarities = mapped @ self.source_rows_.T
        codes, scores = np.unique(self.source_codes_), []
        for k in codes:
            of_class = np.sort(similarities[:, self.source_codes_ == k], axis=1)
            scores.append(of_class[:, -self.n_neighbors :].mean(axis=1))
        return spread_columns(
            np.column_stack(scores), codes, len(self.classes_), -np.inf
        )
