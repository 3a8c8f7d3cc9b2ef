"""Label propagation that is repeated with its own most certain labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from skda.base import estimator
from skda.baselines._graph import GraphControl
from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain
from skda.utils.ranges import Count, PositiveShare

__all__ = ["IterativeLabelPropagation"]


@estimator
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
    n_rounds
        Number of rounds :math:`R`.
    share
        Share :math:`\rho` of the unlabeled rows that the last round promotes.

    See Also
    --------
    BalancedLabelPropagation : Spreads the given labels only.
    BalancedSelfTraining : Promotes in the same way the labels of any classifier.

    Notes
    -----
    Balance is as good as the class prior, so pass it if you know it. Few labels say
    little about rare classes, and "balanced" assumes that there are none; where the
    labels or the unlabeled rows contradict the shares, ``fit`` warns.

    A new row takes the mean of the distributions of its nearest neighbors in ``fit``,
    weighted by their cosines, over both representations. A row that is like no other
    takes the prior.

    References
    ----------
    .. [1] M. Lazarou et al., "Iterative label cleaning for transductive and
       semi-supervised few-shot learning", ICCV 2021. arXiv:2012.07962.

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

    n_rounds: Count = 3
    share: PositiveShare = 0.8

    def _propagate(
        self, graph: csr_matrix, labels: NDArray[Any], hidden: NDArray[np.intp]
    ) -> NDArray[Any]:
        distributions = self._spread_labels(graph, labels, hidden)
        for r in range(1, self.n_rounds + 1):
            share = self.share * r / self.n_rounds
            codes = most_certain(distributions[hidden], share)
            chosen = codes != UNLABELED
            promoted = labels.copy()
            promoted[hidden[chosen], codes[chosen]] = 1
            distributions = self._spread_labels(graph, promoted, hidden)
        return distributions
