"""Subspace alignment."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import (
    Array,
    BaseAlignedClassifier,
    principal_components,
)
from skda.utils.ranges import Count

__all__ = ["SubspaceAlignment"]


@estimator
class SubspaceAlignment(BaseAlignedClassifier):
    r"""Subspace alignment.

    Rotates the principal directions of the source onto those of the target [1]_, then
    classifies there. Features are put on one scale, see ``representation``, and all
    rows have unit length. With the means :math:`m` and the leading principal directions
    :math:`P`, of shape (p, d), of each domain by itself,

    .. math::

        x_s \mapsto (x_s - m_s)^\top P_s M, \qquad
        x_t \mapsto (x_t - m_t)^\top P_t, \qquad
        M = P_s^\top P_t, \tag{1}

    where :math:`M` minimizes :math:`\|P_s M - P_t\|_F`. Labels have no part in this.

    It takes a principal component analysis of each domain, and has no seed.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    n_components
        Number :math:`d` of directions, at most the rows of the smaller domain.

    Attributes
    ----------
    pca_source_, pca_target_ : PCA
        The principal component analyses.
    alignment_ : ndarray of shape (`n_components_out_`, `n_components_out_`)
        :math:`M`.

    See Also
    --------
    GFK : Takes all subspaces between those two.

    Notes
    -----
    The paper chooses the number of directions by folds of the source, below a bound
    from the gaps of the eigenvalues: let a grid search choose it.

    References
    ----------
    .. [1] B. Fernando, A. Habrard, M. Sebban and T. Tuytelaars, "Unsupervised Visual
       Domain Adaptation Using Subspace Alignment", ICCV 2013.
       doi:10.1109/ICCV.2013.368.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SubspaceAlignment
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SubspaceAlignment().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    n_components: Count = 20

    published_params: ClassVar[dict[str, Any]] = {
        "representation": "unit",
        "power": 1.0,
    }

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        d = min(self.n_components, len(source.X), len(target.X))
        self.pca_source_, self.pca_target_ = (
            principal_components(rows.X, d) for rows in (source, target)
        )
        self.alignment_ = self.pca_source_.components_ @ self.pca_target_.components_.T

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            return self.pca_source_.transform(X) @ self.alignment_
        return self.pca_target_.transform(X)
