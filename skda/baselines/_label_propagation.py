"""Label propagation with class balance."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from skda.base import Rows
from skda.baselines._graph import GraphControl

__all__ = ["BalancedLabelPropagation"]


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
    :math:`S = D^{-1/2} W D^{-1/2}`. Its rows, divided by their sums, are the
    distributions :math:`P`. Then the unlabeled rows are brought to the class prior
    :math:`\pi` as Sinkhorn's algorithm does it:

    .. math:: P_{ik} \leftarrow \operatorname{softmax}_k (\log P_{ik} + b_k)
        \quad\text{with } b \text{ such that}\quad
        \tfrac{1}{n_u} \sum_{i \text{ unlabeled}} P_{ik} = \pi_k.

    Labels that were given stay. A ``source`` is accepted and ignored.

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbors of every row.
    alpha : float, default=0.8
        Weight :math:`\alpha` of the neighbors against the labels, between 0 and 1.
    balance : bool, default=True
        Whether to balance the classes; without, it is plain label propagation.
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
    IterativeLabelPropagation : Spreads its own most certain labels, too.
    sklearn.semi_supervised.LabelSpreading : Without the balance, for
        :class:`TargetOnly`.

    Notes
    -----
    Balance is as good as the prior: where classes of unlike sizes are labeled alike, it
    does harm, so pass ``prior`` if you know their sizes.

    A new row takes the mean of the distributions of its nearest neighbors in ``fit``,
    weighted by their cosines. A row that is like no other takes the prior. Further
    fitted attributes are those of :class:`skda.base.BaseDomainClassifier`.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GraphControl._parameter_constraints,
        "balance": ["boolean"],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 10,
        alpha: float = 0.8,
        balance: bool = True,
        prior: str | ArrayLike | None = "labeled",
        power: float | str | None = "auto",
        target_transformer: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.balance = balance
        self.prior = prior
        self.power = power
        self.target_transformer = target_transformer

    def fit_rows(self, source: Rows, target: Rows) -> None:
        graph = self._start(target)
        given = target.labels.memberships(self.classes_).astype(np.float64)
        hidden = np.flatnonzero(~target.labels.known)
        self.label_distributions_ = self._distributions(graph, given, hidden)
