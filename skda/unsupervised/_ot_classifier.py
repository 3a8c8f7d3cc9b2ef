"""Optimal transport that keeps the classes of the source apart, then a classifier."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances_argmin

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import Array, BaseAlignedClassifier
from skda.utils.optional import import_optional
from skda.utils.ranges import Count, NonNegative, Positive

__all__ = ["OTClassifier"]

#: Power of the norm of Equation 2, and what keeps its slope finite.
POWER, FLOOR = 0.5, 1e-3


@estimator
class OTClassifier(BaseAlignedClassifier):
    r"""Optimal transport with class regularization.

    Moves the rows of the source onto those of the target by an optimal transport that
    does not mix classes [1]_, then classifies. Features are put on one scale, see
    ``representation``, and all rows have unit length. With :math:`D_{ij}` the squared
    distance of source row :math:`i` and target row :math:`j`, relative to the mean, the
    plan :math:`T`, whose rows sum to :math:`1 / n_s` and columns to :math:`1 / n_t`,
    minimizes

    .. math::

        \sum_{ij} T_{ij} D_{ij} + \epsilon \sum_{ij} T_{ij} \log T_{ij}
        + \eta \sum_{jk} \Bigl( \sum_{i : y_i = k} T_{ij} \Bigr)^{1/2}, \tag{1}

    of which the last term lets a target row take what it gets from few classes, and a
    row of the source goes to the mean of what it is sent to,

    .. math:: x^s_i \mapsto n_s \sum_j T_{ij} x^t_j. \tag{2}

    The last term of Equation 1 is replaced by its tangent, ``n_rounds`` times, and the
    plan is solved for by POT each time: install ``skda[ot]``. There is no seed, but
    :math:`n_s n_t` numbers in the plan, and every class is expected in the target in
    the shares of the source.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    epsilon
        Weight :math:`\epsilon` of the entropy.
    eta
        Weight :math:`\eta` of the classes.
    n_rounds
        Number of times to solve for the plan.
    max_iter
        Most iterations of the solver.

    Attributes
    ----------
    source_rows_ : ndarray of shape (n_source, n_features)
        Scaled rows of the source, all of which it keeps.
    moved_rows_ : ndarray of shape (n_source, n_features)
        What they become by Equation 2.
    n_iter_ : int
        Number of iterations of the solver, over all rounds.

    See Also
    --------
    LinearOT : A linear map, and of no classes.
    skda.partial.MPOT : Transports a part of the source only, in a network.

    Notes
    -----
    A new row of the source moves as the nearest of those in the fit does.

    The paper chooses both weights by validation. :meth:`published` has those of an
    example of its authors' library (POT), which takes the distances as they are.

    References
    ----------
    .. [1] N. Courty, R. Flamary, D. Tuia and A. Rakotomamonjy, "Optimal Transport for
       Domain Adaptation", IEEE TPAMI 39, 2017. arXiv:1507.00504.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import OTClassifier
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = OTClassifier().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    """

    epsilon: Positive = 0.1
    eta: NonNegative = 0.1
    n_rounds: Count = 10
    max_iter: Count = 200

    published_params: ClassVar[dict[str, Any]] = {
        **BaseAlignedClassifier.published_params,
        "eta": 1.0,
    }

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        self.source_rows_ = source.X
        cost = cdist(source.X, target.X, "sqeuclidean")
        cost /= cost.mean() or 1.0
        plan, self.n_iter_ = class_transport(
            cost,
            source.labels.memberships(self.classes_).astype(np.float64),
            epsilon=self.epsilon,
            eta=self.eta,
            n_rounds=self.n_rounds,
            max_iter=self.max_iter,
        )
        self.moved_rows_ = plan @ target.X / plan.sum(axis=1, keepdims=True)

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "target":
            return X
        nearest = pairwise_distances_argmin(X, self.source_rows_)
        return X + (self.moved_rows_ - self.source_rows_)[nearest]


def class_transport(
    cost: Array,
    memberships: Array,
    *,
    epsilon: float,
    eta: float,
    n_rounds: int,
    max_iter: int,
) -> tuple[Array, int]:
    """Solve for the plan of Equation 1, by a tangent of its last term every time.

    Parameters
    ----------
    cost : ndarray of shape (n_source, n_target)
        What it costs to move a row onto another.
    memberships : ndarray of shape (n_source, n_classes)
        One-hot classes of the source.
    epsilon, eta : float
        Weights of the entropy and of the classes.
    n_rounds, max_iter : int
        Number of plans, and most iterations for each.

    Returns
    -------
    plan : ndarray of shape (n_source, n_target)
        The plan.
    n_iter : int
        Number of iterations, over all rounds.
    """
    solver = import_optional("ot.bregman", "OTClassifier solves for plans by POT", "ot")
    rows = [np.full(n, 1 / n) for n in cost.shape]
    plan, start = np.zeros_like(cost), None
    slopes: Any = 0.0
    n_iter = 0
    for _ in range(n_rounds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a plan that is nearly right will do
            plan, log = solver.sinkhorn(
                *rows,
                cost + eta * slopes,
                reg=epsilon,
                numItermax=max_iter,
                log=True,
                warmstart=start,
            )
        n_iter += log["niter"] + 1
        start = np.log(log["u"]), np.log(log["v"])
        masses = memberships.T @ plan  # (n_classes, n_target)
        slopes = memberships @ (POWER * (masses + FLOOR) ** (POWER - 1))
    return plan, n_iter
