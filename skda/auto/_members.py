"""Classifiers that a committee is made of, each fitted in one representation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from skda.preprocessing import (
    cosine_graph,
    neighbor_similarities,
    symmetric_normalization,
)
from skda.preprocessing._cosine_graph import index_and_graph
from skda.utils.class_graph import class_matrices
from skda.utils.k_means import k_means
from skda.utils.labels import UNLABELED
from skda.utils.many_rows import spread_out
from skda.utils.neighbors import fit_neighbors
from skda.utils.operations import cdist, normalize, softmax, take_rows
from skda.utils.promotion import select_most_certain
from skda.utils.propagation import spread, vote_shares

__all__ = [
    "Domains",
    "KernelRidge",
    "Member",
    "Neighbor",
    "Projection",
    "Propagation",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Least ridge of the projection, relative to the matrix on the other side.
FLOOR = 1e-6
#: Rounds of k-means at most.
N_ROUNDS = 30
#: Penalties and temperatures of the kernel ridge regression.
PENALTIES = 10.0 ** np.arange(-3, 2.1, 0.5)
TEMPERATURES = (0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)


class Domains(NamedTuple):
    """Both domains in one representation.

    Parameters
    ----------
    source : ndarray of shape (n_source, n_components)
        Rows of the source.
    codes : ndarray of shape (n_source,)
        Their classes.
    target : ndarray of shape (n_target, n_components)
        Rows of the target.
    weights : ndarray of shape (n_source,)
        What each row of the source counts in its moments.
    n_classes : int
        Number of classes.
    """

    source: Array
    codes: Codes
    target: Array
    weights: Array
    n_classes: int

    @property
    def memberships(self) -> Array:
        """Indicators of the classes of the source."""
        return np.eye(self.n_classes)[self.codes]

    def accuracy(self, predicted: Codes) -> float:
        """Weigh the rows of the source whose class is predicted."""
        return float(np.average(predicted == self.codes, weights=self.weights))


class Member(ABC):
    """What the committee asks of a member.

    Attributes
    ----------
    probabilities_ : ndarray of shape (n_target, K)
        Class probabilities of the rows of the target.
    source_accuracy_ : float
        Share of the source whose class the member finds.
    left_out : bool
        Whether it does not learn from a row of the source before it finds its class.
    """

    left_out: ClassVar[bool]
    probabilities_: Array
    source_accuracy_: float

    @abstractmethod
    def fit(self, domains: Domains) -> Self:
        """Learn from both domains."""

    @abstractmethod
    def predict_proba(self, X: Array) -> Array:
        """Predict new rows of the target."""


class Projection(Member):
    r"""Selective pseudo-labels, as :class:`skda.unsupervised.SPL` has them.

    Six rounds: a supervised projection of the rows that have a label by now, then the
    larger of the softmax of :math:`-5` times the distances to the centers of the
    classes in the source and to those of the clusters that start there in the target,
    then a growing share of the most certain rows of every class has its label. Here
    the projected rows lose the mean of both domains in which the source is weighted.
    """

    left_out: ClassVar[bool] = False
    n_rounds = 6
    temperature = 0.2

    def fit(self, domains: Domains) -> Self:
        S = normalize(np.concatenate([domains.source, domains.target]))
        n_source, n_target = len(domains.source), len(domains.target)
        unlabeled = np.full(n_target, UNLABELED)
        weights = np.concatenate(
            [domains.weights / domains.weights.mean(), np.ones(n_target)]
        )
        for r in range(1, self.n_rounds + 1):
            labels = np.concatenate([domains.codes, unlabeled])
            known = labels != UNLABELED
            self.axes_ = _projection(S[known], labels[known], domains.n_classes)
            rows = S @ self.axes_
            self.center_ = np.average(rows, axis=0, weights=weights)
            Z = normalize(rows - self.center_)
            self.class_centers_ = normalize(domains.memberships.T @ Z[:n_source])
            clusters = k_means(Z[n_source:], self.class_centers_, N_ROUNDS)
            self.cluster_centers_ = normalize(clusters)
            scores = self._scores(Z[n_source:])
            if r < self.n_rounds:
                unlabeled = select_most_certain(scores, r / (self.n_rounds - 1))
        nearest = cdist(Z[:n_source], self.class_centers_).argmin(axis=1)
        self.source_accuracy_ = domains.accuracy(nearest)
        self.probabilities_ = normalize(scores, norm="l1")
        return self

    def predict_proba(self, X: Array) -> Array:
        Z = normalize(normalize(X) @ self.axes_ - self.center_)
        return normalize(self._scores(Z), norm="l1")

    def _scores(self, Z: Array) -> Array:
        near = (cdist(Z, C) for C in (self.class_centers_, self.cluster_centers_))
        return np.maximum(*(softmax(-d / self.temperature, axis=1) for d in near))


def _projection(S: Array, labels: Codes, n_classes: int) -> Array:
    """Find the directions in which classes are narrow and far apart."""
    width = S.shape[1]
    total, scatter = class_matrices(S, np.eye(n_classes)[labels])
    mass = max(np.trace(scatter), FLOOR * np.trace(total))
    first = max(width - min(64, 6 * n_classes), 0)
    ridge = (mass / width or 1.0) * np.eye(width)
    _, vectors = eigh(total, scatter + ridge, subset_by_index=[first, width - 1])
    return vectors[:, ::-1]


class KernelRidge(Member):
    r"""Kernel ridge regression of the class indicators, learned from the source alone.

    The kernel is :math:`\exp(-\|x - x'\|^2 / m)` with the median :math:`m` of the
    squared distances, and the rows of the source are weighted. With it come the
    predictions of every row of the source by all the others, in closed form: they
    choose the penalty, by their squared error, and the temperature of a softmax, by
    their likelihood. Beyond ``n_landmarks`` rows the kernel is that of Nystroem.

    Parameters
    ----------
    n_landmarks : int, default=1000
        Number of rows of the source, at most, whose similarities are features.
    """

    left_out: ClassVar[bool] = True

    def __init__(self, n_landmarks: int = 1000) -> None:
        self.n_landmarks = n_landmarks

    def fit(self, domains: Domains) -> Self:
        roots = np.sqrt(np.maximum(domains.weights, FLOOR))[:, None]
        features, to_coefficients = self._features(domains.source, roots)
        self.mean_ = np.average(domains.memberships, axis=0, weights=domains.weights)
        coefficients, left_out = _ridge(
            features, roots * (domains.memberships - self.mean_)
        )
        self.coefficients_ = to_coefficients @ coefficients
        scores = left_out / roots + self.mean_
        self.temperature_ = min(
            TEMPERATURES, key=lambda t: _log_loss(scores / t, domains)
        )
        self.source_probabilities_ = softmax(scores / self.temperature_, axis=1)
        self.source_accuracy_ = domains.accuracy(scores.argmax(axis=1))
        self.probabilities_ = self.predict_proba(domains.target)
        return self

    def predict_proba(self, X: Array) -> Array:
        scores = self._kernel(X) @ self.coefficients_ + self.mean_
        return softmax(scores / self.temperature_, axis=1)

    def _kernel(self, X: Array) -> Array:
        return np.exp(-cdist(X, self.landmarks_, "sqeuclidean") / self.scale_)

    def _features(self, X: Array, roots: Array) -> tuple[Array, Array]:
        """Make features whose products are the kernel, rows times their roots.

        They are uncorrelated; what comes with them turns their coefficients into those
        of the landmarks.
        """
        drawn = spread_out(len(X), self.n_landmarks)
        self.landmarks_ = X[drawn]
        distances = cdist(self.landmarks_, self.landmarks_, "sqeuclidean")
        positive = distances[distances > 0]
        self.scale_ = float(np.median(positive)) if len(positive) else 1.0
        kernel = np.exp(-distances / self.scale_)
        if len(drawn) == len(X):
            values, vectors = _positive_eigen(roots * kernel * roots.T)
            return vectors * np.sqrt(values), roots * vectors / np.sqrt(values)
        values, vectors = _positive_eigen(kernel)
        whiten = vectors / np.sqrt(values)
        rows = roots * (self._kernel(X) @ whiten)
        turn = np.linalg.eigh(rows.T @ rows)[1]
        return rows @ turn, whiten @ turn


def _positive_eigen(matrix: Array) -> tuple[Array, Array]:
    """Decompose a positive matrix, without what is rounding alone."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return values[kept], vectors[:, kept]


