"""Geometry-regularized self-training."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skda.base import BaseSeveralSourcesClassifier, DomainName, Rows, estimator
from skda.heterogeneous._geost_solvers import (
    Array,
    View,
    average_probabilities,
    fit_weights_and_intercept,
    represent,
    scale_rows,
    symmetric_root,
    thin_out,
)
from skda.heterogeneous._unlabeled_classes import (
    infer_classes,
    join_rows,
    whitened_geometry,
)
from skda.preprocessing import RowScaler
from skda.utils.class_weight import weigh_classes
from skda.utils.labels import UNLABELED
from skda.utils.operations import softmax
from skda.utils.promotion import most_certain
from skda.utils.ranges import (
    ClassWeight,
    Count,
    Fraction,
    Positive,
    Power,
    Share,
    Transformer,
    WholeNumber,
)
from skda.utils.warnings import warn_user

__all__ = ["GeoST"]

Codes = NDArray[np.int64]

#: With fewer rows, threads would wait for one another more than they compute, and on
#: a busy machine by far.
MIN_ROWS_FOR_THREADS = 2000


@estimator
class GeoST(BaseSeveralSourcesClassifier):
    r"""Geometry-regularized self-training: convex fits that label their own rows.

    Classifies a partially labeled target. What it takes from a labeled source, which
    has other features, is the geometry of the classes: which of them are alike. This
    is a method of skda's own, without a network and without a seed.

    **Rows.** The target has two representations. In one, features are replaced by their
    roots, unless some are negative, and rows are scaled to unit length; in the other,
    features are standardized. The first is right for counts of words, activations and
    other features of one nature, where the length of a row tells little; the second for
    tables, where each feature has a unit of its own. (The second is left out where more
    than nine of ten entries are zero: standardized, rare words weigh too much.) Both
    are centered and divided by the root of the mean squared length of a row. The rows
    :math:`X` of each are then moved towards their neighbors,

    .. math:: Z = (1 - \alpha) (I - \alpha S)^{-1} X, \tag{1}

    where :math:`S = D^{-1/2} W D^{-1/2}` normalizes the graph of the nearest neighbors,
    :math:`w_{ij} = \exp(-d_{ij}^2 / (s_i s_j))`, in which :math:`d` is the Euclidean
    distance and :math:`s_i` the one from row :math:`i` to the last of its neighbors.
    Last, :math:`Z` is centered and scaled as before: as a whole, so that rows keep the
    length that tells them from others.

    **Geometry.** Let the rows of :math:`M` be the means of the classes in the source,
    by its roots and unit rows, minus the mean of these, scaled to unit length. The
    geometry is

    .. math:: G = (1 - \rho) I + \rho M M^\top. \tag{2}

    A class that the source lacks has its row and column of :math:`I`, and without a
    source :math:`G = I`.

    **Fit.** On a set :math:`A` of rows with labels, the weights :math:`V` and
    intercepts :math:`b` of each representation minimize

    .. math::

        \sum_{i \in A} c_{y_i} \operatorname{CE}\bigl(y_i, \operatorname{softmax}(
        (z_i V + b) G^{1/2})\bigr) + \frac{1}{2 C} \|V\|_F^2
        + \frac{1}{2 \beta} \|b\|^2. \tag{3}

    This is a multinomial regression whose weights :math:`V G^{1/2}` have a Gaussian
    prior, with the covariance :math:`C G` between classes: those that are alike in the
    source are expected to be alike in the target. The intercepts have a prior so wide,
    :math:`\beta = 10^4`, that the labels alone decide how frequent a class is. The
    weights :math:`c` of the classes are one, unless ``class_weight`` says otherwise.

    **Self-training.** At first, :math:`A` is the labeled rows. In each round
    :math:`r = 1, \dots, R` the mean :math:`p` of the probabilities of both fits labels
    all other rows anew. Of those that it finds in class :math:`k`, at most

    .. math:: \Bigl\lceil \tau \, \tfrac{r}{R} \sum_i p_{ik} \Bigr\rceil \tag{4}

    stand beside the labeled rows in :math:`A`: those with the largest margin between
    their two most probable classes. Then Equation 3 is solved again for both. What
    comes out are the mean probabilities after the last round; with ``average=True``,
    their mean with those of a second run with :math:`G = I`, a safe choice as long as
    nobody knows what the source is worth.

    **New rows.** A row that was not there in the fit has no place in the graph. It is
    represented, centered and scaled as the training rows are, and multiplied by the
    weights, without Equation 1, so that no training rows are kept. The fit knows more
    about its own rows, by about three points of accuracy: see ``transduction_``. A row
    of the source belongs to the nearest row of :math:`M`; its probabilities are the
    softmax of the cosines, and so never far from even.

    **Where it does not hold.** The labels alone say how frequent the classes are: where
    as many rows of a rare class are labeled as of a frequent one, the rare one is
    predicted too often. The classes are told apart by planes, so a support vector
    machine with a Gaussian kernel may be better on tables of few features. On deep
    features of drawings, unit rows and a cosine graph alone are one to two points
    better.

    **Classes without a labeled target row** are left out of Equation 3, and never
    predicted in the target, unless ``unlabeled_classes="infer"``. Then clusters of the
    target are named after them, so that the classes lie to each other as in the source.
    With :math:`G` of Equation 2, now of class means that are whitened within the
    classes, and rows :math:`z_i` of Equation 1 at unit length, of both representations
    side by side, the prototypes :math:`\mu` of all classes start at their expectation
    given the labeled ones, and 30 times

    .. math::

        \begin{aligned}
        r_i &= \operatorname{softmax}_k(12 \, z_i^\top \mu_k / \|\mu_k\|), \\
        \mu &= (\operatorname{diag}(\textstyle\sum_i r_i) + \lambda G^{-1})^{-1}
        R^\top Z,
        \end{aligned} \tag{5}

    where :math:`\lambda = n / 10 K` and labeled rows stay what they are. After rounds
    8, 16 and 24 inferred classes swap prototypes as long as
    :math:`\operatorname{tr}(G^{-1} \mu \mu^\top)` falls. Rows of the inferred classes
    with the largest margins are then labeled, three times as many as there are labels
    of a class, but a third of what the class has at most. ``inference_score_`` is
    the share of labeled rows that are named rightly when the labels of half of the
    classes are hidden, ten times in turns. Where it is hardly more than chance, ``fit``
    warns: the geometries do not agree, and nothing else could name the classes.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    rows
        Representations of the target's rows: "unit", rows of unit length after a power
        of the features, "standardized", or "both", whose fits are averaged; "auto" is
        "unit" if more than nine of ten entries are zero, else "both".
    power : float or "auto"
        Power of the features before rows are scaled to unit length, in either domain;
        "auto" is 0.5 if none is negative, else 1.
    n_neighbors
        Number of neighbors of every row in the graph.
    neighbors : transformer
        What searches for them, like :class:`sklearn.neighbors.KNeighborsTransformer`;
        None is exact up to 10,000 rows, beyond an approximate index of faiss.
    alpha
        Weight :math:`\alpha` of the neighbors, from 0 to less than 1.
    rho
        Weight :math:`\rho` of the geometry of the source, from 0 to 1.
    C
        Inverse strength :math:`C` of the regularization.
    class_weight : dict or "balanced", default=None
        Weights :math:`c` of the classes, those absent from a dict being 1. "balanced"
        takes them inverse to the numbers of labeled target rows; None is 1 for all.
    n_rounds
        Number :math:`R` of rounds of self-training.
    top
        Share :math:`\tau` of the unlabeled rows that the last round takes for labeled.
    average
        Whether to average with a run without the geometry of the source.
    unlabeled_classes
        What becomes of classes of the source that no target row is labeled with:
        "ignore" never predicts them, "infer" takes it that the target has rows of all
        of them, and lets the source say which.
    max_iter
        Most iterations of L-BFGS in a fit, more than it usually takes.

    Attributes
    ----------
    coef_ : ndarray of shape (n_runs, n_representations, n_classes, n_features)
        Weights :math:`V G^{1/2}` of every run, transposed: of the one with the geometry
        of the source first, then of the one without, if there are two.
    intercept_ : ndarray of shape (n_runs, n_representations, n_classes)
        Intercepts :math:`b G^{1/2}`, minus infinity for a class without a labeled
        target row.
    representations_ : dict of str to transformer
        The fitted representations by name.
    center_ : ndarray of shape (n_representations, n_features)
        Means of the represented rows.
    scale_ : ndarray of shape (n_representations,)
        What the centered rows are divided by.
    class_geometry_ : ndarray of shape (n_classes, n_classes)
        :math:`G`.
    source_centroids_ : ndarray of shape (n_classes, n_source_features) or None
        :math:`M`, zero for a class that the source lacks; None without a source.
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Probabilities of the classes for every target sample seen in ``fit``.
    inferred_classes_ : ndarray of shape (n_inferred,)
        Classes that have no labeled target row and were inferred.
    inference_score_ : float or None
        Share of labeled rows of hidden classes that are named rightly; None where
        nothing was inferred.
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
    :math:`X`. Beyond 10,000 rows, Equation 1 is solved to an error of 1e-4, and of more
    rows labeled by self-training as many stand for all, with their weight.

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

    rows: Literal["auto", "both", "unit", "standardized"] = "auto"
    power: Power = "auto"
    n_neighbors: Count = 10
    neighbors: Transformer = None
    alpha: Fraction = 0.5
    rho: Share = 0.8
    C: Positive = 10.0
    class_weight: ClassWeight = None
    n_rounds: WholeNumber = 2
    top: Share = 0.8
    average: bool = True
    unlabeled_classes: Literal["ignore", "infer"] = "ignore"
    max_iter: Count = 40

    unlabeled_fate: ClassVar[str] = (
        "with unlabeled_classes='infer' GeoST takes it that the target has unlabeled "
        "rows of them, else it never predicts them there"
    )

    def make_preprocessor(self, domain: DomainName) -> Any:
        return RowScaler(self.power) if domain == "source" else None

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
        weights = weigh_classes(self.class_weight, self.classes_, target.labels)
        n_threads = 1 if len(codes) < MIN_ROWS_FOR_THREADS else None
        with threadpool_limits(n_threads, user_api="blas"):
            views = represent(
                *(target.X, self.rows, self.power, self.n_neighbors, self.alpha),
                neighbors=self.neighbors,
            )
            self.representations_ = {name: v.transformer for name, v in views.items()}
            self.center_ = np.array([view.center for view in views.values()])
            self.scale_ = np.array([view.scale for view in views.values()])
            codes = self._infer_classes(source, codes, [*views.values()])
            labeled = np.unique(codes[codes != UNLABELED])
            labels = np.where(
                codes == UNLABELED, UNLABELED, labeled.searchsorted(codes)
            )
            self._learn_target([*views.values()], labels, labeled, weights[labeled])

    def _infer_classes(self, source: Rows, codes: Codes, views: list[View]) -> Codes:
        """Label a few rows of the classes that have none, as Equation 5 says."""
        self.inferred_classes_, self.inference_score_ = self.classes_[:0], None
        if self.unlabeled_classes == "ignore":
            return codes
        source_codes = source.labels.codes(self.classes_)
        geometry = whitened_geometry(source.X, source_codes, len(self.classes_))
        rows = join_rows([view.Z[:, :-1] for view in views])
        found = infer_classes(rows, codes, geometry, source_codes)
        if found is None:
            return codes
        self.inferred_classes_ = self.classes_[found.inferred]
        self.inference_score_ = found.score
        if not found.agrees:
            warn_user(f"GeoST {found.doubt(self.inferred_classes_)}")
        return found.label(codes)

    def _learn_target(
        self, views: list[View], labels: Codes, classes: Codes, class_weights: Array
    ) -> None:
        """Train once per geometry on what the views show.

        The labels are places in ``classes``, the codes of the classes that have any.
        """
        geometries, n_classes = self._geometries(), len(self.classes_)
        runs = (len(geometries), len(views), n_classes)
        self.n_iter_ = 0
        self.coef_ = np.zeros((*runs, self.center_.shape[1]))
        self.intercept_ = np.full(runs, -np.inf)
        self.label_distributions_ = np.zeros((len(labels), n_classes))
        for run, geometry in enumerate(geometries):
            root = symmetric_root(geometry[np.ix_(classes, classes)])
            weights = self._self_train(views, labels, root, class_weights)
            for i, (W, view) in enumerate(zip(weights, views, strict=True)):
                self.coef_[run, i, classes] = view.restore(W[:-1]).T
                self.intercept_[run, i, classes] = W[-1]
            probabilities = average_probabilities(views, weights)
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

    def _self_train(
        self, views: list[View], labels: Codes, H: Array, class_weights: Array
    ) -> list[Array]:
        """Solve Equation 3 in turns with Equation 4, for the weights of every view."""
        solved = [np.zeros((view.Z.shape[1], len(H))) for view in views]
        unlabeled = labels == UNLABELED
        labels = labels.copy()
        for share in np.linspace(0, self.top, self.n_rounds + 1):
            if share:
                P = average_probabilities(views, [V @ H for V in solved])[unlabeled]
                labels[unlabeled] = most_certain(P, share, counts=P.sum(axis=0))
            rows, weights = thin_out(~unlabeled, unlabeled & (labels != UNLABELED))
            targets = weights * np.diag(class_weights)[labels[rows]]
            for i, Z in enumerate(view.Z for view in views):
                solved[i], n_iter = fit_weights_and_intercept(
                    Z[rows], targets, H, solved[i], C=self.C, max_iter=self.max_iter
                )
                self.n_iter_ = max(self.n_iter_, n_iter)
        return [V @ H for V in solved]

    def _geometry_of_source(self, part: Any) -> Array:
        return np.asarray(part.class_geometry_)

    def _conclude(self, given: Any, target: Any, probabilities: Array) -> None:
        self.label_distributions_ = probabilities

    def transduce(self, target: Rows) -> Array:
        return self.label_distributions_

    def predict_proba_rows(self, X: NDArray[Any], domain: DomainName) -> Array:
        if domain == "source":
            M: Any = self.source_centroids_
            cosines = scale_rows(X - self._source_center) @ M.T
            return softmax(cosines + self._source_intercept, axis=1)
        probabilities: Any = 0.0
        for i, transformer in enumerate(self.representations_.values()):
            rows = (transformer.transform(X) - self.center_[i]) / self.scale_[i]
            for coef, intercept in zip(self.coef_, self.intercept_, strict=True):
                probabilities += softmax(rows @ coef[i].T + intercept[i], axis=1)
        return probabilities / (self.coef_.shape[0] * self.coef_.shape[1])
