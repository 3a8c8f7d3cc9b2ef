"""Label propagation with class balance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from skda.base import estimator
from skda.baselines._graph import GraphControl

__all__ = ["BalancedLabelPropagation"]


@estimator
class BalancedLabelPropagation(GraphControl):
    r"""Labels spread over a graph of the target rows, in balance over the classes.

    Rows are tied to their nearest neighbors by the weights :math:`W` of
    :func:`skda.preprocessing.cosine_graph`, of degrees :math:`d_i`. With the one-hot
    labels :math:`y_i`, zero where unknown, learning with local and global consistency
    [1]_ minimizes

    .. math::

        \sum_{ij} W_{ij} \Big\| \frac{f_i}{\sqrt{d_i}} - \frac{f_j}{\sqrt{d_j}} \Big\|^2
        + \frac{2 (1 - \alpha)}{\alpha} \sum_i \|f_i - y_i\|^2,

    which is solved, up to a factor, by :math:`F = (I - \alpha S)^{-1} Y` with
    :math:`S = D^{-1/2} W D^{-1/2}`, of which the mean over the representations of the
    rows is taken (see ``standardize``). Its rows, divided by their sums, are the
    distributions :math:`P`. Then the unlabeled rows are brought to the class prior
    :math:`\pi` as Sinkhorn's algorithm does it:

    .. math:: P_{ik} \leftarrow \operatorname{softmax}_k (\log P_{ik} + b_k)
        \quad\text{with } b \text{ such that}\quad
        \tfrac{1}{n_u} \sum_{i \text{ unlabeled}} P_{ik} = \pi_k.

    Labels that were given stay. A ``source`` is accepted and ignored.

    Parameters
    ----------
    balance
        Whether to balance the classes; without, it is plain label propagation.

    See Also
    --------
    IterativeLabelPropagation : Spreads its own most certain labels, too.
    sklearn.semi_supervised.LabelSpreading : Without the balance, for
        :class:`TargetOnly`.

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
    .. [1] D. Zhou et al., "Learning with local and global consistency", NeurIPS 2003.

    Examples
    --------
    >>> from skda.baselines import BalancedLabelPropagation
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = BalancedLabelPropagation().fit(digits.X, y)
    >>> bool((clf.transduction_ == digits.y).mean() > 0.8)
    True
    """

    balance: bool = True

    def _propagate(
        self, graph: csr_matrix, labels: NDArray[Any], hidden: NDArray[np.intp]
    ) -> NDArray[Any]:
        return self._spread_labels(graph, labels, hidden, balance=self.balance)

    def _keeps_to_shares(self) -> bool:
        return self.balance