def _ridge(features: Array, Y: Array) -> tuple[Array, Array]:
    """Regress on uncorrelated features by the penalty whose left-out error is least.

    A row's prediction by the others is :math:`(f_i - h_i y_i) / (1 - h_i)`, where
    :math:`f_i` is its fit and :math:`h_i` its leverage.
    """
    squares = (features**2).sum(axis=0)
    products = features.T @ Y
    best, least = (products, Y), np.inf
    for penalty in PENALTIES:
        coefficients = products / (squares + penalty)[:, None]
        leverage = (features**2 @ (1 / (squares + penalty)))[:, None]
        fit = features @ coefficients
        left_out = (fit - leverage * Y) / np.maximum(1 - leverage, FLOOR)
        error = ((left_out - Y) ** 2).mean()
        if error < least:
            best, least = (coefficients, left_out), error
    return best


def _log_loss(scores: Array, domains: Domains) -> float:
    """Average the surprise of the source's classes."""
    chosen = softmax(scores, axis=1)[np.arange(len(scores)), domains.codes]
    surprise = -np.log(np.maximum(chosen, FLOOR))
    return float(np.average(surprise, weights=domains.weights))


class Neighbor(Member):
    """The class of the nearest row of the source."""

    left_out: ClassVar[bool] = True

    def fit(self, domains: Domains) -> Self:
        self.index_ = fit_neighbors(domains.source, 1)
        self.memberships_ = domains.memberships
        if len(domains.source) > 1:
            nearest = self.index_.kneighbors(return_distance=False)[:, 0]
            self.source_accuracy_ = domains.accuracy(domains.codes[nearest])
        else:
            self.source_accuracy_ = 1.0
        self.probabilities_ = self.predict_proba(domains.target)
        return self

    def predict_proba(self, X: Array) -> Array:
        nearest = self.index_.kneighbors(X, return_distance=False)[:, 0]
        return take_rows(nearest, self.memberships_)


