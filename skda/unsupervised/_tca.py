"""Transfer component analysis."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skda.base import Rows, estimator
from skda.unsupervised._transfer_components import BaseTransferComponents
from skda.utils.labels import UNLABELED
from skda.utils.mmd import mmd_coefficients

__all__ = ["TCA"]


@estimator
class TCA(BaseTransferComponents):
    r"""Transfer component analysis.

    Looks for components in which the means of the domains are close and which keep the
    variance of the rows [1]_, then classifies there. Features are put on one scale, see
    ``representation``, and all rows have unit length. With :math:`F` the rows of both
    domains, or kernels between them, the components :math:`F W` solve

    .. math::

        \max_W \; \operatorname{tr}(W^\top F^\top H F W)
        \quad \text{s.t.} \quad W^\top (F^\top M F + \mu I) W = I, \tag{1}

    where :math:`H` removes the mean of both domains and, with :math:`M` scaled to a
    Frobenius norm of one, :math:`\operatorname{tr}(W^\top F^\top M F W)` is
    proportional to the squared distance between the means of the domains. They are
    principal components, but for a metric in which that distance is long. Labels have
    no part in this.

    It takes well under a second for a thousand rows, and has no seed. The matrices
    have as many rows as there are principal components, or as both domains have rows
    with ``kernel="rbf"``.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    See Also
    --------
    JDA : Brings the means of the classes together, too.

    Notes
    -----
    The paper has kernels only, and exchanges the two matrices of Equation 1: its
    components are the same, in other units, those of little variance stretched to that
    of the others, in which neighbors are far less accurate. It does not scale
    :math:`M`, as public codes do, which makes :math:`\mu` independent of the number of
    rows. The one of skada weighs the means by its ``mu``, and takes a matrix that is
    not symmetric for one that is, so that its components are others.

    References
    ----------
    .. [1] S. J. Pan, I. W. Tsang, J. T. Kwok and Q. Yang, "Domain Adaptation via
       Transfer Component Analysis", IEEE Transactions on Neural Networks 22, 2011.
       doi:10.1109/TNN.2010.2091281.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import TCA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = TCA().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    published_params: ClassVar[dict[str, Any]] = {
        "kernel": "linear",
        "pca_components": None,
        "representation": "unit",
        "power": 1.0,
    }

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        F = self.map_rows(source, target)
        first, second = (np.full(len(r.X), UNLABELED) for r in (source, target))
        E = mmd_coefficients(first, second, n_classes=0)
        self.learn_components(F, E)
