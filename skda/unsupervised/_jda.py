"""Joint distribution adaptation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import Array
from skda.unsupervised._transfer_components import BaseTransferComponents
from skda.utils.labels import UNLABELED
from skda.utils.mmd import mmd_coefficients
from skda.utils.operations import normalize
from skda.utils.ranges import Count

__all__ = ["JDA"]


@estimator
class JDA(BaseTransferComponents):
    r"""Joint distribution adaptation.

    Looks for components in which the means of the domains, and those of every class,
    are close, by the labels that a classifier finds there [1]_. Features are put on one
    scale, see ``representation``, and all rows have unit length. With :math:`F` the
    rows of both domains, or kernels between them, the components :math:`F W` solve

    .. math::

        \max_W \; \operatorname{tr}(W^\top F^\top H F W)
        \quad \text{s.t.} \quad W^\top (F^\top M F + \mu I) W = I. \tag{1}

    There are :math:`C` classes, :math:`H` removes the mean of both domains, and
    :math:`\operatorname{tr}(W^\top F^\top M F W)` is, but for a factor that gives
    :math:`M` a Frobenius norm of one,

    .. math::

        C \, \bigl\|\bar{z}^s - \bar{z}^t\bigr\|^2
        + \sum_{k=1}^{C} \bigl\|\bar{z}^s_k - \bar{z}^t_k\bigr\|^2 \tag{2}

    with the means :math:`\bar{z}` of the components of a domain, and of a class there.
    Components lose their mean and are scaled to unit length, and a classifier of the
    labeled rows labels the rest of the target. The first round has the first term of
    Equation 2 only; every further one takes the labels of the one before.

    A round takes an eigenvalue problem of as many rows as there are principal
    components, or as both domains have rows with ``kernel="rbf"``, and a fit of the
    classifier. There is no seed. Every class is expected in the target.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    n_rounds
        Number of rounds.

    See Also
    --------
    TCA : The first round alone.
    SPL : Takes the surest labels first.

    Notes
    -----
    The paper exchanges the two matrices of Equation 1: its components are the same, in
    other units, those of little variance stretched to that of the others, in which
    neighbors are far less accurate. Nor is the mean taken from the components there.
    The other settings of the authors' code are those of :meth:`published`.

    References
    ----------
    .. [1] M. Long et al., "Transfer Feature Learning with Joint Distribution
       Adaptation", ICCV 2013. doi:10.1109/ICCV.2013.274.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import JDA
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = JDA().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    n_rounds: Count = 10

    published_params: ClassVar[dict[str, Any]] = {
        "n_components": 100,
        "mu": 0.1,
        "pca_components": None,
        "representation": "unit",
        "power": 1.0,
    }

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        n_classes = len(self.classes_)
        F = self.map_rows(source, target)
        given, codes = (rows.labels.codes(self.classes_) for rows in (source, target))
        unlabeled = codes == UNLABELED
        found = np.full(len(codes), UNLABELED)
        for r in range(self.n_rounds):
            E = mmd_coefficients(given, found, n_classes)
            E[:, 0] *= np.sqrt(n_classes)  # Equation 2
            self.learn_components(F, E)
            if r < self.n_rounds - 1:
                self.fit_classifier(source, target)
                scores = self.predict_proba_rows(target.X, "target")
                found = np.where(unlabeled, scores.argmax(axis=1), codes)

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        return normalize(super().align(X, domain))
