"""Semi-supervised transport between domains of different features."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
)
from skda.utils.neighbors import fit_neighbors
from skda.utils.optional import import_optional
from skda.utils.ranges import Count, Positive, Share
from skda.utils.warnings import warn_user

__all__ = ["SGWStyle"]

#: Most iterations of Sinkhorn for each projected gradient.
MAX_SINKHORN = 2000
#: Share by which the sums of a plan may be wrong.
MAX_RESIDUAL = 1e-3


@estimator
class SGWStyle(BaseCommonSpaceClassifier):
    r"""Semi-supervised fused Gromov-Wasserstein transport, in the style of SGW.

    Moves the source to where its rows belong in the target, so that rows of the target
    are as far from each other as those that moved there, and trains the classifier on
    the moved rows and on the labeled target rows. This is in the style of
    semi-supervised optimal transport for heterogeneous domain adaptation [1]_, and not
    that method: the penalty for labels is another one.

    **Plan.** :math:`C^s` and :math:`C^t` are the squared distances within either
    domain, divided by the largest one. :math:`M_{ij}` is the squared distance of target
    row :math:`j` from the mean of the labeled target rows of the class of source row
    :math:`i`, divided by the largest one; zero where there is no such row. The plan
    solves

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
        Weight :math:`\alpha` of the distances, from 0 to 1, instead of the labels.
    epsilon
        Weight :math:`\epsilon` of the entropy. The smaller, the sharper the plan, and
        the more iterations it takes.
    max_steps
        Most projected gradients.
    tol
        Change of the plan, relative to one that spreads its mass evenly, below which it
        has converged.

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
    thousand rows. If the plan has not converged after ``max_steps`` of them, or its
    sums are wrong by more than a thousandth, a warning says by how much.

    In the paper, too, moved rows are to be where the labeled target rows of their class
    are, by a penalty on their distribution; here, by the mean of these rows. Zeros and
    ones in :math:`M` for labeled rows alone, as in other designs, are too few to tell
    which cluster is which: on Office-Caltech the result was far below that without a
    source.

    A new row of the source goes where the nearest row of the fit has gone, so that the
    rows of the source are kept.

    References
    ----------
    .. [1] Y. Yan et al., "Semi-Supervised Optimal Transport for Heterogeneous Domain
       Adaptation", IJCAI 2018.
    .. [2] T. Vayer et al., "Optimal Transport for structured data with application on
       graphs", ICML 2019. arXiv:1805.09114.

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

    alpha: Share = 0.5
    epsilon: Positive = 0.02
    max_steps: Count = 50
    tol: Positive = 1e-3

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        self.plan_ = self._solve(source, target)
        mass = self.plan_.sum(axis=1, keepdims=True)
        self._moved = self.plan_ @ target.X / mass
        self._places = fit_neighbors(source.X, 1)
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
        M = self._label_costs(source, target)
        p, q = (np.full(len(rows.X), 1 / len(rows.X)) for rows in (source, target))
        tol = self.tol * np.sqrt(p[0] * q[0])
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # what goes wrong is told below
            plan, log = solver.entropic_fused_gromov_wasserstein(
                M,
                relative_distances(source.X),
                relative_distances(target.X),
                p,
                q,
                epsilon=self.epsilon,
                alpha=self.alpha,
                symmetric=True,
                max_iter=self.max_steps,
                tol=tol,
                log=True,
                numItermax=MAX_SINKHORN,
                stopThr=1e-8,
            )
        self._check_plan(plan, change=log["err"][-1] / tol * self.tol)
        return plan

    def _label_costs(self, source: Coded, target: Coded) -> Array:
        """Evaluate what it costs to move a source row to a target row of its class."""
        known = target.labeled()
        memberships = np.eye(len(self.classes_))[known.codes]
        counts = memberships.sum(axis=0)
        means = memberships.T @ known.X / np.maximum(counts, 1)[:, None]
        distances = cdist(target.X, means, "sqeuclidean")
        distances /= distances.max() or 1.0
        distances[:, counts == 0] = 0
        return distances.T[source.codes]

    def _check_plan(self, plan: Array, change: float) -> None:
        """Refuse a plan that is none, and warn of one that has not converged."""
        rows, columns = plan.sum(axis=1), plan.sum(axis=0)
        residual = max(abs(side * len(side) - 1).max() for side in (rows, columns))
        if not residual < 1:
            raise ValueError(
                f"Expected an epsilon for which a plan can be computed, got "
                f"{self.epsilon!r}, for which some rows lose their mass: raise it."
            )
        if change > self.tol or residual > MAX_RESIDUAL:
            warn_user(
                f"The plan of SGWStyle has not converged: its last change is "
                f"{change:.1g} of it, for tol={self.tol:.1g}, and its sums are wrong "
                f"by {residual:.1g} of them. Raise max_steps or epsilon.",
                ConvergenceWarning,
            )

    def _features(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "target":
            return X
        nearest = self._places.kneighbors(X, return_distance=False)
        return self._moved[nearest[:, 0]]


def relative_distances(X: Array) -> Array:
    """Take squared distances of all rows to units of the largest one."""
    distances = cdist(X, X, "sqeuclidean")
    return distances / (distances.max() or 1.0)
