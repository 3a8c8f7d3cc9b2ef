"""Centroids of the target that start from a classifier of the source."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skda.base import BaseHomogeneousClassifier, DomainName, Rows
from skda.preprocessing import RowScaler
from skda.utils._sklearn import HasMethods, Interval

__all__ = ["TargetCentroids"]

Array = NDArray[np.float64]


class TargetCentroids(BaseHomogeneousClassifier):
    r"""Nearest of the class centroids that a source classifier finds in the target.

    A classifier, trained on the labeled rows of both domains, gives every row
    :math:`x_i` of the target its probabilities :math:`p_{ik}`; a label that is known
    outweighs them. All rows have unit length. Then, round by round,

    .. math::

        c_k \propto \sum_i p_{ik} \, x_i, \qquad
        p_{ik} = \begin{cases}
            1 & \text{if } k = \arg\max_l x_i^\top c_l, \\ 0 & \text{else,}
        \end{cases}

    with centroids :math:`c_k` of unit length, and a row of the target belongs to the
    nearest one. Two rounds are the pseudo-labels of SHOT [1]_, without its network.

    Beyond the classifier it takes milliseconds, and it has no seed. It relies on
    classes that are clusters; where they are not, it does harm. Every class is expected
    in the target.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead. Further fitted attributes are those of
    :class:`skda.base.BaseHomogeneousClassifier`.

    Parameters
    ----------
    estimator : estimator object, default=None
        Classifier with ``predict_proba`` to start from; None is a logistic regression
        with ``C=10``.
    n_rounds : int, default=2
        Number of times to move the centroids.
    temperature : float, default=0.05
        Temperature of ``predict_proba``, the softmax of :math:`x^\top c_k / \tau`. It
        changes no prediction.
    power : float, default=1.0
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; 0.5 is better for counts.
    shared_transformer : transformer, default=None
        Cloned, fitted on the samples of both domains and applied to them ever after.
    source_transformer, target_transformer : transformer, default=None
        The same for the samples of one domain, before the shared one.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier, whose classes are positions in ``classes_``. It predicts the
        rows of the source.
    centroids_ : ndarray of shape (n_classes, n_features)
        Centroids of the classes in the target.

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

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import TargetCentroids
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = TargetCentroids().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> clf.score(X[:100] + 1.0, y[:100])
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseHomogeneousClassifier._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "power": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_rounds: int = 2,
        temperature: float = 0.05,
        power: float = 1.0,
        shared_transformer: Any = None,
        source_transformer: Any = None,
        target_transformer: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_rounds = n_rounds
        self.temperature = temperature
        self.power = power
        self.shared_transformer = shared_transformer
        self.source_transformer = source_transformer
        self.target_transformer = target_transformer

    def make_preprocessor(self, domain: DomainName) -> Any:
        return RowScaler(self.power)

    def fit_rows(self, source: Rows, target: Rows) -> None:
        memberships = [
            rows.labels.memberships(self.classes_).astype(np.float64)
            for rows in (source, target.labeled())
        ]
        X = np.concatenate([source.X, target.labeled().X])
        labels = np.concatenate(memberships)
        self._fit_estimator(X, labels.argmax(axis=1))
        self.centroids_ = normalize(labels.T @ X)

        hidden = ~target.labels.known
        shares = target.labels.memberships(self.classes_).astype(np.float64)
        if hidden.any():
            shares[hidden] = self.estimator_.predict_proba(target.X[hidden])
        for _ in range(self.n_rounds):
            there = shares.any(axis=0)
            self.centroids_[there] = normalize(shares[:, there].T @ target.X)
            nearest = (target.X[hidden] @ self.centroids_.T).argmax(axis=1)
            shares[hidden] = np.eye(len(self.classes_))[nearest]

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
