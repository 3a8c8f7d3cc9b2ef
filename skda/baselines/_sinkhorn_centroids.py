"""Class centroids with balanced assignments."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from skda.base import Rows, estimator
from skda.baselines._centroids import CentroidControl
from skda.baselines._control import RenamedShareControl
from skda.utils.operations import softmax
from skda.utils.ranges import PositiveShare
from skda.utils.sinkhorn import balancing_bias

__all__ = ["SinkhornCentroids"]


@estimator
class SinkhornCentroids(RenamedShareControl, CentroidControl):
    r"""Centroids that the rows are transported to, each in proportion to its class.

    Rows :math:`x_i` and centroids :math:`m_k` have unit length. The unlabeled rows are
    shared out among the centroids by the plan that maximizes

    .. math::

        \sum_i \sum_k r_{ik} \, x_i^\top m_k
        - \tau \sum_i \sum_k r_{ik} \log r_{ik}
        \quad\text{subject to}\quad
        \sum_k r_{ik} = 1, \quad \tfrac{1}{n_u} \sum_i r_{ik} = \pi_k,

    which is :math:`r_i = \operatorname{softmax}(M x_i / \tau + b)` with the biases
    :math:`b` that Sinkhorn's algorithm finds. Labeled rows stay with their class. Then
    the centroids take a step of length :math:`\eta` towards the means,

    .. math:: m_k \propto (1 - \eta) \, m_k
        + \eta \frac{\sum_i r_{ik} x_i}{\| \sum_i r_{ik} x_i \|},

    and so on, from the means of the labeled rows. This is PT-MAP [1]_ on the sphere.
    Each representation of the rows has centroids of its own, and the mean of both
    shares counts. A ``source`` is accepted and ignored.

    Parameters
    ----------
    temperature
        Temperature :math:`\tau` of the shares. The default is that of the paper, whose
        :math:`\lambda = 10` multiplies squared distances.
    step
        Step :math:`\eta` of the centroids, at most 1.

    See Also
    --------
    SeededKMeans : Without balance.

    Notes
    -----
    Balance is as good as the class prior, so pass it if you know it. Few labels say
    little about rare classes, and "balanced" assumes that there are none; where the
    labels or the unlabeled rows contradict the shares, ``fit`` warns.

    A new row is centered by the mean of the rows in ``fit`` and has the shares that
    the formula gives it without biases, so that its prediction does not depend on other
    rows.

    References
    ----------
    .. [1] Y. Hu et al., "Leveraging the feature distribution in transfer-based few-shot
       learning", ICANN 2021. arXiv:2006.03806.

    Examples
    --------
    >>> from skda.baselines import SinkhornCentroids
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = SinkhornCentroids().fit(digits.X, y)
    >>> bool((clf.transduction_ == digits.y).mean() > 0.7)
    True
    """

    step: PositiveShare = 0.2
    temperature = 0.05

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self._determine_shares(target)
        self._fit_centroids(target, self.step)

    def _assign(self, logits: NDArray[Any]) -> NDArray[Any]:
        return softmax(logits + balancing_bias(logits, self.class_prior_), axis=1)
