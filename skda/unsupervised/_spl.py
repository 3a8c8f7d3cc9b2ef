"""Selective pseudo-labels on a projection that keeps classes together."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from sklearn.decomposition import PCA
from sklearn.utils import Tags

from skda.base import BaseScaledClassifier, DomainName, Rows, estimator
from skda.utils._sklearn import (
    ClassNamePrefixFeaturesOutMixin,
    Interval,
    StrOptions,
    TransformerMixin,
)
from skda.utils.class_graph import class_matrices
from skda.utils.k_means import k_means
from skda.utils.labels import UNLABELED
from skda.utils.operations import cdist, normalize, softmax
from skda.utils.promotion import select_most_certain
from skda.utils.ranges import Count, Positive

__all__ = ["SPL"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Least ridge of ``ridge="mean"``, relative to the matrix on the other side.
FLOOR = 1e-6


@estimator
class SPL(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseScaledClassifier):
    r"""Selective pseudo-labels on a supervised locality-preserving projection.

    Features are put on one scale, see ``representation``. Rows have unit length, go
    through a principal component analysis of both domains together, and are scaled to
    unit length, again. Then, in round :math:`r = 1, \dots, R`:

    **Projection.** Let the rows of :math:`X` be the source, the labeled rows of the
    target and those that have a pseudo-label by now. With :math:`W_{ij} = 1` where two
    rows are of one class, else 0, and :math:`D` its row sums, the directions :math:`v`
    are the leading solutions of

    .. math:: X^\top D X v = \mu (X^\top (D - W) X + \rho I) v. \tag{1}

    Projected rows are centered on the mean of both domains and scaled to unit length.

    **Two classifiers.** There are centers :math:`m_k` of the rows whose label was
    given, and centers :math:`\tilde{m}_k` of the clusters that :math:`k`-means, started
    from them, finds in the target. All have unit length, and a row :math:`z` of the
    target is of class :math:`k` as far as the larger of

    .. math::
        \operatorname{softmax}_k(-\|z - m_k\| / \tau) \quad\text{and}\quad
        \operatorname{softmax}_k(-\|z - \tilde{m}_k\| / \tau). \tag{2}

    **Selection.** Of all rows that this finds in a class, the share :math:`r / (R - 1)`
    with the largest values has its pseudo-label in the next round. The last round
    takes all of them.

    It takes well under a second for a thousand rows, and has no seed. Every class is
    expected in the target. A fit warns if the classes that it finds have other shares
    than in the source, or if in the source five nearest neighbors are much more
    accurate than a linear classifier.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    n_rounds
        Number :math:`R` of rounds. The public code has 11.
    n_components
        Number of directions in Equation 1; None takes six per class, at most 64. The
        public code has 128.
    pca_components
        Number of principal components, at most.
    center_rows
        Whether the mean of both domains is removed from rows on their way to the
        principal components; in the public code it is not.
    ridge : "mean" or float
        Ridge :math:`\rho` of Equation 1; "mean" is the mean diagonal element of the
        matrix that it is added to. The public code has 1.
    temperature
        Temperature :math:`\tau` of Equation 2. The public code has 1.
    keep_least_certain
        Whether the least certain row of those that a class selects is one of them; the
        public code leaves it out.

    Attributes
    ----------
    pca_ : PCA
        The principal component analysis.
    components_ : ndarray of shape (`n_components_out_`, n_pca_components)
        The directions :math:`v` of the last round.
    center_ : ndarray of shape (`n_components_out_`,)
        Mean of the projected rows of both domains.
    class_centers_ : ndarray of shape (n_classes, `n_components_out_`)
        :math:`m_k`.
    cluster_centers_ : ndarray of shape (n_classes, `n_components_out_`)
        :math:`\tilde{m}_k`.

    See Also
    --------
    TargetCentroids : Moves centroids only, and is faster.

    Notes
    -----
    A row of the source is judged by the centers :math:`m_k` alone. Without a source,
    the labeled rows of the target take its place.

    :meth:`published` has the settings of the public code.

    References
    ----------
    .. [1] Q. Wang and T. P. Breckon, "Unsupervised Domain Adaptation via Structured
       Prediction Based Selective Pseudo-Labeling", AAAI 2020. arXiv:1911.07982.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SPL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SPL().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    >>> clf.transform(X).shape
    (200, 5)
    """

    n_rounds: Count = 6
    n_components: Count | None = None
    pca_components: Count = 128
    ridge: Annotated[
        float | str, Interval(Real, 0, None, closed="neither"), StrOptions({"mean"})
    ] = "mean"
    temperature: Positive = 0.2
    center_rows: bool = True
    keep_least_certain: bool = True

    published_params: ClassVar[dict[str, Any]] = {
        "n_rounds": 11,
        "n_components": 128,
        "ridge": 1.0,
        "temperature": 1.0,
        "center_rows": False,
        "keep_least_certain": False,
        "representation": "unit",
        "power": 1.0,
    }
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Project samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components_out)
            Projected samples, centered and of unit length.
        """
        return self._project(self._check_samples(X, domain)).astype(np.float32)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit_rows(self, source: Rows, target: Rows) -> None:
        both = np.concatenate([source.X, target.X])
        n_components = min(self.pca_components, *both.shape)
        with np.errstate(invalid="ignore"):  # equal rows have no variance to share out
            self.pca_ = PCA(n_components, random_state=0).fit(both)
        S = self._reduce(both)

        codes = [rows.labels.codes(self.classes_) for rows in (source, target)]
        given = np.concatenate(codes)
        unlabeled = np.arange(len(S))[given == UNLABELED]
        labels = given.copy()
        for r in range(1, self.n_rounds + 1):
            self._fit_projection(S, labels)
            Z = self._embed(S)
            self._learn_centers(Z, given, len(source.X))
            if r < self.n_rounds:
                share = r / (self.n_rounds - 1)
                labels[unlabeled] = select_most_certain(
                    self._class_scores(Z[unlabeled]),
                    share,
                    keep_last=self.keep_least_certain,
                )

    def _reduce(self, X: NDArray[Any]) -> Array:
        """Take rows to their principal components, scaled to unit length."""
        if self.center_rows:
            return normalize(self.pca_.transform(X))
        return normalize(X @ self.pca_.components_.T)

    def _fit_projection(self, S: Array, labels: Codes) -> None:
        """Solve Equation 1 for the rows that have a label."""
        known = labels != UNLABELED
        n_classes, width = len(self.classes_), S.shape[1]
        total, scatter = class_matrices(S[known], np.eye(n_classes)[labels[known]])
        if isinstance(self.ridge, str):  # which can be but "mean"
            mass = max(np.trace(scatter), FLOOR * np.trace(total))
            ridge = mass / width or 1.0
        else:
            ridge = self.ridge
        n_components = self.n_components or min(64, 6 * n_classes)
        first = max(width - n_components, 0)
        _, vectors = eigh(
            total,
            scatter + ridge * np.eye(width),
            subset_by_index=[first, width - 1],
        )
        self.components_ = vectors.T[::-1]  # the leading one first
        self.center_ = (S @ self.components_.T).mean(axis=0)
        self._n_features_out = len(self.components_)

    def _learn_centers(self, Z: Array, given: Codes, n_source: int) -> None:
        """Find the centers of the classes, and those of the clusters of the target."""
        known = given != UNLABELED
        memberships = np.eye(len(self.classes_))[given[known]]
        self.class_centers_ = normalize(memberships.T @ Z[known])
        clusters = k_means(Z[n_source:], self.class_centers_)
        self.cluster_centers_ = normalize(clusters)

    def _embed(self, S: Array) -> Array:
        """Take principal components to the projection."""
        return normalize(S @ self.components_.T - self.center_)

    def _project(self, X: NDArray[Any]) -> Array:
        return self._embed(self._reduce(X))

    def _class_scores(self, Z: Array, domain: DomainName = "target") -> Array:
        """Evaluate Equation 2."""
        logits = -cdist(Z, self.class_centers_) / self.temperature
        scores = softmax(logits, axis=1)
        if domain == "source":
            return scores
        logits = -cdist(Z, self.cluster_centers_) / self.temperature
        return np.maximum(scores, softmax(logits, axis=1))

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        return normalize(self._class_scores(self._project(X), domain), norm="l1")
