"""Geometry-regularized self-training."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from skda.base import BaseDomainClassifier, DomainName, Rows, estimator
from skda.heterogeneous._geost_solvers import (
    Array,
    fit_weights,
    reduce_to_row_space,
    scale_rows,
    smooth_over_graph,
    symmetric_root,
)
from skda.preprocessing import RowScaler, cosine_graph, symmetric_normalization
from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain
from skda.utils.ranges import Count, Fraction, Positive, Power, Share, WholeNumber
from skda.utils.warnings import warn_user

__all__ = ["GeoST"]

Codes = NDArray[np.int64]

#: With fewer rows, threads would wait for one another more than they compute, and on
#: a busy machine by far.
MIN_ROWS_FOR_THREADS = 2000


@estimator
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
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    power : float or "auto"
        Power of the features, in either domain; "auto" is 0.5 if none is negative,
        else 1.
    n_neighbors
        Number of neighbors of every row in the graph.
    alpha
        Weight :math:`\alpha` of the neighbors, from 0 to less than 1.
    rho
        Weight :math:`\rho` of the geometry of the source, from 0 to 1.
    C
        Inverse strength :math:`C` of the regularization.
    n_rounds
        Number :math:`R` of rounds of self-training.
    top
        Share :math:`\tau` of the unlabeled rows that the last round takes for labeled.
    average
        Whether to average with a run without the geometry of the source.
    max_iter
        Most iterations of L-BFGS in a fit, more than it usually takes.

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

    power: Power = "auto"
    n_neighbors: Count = 10
    alpha: Fraction = 0.5
    rho: Share = 0.8
    C: Positive = 100.0
    n_rounds: WholeNumber = 3
    top: Share = 0.8
    average: bool = True
    max_iter: Count = 40

    _dtype: ClassVar[type] = np.float32

    def make_preprocessor(self, domain: DomainName) -> Any:
        return RowScaler(self.power)

    def fit_rows(self, source: Rows, target: Rows) -> None:
        codes = target.labels.codes(self.classes_)
        labeled = np.unique(codes[codes != UNLABELED])
        if not labeled.size:
            raise ValueError(
                "GeoST expects labeled target samples, got none: a source tells which "
                "classes are alike, but not what they look like in the target. Label a "
                "few samples of every class."
            )
        self._learn_source(source)
        X = target.X.astype(np.float64)
        self.center_ = X.mean(axis=0)
        self.intercept_ = np.full(len(self.classes_), -np.inf)
        self.intercept_[labeled] = 0.0
        labels = np.where(codes == UNLABELED, UNLABELED, labeled.searchsorted(codes))
        n_threads = 1 if len(X) < MIN_ROWS_FOR_THREADS else None
        with threadpool_limits(n_threads, user_api="blas"):
            self._learn_target(X, labels, labeled)

    def _learn_target(self, X: Array, labels: Codes, classes: Codes) -> None:
        """Take the rows through Equation 1, and train on them once per geometry.

        The labels are places in ``classes``, the codes of the classes that have any.
        """
        rows, restore = reduce_to_row_space(X)
        graph = symmetric_normalization(cosine_graph(rows, self.n_neighbors))
        smooth = smooth_over_graph(graph, rows, self.alpha)
        Z = scale_rows(smooth - smooth.mean(axis=0))

        geometries, n_classes = self._geometries(), len(self.classes_)
        self.n_iter_ = 0
        self.coef_ = np.zeros((len(geometries), n_classes, X.shape[1]))
        self.label_distributions_ = np.zeros((len(X), n_classes))
        for coef, geometry in zip(self.coef_, geometries, strict=True):
            root = symmetric_root(geometry[np.ix_(classes, classes)])
            weights = self._self_train(Z, labels, root)
            coef[classes] = restore(weights).T
            probabilities = softmax(Z @ weights, axis=1)
            self.label_distributions_[:, classes] += probabilities / len(geometries)

    def _learn_source(self, source: Rows) -> None:
        """Learn the means of the classes, and Equation 2."""
        n_unlabeled = np.sum(~source.labels.known)
        if n_unlabeled:
            warn_user(f"GeoST leaves out {n_unlabeled} unlabeled source samples.")
        X, labels = source.labeled()
        memberships = labels.memberships(self.classes_).astype(np.float64)
        counts = memberships.sum(axis=0)
        present = counts > 0
        means = memberships.T @ X / np.maximum(counts, 1)[:, None]
        center = means.sum(axis=0) / max(present.sum(), 1)
        M = np.where(present[:, None], scale_rows(means - center), 0)
        cosines = M @ M.T
        np.fill_diagonal(cosines, 1.0)
        self.class_geometry_ = (1 - self.rho) * np.eye(len(M)) + self.rho * cosines
        self.source_centroids_ = None if self.n_features_in_source_ is None else M
        self._source_center = center
        self._source_intercept = np.where(present | ~present.any(), 0.0, -np.inf)

    def _geometries(self) -> list[Array]:
        """List the geometry of every run."""
        identity = np.eye(len(self.classes_))
        if not self.average or np.array_equal(self.class_geometry_, identity):
            return [self.class_geometry_]
        return [self.class_geometry_, identity]

    def _self_train(self, Z: Array, labels: Codes, H: Array) -> Array:
        """Solve Equation 3 in turns with Equation 4, for the weights of the rows."""
        V = np.zeros((Z.shape[1], len(H)))
        unlabeled = labels == UNLABELED
        labels = labels.copy()
        for share in np.linspace(0, self.top, self.n_rounds + 1):
            labels[unlabeled] = most_certain(softmax(Z[unlabeled] @ V @ H, 1), share)
            rows = labels != UNLABELED
            one_hot = np.eye(len(H))[labels[rows]]
            V, n_iter = fit_weights(
                Z[rows], one_hot, H, V, C=self.C, max_iter=self.max_iter
            )
            self.n_iter_ = max(self.n_iter_, n_iter)
        return V @ H

    def transduce(self, target: Rows) -> Array:
        return self.label_distributions_

    def predict_proba_rows(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            M: Any = self.source_centroids_
            cosines = scale_rows(X - self._source_center) @ M.T
            return softmax(cosines + self._source_intercept, axis=1)
        weights = self.coef_.transpose(0, 2, 1)  # (n_runs, n_features, n_classes)
        logits = scale_rows(X - self.center_) @ weights + self.intercept_
        return softmax(logits, axis=2).mean(axis=0)
