"""Base of the linear retrievers, and linear algebra that they share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky

from skda.base import BaseRetriever, estimator
from skda.retrieval._labeled import labeled_pairs
from skda.utils.ranges import Count
from skda.utils.views import ViewRows

__all__ = ["LinearRetriever", "cholesky_factor", "class_mean_root", "largest_positive"]

Array = NDArray[np.float64]

#: A root below this part of the largest one is zero up to rounding.
TINY = 1e-8


@estimator
class LinearRetriever(BaseRetriever):
    """A retriever that learns one matrix of weights for every view.

    Parameters
    ----------
    n_components
        Number of dimensions; None is as many as possible.

    Attributes
    ----------
    center_ : dict of str to ndarray of shape (n_view_features,)
        Mean of every view over all pairs, which new rows are taken relative to.
    weights_ : dict of str to ndarray of shape (n_view_features, `n_components_`)
        Weights of every view.
    n_components_ : int
        Number of dimensions of the common space.
    """

    n_components: Count | None = None

    def embed_rows(self, X: NDArray[Any], view: str) -> Array:
        return (X - self.center_[view]) @ self.weights_[view]

    def _center(self, pairs: ViewRows) -> dict[str, Array]:
        """Learn the centers, and subtract them."""
        self._check_not_constant(pairs)
        self.center_ = {name: X.mean(axis=0) for name, X in pairs.views.items()}
        return {name: X - self.center_[name] for name, X in pairs.views.items()}

    def _center_and_keep_labeled(self, source: ViewRows, target: ViewRows) -> ViewRows:
        """Learn the centers, and keep the pairs of which a category is known."""
        labeled = labeled_pairs(self, source, target)
        self._center(source.stack(target))
        self._check_not_constant(labeled)
        return labeled

    def _check_not_constant(self, pairs: ViewRows) -> None:
        for name, X in pairs.views.items():
            if not np.ptp(X, axis=0).any():
                raise ValueError(
                    f"View {name!r} is the same in all {len(X)} pairs that "
                    f"{type(self).__name__} learns from, so that nothing can be "
                    f"related to it: pass pairs that differ, or leave the view out."
                )

    def _check_n_components(self, most: int, reason: str) -> int:
        """Check the number of dimensions asked for; None is as many as there can be."""
        if self.n_components is None:
            return most
        if self.n_components > most:
            raise ValueError(
                f"{type(self).__name__} expects n_components of at most {most}, "
                f"{reason}, got {self.n_components}: lower it, or pass None for as "
                f"many as possible."
            )
        return self.n_components

    def _set_weights(self, weights: dict[str, Array]) -> None:
        """Set the weights and their number of dimensions."""
        self.weights_ = weights
        self.n_components_ = next(iter(weights.values())).shape[1]


def largest_positive(roots: Array, n_wanted: int) -> NDArray[np.int64]:
    """Find the largest positive roots.

    Parameters
    ----------
    roots : ndarray of shape (n_roots,)
        Eigenvalues or the like, in any order.
    n_wanted : int
        Most roots to keep.

    Returns
    -------
    ndarray of shape (n_kept,)
        Their indices, the largest first; at least one, if there is any root.
    """
    order = np.argsort(-roots, kind="stable")[:n_wanted]
    positive = roots[order] > TINY * np.abs(roots).max(initial=0.0)
    return order[: max(1, positive.sum())]


def cholesky_factor(S: Array) -> Array:
    """Take the lower triangular root of a ridged scatter.

    Parameters
    ----------
    S : ndarray of shape (p, p)
        Symmetric and positive definite, thanks to the ridge.

    Returns
    -------
    ndarray of shape (p, p)
        The Cholesky factor.

    Raises
    ------
    ValueError
        If the ridge is so small that it is lost in rounding.
    """
    try:
        return cholesky(S, lower=True)
    except LinAlgError:
        raise ValueError(
            "Expected a scatter within categories that can be inverted, but there are "
            "fewer pairs than features, or redundant ones: raise regularization."
        ) from None


def class_mean_root(X: Array, codes: NDArray[np.int64]) -> Array:
    r"""Take a root of the covariance of rows between their classes.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Centered rows.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.

    Returns
    -------
    ndarray of shape (p, n_classes)
        The means :math:`m_k` of the classes, times :math:`\sqrt{n_k / n}`.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval._scatter import class_mean_root
    >>> class_mean_root(np.array([[3.0], [1.0], [-4.0], [0.0]]), np.array([0, 0, 1, 1]))
    array([[ 1.41421356, -1.41421356]])
    """
    one_hot = np.eye(codes.max() + 1)[codes]  # (n, n_classes)
    counts = one_hot.sum(axis=0)
    return X.T @ one_hot / np.sqrt(counts * len(X))
