"""Partial least squares."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.cross_decomposition import PLSSVD, PLSCanonical

from skda.base import estimator
from skda.retrieval._scatter import LinearRetriever, largest_positive
from skda.utils.ranges import Auto, Count
from skda.utils.views import ViewRows

__all__ = ["PLS"]


@estimator
class PLS(LinearRetriever):
    r"""Partial least squares between two views, by scikit-learn.

    Finds directions :math:`u, v` of unit length in which the covariance of the views is
    largest,

    .. math:: \max_{u, v} u^\top C_{xy} v, \tag{1}

    over all pairs, those of the source and the new ones; labels do not matter. Unlike
    canonical correlations, covariances need no ridge, and rank directions by how much
    varies in them.

    With ``mode="svd"`` all directions are singular vectors of :math:`C_{xy}`
    (:class:`sklearn.cross_decomposition.PLSSVD`). With ``mode="canonical"`` the views
    are deflated by their own scores after each direction
    (:class:`sklearn.cross_decomposition.PLSCanonical`), as in the published use for
    retrieval [1]_, which :meth:`published` is.

    Parameters
    ----------
    n_components : int, "auto" or None
        Number of dimensions, at most the width of the narrower view and the number of
        pairs; "auto" is 10 if there can be so many, None as many as possible. There are
        fewer where features are redundant.
    mode
        Which of the two to use.

    Attributes
    ----------
    weights_ : dict of str to ndarray of shape (n_view_features, `n_components_`)
        Weights (or rotations) of every view.

    See Also
    --------
    RidgeCCA : Correlations in the place of covariances.

    References
    ----------
    .. [1] Sharma and Jacobs, "Bypassing synthesis: PLS for face recognition with pose,
       low-resolution and sketch", CVPR 2011.
    .. [2] Wegelin, "A survey of partial least squares (PLS) methods, with emphasis on
       the two-block case", University of Washington 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import PLS
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(50, 2))
    >>> pairs = {name: latent @ rng.normal(size=(2, 12)) for name in ("image", "text")}
    >>> pls = PLS().fit(pairs)
    >>> pls.transform({"text": pairs["text"][:3]})["text"].shape
    (3, 2)
    """

    n_components: Count | Auto | None = "auto"  # type: ignore[assignment] # wider
    mode: Literal["svd", "canonical"] = "svd"

    published_params: ClassVar[dict[str, Any]] = {"mode": "canonical"}
    _needs_two_views: ClassVar[bool] = True

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        rows = self._center(source.stack(target))
        (x, X), (y, Y) = rows.items()
        most = min(len(X), *target.widths.values())
        if self.n_components == "auto":
            n_wanted = min(most, 10)
        else:
            reason = "the width of the narrower view or the number of pairs"
            n_wanted = self._check_n_components(most, reason)
        # Beyond the rank, scikit-learn's directions are made of rounding.
        rank = min(np.linalg.matrix_rank(Z) for Z in (X, Y))
        n_components = min(n_wanted, int(rank))
        if self.mode == "svd":
            pls = PLSSVD(n_components=n_components, scale=False).fit(X, Y)
            weights = pls.x_weights_, pls.y_weights_
        else:
            pls = PLSCanonical(n_components=n_components, scale=False, algorithm="svd")
            pls.fit(X, Y)
            weights = pls.x_rotations_, pls.y_rotations_
        covariances = np.sum((X @ weights[0]) * (Y @ weights[1]), axis=0)
        first = np.sort(largest_positive(covariances, n_components))
        self._set_weights({x: weights[0][:, first], y: weights[1][:, first]})
