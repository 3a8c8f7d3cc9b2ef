"""Multiview discriminant analysis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, solve, solve_triangular, svd

from skda.base import estimator
from skda.retrieval._scatter import (
    LinearRetriever,
    cholesky_factor,
    class_mean_root,
    largest_positive,
)
from skda.utils.ranges import NonNegative, Positive
from skda.utils.views import ViewRows

__all__ = ["MvDA"]

Array = NDArray[np.float64]


@estimator
class MvDA(LinearRetriever):
    r"""Multiview discriminant analysis, with view consistency or without it.

    Linear discriminant analysis over any number :math:`V` of views at once: rows of a
    category lie close together in the common space, from whichever view they come, and
    apart from other categories. Let the rows of :math:`X_v` be the :math:`n` labeled
    pairs in view :math:`v`, minus their mean; let :math:`C_v = X_v^\top X_v / n`, and
    let the columns of :math:`F` be the means of the :math:`n_k` pairs of category
    :math:`k`, all views below one another, times :math:`\sqrt{n_k / n}`. Then

    .. math::

        \max_W \frac{\operatorname{tr}\, W^\top D W}{\operatorname{tr}\, W^\top S W},
        \qquad D = \tfrac{1}{V} F F^\top, \quad
        S = \operatorname{diag}_v\bigl(C_v + r_v I\bigr) - D
        + \lambda \frac{\operatorname{tr} S_0}{\operatorname{tr} M} M, \tag{1}

    where the ridge is :math:`r_v = \varepsilon \operatorname{tr}(C_v) / p_v`, and
    :math:`S_0` is :math:`S` without ridge and last term. This is the published problem,
    divided by :math:`n`: each view has every pair, so that :math:`n_{kv} = n_k`.

    The last term is that of MvDA-VC. The weights of a view are combinations of its
    rows, :math:`P_v w_v` with
    :math:`P_v = X_v (X_v^\top X_v + n r_v I)^{-1}`, and should be alike in all views:

    .. math::

        \sum_{u, v} \|P_u w_u - P_v w_v\|^2 = w^\top M w, \quad
        M_{vv} = 2 (V - 1) P_v^\top P_v, \quad M_{uv} = -2 P_u^\top P_v. \tag{2}

    :math:`P_v` is as large as :math:`X_v`. The authors write it with an inverse of size
    :math:`n \times n`, which is equal, and scale :math:`M` by traces in their code, as
    is done here.

    At most one dimension less than there are categories comes out, with eigenvalues of
    Equation 1 as ``discriminants_``. Unlabeled pairs are left out, with a warning, but
    for the center and the scales.

    Parameters
    ----------
    n_components
        Number of dimensions, at most the number of categories minus one; None is as
        many as possible.
    view_consistency
        Weight :math:`\lambda` of view consistency; 0 is MvDA.
    regularization
        Weight :math:`\varepsilon` of the ridge. The papers do not give theirs.

    Attributes
    ----------
    discriminants_ : ndarray of shape (`n_components_`,)
        Ratio of Equation 1 in every dimension, the largest first.
    weights_ : dict of str to ndarray of shape (n_view_features, `n_components_`)
        Weights :math:`w_v` of every view.

    See Also
    --------
    GMLDA : Couples one discriminant analysis per view.

    References
    ----------
    .. [1] Kan, Shan, Zhang, Lao and Chen, "Multi-view discriminant analysis", ECCV
       2012.
    .. [2] Kan, Shan, Zhang, Lao and Chen, "Multi-view discriminant analysis", IEEE
       TPAMI 38(1), 2016. doi:10.1109/TPAMI.2015.2435740.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import MvDA
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2], 20)
    >>> pairs = {v: np.eye(3)[y] + rng.normal(size=(60, 3)) for v in ("image", "text")}
    >>> mvda = MvDA(view_consistency=0.1).fit(pairs, y)
    >>> mvda.transform({"text": pairs["text"][:4]})["text"].shape
    (4, 2)
    """

    view_consistency: NonNegative = 0.0
    regularization: Positive = 0.1

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        labeled = self._center_and_keep_labeled(source, target)
        n_wanted = self._check_n_components(
            len(self.classes_) - 1, "the number of categories minus one"
        )
        rows = [X - X.mean(axis=0) for X in labeled.views.values()]
        codes = labeled.labels.codes(self.classes_)
        F = class_mean_root(np.hstack(rows), codes) / np.sqrt(len(rows))
        # With S = L L', the eigenvectors are those of the narrow L^-1 F.
        L = cholesky_factor(self._within(rows, F))
        vectors, roots, _ = svd(solve_triangular(L, F, lower=True), full_matrices=False)
        first = largest_positive(roots, n_wanted)
        self.discriminants_ = roots[first] ** 2
        weights = solve_triangular(L.T, vectors[:, first], lower=False)
        cuts = np.cumsum([X.shape[1] for X in rows])[:-1]
        parts = np.split(weights, cuts)
        self._set_weights(dict(zip(labeled.views, parts, strict=True)))

    def _within(self, rows: list[Array], F: Array) -> Array:
        """Compute the denominator S of Equation 1."""
        covariances = [X.T @ X / len(X) for X in rows]
        S = block_diag(*covariances) - F @ F.T
        ridges = [
            self.regularization * np.trace(C) / len(C) * np.eye(len(C))
            for C in covariances
        ]
        ridged = S + block_diag(*ridges)
        if self.view_consistency:
            M = consistency(rows, [len(rows[0]) * ridge for ridge in ridges])
            ridged += self.view_consistency * np.trace(S) / np.trace(M) * M
        return ridged


def consistency(rows: list[Array], ridges: list[Array]) -> Array:
    """Build the matrix of Equation 2 from views of shape (n, p_v) and their ridges."""
    P = [
        solve(X.T @ X + R, X.T, assume_a="pos").T  # (n, p_v)
        for X, R in zip(rows, ridges, strict=True)
    ]
    own = block_diag(*(P_v.T @ P_v for P_v in P))
    together = np.hstack(P)
    return 2 * (len(P) * own - together.T @ together)
