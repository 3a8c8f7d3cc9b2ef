"""K-means that starts from the labeled rows and keeps their labels."""

from __future__ import annotations

from skda.base import Rows, estimator
from skda.baselines._centroids import CentroidControl

__all__ = ["SeededKMeans"]


@estimator
class SeededKMeans(CentroidControl):
    r"""Soft spherical k-means with the labeled rows for seeds.

    Rows :math:`x_i` and centroids :math:`m_k` have unit length. From the means of the
    labeled rows on, it maximizes

    .. math::

        \sum_i \sum_k r_{ik} \, x_i^\top m_k
        - \tau \sum_i \sum_k r_{ik} \log r_{ik}

    by turns over the shares :math:`r`, which are one-hot where the label is known, and
    over the centroids:

    .. math::

        r_i = \operatorname{softmax}(M x_i / \tau) \text{ where unlabeled}, \qquad
        m_k = \frac{\sum_i r_{ik} x_i}{\| \sum_i r_{ik} x_i \|}.

    This is constrained k-means by seeding [1]_ with soft shares. Each representation of
    the rows has centroids of its own, and the mean of both shares counts. A ``source``
    is accepted and ignored.

    See Also
    --------
    SinkhornCentroids : With balance over the classes, and in smaller steps.

    Notes
    -----
    Clusters of much unlike sizes are cut where k-means cuts them: for skewed classes,
    take :class:`SinkhornCentroids`.

    A new row is centered by the mean of the rows in ``fit`` and has the shares that
    the formula gives it.

    References
    ----------
    .. [1] S. Basu et al., "Semi-supervised clustering by seeding", ICML 2002.

    Examples
    --------
    >>> from skda.baselines import SeededKMeans
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = SeededKMeans().fit(digits.X, y)
    >>> bool((clf.transduction_ == digits.y).mean() > 0.7)
    True
    """

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self._fit_centroids(target, step=1.0)
