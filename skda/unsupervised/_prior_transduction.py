"""Probabilities from anywhere, corrected by how the target's rows lie."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from skda.base import DomainName, Rows, estimator
from skda.preprocessing import neighbor_similarities
from skda.unsupervised._opinion import BaseOpinionClassifier
from skda.utils._sklearn import HasMethods
from skda.utils.neighbors import fit_neighbors
from skda.utils.operations import normalize, softmax, spread_columns, xlogy
from skda.utils.ranges import (
    Auto,
    Count,
    Fraction,
    NonNegative,
    Positive,
    Transformer,
)
from skda.utils.warnings import warn_user

__all__ = ["PriorTransduction"]

Array = NDArray[np.float64]

#: Number of the most probable rows of a class that its first mean is of, at least.
N_CONFIDENT = 8
#: Least variance, of rows of unit length.
LEAST_VARIANCE = 1e-9


@estimator
class PriorTransduction(BaseOpinionClassifier):
    r"""Probabilities from anywhere, corrected by how the rows of the target lie.

    Somebody else has an opinion :math:`p_i` on every row :math:`x_i` of the target: a
    zero-shot model of texts and images, a rule, a classifier whose data are not to be
    had. It is taken as a prior of the classes; a Gaussian mixture and a graph of
    neighbors correct it. Features are put on one scale, see ``representation``, rows
    have unit length, and there are rounds of

    .. math::
        z_i &\propto p_i^\lambda \exp\Bigl(\tfrac{1}{\tau} \log N(x_i; \mu_k, \Sigma)
            + \sum_j w_{ij} z_j\Bigr), \\
        \mu_k &\propto \sum_i \omega_i z_{ik} x_i, \qquad
        \Sigma = \operatorname{diag}\Bigl(\frac{\sum_{ik} \omega_i z_{ik}
            (x_i - \mu_k)^2}{\sum_i \omega_i}\Bigr),

    with means of unit length, and :math:`w_{ij}` the cosine of nearest neighbors, over
    their number, averaged over both directions [1]_. Labeled rows keep their label in
    :math:`z_i`.

    With ``probabilities`` neither labels nor a source are needed, then pass
    ``classes``. Without, a plain classifier gives them, which learns from the labeled
    rows of the source and the target.

    It has no seed. It relies on classes that are clusters; of features in which they
    are not, such as the columns of many tables, it can make nothing.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    estimator : estimator object
        Classifier with ``predict_proba`` for fits without ``probabilities``; None is a
        logistic regression with ``C=10``.
    lambda_prior : "auto" or float
        Exponent :math:`\lambda` of the opinion; "auto" is 0.5 if a row of the target is
        labeled, else 1.
    temperature
        Temperature :math:`\tau` of the mixture.
    n_neighbors
        Number of neighbors of every row, at most all the others.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).
    labeled_weight
        Weight :math:`\omega` of all labeled rows together, where that of all the others
        is 1. The public code chooses among 0.1, 0.5, 1 and 10 by held-out labels.
    smoothing
        Share of the opinion that is replaced by equal probabilities of all classes, so
        that none is beyond correction. The public code has none.
    n_rounds
        Number of updates of means and variances.
    n_steps
        Number of updates of :math:`z` in each round, and after the last.

    Attributes
    ----------
    label_distributions_ : ndarray of shape (n_target, n_classes)
        The rows :math:`z_i` of the target. Given labels stay.
    estimator_ : estimator object or None
        The classifier, whose classes are positions in ``classes_``; None if there was
        nothing for it to do. It predicts the rows of the source.
    means_ : ndarray of shape (n_classes, n_features)
        :math:`\mu_k`, in units of the scaled features; zero for a class without rows.
    variances_ : ndarray of shape (n_features,)
        Diagonal of :math:`\Sigma`.
    neighbors_ : NearestNeighbors or its like
        Index of the rows of the target seen in ``fit``, all of which it keeps.

    See Also
    --------
    TargetCentroids : Starts from a classifier of the source, too, and drops it then.
    skda.AutoAdapter : Weighs opinions as members of a committee.

    Notes
    -----
    A new row takes part with its nearest neighbors of the fit, means and variances as
    they are. Without ``probabilities`` of its own, its opinion is that of the
    classifier, or, where those of the fit were given, the mean of its neighbors'.

    A class that has no probability in any row and no label is left out, with a warning.
    Beside ``probabilities``, a source only names classes.

    The form is that of TransCLIP. :meth:`published` has the settings of its public
    code, which keeps labeled rows apart from the target, and as neighbors by another
    indexing.

    References
    ----------
    .. [1] M. Zanella, B. Gérin and I. Ben Ayed, "Boosting Vision-Language Models with
       Transduction", NeurIPS 2024. arXiv:2406.01837.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import PriorTransduction
    >>> X, y = make_blobs(100, centers=2, n_features=50, random_state=0)
    >>> opinion = np.where(y[:, None] == [0, 1], 0.6, 0.4)
    >>> opinion[:20] = opinion[:20, ::-1]  # wrong
    >>> clf = PriorTransduction()
    >>> clf.fit(X, probabilities=opinion, classes=["cat", "dog"]).classes_
    array(['cat', 'dog'], dtype='<U3')
    >>> float(np.mean(clf.transduction_ == np.array(["cat", "dog"])[y]))
    1.0
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict_proba"]), None] = field(
        default=None, kw_only=False
    )
    lambda_prior: NonNegative | Auto = "auto"
    temperature: Positive = 50.0
    n_neighbors: Count = 3
    neighbors: Transformer = None
    labeled_weight: NonNegative = 1.0
    smoothing: Fraction = 0.05
    n_rounds: Count = 10
    n_steps: Count = 5

    published_params: ClassVar[dict[str, Any]] = {
        "representation": "unit",
        "power": 1.0,
        "smoothing": 0.0,
    }

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self._fit_estimator(source, target)
        P = self.given_probabilities(len(target.X))
        if P is None:
            P = self._predict_estimator(target.X)
        given = target.labels.memberships(self.classes_).astype(np.float64)
        self._present = P.any(axis=0) | given.any(axis=0)
        absent = self.classes_[~self._present].tolist()
        if absent and self._columns is not None:
            warn_user(
                f"No row has a probability of {', '.join(map(repr, absent))}: the fit "
                f"works on the other classes."
            )
        n_others = len(target.X) - 1
        self.neighbors_ = fit_neighbors(
            target.X,
            min(self.n_neighbors, max(n_others, 1)),
            cosine=True,
            transformer=self.neighbors if n_others else None,
        )
        P = self._smooth(P)
        self._opinion = P if self._columns is not None else None
        self._exponent = self._find_exponent(given)
        self._iterate(target.X, P, given)

    def _find_exponent(self, given: Array) -> float:
        if isinstance(self.lambda_prior, str):  # which can be but "auto"
            return 0.5 if given.any() else 1.0
        return self.lambda_prior

    def _fit_estimator(self, source: Rows, target: Rows) -> None:
        """Fit a fresh classifier to the labeled rows of both domains."""
        self.estimator_: Any = None
        if self._columns is not None and not len(source.X):
            return
        labeled = [source, target.labeled()]
        X = np.concatenate([rows.X for rows in labeled])
        codes = np.concatenate([rows.labels.codes(self.classes_) for rows in labeled])
        estimator: Any = LogisticRegression(C=10.0, max_iter=1000)
        if self.estimator is not None:
            estimator = clone(self.estimator)
        if len(np.unique(codes)) == 1:  # which a logistic regression does not take
            estimator = DummyClassifier()
        self.estimator_ = estimator.fit(X, codes)

    def _predict_estimator(self, X: NDArray[Any]) -> Array:
        n_classes = len(self.classes_)
        if not len(X):
            return np.zeros((0, n_classes))
        P = self.estimator_.predict_proba(X)
        return spread_columns(P, self.estimator_.classes_, n_classes)

    def _smooth(self, P: Array) -> Array:
        """Leave no class that is there beyond correction."""
        equal = self._present / self._present.sum()
        return (1 - self.smoothing) * P + self.smoothing * equal

    def _iterate(self, X: NDArray[Any], P: Array, given: Array) -> None:
        """Alternate between the rows and the mixture."""
        known = np.asarray(given.any(axis=1, keepdims=True))
        z = np.where(known, given, P)
        weights = self._weigh_rows(known[:, 0])
        graph = self._graph(len(X))
        self._start(X, z, given)
        for r in range(self.n_rounds + 1):
            if r:
                self._update_mixture(X, z, weights)
            fixed = self._evidence(X, P)
            for _ in range(self.n_steps):
                z = np.where(known, given, softmax(fixed + graph @ z, axis=1))
        self.label_distributions_ = z

    def _weigh_rows(self, known: NDArray[np.bool_]) -> Array:
        n_labeled, n_others = max(known.sum(), 1), max((~known).sum(), 1)
        weights = np.where(known, self.labeled_weight / n_labeled, 1 / n_others)
        return weights if weights.any() else np.ones(len(known))

    def _graph(self, n: int) -> csr_matrix:
        """Tie rows to their neighbors, and these to them."""
        if n == 1:
            return csr_matrix((1, 1))
        W = neighbor_similarities(self.neighbors_, None, np.float64)
        return ((W + W.T) / (2 * self.neighbors_.n_neighbors)).tocsr()

    def _start(self, X: NDArray[Any], z: Array, given: Array) -> None:
        """Start from the labeled rows of a class, else from its most probable ones."""
        n_others = max(len(X) - N_CONFIDENT, 0)
        # Rows as probable as the last of them count too: rules say the same of many.
        shares = np.where(z >= np.partition(z, n_others, axis=0)[n_others], z, 0)
        labeled = given.any(axis=0)
        shares[:, labeled] = given[:, labeled]
        self.means_ = normalize(shares.T @ X)
        self.variances_ = np.full(X.shape[1], 1 / X.shape[1])

    def _update_mixture(self, X: NDArray[Any], z: Array, weights: Array) -> None:
        shares = weights[:, None] * z
        sums = shares.T @ X
        self.means_ = normalize(sums)
        mass = shares.sum(axis=0)
        squares = shares.sum(axis=1) @ X**2 + mass @ self.means_**2
        scatter = squares - 2 * (self.means_ * sums).sum(axis=0)
        self.variances_ = np.maximum(scatter / weights.sum(), LEAST_VARIANCE)

    def _evidence(self, X: NDArray[Any], P: Array) -> Array:
        """Join the opinion and the mixture, as logarithms."""
        precise = self.means_ / self.variances_
        likelihood = X @ precise.T - (precise * self.means_).sum(axis=1) / 2
        evidence = xlogy(self._exponent, P) + likelihood / self.temperature
        return np.where(self._present, evidence, -np.inf)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName, P: Array | None = None
    ) -> NDArray[np.floating]:
        if domain == "source":
            return self._predict_estimator(X)
        W = neighbor_similarities(self.neighbors_, X, np.float64)
        if P is None and self._opinion is not None:
            near = W @ self._opinion
            # A row that is like no other has no opinion.
            lost = ~near.any(axis=1, keepdims=True)
            P = normalize(np.where(lost, self._present, near), norm="l1")
        else:
            P = self._smooth(self._predict_estimator(X) if P is None else P)
        votes = W @ self.label_distributions_ / self.neighbors_.n_neighbors
        return softmax(self._evidence(X, P) + votes, axis=1)
