"""Label propagation that goes on with its own most certain labels."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from skda.base import Rows
from skda.baselines._graph import GraphControl
from skda.utils._sklearn import Interval
from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain

__all__ = ["IterativeLabelPropagation"]


class IterativeLabelPropagation(GraphControl):
    r"""Balanced label propagation, repeated with the most certain of its labels.

    With the graph :math:`S` and the balance of :class:`BalancedLabelPropagation`, begin
    with the given labels :math:`Y`, and for :math:`r = 1, \dots, R`

    1. spread: :math:`F = (I - \alpha S)^{-1} Y`, rows divided by their sums to
       :math:`P`;
    2. balance the unlabeled rows: :math:`\tfrac{1}{n_u} \sum_i P_{ik} = \pi_k`;
    3. promote: of all unlabeled rows whose largest :math:`P_{ik}` is of class
       :math:`k`, the share :math:`\rho r / R` with the widest margin over the second
       best class becomes labeled with :math:`k` in :math:`Y`. Labels promoted in
       earlier rounds are forgotten first.

    Spread and balance once more. This is iterative label cleaning [1]_ with the margin
    for its cleaner, which there is a small network's loss. A ``source`` is accepted and
    ignored.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbors of every row.
    alpha : float, default=0.8
        Weight :math:`\alpha` of the neighbors against the labels, between 0 and 1.
    n_rounds : int, default=3
        Number of rounds :math:`R`.
    share : float, default=0.8
        Share :math:`\rho` of the unlabeled rows that the last round promotes.
    prior : {"labeled"}, array-like of shape (n_classes,) or None, default="labeled"
        Shares :math:`\pi` of the unlabeled rows: those of the labeled ones; the given
        ones, in the order of ``classes_``; None for equal ones.
    power : float, "auto" or None, default="auto"
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; None leaves the rows as they are.
    target_transformer : transformer, default=None
        Cloned, fitted on the target samples and applied to them ever after.

    Attributes
    ----------
    label_distributions_ : ndarray of shape (n_target, n_classes)
        What every target sample seen in ``fit`` became.
    prior_ : ndarray of shape (n_classes,)
        The class prior.
    neighbors_ : NearestNeighbors
        Index of the target samples seen in ``fit``, all of which it keeps.

    See Also
    --------
    BalancedLabelPropagation : Spreads the given labels only.
    BalancedSelfTraining : Promotes in the same way the labels of any classifier.

    Notes
    -----
    Balance is as good as the prior: where classes of unlike sizes are labeled alike, it
    does harm, so pass ``prior`` if you know their sizes.

    A new row takes the mean of the distributions of its nearest neighbors in ``fit``,
    weighted by their cosines. A row that is like no other takes the prior. Further
    fitted attributes are those of :class:`skda.base.BaseDomainClassifier`.

    References
    ----------
    .. [1] M. Lazarou et al., "Iterative label cleaning for transductive and
       semi-supervised few-shot learning", ICCV 2021.

    Examples
    --------
    >>> from skda.baselines import IterativeLabelPropagation
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = IterativeLabelPropagation().fit(digits.X, y)
    >>> bool((clf.transduction_ == digits.y).mean() > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GraphControl._parameter_constraints,
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "share": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 10,
        alpha: float = 0.8,
        n_rounds: int = 3,
        share: float = 0.8,
        prior: str | ArrayLike | None = "labeled",
        power: float | str | None = "auto",
        target_transformer: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.n_rounds = n_rounds
        self.share = share
        self.prior = prior
        self.power = power
        self.target_transformer = target_transformer

    def fit_rows(self, source: Rows, target: Rows) -> None:
        graph = self._start(target)
        given = target.labels.memberships(self.classes_).astype(np.float64)
        hidden = np.flatnonzero(~target.labels.known)
        distributions = self._distributions(graph, given, hidden)
        for r in range(1, self.n_rounds + 1):
            share = self.share * r / self.n_rounds
            codes = most_certain(distributions[hidden], share)
            chosen = codes != UNLABELED
            labels = given.copy()
            labels[hidden[chosen], codes[chosen]] = 1
            distributions = self._distributions(graph, labels, hidden)
        self.label_distributions_ = distributions
