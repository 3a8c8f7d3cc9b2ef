"""Semi-supervised transport between domains of different features."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
)
from skda.utils._sklearn import Interval
from skda.utils.labels import UNLABELED
from skda.utils.optional import import_optional
from skda.utils.ranges import Count, Positive
from skda.utils.warnings import warn_user

__all__ = ["SGWStyle"]


@estimator
class SGWStyle(BaseCommonSpaceClassifier):
    r"""Semi-supervised fused Gromov-Wasserstein transport, in the style of SGW.

    Moves the source to where its rows belong in the target, so that rows of the target
    are as far from each other as those that moved there, and trains the classifier on
    the moved rows and on the labeled target rows. This is in the style of
    semi-supervised optimal transport for heterogeneous domain adaptation [1]_, and not
    that method: the penalty for labels is another one.

    **Plan.** :math:`C^s` and :math:`C^t` are the squared distances within either
    domain, divided by the largest one. :math:`M_{ij}` is 1 where the labels of source
    row :math:`i` and of target row :math:`j` differ, and 0 where they agree or where
    :math:`j` has none. The plan solves

    .. math::

        \min_T \; (1 - \alpha) \sum_{ij} M_{ij} T_{ij}
        + \alpha \sum_{ijkl} (C^s_{ik} - C^t_{jl})^2 \, T_{ij} T_{kl}
        + \epsilon \sum_{ij} T_{ij} \log T_{ij} \tag{1}

    over all :math:`T \ge 0` that give every row of a domain the same mass,
    :math:`T 1 = 1 / n_s` and :math:`T^\top 1 = 1 / n_t`, by projected gradients [2]_.
    A source row moves to the mean of the target rows to which its mass goes,

    .. math:: \hat{x}_i = n_s \sum_j T_{ij} x^t_j. \tag{2}

    A linear support vector machine is trained on :math:`\hat{x}` and on the labeled
    target rows.

    Without a source, the support vector machine is fitted to the labeled target rows.

    The plan is solved for by POT: install ``skda[ot]``. The steps of a pipeline before
    this one see the target only: pass ``source_transformer`` and ``target_transformer``
    instead.

    Parameters
    ----------
    alpha
        Weight :math:`\alpha` of the distances, from 0 to 1.
    epsilon
        Weight :math:`\epsilon` of the entropy. The smaller, the sharper the plan and the
        more iterations it takes.
    max_iter
        Most projected gradients.
    tol
        Change of the plan from which on it counts as converged, relative to it.

    Attributes
    ----------
    plan_ : ndarray of shape (n_source, n_target)
        :math:`T`, of the labeled source rows; only there with a source.

    See Also
    --------
    GeoST : Compares classes, not rows.
    skda.partial.MPOT : Plans between batches of the same features.

    Notes
    -----
    A projected gradient takes :math:`O(n_s n_t (n_s + n_t))` operations, and memory of
    :math:`n_s n_t` numbers and those of either domain squared: this is for some
    thousand rows. If the plan has not converged after ``max_iter`` of them, or its
    sums are wrong by more than a thousandth, a warning tells the residual.

    A new row of the source goes where the nearest row of the fit has gone, so that the
    rows of the source are kept.

    References
    ----------
    .. [1] Y. Yan et al., "Semi-Supervised Optimal Transport for Heterogeneous Domain
       Adaptation", IJCAI 2018.
    .. [2] T. Vayer et al., "Optimal Transport for structured data with application on
       graphs", ICML 2019.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import SGWStyle
    >>> data = make_heterogeneous_domains(100, 80, random_state=0)
    >>> clf = SGWStyle().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (80,)
    >>> clf.plan_.shape
    (100, 80)
    """

    alpha: Annotated[float, Interval(Real, 0, 1, closed="both")] = 0.5
    epsilon: Positive = 0.01
    max_iter: Count = 50
    tol: Positive = 1e-3

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        self.plan_ = self._solve(source, target)
        mass = self.plan_.sum(axis=1, keepdims=True)
        self._moved = self.plan_ @ target.X / mass
        self._places = NearestNeighbors(n_neighbors=1).fit(source.X)
        known = target.labeled()
        self._fit_classifier(
            np.concatenate([self._moved, known.X]),
            np.concatenate([source.codes, known.codes]),
        )

    def _solve(self, source: Coded, target: Coded) -> Array:
        """Solve Equation 1."""
        solver = import_optional(
            "ot.gromov", "SGWStyle solves for its plan with POT", "ot"
        )
        differ = source.codes[:, None] != target.codes
        M = (differ & (target.codes != UNLABELED)).astype(np.float64)
        p, q = (np.full(len(rows.X), 1 / len(rows.X)) for rows in (source, target))
        plan, log = solver.entropic_fused_gromov_wasserstein(
            M,
            relative_distances(source.X),
            relative_distances(target.X),
            p,
            q,
            epsilon=self.epsilon,
            alpha=self.alpha,
            symmetric=True,
            max_iter=self.max_iter,
            tol=self.tol / np.sqrt(plan_size(p, q)),
            log=True,
            numItermax=1000,
            stopThr=1e-6,
            warn=False,
        )
        return plan

    def _features(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "target":
            return X
        nearest = self._places.kneighbors(X, return_distance=False)
        return self._moved[nearest[:, 0]]


def plan_size(p, q):
    return len(p) * len(q)

def relative_distances(X: Array) -> Array:
    """Take squared distances of all rows to units of the largest one."""
    distances = cdist(X, X, "sqeuclidean")
    return distances / (distances.max() or 1.0)
