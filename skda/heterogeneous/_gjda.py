"""Generalized joint distribution adaptation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, svds

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
)
from skda.utils.labels import UNLABELED
from skda.utils.mmd import mmd_coefficients
from skda.utils.ranges import Count, Positive
from skda.utils.scaling import normalize_rows

__all__ = ["GJDA"]

#: Up to so many rows or columns, a dense decomposition takes less time.
MAX_DENSE = 300
#: Singular values below this share of the largest one are rounding.
MIN_VALUE = 1e-9


@estimator
class GJDA(BaseCommonSpaceClassifier):
    r"""Generalized joint distribution adaptation.

    Projects both domains, each by a matrix of its own, so that the means of the domains
    and of their classes meet [1]_: joint distribution adaptation [2]_ for domains of
    different features.

    **Projection.** Let :math:`Z` have the source and the target on its diagonal, each
    with zeros for the features of the other, :math:`P` the projection of the source
    above that of the target, :math:`H` the matrix that centers rows, and :math:`E` the
    coefficients that make :math:`E^\top Z P` the differences of the means of the two
    domains and of every class in them. The projections solve

    .. math::

        \min_P \| E^\top Z P \|_F^2 + \lambda \| P \|_F^2
        \quad\text{with}\quad P^\top Z^\top H Z P = I. \tag{1}

    :math:`E` is scaled so that :math:`\| E E^\top \|_F = 1`. Projected rows are scaled
    to unit length.

    **Rounds.** A linear support vector machine is trained on the projected rows of the
    source and on the labeled ones of the target. The classes that it finds in the
    unlabeled ones stand for their labels in the next round; in the first, these have no
    part in the means of the classes. Rounds end when no label changes any more.

    Without a source, the support vector machine is fitted to the labeled target rows.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    lambda0
        Weight :math:`\lambda` of the projections, from more than zero.
    n_components
        Number of directions, at most; None is a fifth of the rows or of the features of
        both domains, of which there are fewer, but no more than 100 and no fewer than
        there are classes.
    n_rounds
        Number of rounds, at most.

    Attributes
    ----------
    projections_ : dict of str to ndarray of shape (n_features, `n_components_out_`)
        :math:`P` of either domain, by its name; only there with a source.
    n_iter_ : int
        Number of rounds; only there with a source.

    See Also
    --------
    CDSPP : Keeps the rows of a class together, too.
    CDLS : Weighs the rows.

    Notes
    -----
    Solutions of Equation 1 are :math:`P = V Q \Sigma^{-1}`, where
    :math:`V = (Z^\top E E^\top Z + \lambda I)^{-1/2}` differs from a multiple of the
    identity by a matrix of rank :math:`K + 1`, for :math:`K` classes, and
    :math:`Q, \Sigma` are the leading right singular vectors and the singular values of
    :math:`H Z V`. Lanczos's algorithm finds them without any matrix of the size of
    :math:`Z`: a round takes :math:`O(m (n_s d_s + n_t d_t))` operations for :math:`m`
    steps. Should it not converge, the matrix is decomposed as a whole.

    The paper was not at hand beyond its abstract. The classifier, the scale of
    :math:`E` and the unit length of projected rows are choices made here, the first
    and last by accuracy on Office-Caltech, the other as in public code for [2]_; so are
    the defaults.

    References
    ----------
    .. [1] Y.-T. Hsieh, S.-Y. Tao, Y.-H. H. Tsai, Y.-R. Yeh and Y.-C. F. Wang,
       "Recognizing Heterogeneous Cross-Domain Data via Generalized Joint Distribution
       Adaptation", ICME 2016.
    .. [2] M. Long et al., "Transfer Feature Learning with Joint Distribution
       Adaptation", ICCV 2013. doi:10.1109/ICCV.2013.274.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import GJDA
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = GJDA(n_components=10).fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    >>> clf.transform(data.X).shape
    (300, 10)
    """

    lambda0: Positive = 0.1
    n_components: Count | None = None
    n_rounds: Count = 10

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        known, codes = target.labeled(), target.codes
        for r in range(1, self.n_rounds + 1):
            self.n_iter_ = r
            self._learn_projections(source, Coded(target.X, codes))
            self._fit_classifier(
                np.concatenate(
                    [self._features(source.X, "source"), self._features(known.X)]
                ),
                np.concatenate([source.codes, known.codes]),
            )
            P = self._classifier.predict_proba(self._features(target.X))
            before, codes = codes, P.argmax(axis=1)
            codes = np.where(target.codes == UNLABELED, codes, target.codes)
            if np.array_equal(before, codes):
                break

    def _learn_projections(self, source: Coded, target: Coded) -> None:
        """Solve Equation 1."""
        E = mmd_coefficients(source.codes, target.codes, len(self.classes_))
        E /= np.sqrt(np.linalg.norm(E.T @ E))
        Z = BlockDiagonal(source.X, target.X)
        V = InverseRoot(Z.T @ E, self.lambda0)
        fifth = max(min(min(Z.shape) // 5, 100), len(self.classes_))
        k = self.n_components or fifth
        values, Q = leading_right_vectors(centered_product(Z, V), k)
        P = V @ np.divide(Q, values, where=values > 0, out=np.zeros_like(Q))
        width = source.X.shape[1]
        self.projections_ = {"source": P[:width], "target": P[width:]}

    def _features(self, X: NDArray[Any], domain: DomainName = "target") -> Array:
        return normalize_rows(X @ self.projections_[domain])


class BlockDiagonal:
    """The matrix with one block above, to the left of another; zeros elsewhere."""

    def __init__(self, first: Array, second: Array) -> None:
        self.first, self.second = first, second
        self.shape = tuple(np.add(first.shape, second.shape))

    @property
    def T(self) -> BlockDiagonal:  # noqa: N802 (as of an array)
        """The transpose."""
        return BlockDiagonal(self.first.T, self.second.T)

    def __matmul__(self, V: Array) -> Array:
        """Multiply by a matrix."""
        width = self.first.shape[1]
        return np.concatenate([self.first @ V[:width], self.second @ V[width:]])


class InverseRoot:
    """The inverse root of the sum of ``F @ F.T``, of low rank, and of a ridge."""

    def __init__(self, F: Array, ridge: float) -> None:
        self.U, values, _ = svd(F, full_matrices=False)
        self.ridge = ridge
        self.shrinkage = (1 - np.sqrt(ridge / (ridge + values**2)))[:, None]

    def __matmul__(self, V: Array) -> Array:
        """Multiply by a matrix."""
        lowered = self.U @ (self.shrinkage * (self.U.T @ V))
        return (V - lowered) / np.sqrt(self.ridge)


def centered_product(Z: BlockDiagonal, V: InverseRoot) -> LinearOperator:
    """Multiply ``H @ Z @ V`` and its transpose by matrices."""

    def forward(W: Array) -> Array:
        product = Z @ (V @ W.reshape(Z.shape[1], -1))
        return product - product.mean(axis=0)

    def backward(W: Array) -> Array:
        rows = W.reshape(Z.shape[0], -1)
        return V @ (Z.T @ (rows - rows.mean(axis=0)))

    return LinearOperator(
        Z.shape,
        matvec=forward,
        rmatvec=backward,
        matmat=forward,
        rmatmat=backward,
        dtype=np.float64,
    )


def leading_right_vectors(A: LinearOperator, k: int) -> tuple[Array, Array]:
    """Find singular values, the largest first, and right singular vectors in columns.

    Values that are zero up to rounding, and their vectors, are left out, but for one.
    """
    values, vectors = _few_vectors(A, k) or _all_vectors(A)
    kept = max(min(k, np.sum(values > MIN_VALUE * values[0])), 1)
    return values[:kept], vectors[:, :kept]


def _few_vectors(A: LinearOperator, k: int) -> tuple[Any, Any] | None:
    """Run Lanczos's algorithm, if that pays; None if it does not converge, either."""
    if min(A.shape) <= max(MAX_DENSE, 2 * k):
        return None
    start = np.random.default_rng(0).normal(size=min(A.shape))
    try:
        _, values, vectors = svds(A, k, v0=start)
    except ArpackNoConvergence:
        return None
    return values[::-1], vectors[::-1].T


def _all_vectors(A: LinearOperator) -> tuple[Array, Array]:
    """Decompose the whole matrix."""
    _, values, vectors = svd(A @ np.eye(A.shape[1]), full_matrices=False)
    return values, vectors.T
