"""Canonical correlations of any number of views."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh, svd

from skda.base import estimator
from skda.retrieval._scatter import TINY, LinearRetriever, largest_positive
from skda.utils.ranges import Share
from skda.utils.views import ViewRows

__all__ = ["MCCA"]

Array = NDArray[np.float64]


@estimator
class MCCA(LinearRetriever):
    r"""Multiview canonical correlation analysis, in its sum-of-correlations form.

    Finds weights :math:`w_v` of any number :math:`V` of views whose variates agree:

    .. math::

        \max_w \sum_{u \neq v} w_u^\top C_{uv} w_v \quad \text{subject to} \quad
        \sum_v w_v^\top B_v w_v = V, \qquad
        B_v = (1 - c)\, C_{vv} + c\, \frac{\operatorname{tr} C_{vv}}{p_v} I, \tag{1}

    one dimension after the other, where :math:`C_{uv}` is the covariance of two views
    over all pairs, those of the source and the new ones, and labels do not matter.
    Equation 1 is the eigenproblem :math:`A w = (V - 1)\, \rho\, B w`, with the blocks
    :math:`C_{uv}` off the diagonal of :math:`A` and zero on it. It is solved as an
    ordinary one after every view has been whitened by :math:`B_v`. With two views it is
    canonical correlation analysis, and the :math:`\rho` are the (regularized)
    correlations; with more, :math:`\rho` is a mean over the pairs of views.

    Variates of a small :math:`\rho` are noise, but would weigh as much in a cosine as
    all others: ``weighted`` multiplies them by it. The published form does not, and
    :meth:`published` is that; choose its ``n_components`` with care.

    Parameters
    ----------
    n_components
        Number of dimensions, at most the widths of all views but the widest, added up;
        None is all with a positive :math:`\rho`. There are fewer where features are
        redundant.
    regularization
        Weight :math:`c` of the ridge, from 0 to 1; 0 needs many more pairs than
        features.
    weighted
        Whether to multiply variates by :math:`\rho`.

    Attributes
    ----------
    correlations_ : ndarray of shape (`n_components_`,)
        The :math:`\rho`, the largest first.
    weights_ : dict of str to ndarray of shape (n_view_features, `n_components_`)
        Weights of every view, times :math:`\rho` if ``weighted``.

    See Also
    --------
    RidgeCCA : For two views; it can also whiten by the source.

    References
    ----------
    .. [1] Kettenring, "Canonical analysis of several sets of variables", Biometrika
       58(3), 1971. doi:10.1093/biomet/58.3.433.
    .. [2] Rupnik and Shawe-Taylor, "Multi-view canonical correlation analysis", SiKDD
       2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import MCCA
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(50, 2))
    >>> pairs = {name: latent @ rng.normal(size=(2, 5)) for name in ("a", "b", "c")}
    >>> mcca = MCCA(regularization=0.1).fit(pairs)
    >>> mcca.transform({"b": pairs["b"][:3]})["b"].shape
    (3, 2)
    """

    regularization: Share = 0.5
    weighted: bool = True

    published_params: ClassVar[dict[str, Any]] = {"weighted": False}

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        widths = target.widths.values()
        n_wanted = self._check_n_components(
            sum(widths) - max(widths), "the widths of all views but the widest"
        )
        rows = self._center(source.stack(target))
        whitening = {name: self._whitening(X) for name, X in rows.items()}
        white = [X @ whitening[name] for name, X in rows.items()]
        A = np.hstack(white).T @ np.hstack(white)
        A = (A - block_diag(*(Z.T @ Z for Z in white))) / len(white[0])
        last = len(A) - 1
        roots, vectors = eigh(A, subset_by_index=[max(0, last + 1 - n_wanted), last])
        first = largest_positive(roots, n_wanted)
        self.correlations_ = roots[first].clip(0) / (len(rows) - 1)
        scale = np.sqrt(len(rows)) * (self.correlations_ if self.weighted else 1.0)
        cuts = np.cumsum([Z.shape[1] for Z in white])[:-1]
        parts = np.split(vectors[:, first] * scale, cuts)
        self._set_weights(
            {
                name: axes @ part
                for (name, axes), part in zip(whitening.items(), parts, strict=True)
            }
        )

    def _whitening(self, X: Array) -> Array:
        """Take the inverse root of the ridged covariance, where there is variance."""
        variances, axes = _principal_axes(X)
        ridged = (1 - self.regularization) * variances
        ridged += self.regularization * variances.sum() / X.shape[1]
        return axes / np.sqrt(ridged)


def _principal_axes(X: Array) -> tuple[Array, Array]:
    """Find the variances and the axes (p, r) of the space that centered rows span."""
    if len(X) > X.shape[1]:
        variances, axes = eigh(X.T @ X / len(X))
    else:  # no matrix of many features by as many
        _, lengths, rows = svd(X, full_matrices=False)
        variances, axes = lengths**2 / len(X), rows.T
    varied = variances > TINY**1.5 * variances.max()
    return variances[varied], axes[:, varied]
