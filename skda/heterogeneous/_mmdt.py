"""Max-margin domain transforms."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.heterogeneous._margin import BaseMarginClassifier
from skda.heterogeneous._squared_hinge import (
    Array,
    fit_bilinear,
    row_space,
    signs_of,
    with_ones,
)
from skda.utils.ranges import Count, Positive

__all__ = ["MMDT"]


@estimator
class MMDT(BaseMarginClassifier):
    r"""Max-margin domain transform: one SVM for the source and the mapped target.

    Classifies a partially labeled target by a labeled source that has other features
    [1]_. With a one appended to every row, the rows :math:`\theta_k` of
    :math:`\Theta`, one linear support vector machine per class, and the map :math:`W`
    of the target into the features of the source minimize

    .. math::

        \tfrac12 \|\Theta\|_F^2 + \tfrac12 \|W - W_0\|_F^2
        + C_s \sum_{ik} h(y_{ik} \, \theta_k^\top x^s_i)
        + C_t \sum_{jk} h(y_{jk} \, \theta_k^\top W x^t_j), \tag{1}

    where :math:`y_{ik}` is 1 if row :math:`i` is in class :math:`k`, else -1, and
    :math:`h(z) = \max(0, 1 - z)^2`. Unlabeled rows have no part in it. Given
    :math:`W`, Equation 1 is one support vector machine per class, over the source and
    the mapped target. Given :math:`\Theta`, it is a single one, with a sample for each
    class and labeled target row, and the kernel

    .. math:: k\bigl((k, j), (k', j')\bigr) = \theta_k^\top \theta_{k'} \,
        x_j^\top x_{j'} . \tag{2}

    Both are solved in turns, from :math:`W = W_0` on.

    There is no ``transform``: the map takes rows to features of the source, but only
    as far as the classifiers look at them. Without a source, the classifier is a linear
    support vector machine of the labeled target rows, with the weight :math:`C_t`.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    C_s
        Weight :math:`C_s` of the errors on source rows.
    C_t
        Weight :math:`C_t` of the errors on target rows.
    C_map
        Weight of the errors on target rows where :math:`W` is learned; None takes
        :math:`C_t`, as in Equation 1.
    center
        What the map is drawn to, :math:`W_0`: zero, or the identity, a rectangular one
        where the domains have different features.
    n_rounds
        How often both steps are taken.
    tol
        Norm of the gradient, relative to that at zero, at which a step is solved.
    max_iter
        Most iterations of L-BFGS in a step.

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, n_features)
        What the features of the target are weighed by, :math:`\Theta W`.
    intercept_ : ndarray of shape (n_classes,)
        Intercepts of the target.
    source_coef_ : ndarray of shape (n_classes, n_source_features) or None
        What the features of the source are weighed by, :math:`\Theta`; None without a
        source.
    source_intercept_ : ndarray of shape (n_classes,) or None
        Intercepts of the source.
    map_ : ndarray of shape (n_source_features + 1, n_features + 1) or None
        The map :math:`W` of rows with a one appended; None without a source.
    n_iter_ : int
        Most iterations of L-BFGS that a step has taken.

    See Also
    --------
    ARCT : Learns a similarity between the rows of the domains instead.
    GeoST : Takes from the source which classes are alike, as Equation 2 does.

    Notes
    -----
    :meth:`published` returns the settings of the public code. There, the map is drawn
    to the identity, which relates feature 1 of one domain to feature 1 of the other,
    and the errors weigh :math:`5 \cdot 10^{-5}` where the map is learned, so that it
    hardly leaves the identity. The paper writes :math:`h(z) = \max(0, 1 - z)`; that
    code squares it, in both steps.

    As Equation 2 depends on inner products alone, :math:`W - W_0` is
    :math:`\Theta^\top S X_l` with one coefficient per class and labeled row, and is
    found in the spaces that :math:`\Theta` and the labeled rows span. An iteration
    costs :math:`O(n p K)` for :math:`n` labeled rows of :math:`p` source features, and
    nothing is larger than the rows and the map.

    References
    ----------
    .. [1] J. Hoffman, E. Rodner, J. Donahue, K. Saenko and T. Darrell, "Efficient
       Learning of Domain-Invariant Image Representations", ICLR 2013. arXiv:1301.3224.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import MMDT
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = MMDT().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    C_s: Positive = 0.05
    C_t: Positive = 1.0
    C_map: Positive | None = None
    center: Literal["zero", "identity"] = "zero"
    n_rounds: Count = 2
    tol: Positive = 1e-4
    max_iter: Count = 1000

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "center": "identity",
        "C_map": 5e-5,
    }

    def _learn(self, source: Rows, target: Rows) -> None:
        self.n_iter_ = 1
        target = target.labeled()
        X_s, X_t = with_ones(source.X), with_ones(target.X)
        y_s, y_t = (
            signs_of(rows.labels.codes(self.classes_), len(self.classes_))
            for rows in (source, target)
        )
        if not len(X_s):
            theta = self._solve(X_t, None, y_t, self.C_t).T
            self._keep(None, None, theta)
            return
        W = np.eye(X_s.shape[1], X_t.shape[1]) * (self.center == "identity")
        signs = np.concatenate([y_s, y_t])
        costs = np.repeat([[self.C_s], [self.C_t]], [len(X_s), len(X_t)], axis=0)
        theta = np.zeros((signs.shape[1], X_s.shape[1]))
        for _ in range(self.n_rounds):
            rows = np.concatenate([X_s, X_t @ W.T])
            theta = self._solve(rows, None, signs, costs, start=theta.T).T
            W = self._learn_map(theta, X_t, y_t)
        self._keep(theta, W, theta @ W)

    def _learn_map(self, theta: Array, X: Array, signs: Array) -> Array:
        """Minimize Equation 1 over the map."""
        W_0 = np.eye(theta.shape[1], X.shape[1]) * (self.center == "identity")
        classes, class_basis = row_space(theta)
        rows, row_basis = row_space(X)
        costs = self.C_t if self.C_map is None else self.C_map
        offset = X @ (theta @ W_0).T
        B = self._solve(rows, classes, signs, costs, offset=offset)
        return W_0 + class_basis.T @ B.T @ row_basis

    def _solve(
        self, left: Array, right: Array | None, signs: Array, costs: Any, **more: Any
    ) -> Array:
        solver: Any = {"tol": self.tol, "max_iter": self.max_iter, "name": "MMDT"}
        B, n_iter = fit_bilinear(left, right, signs, costs, **more, **solver)
        self.n_iter_ = max(self.n_iter_, n_iter)
        return B

    def _keep(self, theta: Array | None, W: Array | None, weights: Array) -> None:
        """Part the weights of the features from the intercepts."""
        self.map_ = W
        self.coef_, self.intercept_ = weights[:, :-1], weights[:, -1]
        self.source_coef_ = None if theta is None else theta[:, :-1]
        self.source_intercept_ = None if theta is None else theta[:, -1]

    def _scores(self, X: NDArray[Any], domain: DomainName) -> Array:
        coef: Any = self.coef_ if domain == "target" else self.source_coef_
        intercept: Any = (
            self.intercept_ if domain == "target" else self.source_intercept_
        )
        return X @ coef.T + intercept
