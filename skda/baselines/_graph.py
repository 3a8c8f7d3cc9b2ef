"""What the controls share that spread labels over a graph of the target rows."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.neighbors import NearestNeighbors

from skda.base import DomainName, Rows
from skda.baselines._control import TargetControl, class_prior
from skda.preprocessing import (
    cosine_graph,
    neighbor_similarities,
    symmetric_normalization,
)
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.propagation import spread, vote_shares
from skda.utils.sinkhorn import balancing_bias

__all__ = ["GraphControl"]

#: Least share that a row may have of a class, so that balance is always possible.
FLOOR = 1e-12


class GraphControl(TargetControl):
    """Spread labels over the graph of the target rows, and keep what they became."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TargetControl._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "prior": [StrOptions({"labeled"}), "array-like", None],
    }
    n_neighbors: int
    alpha: float
    balance: bool = True
    prior: Any

    def _start(self, target: Rows) -> csr_matrix:
        """Build the graph, and the index by which new rows find their neighbors."""
        self.prior_ = class_prior(self.prior, target.labels, self.classes_)
        self.neighbors_ = NearestNeighbors(
            n_neighbors=min(self.n_neighbors, len(target.X)), metric="cosine"
        ).fit(target.X)
        return symmetric_normalization(cosine_graph(target.X, self.n_neighbors))

    def _distributions(
        self, graph: csr_matrix, labels: NDArray[Any], hidden: NDArray[np.intp]
    ) -> NDArray[Any]:
        """Spread the labels, and give every hidden row a distribution of classes."""
        votes = spread(graph, labels, self.alpha)[hidden]
        shares = vote_shares(votes, self.prior_)
        if self.balance:
            logits = np.log(np.maximum(shares, FLOOR))
            shares = softmax(logits + balancing_bias(logits, self.prior_), axis=1)
        distributions = labels.copy()
        distributions[hidden] = shares
        return distributions

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        weights = neighbor_similarities(self.neighbors_, X, X.dtype)
        return vote_shares(weights @ self.label_distributions_, self.prior_)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_
