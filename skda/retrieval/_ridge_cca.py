"""Regularized canonical correlation analysis for retrieval."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd

from skda.base import BaseRetriever, estimator
from skda.retrieval._relay import Relay
from skda.utils.operations import normalize
from skda.utils.ranges import Count, NonNegative, Share, WholeNumber
from skda.utils.views import ViewRows

__all__ = ["RidgeCCA"]


@estimator
class RidgeCCA(BaseRetriever):
    r"""Ridge canonical correlation analysis, whitened with the help of a source.

    With the covariances :math:`C_x, C_y, C_{xy}` of the pairs in ``X``, every view is
    whitened by a regularized covariance, and what remains is decomposed:

    .. math::

        D_x &= (1 - r)\,\big((1 - w) C_x + w W_x\big)
            + r\,\frac{\operatorname{tr}(\cdot)}{p} I \\
        D_x^{-1/2} C_{xy} D_y^{-1/2} &= U \operatorname{diag}(s) V^\top, \qquad
        A = D_x^{-1/2} U \operatorname{diag}(s)^\rho, \quad
        B = D_y^{-1/2} V \operatorname{diag}(s)^\rho

    :math:`W_x` is the covariance of the source within its categories: a model of the
    noise, which is the one thing that labeled pairs of other categories know about new
    ones. Only whitening uses the source; correlations come from the pairs in ``X``.
    The weight :math:`\operatorname{diag}(s)^\rho` lets the cosine listen to the
    directions that the views agree on.

    With ``similarity="csa"`` it is the score of canonical similarity analysis [3]_ that
    ranks, which weights products of variates :math:`a, b` and not their lengths:

    .. math::

        S(x, y) = \frac{\sum_j (s_j / s_1)^{2\rho} \, a_j b_j}{
            \lVert a \rVert \lVert b \rVert}, \qquad
        a = (D_x^{-1/2} U)^\top x, \quad b = (D_y^{-1/2} V)^\top y

    Parameters
    ----------
    n_components
        Number of canonical directions; None takes all that there are.
    regularization
        Ridge :math:`r` in [0, 1]: share of the identity in every whitening.
    source_weight
        Weight :math:`w` of the source's covariance within categories; 0.75 is better
        when pairs are few. Without a source it does nothing.
    correlation_power
        Power :math:`\rho` of the correlations that weights the directions; 0 is plain
        canonical correlation analysis.
    similarity
        What ranks: the cosine of weighted variates, or the score :math:`S` above. For
        the latter every row has two coordinates more than ``n_components``, one for
        each view, which make it a cosine.
    n_relays
        Number of training pairs that a row is relayed through: their mean fused
        embedding is added to its own. 0 keeps no training pairs.
    scaling : {"feature", "view"} or None
        Whether to standardize, by the pairs in ``X``, every feature, the view as a
        whole, or neither.

    Attributes
    ----------
    correlations_ : ndarray of shape (n_components,)
        Regularized canonical correlations :math:`s`.
    weights_ : dict of str to ndarray of shape (n_view_features, n_components)
        The maps :math:`A` and :math:`B`; with ``similarity="csa"`` without their
        last factor.
    means_ : dict of str to ndarray of shape (n_view_features,)
        What is taken from the rows of a view before they are mapped.

    See Also
    --------
    ClusterRetrieval : Adds clusters of the pairs to this.
    MCCA : For more than two views.

    Notes
    -----
    Labels in ``y`` are not used. The source-whitened form is this library's own.
    Canonical similarity analysis itself has no ridge and no source, and keeps a chosen
    number of directions: ``RidgeCCA(similarity="csa", correlation_power=0.5,
    regularization=0.0, source_weight=0.0, n_components=...)``.

    References
    ----------
    .. [1] H. D. Vinod, "Canonical ridge and econometrics of joint production", Journal
       of Econometrics 4(2), 1976. doi:10.1016/0304-4076(76)90010-5.
    .. [2] N. Rasiwasia et al., "A new approach to cross-modal multimedia retrieval",
       ACM Multimedia 2010. doi:10.1145/1873951.1873987.
    .. [3] P. Li, S. Chinchali and U. Topcu, "CSA: data-efficient mapping of unimodal
       features to multimodal features", ICLR 2025. arXiv:2410.07610.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import RidgeCCA
    >>> rng = np.random.default_rng(2)
    >>> y = np.repeat([0, 1, 2], 20)
    >>> latent = rng.normal(size=(3, 4))[y] + 0.3 * rng.normal(size=(60, 4))
    >>> pairs = {
    ...     "image": latent @ rng.normal(size=(4, 8)),
    ...     "text": latent @ rng.normal(size=(4, 5)),
    ... }
    >>> cca = RidgeCCA().fit(pairs)
    >>> round(cca.score(pairs, y), 2)
    0.93
    >>> indices, similarities = cca.retrieve(
    ...     {"text": pairs["text"][:2]}, {"image": pairs["image"]}, n_neighbors=3
    ... )
    >>> y[indices]
    array([[0, 0, 0],
           [0, 0, 0]])
    """

    n_components: Count | None = None
    regularization: Share = 0.5
    source_weight: Share = 0.5
    correlation_power: NonNegative = 1.0
    similarity: Literal["cosine", "csa"] = "cosine"
    n_relays: WholeNumber = 0

    published_params: ClassVar[dict[str, Any]] = {
        "source_weight": 0.0,
        "correlation_power": 0.0,
    }
    _scales_by_target = True
    _needs_two_views = True

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        (x, X), (y, Y) = target.views.items()
        self.means_ = {name: rows.mean(axis=0) for name, rows in target.views.items()}
        X, Y = X - self.means_[x], Y - self.means_[y]
        noise = _within_categories(source)
        whiten_x = self._whitening(X, noise.get(x))  # (p, at most p)
        whiten_y = self._whitening(Y, noise.get(y))  # (q, at most q)
        shared = (X @ whiten_x).T @ (Y @ whiten_y) / len(X)
        U, s, Vt = svd(shared, full_matrices=False)
        n_components = self._check_n_components(len(s))
        self.correlations_ = s[:n_components]
        weight = self._direction_weights() if self.similarity == "cosine" else 1.0
        self.weights_ = {
            x: whiten_x @ U[:, :n_components] * weight,
            y: whiten_y @ Vt.T[:, :n_components] * weight,
        }
        self._relay = None
        if self.n_relays:
            self._relay = Relay(self.n_relays).fit(
                {name: self._project(rows, name) for name, rows in target.views.items()}
            )

    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        rows = self._project(X, view)
        return rows if self._relay is None else self._relay(rows, view)

    def _project(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        variates = (X - self.means_[view]) @ self.weights_[view]
        if self.similarity == "cosine":
            return variates
        largest = self.correlations_.max(initial=0.0) or 1.0
        rows = normalize(variates) * self._direction_weights(largest)
        # What a row lacks to unit length goes where no row of the other view has it.
        missing = np.sqrt((1 - np.square(rows).sum(axis=1)).clip(0))
        own = np.array([view == name for name in self.means_])
        return np.hstack([rows, missing[:, None] * own])

    def _direction_weights(self, unit: float = 1.0) -> NDArray[np.floating]:
        weights: NDArray[np.floating] = (
            self.correlations_ / unit
        ) ** self.correlation_power
        return weights

    def _whitening(
        self, X: NDArray[Any], noise: NDArray[Any] | None
    ) -> NDArray[np.floating]:
        """Take an inverse square root of the regularized covariance.

        It need not be the symmetric one, and directions in which no row varies are left
        out: the correlations and the maps are the same.
        """
        rows = X / np.sqrt(len(X))
        if noise is not None:
            w = self.source_weight
            rows = np.vstack([np.sqrt(1 - w) * rows, np.sqrt(w) * noise])
        if len(rows) < rows.shape[1]:
            _, roots, vectors = svd(rows, full_matrices=False)
            values, vectors = roots**2, vectors.T
        else:
            values, vectors = eigh(rows.T @ rows)
        r = self.regularization
        values = (1 - r) * values.clip(0) + r * values.sum() / rows.shape[1]
        nonzero = values > len(values) * np.finfo(float).eps * values.max(initial=0.0)
        return vectors * np.where(nonzero, values, np.inf) ** -0.5

    def _check_n_components(self, most: int) -> int:
        if self.n_components is None:
            return most
        if self.n_components > most:
            raise ValueError(
                f"Expected n_components of at most {most}, the width of the narrower "
                f"view, got {self.n_components}: lower it, or pass None to take all."
            )
        return self.n_components


def _within_categories(source: ViewRows) -> dict[str, NDArray[np.floating]]:
    """Take rows whose Gram matrix is the pooled covariance within categories."""
    known = source.labeled()
    if known.n_rows < 2:
        return {}
    _, codes = np.unique(known.labels.values, return_inverse=True)
    one_hot = np.eye(codes.max() + 1)[codes]  # (n, c)
    counts = one_hot.sum(axis=0)[:, None]
    return {
        name: (rows - one_hot @ (one_hot.T @ rows / counts)) / np.sqrt(known.n_rows - 1)
        for name, rows in known.views.items()
    }
