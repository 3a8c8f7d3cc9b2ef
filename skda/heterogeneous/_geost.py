"""Geometry-regularized self-training."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from skda.base import BaseDomainClassifier, DomainName, Rows
from skda.preprocessing import RowScaler, cosine_graph, symmetric_normalization
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain
from skda.utils.warnings import warn_user

__all__ = ["GeoST"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Below this length, a difference of two rows of unit length is rounding in float32.
TINY = 1e-6
#: With fewer rows, threads would wait for one another more than they compute, and on
#: a busy machine by far.
MANY = 2000


class GeoST(BaseDomainClassifier):
    r"""Geometry-regularized self-training: convex fits that label their own rows.

    Classifies a partially labeled target. What it takes from a labeled source, which
    has other features, is the geometry of the classes: which of them are alike. This
    is a method of skda's own, without a network and without a seed.

    **Rows.** The features of both domains are replaced by their roots, unless some are
    negative, and rows are scaled to unit length. The rows :math:`X` of the target are
    then moved towards their neighbors,

    .. math:: Z = (1 - \alpha) (I - \alpha S)^{-1} X, \tag{1}

    where :math:`S = D^{-1/2} W D^{-1/2}` normalizes the graph :math:`W` of the cosines
    between nearest neighbors. Last, :math:`Z` is centered, and its rows :math:`z_i` are
    scaled to unit length.

    **Geometry.** Let the rows of :math:`M` be the means of the classes in the source,
    minus the mean of these, scaled to unit length. The geometry is

    .. math:: G = (1 - \rho) I + \rho M M^\top. \tag{2}

    A class that the source lacks has its row and column of :math:`I`, and without a
    source :math:`G = I`.

    **Fit.** On a set :math:`A` of rows with labels, the weights :math:`V` minimize

    .. math::

        \sum_{i \in A} \operatorname{CE}\bigl(y_i,
        \operatorname{softmax}(z_i V G^{1/2})\bigr) + \frac{1}{2 C} \|V\|_F^2. \tag{3}

    This is a multinomial regression whose weights :math:`V G^{1/2}` have a Gaussian
    prior, with the covariance :math:`C G` between classes: those that are alike in the
    source are expected to be alike in the target.

    **Self-training.** At first, :math:`A` is the labeled rows. In each round
    :math:`r = 1, \dots, R` the last fit labels all the others anew, and of the
    :math:`n_k` rows that it finds in class :math:`k`,

    .. math:: \bigl\lceil \tau \, \tfrac{r}{R} \, n_k \bigr\rceil \tag{4}

    stand beside the labeled rows in :math:`A`: those with the largest margin between
    their two most probable classes. Then Equation 3 is solved again. What comes out are
    the probabilities after the last round; with ``average=True``, their mean with those
    of a second run with :math:`G = I`, a safe choice as long as nobody knows what the
    source is worth.

    **New rows.** A row that was not there in the fit has no place in the graph. It is
    centered on the mean of :math:`X`, scaled to unit length and multiplied by the
    weights, without Equation 1, so that no training rows are kept. (With half of nine
    real targets held out, that was about as accurate as one step of Equation 1 from
    the nearest training rows, and more accurate than the mean of their :math:`z`; both
    would have to keep them.) The fit knows more about its own rows: see
    ``transduction_``. A row of the source belongs to the nearest row of :math:`M`; its
    probabilities are the softmax of the cosines, and so never far from even.

    A class without a labeled target row is left out of Equation 3, and never predicted
    in the target.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead. Further fitted attributes
    are those of :class:`skda.base.BaseDomainClassifier`.

    Parameters
    ----------
    power : float or "auto", default="auto"
        Power of the features, in either domain; "auto" is 0.5 if none is negative,
        else 1.
    n_neighbors : int, default=10
        Number of neighbors of every row in the graph.
    alpha : float, default=0.5
        Weight :math:`\alpha` of the neighbors, from 0 to less than 1.
    rho : float, default=0.8
        Weight :math:`\rho` of the geometry of the source, from 0 to 1.
    C : float, default=100.0
        Inverse strength :math:`C` of the regularization.
    n_rounds : int, default=3
        Number :math:`R` of rounds of self-training.
    top : float, default=0.8
        Share :math:`\tau` of the unlabeled rows that the last round takes for labeled.
    average : bool, default=True
        Whether to average with a run without the geometry of the source.
    max_iter : int, default=40
        Most iterations of L-BFGS in a fit, more than it usually takes.
    source_transformer, target_transformer : transformer, default=None
        Cloned, fitted on the samples of that domain and applied to them ever after.

    Attributes
    ----------
    coef_ : ndarray of shape (n_runs, n_classes, n_features)
        Weights :math:`V G^{1/2}` of every run, transposed: of the one with the geometry
        of the source first, then of the one without, if there are two.
    intercept_ : ndarray of shape (n_classes,)
        Zero, and minus infinity for a class without a labeled target row.
    center_ : ndarray of shape (n_features,)
        Mean of :math:`X`.
    class_geometry_ : ndarray of shape (n_classes, n_classes)
        :math:`G`.
    source_centroids_ : ndarray of shape (n_classes, n_source_features) or None
        :math:`M`, zero for a class that the source lacks; None without a source.
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Probabilities of the classes for every target sample seen in ``fit``.
    n_iter_ : int
        Most iterations of L-BFGS that a fit has taken.

    See Also
    --------
    SSAN : Aligns classes in a common space, by a network.
    sklearn.semi_supervised.SelfTrainingClassifier : Teaches any classifier.
    sklearn.semi_supervised.LabelSpreading : Moves labels, not rows, over the graph.

    Notes
    -----
    Equation 1 is solved by Chebyshev's iteration on the sparse graph, Equation 3 by
    L-BFGS. Before, rows of far more features than there are rows are rotated into the
    space that they span, which changes neither equation. No matrix is larger than
    :math:`X`.

    Nothing has been published, so :meth:`published` returns the defaults.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import GeoST
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = GeoST().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDomainClassifier._parameter_constraints,
        "power": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="left")],
        "rho": [Interval(Real, 0, 1, closed="both")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "top": [Interval(Real, 0, 1, closed="both")],
        "average": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }
    _dtype: ClassVar[type] = np.float32

    def __init__(
        self,
        *,
        power: float | str = "auto",
        n_neighbors: int = 10,
        alpha: float = 0.5,
        rho: float = 0.8,
        C: float = 100.0,
        n_rounds: int = 3,
        top: float = 0.8,
        average: bool = True,
        max_iter: int = 40,
        source_transformer: Any = None,
        target_transformer: Any = None,
    ) -> None:
        self.power = power
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.rho = rho
        self.C = C
        self.n_rounds = n_rounds
        self.top = top
        self.average = average
        self.max_iter = max_iter
        self.source_transformer = source_transformer
        self.target_transformer = target_transformer

    def make_preprocessor(self, domain: DomainName) -> Any:
        return RowScaler(self.power)

    def fit_rows(self, source: Rows, target: Rows) -> None:
        codes = target.labels.codes(self.classes_)
        seen = np.unique(codes[codes != UNLABELED])
        if not seen.size:
            raise ValueError(
                "GeoST expects labeled target samples, got none: a source tells which "
                "classes are alike, but not what they look like in the target. Label a "
                "few samples of every class."
            )
        self._learn_source(source)
        X = target.X.astype(np.float64)
        self.center_ = X.mean(axis=0)
        self.intercept_ = np.full(len(self.classes_), -np.inf)
        self.intercept_[seen] = 0.0
        places = np.where(codes == UNLABELED, UNLABELED, np.searchsorted(seen, codes))
        with threadpool_limits(1 if len(X) < MANY else None, user_api="blas"):
            self._learn_target(X, places, seen)

    def _learn_target(self, X: Array, labels: Codes, seen: Codes) -> None:
        """Take the rows through Equation 1, and train on them once per geometry."""
        rows, restored = rotated(X)
        graph = symmetric_normalization(cosine_graph(rows, self.n_neighbors))
        smooth = diffused(graph, rows, self.alpha)
        Z = unit_length(smooth - smooth.mean(axis=0))

        geometries, n_classes = self._geometries(), len(self.classes_)
        self.n_iter_ = 0
        self.coef_ = np.zeros((len(geometries), n_classes, X.shape[1]))
        self.label_distributions_ = np.zeros((len(X), n_classes))
        for coef, geometry in zip(self.coef_, geometries, strict=True):
            weights = self._self_train(Z, labels, root(geometry[np.ix_(seen, seen)]))
            coef[seen] = restored(weights).T
            probabilities = softmax(Z @ weights, axis=1)
            self.label_distributions_[:, seen] += probabilities / len(geometries)

    def _learn_source(self, source: Rows) -> None:
        """Learn the means of the classes, and Equation 2."""
        n_unlabeled = np.sum(~source.labels.known)
        if n_unlabeled:
            warn_user(f"GeoST leaves out {n_unlabeled} unlabeled source samples.")
        X, labels = source.labeled()
        memberships = labels.memberships(self.classes_).astype(np.float64)
        counts = memberships.sum(axis=0)
        there = counts > 0
        means = memberships.T @ X / np.maximum(counts, 1)[:, None]
        center = means.sum(axis=0) / max(there.sum(), 1)
        M = np.where(there[:, None], unit_length(means - center), 0)
        cosines = M @ M.T
        np.fill_diagonal(cosines, 1.0)
        self.class_geometry_ = (1 - self.rho) * np.eye(len(M)) + self.rho * cosines
        self.source_centroids_ = None if self.n_features_in_source_ is None else M
        self._source_center = center
        self._source_intercept = np.where(there | ~there.any(), 0.0, -np.inf)

    def _geometries(self) -> list[Array]:
        """Tell the geometry of each run."""
        none = np.eye(len(self.classes_))
        alone = not self.average or np.array_equal(self.class_geometry_, none)
        return [self.class_geometry_] if alone else [self.class_geometry_, none]

    def _self_train(self, Z: Array, labels: Codes, H: Array) -> Array:
        """Solve Equation 3 in turns with Equation 4, for the weights of the rows."""
        V = np.zeros((Z.shape[1], len(H)))
        unlabeled = labels == UNLABELED
        labels = labels.copy()
        for share in np.linspace(0, self.top, self.n_rounds + 1):
            labels[unlabeled] = most_certain(softmax(Z[unlabeled] @ V @ H, 1), share)
            rows = labels != UNLABELED
            one_hot = np.eye(len(H))[labels[rows]]
            V, n_iter = solved(Z[rows], one_hot, H, V, C=self.C, max_iter=self.max_iter)
            self.n_iter_ = max(self.n_iter_, n_iter)
        return V @ H

    def transduce(self, target: Rows) -> Array:
        return self.label_distributions_

    def predict_proba_rows(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            M: Any = self.source_centroids_
            cosines = unit_length(X - self._source_center) @ M.T
            return softmax(cosines + self._source_intercept, axis=1)
        weights = self.coef_.transpose(0, 2, 1)  # (n_runs, n_features, n_classes)
        logits = unit_length(X - self.center_) @ weights + self.intercept_
        return softmax(logits, axis=2).mean(axis=0)


def unit_length(X: Array) -> Array:
    """Scale rows to unit length, but for those that are zero up to rounding."""
    length = np.linalg.norm(X, axis=1, keepdims=True)
    return np.divide(X, length, where=length > TINY, out=np.zeros_like(X))


def rotated(X: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Rotate rows, of shape (n, p), into their own space, where that is much narrower.

    The second result takes weights of the rotated features, of shape (n, k), back to
    the features, so that ``rows @ weights`` and ``X @ restored(weights)`` are equal.
    """
    if 2 * len(X) > X.shape[1]:  # it would cost more than it saves
        return X, lambda weights: weights
    squares, vectors = np.linalg.eigh(X @ X.T)
    lengths = np.sqrt(np.maximum(squares, 0))
    inverse = np.divide(1, lengths, where=lengths > TINY, out=np.zeros_like(lengths))
    return vectors * lengths, lambda weights: X.T @ (vectors @ (inverse * weights.T).T)


def diffused(S: csr_matrix, X: Array, alpha: float, tol: float = 1e-8) -> Array:
    """Solve Equation 1 by Chebyshev's semi-iteration, to the relative error ``tol``."""
    before, now = np.zeros_like(X), (1 - alpha) * X
    if alpha == 0:
        return now
    start, omega = now, 2.0
    # The eigenvalues of alpha * S lie between -alpha and alpha.
    n_steps = math.ceil(math.log(2 / tol) / math.acosh(1 / alpha))
    for _ in range(n_steps):
        omega = 1 / (1 - alpha**2 * omega / 4)
        step = alpha * (S @ now) + start - before
        before, now = now, before + omega * step
    return now


def root(geometry: Array) -> Array:
    """Take the symmetric root of a matrix whose eigenvalues are not negative."""
    values, vectors = np.linalg.eigh(geometry)
    return vectors * np.sqrt(np.maximum(values, 1e-6)) @ vectors.T


def solved(
    Z: Array, one_hot: Array, H: Array, V: Array, *, C: float, max_iter: int
) -> tuple[Array, int]:
    """Solve Equation 3 from ``V``, and count the iterations."""

    def objective(v: Array) -> tuple[float, Array]:
        weights = v.reshape(V.shape)
        log_p = log_softmax(Z @ (weights @ H), axis=1)
        gradient = Z.T @ ((np.exp(log_p) - one_hot) @ H) + weights / C
        return float(v @ v / (2 * C) - np.sum(one_hot * log_p)), gradient.ravel()

    options: Any = {"maxiter": max_iter}
    found = minimize(objective, V.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(V.shape), found.nit
