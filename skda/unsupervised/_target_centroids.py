"""Centroids of the target that start from a classifier of the source."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from skda.base import BaseScaledClassifier, DomainName, Rows, estimator
from skda.utils._sklearn import HasMethods
from skda.utils.operations import normalize, softmax
from skda.utils.ranges import Count, Positive

__all__ = ["TargetCentroids"]

Array = NDArray[np.float64]


@estimator
class TargetCentroids(BaseScaledClassifier):
    r"""Nearest of the class centroids that a source classifier finds in the target.

    A classifier, trained on the labeled rows of both domains, gives every row
    :math:`x_i` of the target its probabilities :math:`p_{ik}`; a label that is known
    outweighs them. Features are put on one scale, see ``representation``, and all rows
    have unit length. Then, round by round,

    .. math::

        c_k \propto \sum_i p_{ik} \, x_i, \qquad
        p_{ik} = \begin{cases}
            1 & \text{if } k = \arg\max_l x_i^\top c_l, \\ 0 & \text{else,}
        \end{cases}

    with centroids :math:`c_k` of unit length, and a row of the target belongs to the
    nearest one. Two rounds are the pseudo-labels of SHOT [1]_, without its network.

    Beyond the classifier it takes milliseconds, and it has no seed. It relies on
    classes that are clusters; where they are not, it does harm. Every class is expected
    in the target. A fit warns if the classes that it finds have other shares than
    in the source, or if in the source five nearest neighbors are much more accurate
    than a linear classifier.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    estimator : estimator object
        Classifier with ``predict_proba`` to start from; None is a logistic regression
        with ``C=10``.
    n_rounds
        Number of times to move the centroids.
    temperature
        Temperature of ``predict_proba``, the softmax of :math:`x^\top c_k / \tau`. It
        changes no prediction.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier, whose classes are positions in ``classes_``. It predicts the
        rows of the source.
    centroids_ : ndarray of shape (n_classes, n_features)
        Centroids of the classes in the target, in units of the scaled features.

    See Also
    --------
    SPL : Learns a projection, too.
    SourceOnly : The classifier alone.
    skda.baselines.SinkhornCentroids : Starts from labeled target rows.

    Notes
    -----
    A class that no row is found in keeps its centroid of the round before, and that of
    its labeled rows before the first.

    Without a source, the classifier is trained on the labeled rows of the target.

    References
    ----------
    .. [1] J. Liang, D. Hu and J. Feng, "Do We Really Need to Access the Source Data?
       Source Hypothesis Transfer for Unsupervised Domain Adaptation", ICML 2020.
       arXiv:2002.08546.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import TargetCentroids
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = TargetCentroids().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict_proba"]), None] = field(
        default=None, kw_only=False
    )
    n_rounds: Count = 2
    temperature: Positive = 0.05

    published_params: ClassVar[dict[str, Any]] = {
        "representation": "unit",
        "power": 1.0,
    }

    def fit_rows(self, source: Rows, target: Rows) -> None:
        memberships = [
            rows.labels.memberships(self.classes_).astype(np.float64)
            for rows in (source, target.labeled())
        ]
        X = np.concatenate([source.X, target.labeled().X])
        labels = np.concatenate(memberships)
        self._fit_estimator(X, labels.argmax(axis=1))
        self.centroids_ = normalize(labels.T @ X)

        unlabeled = ~target.labels.known
        shares = target.labels.memberships(self.classes_).astype(np.float64)
        if unlabeled.any():
            shares[unlabeled] = self.estimator_.predict_proba(target.X[unlabeled])
        for _ in range(self.n_rounds):
            found = shares.any(axis=0)
            self.centroids_[found] = normalize(shares[:, found].T @ target.X)
            nearest = (target.X[unlabeled] @ self.centroids_.T).argmax(axis=1)
            shares[unlabeled] = np.eye(len(self.classes_))[nearest]

    def _fit_estimator(self, X: Array, codes: NDArray[np.intp]) -> None:
        """Fit a fresh classifier to the labeled rows of both domains."""
        estimator = LogisticRegression(C=10.0, max_iter=1000)
        if self.estimator is not None:
            estimator = clone(self.estimator)
        if len(self.classes_) == 1:  # which a logistic regression does not take
            estimator = DummyClassifier()
        self.estimator_ = estimator.fit(X, codes)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if domain == "source":
            return self.estimator_.predict_proba(X)
        return softmax(X @ self.centroids_.T / self.temperature, axis=1)
