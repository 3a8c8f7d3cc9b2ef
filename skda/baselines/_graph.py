"""Base class of the controls that spread labels over a graph of the target rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from skda.base import DomainName, Rows, estimator
from skda.baselines._control import MIN_SHARE, RenamedShareControl
from skda.preprocessing import neighbor_similarities, symmetric_normalization
from skda.preprocessing._cosine_graph import index_and_graph
from skda.utils.many_rows import map_in_threads
from skda.utils.operations import normalize, softmax
from skda.utils.propagation import spread, vote_shares
from skda.utils.ranges import Count, ProperFraction, Transformer
from skda.utils.sinkhorn import balancing_bias

__all__ = ["GraphControl"]


@estimator
class GraphControl(RenamedShareControl):
    r"""Spread labels over the graph of the target rows, and keep what they became.

    A subclass overrides :meth:`_propagate`, in terms of :meth:`_spread_labels`.

    Parameters
    ----------
    n_neighbors
        Number of neighbors of every row.
    alpha
        Weight :math:`\alpha` of the neighbors against the labels, between 0 and 1.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).

    Attributes
    ----------
    label_distributions_ : ndarray of shape (n_target, n_classes)
        Class probabilities of every target sample seen in ``fit``.
    neighbors_ : list of NearestNeighbors or its like
        Indices of the target samples seen in ``fit``, all of which they keep, one per
        representation of the rows.
    """

    n_neighbors: Count = 10
    alpha: ProperFraction = 0.8
    neighbors: Transformer = None

    @abstractmethod
    def _propagate(
        self, graph: csr_matrix, labels: NDArray[Any], hidden: NDArray[np.intp]
    ) -> NDArray[Any]:
        """Give every hidden row a distribution of classes, by way of the graph."""

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self._determine_shares(target)
        found = map_in_threads(
            lambda X: index_and_graph(X, self.n_neighbors, self.neighbors),
            self._fit_representations(target.X),
            len(target.X),
        )
        self.neighbors_ = [index for index, _ in found]
        graphs = [symmetric_normalization(graph) for _, graph in found]
        graph = (sum(graphs[1:], start=graphs[0]) / len(graphs)).tocsr()
        labels = target.labels.memberships(self.classes_).astype(np.float64)
        hidden = np.flatnonzero(~target.labels.known)
        self.label_distributions_ = self._propagate(graph, labels, hidden)

    def _spread_labels(
        self,
        graph: csr_matrix,
        labels: NDArray[Any],
        hidden: NDArray[np.intp],
        *,
        balance: bool = True,
    ) -> NDArray[Any]:
        """Spread the labels once, and bring the hidden rows to the class prior."""
        votes = spread(graph, labels, self.alpha)[hidden]
        shares = vote_shares(votes, self.class_prior_)
        if balance:
            logits = np.log(np.maximum(shares, MIN_SHARE))
            shares = softmax(logits + balancing_bias(logits, self.class_prior_), axis=1)
        distributions = labels.copy()
        distributions[hidden] = shares
        return distributions

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        weights = sum(
            normalize(neighbor_similarities(neighbors, rows, rows.dtype), norm="l1")
            for neighbors, rows in zip(self.neighbors_, self._represent(X), strict=True)
        )
        return vote_shares(weights @ self.label_distributions_, self.class_prior_)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_
