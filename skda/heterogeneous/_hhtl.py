"""Hybrid heterogeneous transfer learning."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.linear_model import Ridge

from skda.base import DomainName, PairedRows, Rows, estimator
from skda.heterogeneous._mapped import Array, BaseMappedClassifier
from skda.utils.ranges import Fraction, NonNegative, WholeNumber

__all__ = ["HHTL"]

#: Ridge of the denoiser, relative to the largest expected square, so that features
#: that are zero in every row do not make it singular.
EPSILON = 1e-8


@estimator
class HHTL(BaseMappedClassifier):
    r"""Hybrid heterogeneous transfer learning: maps between stacked denoisers.

    Classifies a target by a labeled source that has other features, and by rows that
    both domains have [1]_. Everything is in closed form.

    **Layers.** In each domain on its own, labeled or not, marginalized denoising
    autoencoders [2]_ make of rows :math:`h^{(0)} = x` the layers

    .. math:: h^{(k)} = \tanh\bigl(W_k \, [h^{(k - 1)}; 1]\bigr), \quad
        k = 1, \dots, K. \tag{1}

    Each :math:`W_k` reconstructs rows best from all of their corruptions, in which
    every feature is zero with the probability :math:`p`. With :math:`S = \sum_i
    [h_i; 1] [h_i; 1]^\top` and :math:`q = (1 - p, \dots, 1 - p, 1)`,

    .. math:: W_k = P Q^{-1}, \quad P_{ij} = S_{ij} q_j, \quad
        Q_{ij} = S_{ij} q_i q_j \; (i \ne j), \quad Q_{ii} = S_{ii} q_i. \tag{2}

    **Maps.** For every layer a ridge regression :math:`G_k` takes the target sides of
    the pairs to their source sides,

    .. math:: \min_{G_k, b_k} \sum_i \bigl\lVert h^{(k)}_{S,i} - G_k h^{(k)}_{T,i} -
        b_k \bigr\rVert^2 + \lambda \lVert G_k \rVert_F^2 . \tag{3}

    **Classifier.** It is trained on :math:`[h^{(0)}_S; \dots; h^{(K)}_S]` of labeled
    source rows, and classifies target rows as :math:`[G_0 h^{(0)}_T + b_0; \dots;
    G_K h^{(K)}_T + b_K]`. Labeled target rows join the training in that form, unless
    ``use_target_labels=False``, which :meth:`published` sets. Without a source, the
    classifier learns from the labeled target rows as they are.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    n_layers
        Number :math:`K` of denoisers in a domain; with 0, this is
        :class:`PairedRidgeTransfer`.
    corruption
        Probability :math:`p` that a feature is zero, from 0 to less than 1.
    lambda_reg
        Ridge :math:`\lambda` of the maps.

    Attributes
    ----------
    source_weights_, target_weights_ : list of ndarray of shape (p + 1, p)
        Transposed :math:`W_k` of each domain, from the first layer on; only there with
        a source.
    ridges_ : list of Ridge
        The maps :math:`G_k, b_k`, from that of the features on; only there with a
        source.

    See Also
    --------
    PairedRidgeTransfer : Maps the features alone.
    DATN : Maps the top layers of networks that learn along.

    Notes
    -----
    No public code was found. This follows a description of the paper, and the paper's
    number of layers, corruption and ridge were not at hand: the defaults are what did
    well on views of the mfeat digits, where more layers or more corruption made it
    worse. The features are stacked with the hidden layers, as is usual for [2]_.

    A layer costs :math:`O(n p^2 + p^3)` for :math:`n` rows of :math:`p` features. A
    ridge of 1e-8 of the largest :math:`Q_{ii}` keeps Equation 2 solvable where features
    are zero.

    References
    ----------
    .. [1] J. T. Zhou, S. J. Pan, I. W. Tsang and Y. Yan, "Hybrid Heterogeneous Transfer
       Learning through Deep Learning", AAAI 2014.
    .. [2] M. Chen, Z. Xu, K. Weinberger and F. Sha, "Marginalized Denoising
       Autoencoders for Domain Adaptation", ICML 2012. arXiv:1206.4683.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import HHTL
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = HHTL()
    >>> clf = clf.fit(right[500:550], y[500:550], source=source, pairs=pairs)
    >>> clf.predict(right[550:]).shape
    (350,)
    """

    n_layers: WholeNumber = 1
    corruption: Fraction = 0.1
    lambda_reg: NonNegative = 1.0

    _of_source: ClassVar[tuple[str, ...]] = (
        "ridges_",
        "source_weights_",
        "target_weights_",
    )

    def _learn_map(self, source: Rows, target: Rows, pairs: PairedRows) -> None:
        joined = pairs.join(source, target)
        self.source_weights_, self.target_weights_ = (
            self._fit_denoisers(rows.X) for rows in joined
        )
        sides = (
            evaluate_layers(pairs.target, self.target_weights_),
            evaluate_layers(pairs.source, self.source_weights_),
        )
        self.ridges_ = [
            Ridge(alpha=self.lambda_reg).fit(h_t, h_s)
            for h_t, h_s in zip(*sides, strict=True)
        ]

    def _fit_denoisers(self, X: NDArray[Any]) -> list[Array]:
        """Fit the stack of denoisers of a domain."""
        weights: list[Array] = []
        for _ in range(self.n_layers):
            weights.append(fit_denoiser(X, self.corruption))
            X = hidden_layer(X, weights[-1])
        return weights

    def _features(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        if domain == "source":
            return np.hstack(evaluate_layers(X, self.source_weights_))
        layers = evaluate_layers(X, self.target_weights_)
        maps = zip(self.ridges_, layers, strict=True)
        return np.hstack([self._map_rows(ridge, h) for ridge, h in maps])


def fit_denoiser(X: NDArray[Any], corruption: float) -> Array:
    """Solve Equation 2 for the transposed weights, of shape (p + 1, p)."""
    rows = np.column_stack([X, np.ones(len(X))])
    S = rows.T @ rows / len(rows)
    q = np.full(len(S), 1 - corruption)
    q[-1] = 1.0  # the constant survives
    Q = S * np.outer(q, q)
    np.fill_diagonal(Q, S.diagonal() * q)
    Q.flat[:: len(Q) + 1] += EPSILON * Q.diagonal().max()
    return cho_solve(cho_factor(Q), q[:, None] * S[:, :-1])


def hidden_layer(X: NDArray[Any], weights: Array) -> Array:
    """Evaluate Equation 1."""
    return np.tanh(X @ weights[:-1] + weights[-1])


def evaluate_layers(X: NDArray[Any], weights: list[Array]) -> list[NDArray[Any]]:
    """List the rows and what every layer makes of them."""
    layers = [X]
    for W in weights:
        layers.append(hidden_layer(layers[-1], W))
    return layers
