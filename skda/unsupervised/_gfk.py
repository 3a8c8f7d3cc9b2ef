"""Geodesic flow kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base import DomainName, Rows, estimator
from skda.unsupervised._aligned import (
    Array,
    BaseAlignedClassifier,
    principal_components,
)
from skda.utils.ranges import Count

__all__ = ["GFK"]

#: Sine of an angle below which the directions of both domains are the same.
ROUNDING = 1e-8


@estimator
class GFK(BaseAlignedClassifier):
    r"""Geodesic flow kernel.

    Compares rows in all the subspaces on the way from that of the source to that of the
    target [1]_. Features are put on one scale, see ``representation``, and all rows
    have unit length; then each domain loses its mean. With :math:`\Phi(0)` the leading
    principal directions of the source, :math:`\Phi(1)` those of the target, of shape
    (p, d), and :math:`\Phi(t)` the geodesic between them, the kernel is

    .. math:: x^\top G y = \int_0^1 \bigl(\Phi(t)^\top x\bigr)^\top
        \bigl(\Phi(t)^\top y\bigr) \, dt. \tag{1}

    In the directions :math:`b_i` of the source and :math:`b_i \cos \theta_i
    + d_i \sin \theta_i` of the target that enclose the principal angles
    :math:`\theta_i`,

    .. math::

        G = \sum_i
        \begin{pmatrix} b_i & d_i \end{pmatrix}
        \frac12 \begin{pmatrix}
            1 + \frac{\sin 2 \theta_i}{2 \theta_i} & \frac{\sin^2 \theta_i}{\theta_i} \\
            \frac{\sin^2 \theta_i}{\theta_i} & 1 - \frac{\sin 2 \theta_i}{2 \theta_i}
        \end{pmatrix}
        \begin{pmatrix} b_i & d_i \end{pmatrix}^\top
        = L L^\top. \tag{2}

    The common space is that of :math:`L^\top x`, which has twice as many features as
    there are directions, turned to the principal axes of both domains; :math:`G`
    itself, of shape (p, p), is never formed. Labels have no part in this.

    It takes a principal component analysis of each domain, and has no seed.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    n_components
        Number :math:`d` of directions, at most the rows of the smaller domain. The
        paper has 10 and 20 for image features.

    Attributes
    ----------
    mean_, mean_source_ : ndarray of shape (n_features,)
        Means of the scaled rows of the target, and of the source.
    angles_ : ndarray of shape (n_components,)
        :math:`\theta`, in ascending order.
    components_ : ndarray of shape (`n_components_out_`, n_features)
        :math:`L^\top`.

    See Also
    --------
    SubspaceAlignment : Takes the source to the subspace of the target.

    Notes
    -----
    Of the paper's two variants this is the one without labels, of principal component
    analyses only.

    References
    ----------
    .. [1] B. Gong, Y. Shi, F. Sha and K. Grauman, "Geodesic Flow Kernel for
       Unsupervised Domain Adaptation", CVPR 2012. doi:10.1109/CVPR.2012.6247911.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import GFK
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = GFK(n_components=2).fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 4)
    """

    n_components: Count = 20

    def learn_alignment(self, source: Rows, target: Rows) -> None:
        d = min(self.n_components, len(source.X), len(target.X))
        first, last = (principal_components(rows.X, d) for rows in (source, target))
        self.mean_source_, self.mean_ = first.mean_, last.mean_
        self.angles_, self.components_ = geodesic_flow(
            first.components_, last.components_
        )
        self._turn(
            np.concatenate(
                [self.align(source.X, "source"), self.align(target.X, "target")]
            )
        )

    def _turn(self, rows: Array) -> None:
        """Turn the space to its principal axes, of signs that no solver chooses.

        Directions that both domains have are in no order, otherwise.
        """
        _, axes = np.linalg.eigh(rows.T @ rows)
        turned = axes.T[::-1] @ self.components_
        largest = np.abs(turned).argmax(axis=1, keepdims=True)
        negative = np.take_along_axis(turned, largest, axis=1) < 0
        self.components_ = np.where(negative, -turned, turned)

    def align(self, X: NDArray[Any], domain: DomainName) -> Array:
        mean = self.mean_source_ if domain == "source" else self.mean_
        return (X - mean) @ self.components_.T


def geodesic_flow(first: Array, last: Array) -> tuple[Array, Array]:
    r"""Evaluate the principal angles of two subspaces, and the root of Equation 2.

    Parameters
    ----------
    first, last : ndarray of shape (d, p)
        Orthonormal rows that span the subspaces.

    Returns
    -------
    angles : ndarray of shape (d,)
        :math:`\theta`.
    components : ndarray of shape (2 * d, p)
        :math:`L^\top`.
    """
    U, cosines, Vt = np.linalg.svd(first @ last.T)
    cosines = np.minimum(cosines, 1.0)
    b = U.T @ first
    rest = Vt @ last - cosines[:, None] * b  # of lengths that are the sines
    sines = np.linalg.norm(rest, axis=1)
    d = rest * np.where(sines > ROUNDING, 1 / np.maximum(sines, ROUNDING), 0.0)[:, None]
    angles = np.arctan2(sines, cosines)

    # np.sinc(x / pi) is sin(x) / x, also at zero.
    even = np.sinc(2 * angles / np.pi) / 2
    middle = np.sinc(angles / np.pi) * np.sin(angles) / 2
    top = np.sqrt(0.5 + even)  # the Cholesky factor of every 2 x 2 block
    below = middle / top
    corner = np.sqrt(np.maximum(0.5 - even - below**2, 0.0))
    both = top[:, None] * b + below[:, None] * d
    return angles, np.concatenate([both, corner[:, None] * d])
