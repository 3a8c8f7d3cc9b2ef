"""K-means that starts from the labeled rows and never lets go of them."""

from __future__ import annotations

from typing import Any

from skda.baselines._centroids import CentroidControl

__all__ = ["SeededKMeans"]


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

    This is constrained k-means by seeding [1]_ with soft shares. A ``source`` is
    accepted and ignored.

    Parameters
    ----------
    temperature : float, default=0.01
        Temperature :math:`\tau` of the shares.
    max_iter : int, default=20
        Most turns to take.
    power : float, "auto" or None, default="auto"
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; None leaves the rows as they are. Then
        the rows are centered and scaled to unit length, again.
    target_transformer : transformer, default=None
        Cloned, fitted on the target samples and applied to them ever after.

    Attributes
    ----------
    centroids_ : ndarray of shape (n_classes, n_features)
        Centroids of the centered rows.
    label_distributions_ : ndarray of shape (n_target, n_classes)
        What every target sample seen in ``fit`` became.
    n_iter_ : int
        Number of turns.

    See Also
    --------
    SinkhornCentroids : With balance over the classes, and in smaller steps.

    Notes
    -----
    A new row is centered by the mean of the rows in ``fit`` and has the shares that
    the formula gives it. Further fitted attributes are those of
    :class:`skda.base.BaseDomainClassifier`.

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

    def __init__(
        self,
        *,
        temperature: float = 0.01,
        max_iter: int = 20,
        power: float | str | None = "auto",
        target_transformer: Any = None,
    ) -> None:
        self.temperature = temperature
        self.max_iter = max_iter
        self.power = power
        self.target_transformer = target_transformer
