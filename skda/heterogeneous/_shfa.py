"""Semi-supervised heterogeneous feature augmentation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skda.base import Rows, estimator
from skda.heterogeneous._augmented import Array, BaseAugmentedClassifier
from skda.heterogeneous._nonnegative_qp import solve_nonnegative_qp
from skda.heterogeneous._squared_hinge import signs_of
from skda.utils.class_prior import ClassPrior, resolve_class_prior
from skda.utils.labels import UNLABELED
from skda.utils.ranges import Count, NonNegative, Positive
from skda.utils.warnings import warn_user

__all__ = ["SHFA"]

#: Most steps of the ascent that looks for a labeling.
MAX_ASCENT = 20
#: Most rounds in which the weights of the labelings are adapted.
MAX_WEIGHTINGS = 100
#: Least ridge, relative to the largest kernel, where errors weigh too much to solve.
MIN_RIDGE = 1e-6
#: Most systems that a quadratic program solves.
MAX_PIVOTS = 200


@estimator
class SHFA(BaseAugmentedClassifier):
    r"""Semi-supervised heterogeneous feature augmentation: HFA that infers labels.

    Classifies a partially labeled target by a labeled source that has other features
    [1]_. Rows are augmented as in :class:`HFA`. Of the unlabeled target rows every
    class takes its share, and the ones that make its support vector machine easiest
    are sought among all labelings :math:`y \in \mathcal{Y}` that agree with the known
    labels. A mixture of labelings takes the place of a single one, which makes the
    problem convex. Per class it is

    .. math::

        \min_{\|d\|_p \leq 1, \, d \geq 0} \; \max_{\alpha \geq 0} \; \sum_i \alpha_i
        - \tfrac12 \alpha^\top \Bigl( \sum_{y \in \mathcal{Y}} d_y \, \bar K \circ
        y y^\top + \operatorname{diag}(1 / C_i) \Bigr) \alpha, \quad
        \bar K = (1 + \sigma) K + 1 1^\top, \tag{1}

    where :math:`K = \operatorname{diag}(K_s, K_t)` is the kernel of the rows and
    :math:`\sigma` bounds the metric. As in :class:`HFA`, the metric is not seen any
    more: for each labeling the best one has rank one, and multiplies :math:`K` by
    :math:`1 + \sigma`.

    **Labelings** join the mixture one after the other. The first is that of the labeled
    target rows' own machine. The next ones maximize
    :math:`(\alpha \circ y)^\top \bar K (\alpha \circ y)`, by steps that each take the
    best labeling under the gradient. Every one gives the class its share of the
    unlabeled rows. In between, :math:`\alpha` solves a quadratic program, and

    .. math:: d_y \propto \bigl(d_y^2 \, q_y\bigr)^{1 / (p + 1)}, \quad
        q_y = (\alpha \circ y)^\top \bar K (\alpha \circ y). \tag{2}

    The score of a row is :math:`f(x) = \sum_y d_y \sum_i \alpha_i y_i \bar k(x_i, x)`.

    There is no ``transform``, as every class has a common space of its own. Without a
    source, Equation 1 is that of the target's rows alone. That is the control to beat.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    C_u
        Weight of the errors on unlabeled target rows.
    sigma
        Bound :math:`\sigma` of the trace of the metrics.
    p
        Norm of the weights of the labelings, from 1 on.
    class_prior : {"estimate", "labeled", "balanced"} or array-like
        Shares of the classes in the unlabeled rows: estimated, those of the labels,
        equal ones, or given ones.
    tol
        Relative change of Equation 1 at which it is solved.
    max_iter
        Most labelings in a mixture.

    Attributes
    ----------
    class_prior_ : ndarray of shape (n_classes,)
        Shares of the classes.
    n_iter_ : int
        Most labelings in the mixture of a class.

    See Also
    --------
    HFA : Learns from the labeled rows alone.
    skda.baselines.BalancedSelfTraining : Infers labels without a source.

    Notes
    -----
    The public code takes the share of every class from the labels of the test rows.
    ``class_prior`` does not see them; :meth:`published` takes the shares of the known
    labels, and else the settings of that code. There, the next labeling is sought among
    those that a single feature of :math:`\bar K^{1/2}` suggests; the ascent here needs
    no square root. The bias is a feature of every row, as there.

    :math:`k(x, z) = \exp(-\|x - z\|^2 / w)`, where :math:`w` is the mean squared
    distance of two rows of the domain. The training rows are kept. With :math:`n` rows
    in all, a quadratic program costs a few factorizations, :math:`O(n^3)`, of which
    each class needs some ten, and the memory is that of three kernels, :math:`3 n^2`.

    References
    ----------
    .. [1] W. Li, L. Duan, D. Xu and I. W. Tsang, "Learning with Augmented Features for
       Supervised and Semi-Supervised Heterogeneous Domain Adaptation", IEEE TPAMI
       36(6), 2014. doi:10.1109/TPAMI.2013.167.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SHFA
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = SHFA().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    C_u: Positive = 0.001
    sigma: NonNegative = 1.0
    p: Positive = 1.0
    class_prior: ClassPrior = "estimate"
    tol: Positive = 1e-3
    max_iter: Count = 50

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "class_prior": "labeled",
        "sigma": 100.0,
        "p": 1.5,
    }

    def _seen(self, target: Rows) -> Rows:
        return target

    def _solve(self, K: Array, source: Rows, target: Rows) -> tuple[Array, Array]:
        codes = np.concatenate(
            [rows.labels.codes(self.classes_) for rows in (source, target)]
        )
        self.class_prior_ = resolve_class_prior(
            self.class_prior, target.X, target.labels, self.classes_
        )
        costs = np.where(codes == UNLABELED, self.C_u, self.C_t)
        costs[: len(source.X)] = self.C_s
        signs = signs_of(codes, len(self.classes_))
        K *= 1 + self.sigma
        K += 1
        coef = np.zeros(signs.shape)
        self.n_iter_ = 1
        hidden = np.flatnonzero(codes == UNLABELED)
        labeled = np.arange(len(source.X), len(codes))[target.labels.known]
        for k, share in enumerate(self.class_prior_):
            n_positive = int(np.rint(share * len(hidden)))
            labels = Labeling(hidden, n_positive)
            first = labels.complete(signs[:, k], self._first(K, signs[:, k], labeled))
            coef[:, k] = self._fit_class(K, costs, first, labels)
        intercept = coef.sum(axis=0)
        return (1 + self.sigma) * coef, intercept

    def _first(self, K: Array, y: Array, labeled: NDArray[np.int64]) -> Array:
        """Score all rows by the machine of the labeled target rows."""
        Q = K[np.ix_(labeled, labeled)] * np.outer(y[labeled], y[labeled])
        Q[np.diag_indices_from(Q)] += max(1 / self.C_t, MIN_RIDGE * K.max())
        everything = np.ones(len(Q), dtype=bool)
        a = solve_nonnegative_qp(Q, everything, max_iter=MAX_PIVOTS, name="SHFA")
        return K[:, labeled] @ (a * y[labeled])

    def _fit_class(
        self, K: Array, costs: Array, first: Array, labels: Labeling
    ) -> Array:
        """Solve Equation 1 for a class, and return the coefficients of its rows."""
        mixture = [first]
        a, d, value = self._fit_mixture(K, costs, mixture, np.ones(1), K[0] > 0)
        change = 0.0
        while len(labels.hidden):
            y = labels.ascend(K, a, mixture[-1])
            if any(np.array_equal(y, other) for other in mixture):
                break
            mixture.append(y)
            d = np.append(d, d.mean())
            a, d, lower = self._fit_mixture(K, costs, mixture, d, a > 0)
            change, value = (value - lower) / value, lower
            if change <= self.tol:
                break
            if len(mixture) >= self.max_iter:
                warn_user(
                    f"SHFA has not converged with {self.max_iter} labelings: the last "
                    f"one has changed the objective by {change:.1e} of it, not "
                    f"{self.tol:.1e}. Raise max_iter or tol.",
                    ConvergenceWarning,
                )
                break
        self.n_iter_ = max(self.n_iter_, len(mixture))
        return a * (d @ np.array(mixture))

    def _fit_mixture(
        self,
        K: Array,
        costs: Array,
        mixture: list[Array],
        d: Array,
        free: NDArray[np.bool_],
    ) -> tuple[Array, Array, float]:
        """Solve Equation 1 over some labelings, for both variables and its value."""
        Y = np.array(mixture)
        ridge = np.maximum(1 / costs, MIN_RIDGE * K.max())
        d, value = self._normalize(d), np.inf
        for _ in range(MAX_WEIGHTINGS):
            Q = ((Y.T * d) @ Y) * K
            Q[np.diag_indices_from(Q)] += ridge
            a = solve_nonnegative_qp(Q, free, max_iter=MAX_PIVOTS, name="SHFA")
            former, value, free = value, float(a.sum() / 2), a > 0
            if len(Y) == 1 or former - value <= self.tol * value:
                break
            q = np.einsum("ri,ij,rj->r", Y * a, K, Y * a, optimize=True)
            d = self._normalize((d**2 * q) ** (1 / (self.p + 1)))
        return a, d, value

    def _normalize(self, d: Array) -> Array:
        """Scale weights of labelings to a norm of one."""
        return d / np.sum(d**self.p) ** (1 / self.p)


class Labeling:
    """Labelings that give a class so many of the rows whose label is hidden."""

    def __init__(self, hidden: NDArray[np.int64], n_positive: int) -> None:
        self.hidden = hidden
        self.n_positive = n_positive

    def complete(self, y: Array, scores: Array) -> Array:
        """Put the hidden rows with the largest scores into the class."""
        y = y.copy()
        y[self.hidden] = -1
        order = np.argsort(-scores[self.hidden], kind="stable")
        y[self.hidden[order[: self.n_positive]]] = 1
        return y

    def ascend(self, K: Array, a: Array, y: Array) -> Array:
        """Raise the squared norm that a labeling has, step by step, from ``y``."""
        for _ in range(MAX_ASCENT):
            better = self.complete(y, a * (K @ (a * y)))
            if np.array_equal(better, y):
                break
            y = better
        return y