class Propagation(Member):
    r"""Labels spread over a graph, as ``CenteredLabelPropagation`` does.

    Each domain loses its mean, the source its weighted one; labels spread over the ten
    nearest neighbors under the cosine, with a weight of .95, from classes that have
    equal amounts of them. A new row takes those of its neighbors in the graph.
    """

    left_out: ClassVar[bool] = True
    n_neighbors = 10
    alpha = 0.95

    def fit(self, domains: Domains) -> Self:
        n_source, n_classes = len(domains.source), domains.n_classes
        source_mean = np.average(domains.source, axis=0, weights=domains.weights)
        self.mean_ = domains.target.mean(axis=0)
        X = np.concatenate([domains.source - source_mean, domains.target - self.mean_])
        self.index_, graph = index_and_graph(X, self.n_neighbors)
        graph = symmetric_normalization(graph)
        given = np.zeros((len(X), n_classes))
        given[:n_source] = domains.memberships / domains.memberships.sum(axis=0)
        self.prior_ = np.full(n_classes, 1 / n_classes)
        votes = vote_shares(spread(graph, given, self.alpha), self.prior_)
        self.probabilities_ = votes[n_source:]
        votes[:n_source] = domains.memberships
        self.distributions_ = votes
        first = cosine_graph(X[:n_source], 1)
        nearest = vote_shares(first @ domains.memberships, self.prior_)
        self.source_accuracy_ = domains.accuracy(nearest.argmax(axis=1))
        return self

    def predict_proba(self, X: Array) -> Array:
        weights = neighbor_similarities(self.index_, X - self.mean_, np.float64)
        return vote_shares(weights @ self.distributions_, self.prior_)
