"""Sparse heterogeneous feature representation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.utils import check_random_state

from skda.base import DomainName, Rows, estimator
from skda.heterogeneous._margin import BaseMarginClassifier
from skda.heterogeneous._squared_hinge import Array, fit_bilinear, with_ones
from skda.utils.ranges import Count, Positive, PositiveShare, RandomState
from skda.utils.warnings import warn_user

__all__ = ["SHFR"]

#: Most random codes to draw while two classes still have the same.
MAX_DRAWS = 100


@estimator
class SHFR(BaseMarginClassifier):
    r"""Sparse heterogeneous feature representation: weights that explain weights.

    Classifies a target by a few labeled rows and a labeled source that has other
    features [1]_ [2]_. With a one appended to every row, a linear map :math:`G` is to
    take a row of the target to features of the source, so that a linear classifier
    :math:`w_s` of the source becomes :math:`G^\top w_s` in the target. Many pairs of
    classifiers for the same question tell what :math:`G` is. The questions come from an
    error-correcting output code: each of :math:`B` random codes parts the classes in
    two, and a support vector machine of each domain tells the parts from each other.
    With :math:`W_s` and :math:`W_t` the weights of these machines, column by column,

    .. math:: \min_{G \geq 0} \; \tfrac12 \| W_t - G^\top W_s \|_F^2
        + \lambda \sum_{ij} G_{ij} . \tag{1}

    That is a lasso per feature of the target: a feature is explained by few features of
    the source, and none counts against it. Its solution classifies the target, through
    the machines of the source:

    .. math:: f_k(x) = \tfrac1B \sum_b M_{kb} \; w_{s, b}^\top G x , \tag{2}

    where :math:`M_{kb}` is 1 or -1, the part that class :math:`k` is in. Unlabeled rows
    have no part in it.

    There is no ``transform``: the map is no more than what these machines need.
    Without a source, Equation 2 has the machines of the target.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    n_codes
        Number :math:`B` of codes.
    lambda_reg
        Weight :math:`\lambda`, relative to the least with which :math:`G` is zero.
    C
        Weight of the errors of the support vector machines, whose loss is squared.
    tol
        Duality gap of a lasso, relative to the squared weights, and gradient of the
        machines, relative to that at zero, that are small enough.
    max_iter
        Most sweeps over the features of the source, and most iterations of a machine.
    random_state : int, RandomState instance or None
        Seed of the codes.

    Attributes
    ----------
    codes_ : ndarray of shape (n_classes, n_codes)
        The codes :math:`M`.
    coef_ : ndarray of shape (n_classes, n_features + 1)
        What a row of the target with a one appended is weighed by in Equation 2.
    source_coef_ : ndarray of shape (n_classes, n_source_features + 1) or None
        The same of the source; None without one.
    map_ : ndarray of shape (n_source_features + 1, n_features + 1) or None
        The map :math:`G`; None without a source.
    n_iter_ : int
        Number of sweeps.

    See Also
    --------
    MMDT : Learns the map and the machines together.

    Notes
    -----
    No public code was found, and the paper's parameters were not at hand: the defaults
    are a choice of skda's, and :meth:`published` returns them, but for the rows.

    Equation 1 is solved by coordinate descent, a feature of the target at a time. A
    sweep costs :math:`O(p_s s)` for :math:`p_s` features of the source, of which
    :math:`s` change. The machines cost :math:`O(n p B)` in an iteration.

    References
    ----------
    .. [1] J. T. Zhou, I. W. Tsang, S. J. Pan and M. Tan, "Heterogeneous Domain
       Adaptation for Multiple Classes", AISTATS 2014.
    .. [2] J. T. Zhou, I. W. Tsang, S. J. Pan and M. Tan, "Multi-class Heterogeneous
       Domain Adaptation", JMLR 20(57), 2019.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SHFR
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = SHFR(random_state=0).fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    n_codes: Count = 50
    lambda_reg: PositiveShare = 0.03
    C: Positive = 1.0
    tol: Positive = 1e-3
    max_iter: Count = 1000
    random_state: RandomState = None

    def _learn(self, source: Rows, target: Rows) -> None:
        self.codes_ = draw_codes(len(self.classes_), self.n_codes, self.random_state)
        W_t = self._fit_machines(target.labeled())
        self.source_coef_, self.map_, self.n_iter_ = None, None, 1
        if len(source.X):
            W_s = self._fit_machines(source)
            self.map_, self.n_iter_ = explain(
                W_s, W_t, self.lambda_reg, tol=self.tol, max_iter=self.max_iter
            )
            self.source_coef_ = self._decode(W_s)
            W_t = self.map_.T @ W_s
        self.coef_ = self._decode(W_t)

    def _fit_machines(self, rows: Rows) -> Array:
        """Fit one machine per code, for weights of shape (p + 1, B)."""
        signs = self.codes_[rows.labels.codes(self.classes_)]
        solver: Any = {"tol": self.tol, "max_iter": self.max_iter, "name": "SHFR"}
        return fit_bilinear(with_ones(rows.X), None, signs, self.C, **solver)[0]

    def _decode(self, W: Array) -> Array:
        """Add up what the machines say for a class."""
        return self.codes_ @ W.T / self.n_codes

    def _scores(self, X: NDArray[Any], domain: DomainName) -> Array:
        coef: Any = self.coef_ if domain == "target" else self.source_coef_
        return with_ones(X) @ coef.T


def draw_codes(n_classes: int, n_codes: int, random_state: Any) -> Array:
    """Draw signs, of shape (n_classes, n_codes), such that each code parts the classes.

    All classes have different rows, as long as there are enough codes for that.
    """
    rng = check_random_state(random_state)
    for _ in range(MAX_DRAWS):
        codes = np.where(rng.random_sample((n_classes, n_codes)) < 0.5, -1.0, 1.0)
        constant = np.abs(codes.sum(axis=0)) == n_classes
        codes[rng.randint(n_classes, size=constant.sum()), constant] *= -1
        if len(np.unique(codes, axis=0)) == n_classes:
            break
    return codes


def explain(
    W_s: Array, W_t: Array, share: float, *, tol: float, max_iter: int
) -> tuple[Array, int]:
    """Solve Equation 1, and count the sweeps of the feature that took most."""
    largest = (W_s @ W_t.T).max()
    if largest <= 0:  # no feature of the source explains any of the target
        return np.zeros((len(W_s), len(W_t))), 1
    lasso = Lasso(
        alpha=share * largest / W_s.shape[1],
        positive=True,
        random_state=0,
        fit_intercept=False,
        precompute=True,
        tol=tol,
        max_iter=max_iter,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        G: Array = lasso.fit(W_s.T, W_t.T).coef_.T
    n_iter = int(np.max(lasso.n_iter_))
    if n_iter >= max_iter:
        slope = W_s @ (W_t - G.T @ W_s).T - share * largest
        violation = np.where(G > 0, np.abs(slope), np.maximum(slope, 0)).max()
        warn_user(
            f"The lassos of SHFR have not converged in {max_iter} sweeps: their "
            f"conditions are violated by {violation / largest:.1e} of the largest "
            f"product of weights. Raise max_iter, tol or lambda_reg.",
            ConvergenceWarning,
        )
    return G, n_iter
