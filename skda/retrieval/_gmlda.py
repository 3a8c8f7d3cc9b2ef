"""Generalized multiview linear discriminant analysis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh, qr, solve_triangular

from skda.base import estimator
from skda.retrieval._scatter import (
    LinearRetriever,
    cholesky_factor,
    class_mean_root,
    largest_positive,
)
from skda.utils.ranges import Positive
from skda.utils.views import ViewRows

__all__ = ["GMLDA"]

Array = NDArray[np.float64]


@estimator
class GMLDA(LinearRetriever):
    r"""Generalized multiview analysis, with linear discriminant analysis in each view.

    Couples one linear discriminant analysis per view: the categories come apart in
    every view, and their means in different views come together. For two views,

    .. math::

        \begin{bmatrix} A_1 & \lambda Z_1 Z_2^\top \\ \lambda Z_2 Z_1^\top & \mu A_2
        \end{bmatrix} w = \rho \begin{bmatrix} B_1 & \\ & \gamma_2 B_2 \end{bmatrix} w,
        \qquad \gamma_v = \frac{\operatorname{tr} B_1}{\operatorname{tr} B_v}, \tag{1}

    and further views add blocks :math:`\mu A_v`, :math:`\gamma_v B_v` and
    :math:`\lambda Z_u Z_v^\top` of the same kind. The columns of :math:`Z_v` are the
    means of the categories in view :math:`v`, minus that of all labeled pairs, times
    :math:`\sqrt{n_k / n}`; so :math:`A_v = Z_v Z_v^\top` is the covariance between
    categories, and :math:`B_v` is that within them, plus the ridge
    :math:`\varepsilon \operatorname{tr}(C_v) / p_v\, I`, where :math:`C_v` is the
    covariance of the view. (The paper has sums of squares for :math:`A` and plain means
    for :math:`Z`. With categories of one size only :math:`\lambda` changes: it is that
    of the paper divided by the size.)

    At most one dimension less than there are categories comes out. Unlabeled pairs are
    left out, with a warning, but for the center and the scales.

    Parameters
    ----------
    n_components
        Number of dimensions, at most the number of categories minus one; None is as
        many as possible.
    coupling
        Weight :math:`\lambda` of the means coming together; without it, views would be
        unrelated.
    mu
        Weight :math:`\mu` of all views but the first one.
    regularization
        Weight :math:`\varepsilon` of the ridge. The paper does not give its own.

    Attributes
    ----------
    discriminants_ : ndarray of shape (`n_components_`,)
        The eigenvalues :math:`\rho`, the largest first.

    See Also
    --------
    MvDA : One discriminant analysis over all views.

    References
    ----------
    .. [1] Sharma, Kumar, Daumé III and Jacobs, "Generalized multiview analysis: a
       discriminative latent space", CVPR 2012. doi:10.1109/CVPR.2012.6247923.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import GMLDA
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2], 20)
    >>> pairs = {v: np.eye(3)[y] + rng.normal(size=(60, 3)) for v in ("image", "text")}
    >>> gmlda = GMLDA().fit(pairs, y)
    >>> gmlda.transform({"text": pairs["text"][:4]})["text"].shape
    (4, 2)
    """

    coupling: Positive = 10.0
    mu: Positive = 1.0
    regularization: Positive = 0.1

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        labeled = self._center_and_keep_labeled(source, target)
        n_wanted = self._check_n_components(
            len(self.classes_) - 1, "the number of categories minus one"
        )
        codes = labeled.labels.codes(self.classes_)
        means = [
            class_mean_root(X - X.mean(axis=0), codes) for X in labeled.views.values()
        ]
        within = [
            self._within(X - X.mean(axis=0), Z)
            for X, Z in zip(labeled.views.values(), means, strict=True)
        ]
        # With B = L L', L^-1 Z = Q R makes the problem as small as the categories.
        L = [cholesky_factor(np.trace(within[0]) / np.trace(B) * B) for B in within]
        whitened = [
            qr(solve_triangular(L_v, Z, lower=True), mode="economic")
            for L_v, Z in zip(L, means, strict=True)
        ]
        R = block_diag(*(R_v for _, R_v in whitened))
        roots, vectors = eigh(R @ self._couplings(len(L), len(self.classes_)) @ R.T)
        first = largest_positive(roots, n_wanted)
        self.discriminants_ = roots[first]
        cuts = np.cumsum([len(R_v) for _, R_v in whitened])[:-1]
        parts = np.split(vectors[:, first], cuts)
        self._set_weights(
            {
                name: solve_triangular(L_v.T, Q @ part, lower=False)
                for name, L_v, (Q, _), part in zip(
                    labeled.views, L, whitened, parts, strict=True
                )
            }
        )

    def _within(self, X: Array, Z: Array) -> Array:
        """Take the ridged covariance of centered rows within their categories."""
        C = X.T @ X / len(X)
        ridge = self.regularization * np.trace(C) / len(C)
        return C - Z @ Z.T + ridge * np.eye(len(C))

    def _couplings(self, n_views: int, n_classes: int) -> Array:
        """Weight the means of every two views, as on the left of Equation 1."""
        weights = np.full((n_views, n_views), float(self.coupling))
        np.fill_diagonal(weights, [1.0] + [self.mu] * (n_views - 1))
        return np.kron(weights, np.eye(n_classes))
