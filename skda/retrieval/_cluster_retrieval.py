"""Retrieval by the clusters that paired views form together."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Annotated, Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state

from skda.base import BaseRetriever, estimator
from skda.retrieval._ridge_cca import RidgeCCA
from skda.utils._sklearn import Interval
from skda.utils.ranges import NonNegative, Positive, RandomState, Share, WholeNumber
from skda.utils.views import ViewRows

__all__ = ["ClusterRetrieval"]

NUMBERS_OF_CLUSTERS = (2, 3, 4, 5, 6, 8, 10)


@estimator
class ClusterRetrieval(BaseRetriever):
    r"""Retrieve by the probability that two rows belong to one cluster.

    A pair shows both of its views in training, a query only one. So the pairs are
    clustered by both views together, and a classifier of each view learns to tell the
    clusters from that view alone. With the posteriors :math:`p_K(x)` and
    :math:`q_K(y)` over :math:`K` clusters and the embeddings :math:`a(x), b(y)` of
    :class:`RidgeCCA`,

    .. math::

        s(x, y) = \frac{\sum_K K\, p_K(x)^\top q_K(y)}{\sum_K K}
                  + \eta \cos\big(a(x), b(y)\big).

    The embeddings are such that their plain cosine is :math:`s / (1 + \eta)`, so that
    any index of vectors serves. No label is needed. A source of other categories helps
    the whitening of the canonical correlations, in which clusters are sought.

    Parameters
    ----------
    n_clusters
        Number of clusters :math:`K`, the number of new categories if that is known, or
        several of them to average over. None averages over 2, 3, 4, 5, 6, 8 and 10, as
        far as there are two pairs for each cluster.
    cca_share
        Weight :math:`\eta` of the canonical cosine.
    C
        Inverse strength of the penalty of the logistic regressions.
    regularization, source_weight
        See :class:`RidgeCCA`.
    n_relays
        See :class:`RidgeCCA`; concerns the canonical cosine.
    random_state : int, RandomState instance or None
        Seed of k-means.
    scaling : {"feature", "view"} or None
        Whether to standardize, by the pairs in ``X``, every feature, the view as a
        whole, or neither.

    Attributes
    ----------
    cca_ : RidgeCCA
        The canonical correlations.
    n_clusters_ : tuple of int
        The numbers of clusters.
    clusters_ : dict of int to ndarray of shape (n_samples,)
        Cluster of every pair, by the number of clusters.
    classifiers_ : dict of int to dict of str to LogisticRegression
        Classifiers of each view, by the number of clusters.

    See Also
    --------
    RidgeCCA : The same without clusters.

    Notes
    -----
    This method is the library's own. It is at its best where the new categories are
    few and form clusters; the average over several numbers of clusters and the
    canonical share keep it useful where they do not. Labels in ``y`` are not used.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import ClusterRetrieval
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2], 20)
    >>> latent = rng.normal(size=(3, 4))[y] + 0.3 * rng.normal(size=(60, 4))
    >>> pairs = {
    ...     "image": latent @ rng.normal(size=(4, 8)),
    ...     "text": latent @ rng.normal(size=(4, 5)),
    ... }
    >>> retriever = ClusterRetrieval(random_state=0).fit(pairs)
    >>> round(retriever.score(pairs, y), 2)
    1.0
    """

    n_clusters: (
        Annotated[
            int | Sequence[int],
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ]
        | None
    ) = None
    cca_share: NonNegative = 0.3
    C: Positive = 0.03
    regularization: Share = 0.5
    source_weight: Share = 0.5
    n_relays: WholeNumber = 0
    random_state: RandomState = None

    _scales_by_target = True
    _needs_two_views = True

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        self.n_clusters_ = self._check_n_clusters(target.n_rows)
        self.cca_ = RidgeCCA(
            regularization=self.regularization,
            source_weight=self.source_weight,
            n_relays=self.n_relays,
        )
        self.cca_.fit_views(source, target)
        self._spread = {}
        embedded = {}
        for name, rows in target.views.items():
            directions = self.cca_._project(rows, name)
            self._spread[name] = directions.std() or 1.0
            embedded[name] = directions / self._spread[name]
        # The square root of the correlations, halfway to plain whitening.
        flat = np.maximum(self.cca_.correlations_, np.finfo(float).tiny) ** -0.5
        joint = np.hstack([normalize(rows * flat) for rows in embedded.values()])
        random_state = check_random_state(self.random_state)
        n_init = 8 if len(self.n_clusters_) == 1 else 3
        self.clusters_, self.classifiers_ = {}, {}
        for k in self.n_clusters_:
            k_means = KMeans(k, n_init=n_init, random_state=random_state)
            with catch_warnings():  # of duplicate pairs, which make fewer clusters
                simplefilter("ignore", ConvergenceWarning)
                clusters = k_means.fit_predict(joint)
            self.clusters_[k] = clusters
            self.classifiers_[k] = {
                name: self.make_classifier(clusters).fit(rows, clusters)
                for name, rows in embedded.items()
            }

    def make_classifier(self, clusters: NDArray[Any]) -> Any:
        if len(np.unique(clusters)) == 1:
            return DummyClassifier()
        return LogisticRegression(C=self.C, max_iter=1000)

    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        # The scalar product of these vectors, all of one length, is the similarity.
        place = list(self.view_widths_).index(view)
        rows = self.cca_._project(X, view) / self._spread[view]
        share = np.array(self.n_clusters_) / sum(self.n_clusters_)
        blocks = []
        for weight, classifiers in zip(share, self.classifiers_.values(), strict=True):
            p = classifiers[view].predict_proba(rows)  # (n, K)
            # Bring p to unit length in a coordinate where the other view has zero.
            slack = np.zeros((len(p), len(self.view_widths_)))
            slack[:, place] = np.sqrt((1 - (p**2).sum(axis=1)).clip(0))
            blocks.append(np.sqrt(weight) * np.hstack([p, slack]))
        canonical = normalize(self.cca_.embed_rows(X, view))
        return np.hstack([*blocks, np.sqrt(self.cca_share) * canonical])

    def _check_n_clusters(self, n_pairs: int) -> tuple[int, ...]:
        """Resolve the numbers of clusters."""
        if self.n_clusters is None:
            few = NUMBERS_OF_CLUSTERS[0]
            return tuple(k for k in NUMBERS_OF_CLUSTERS if k == few or 2 * k <= n_pairs)
        numbers = tuple(np.unique(np.atleast_1d(self.n_clusters)).tolist())
        if not numbers or numbers[0] < 1 or numbers[-1] > n_pairs:
            raise ValueError(
                f"Expected numbers of clusters from 1 to {n_pairs}, the number of "
                f"pairs, got n_clusters={self.n_clusters!r}."
            )
        return numbers
