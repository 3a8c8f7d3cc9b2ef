"""Labels of the source that spread over a graph of both domains."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import BaseScaledClassifier, DomainName, Rows, estimator
from skda.preprocessing import neighbor_similarities, symmetric_normalization
from skda.preprocessing._cosine_graph import index_and_graph
from skda.utils._sklearn import Interval
from skda.utils.propagation import spread, vote_shares
from skda.utils.ranges import Count, Power, Transformer

__all__ = ["CenteredLabelPropagation"]

Array = NDArray[np.float64]

#: Length of a centered row, relative to the mean, up to which it is a rounding error.
ROUNDING = 1e-12


@estimator
class CenteredLabelPropagation(BaseScaledClassifier):
    r"""Labels spread from the source over a graph of both domains, each centered.

    Features are put on one scale, see ``representation``, rows are scaled to unit
    length, and the mean of its domain is taken from each, so that a shift of the whole
    domain keeps no row from its like in the other. Then the rows of both domains are
    tied to their nearest neighbors by the weights :math:`W` of
    :func:`skda.preprocessing.cosine_graph`, of degrees :math:`D`, and their labels
    spread with local and global consistency [1]_:

    .. math::

        F = (I - \alpha S)^{-1} Y, \qquad S = D^{-1/2} W D^{-1/2}, \qquad
        Y_{ik} = \begin{cases}
            1 / n_k & \text{if row } i \text{ is labeled } k, \\ 0 & \text{else,}
        \end{cases}

    where :math:`n_k` rows of both domains are labeled :math:`k`, so that every class
    has as much to spread as any other. An unlabeled row belongs to the classes as its
    row of :math:`F`, divided by its sum, has it. Unlabeled rows of the source are nodes
    of the graph, too.

    It has no seed. Where classes are threads rather than clusters, it follows
    them as centroids cannot.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead.

    Parameters
    ----------
    n_neighbors
        Number of neighbors of every row, at most all the others.
    alpha
        Weight :math:`\alpha` of the neighbors against the labels, between 0 and 1.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).
    center
        Whether to center every domain. A target that lacks classes has another mean
        for that alone: leave them out before, by :class:`skda.partial.PruneClasses`.
    power : float, "auto" or None
        Power of the features, see :class:`skda.preprocessing.RowScaler`, which comes
        before anything of ``representation`` and after any ``shared_transformer``.
        "auto" is 0.5 for what ``representation="auto"`` takes for counts, and else 1.
        None leaves the rows as they are before they are centered.

    Attributes
    ----------
    label_distributions_ : ndarray of shape (n_source + n_target, n_classes)
        What every row seen in ``fit`` became, the source first. Given labels stay.
    source_mean_, target_mean_ : ndarray of shape (n_features,)
        What was taken from the scaled rows; zero without ``center``.
    neighbors_ : NearestNeighbors or its like
        Index of the rows of both domains seen in ``fit``, all of which it keeps.

    See Also
    --------
    skda.partial.PruneClasses : Leaves out, before, the classes that the target lacks.
    TargetCentroids : For classes that are clusters, and faster.
    skda.baselines.BalancedLabelPropagation : Starts from labeled target rows.

    Notes
    -----
    A new row takes the mean of the distributions of its nearest neighbors in ``fit``,
    in whichever domain, weighted by their cosines. A row that is like no other, such as
    one at the mean of its domain, takes equal shares.

    Without a source, the labels of the target spread over its own rows.

    References
    ----------
    .. [1] D. Zhou et al., "Learning with local and global consistency", NeurIPS 2003.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import CenteredLabelPropagation
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = CenteredLabelPropagation()
    >>> clf.fit(X[:100] + 1.0, source=(X[100:], y[100:])).score(X[:100] + 1.0, y[:100])
    1.0
    """

    n_neighbors: Count = 10
    alpha: Annotated[float, Interval(Real, 0, 1, closed="neither")] = 0.95
    neighbors: Transformer = None
    center: bool = True
    power: Power | None = "auto"  # type: ignore[assignment]

    published_params: ClassVar[dict[str, Any]] = {
        "representation": "unit",
        "power": 1.0,
    }
    uses_unlabeled_source: ClassVar[bool] = True
    # Labels that agree with their neighbors lead back better than they are, and nothing
    # holds their shares.
    max_loss: ClassVar[float] = 0.03
    holds_shares: ClassVar[bool] = False

    def make_shared_preprocessor(self, domains: list[Any]) -> Any:
        return None if self.power is None else super().make_shared_preprocessor(domains)

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.power is None else super().make_preprocessor(domain)

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self.source_mean_, self.target_mean_ = self._mean(source), self._mean(target)
        X = np.concatenate(
            [self._center(source.X, "source"), self._center(target.X, "target")]
        )
        self.neighbors_, graph = index_and_graph(X, self.n_neighbors, self.neighbors)
        given = np.concatenate(
            [rows.labels.memberships(self.classes_) for rows in (source, target)]
        ).astype(np.float64)
        graph = symmetric_normalization(graph)
        votes = spread(graph, given / given.sum(axis=0), self.alpha)
        known = given.any(axis=1, keepdims=True)
        self.label_distributions_ = np.where(known, given, self._normalize_votes(votes))

    def _mean(self, rows: Rows) -> Array:
        if self.center and len(rows.X):
            return rows.X.mean(axis=0)
        return np.zeros(rows.X.shape[1])

    def _center(self, X: NDArray[Any], domain: DomainName) -> Array:
        mean = self.source_mean_ if domain == "source" else self.target_mean_
        rows = X - mean
        length = np.linalg.norm(rows, axis=1)
        # A row at the mean has no direction, but what rounding leaves of it has one.
        rows[length <= ROUNDING * np.linalg.norm(mean)] = 0
        return rows

    def _normalize_votes(self, votes: NDArray[Any]) -> Array:
        n_classes = len(self.classes_)
        return vote_shares(votes, np.full(n_classes, 1 / n_classes))

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        rows = self._center(X, domain)
        weights = neighbor_similarities(self.neighbors_, rows, rows.dtype)
        return self._normalize_votes(weights @ self.label_distributions_)

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        return self.label_distributions_[-len(target.X) :]
