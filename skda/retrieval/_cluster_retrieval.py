"""Retrieval by the clusters that paired views form together."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Annotated, Any, ClassVar, Literal
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state

from skda.base import BaseRetriever, estimator
from skda.retrieval._ridge_cca import RidgeCCA
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.many_rows import spread_out
from skda.utils.operations import normalize, spread_columns
from skda.utils.ranges import NonNegative, Positive, RandomState, Share, WholeNumber
from skda.utils.views import ViewRows

__all__ = ["ClusterRetrieval"]

NUMBERS_OF_CLUSTERS = (2, 3, 4, 5, 6, 8, 10)
#: The ladder of "auto", its least number of pairs for each cluster, and its end.
LADDER = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
FEWEST_PAIRS = 8


@estimator
class ClusterRetrieval(BaseRetriever):
    r"""Retrieve by the probability that two rows belong to one cluster.

    A pair shows both of its views in training, a query only one. So the pairs are
    clustered by both views together, and a classifier of each view learns to tell the
    clusters from that view alone. With the posteriors :math:`p_{RK}(x)` and
    :math:`q_{RK}(y)` over :math:`K` clusters and the embeddings :math:`a_R(x), b_R(y)`
    of :class:`RidgeCCA`, both in a representation :math:`R` of the views,

    .. math::

        s(x, y) = \frac{1}{|\mathcal R|} \sum_{R \in \mathcal R} \left(
                  \frac{\sum_K K\, p_{RK}(x)^\top q_{RK}(y)}{\sum_K K}
                  + \eta \cos\big(a_R(x), b_R(y)\big) \right).

    The representations are the scaled rows as they are and their signed square roots
    of unit length,

    .. math::

        x \mapsto \frac{u}{\|u\|}, \qquad u_j = \operatorname{sign}(x_j) \sqrt{|x_j|}.

    The embeddings are such that their plain cosine is :math:`s / (1 + \eta)`, so that
    any index of vectors serves. No label is needed. A source of other categories helps
    the whitening of the canonical correlations, in which clusters are sought.

    Parameters
    ----------
    n_clusters : int, sequence of int, "auto" or None
        Number of clusters :math:`K`, the number of new categories if that is known, or
        several of them to average over. "auto" averages over 2, 3, 4, 6, 8, 12, 16, 24
        and so on, as far as there are eight pairs for each cluster, and at most 128.
        None averages over 2, 3, 4, 5, 6, 8 and 10, as far as there are two pairs for
        each cluster.
    cca_share
        Weight :math:`\eta` of the canonical cosine.
    C
        Inverse strength of the penalty of the logistic regressions.
    regularization, source_weight
        See :class:`RidgeCCA`.
    n_relays
        See :class:`RidgeCCA`; concerns the canonical cosine. 0 keeps no training pairs.
    representation : {"scaled", "root", "both"}
        The representations: the scaled rows as they are, their signed square roots of
        unit length, or the average over both.
    random_state : int, RandomState instance or None
        Seed of k-means.
    scaling : {"feature", "view"} or None
        Whether to standardize, by the pairs in ``X``, every feature, the view as a
        whole, or neither.

    Attributes
    ----------
    cca_ : dict of str to RidgeCCA
        The canonical correlations, by the representation.
    n_clusters_ : tuple of int
        The numbers of clusters.
    clusters_ : dict of str to dict of int to ndarray of shape (n_samples,)
        Cluster of every pair, by the representation and the number of clusters.
    classifiers_ : dict of str to dict of int to dict of str to LogisticRegression
        Classifiers of each view, by the representation and the number of clusters.

    See Also
    --------
    RidgeCCA : The same without clusters.

    Notes
    -----
    This method is the library's own; ``published()`` is its first form. The average
    over numbers of clusters that grow with the pairs serves few categories and many,
    the one over representations views of any kind, such as sparse counts. What it gains
    it gains from pairs of the new categories: fitted to pairs of known categories
    alone, it is no better than :class:`RidgeCCA`, and with few pairs it can be a little
    worse. Of more than 10,000 pairs, clusters and their classifiers are learned from as
    many, drawn evenly, and the canonical correlations from all. Labels in ``y`` are not
    used.

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
            int | Sequence[int] | str,
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            "array-like",
        ]
        | None
    ) = "auto"
    cca_share: NonNegative = 0.6
    C: Positive = 0.03
    regularization: Share = 0.5
    source_weight: Share = 0.5
    n_relays: WholeNumber = 10
    representation: Literal["scaled", "root", "both"] = "both"
    random_state: RandomState = None

    published_params: ClassVar[dict[str, Any]] = {
        "n_clusters": None,
        "cca_share": 0.3,
        "n_relays": 0,
        "representation": "scaled",
    }
    _scales_by_target = True
    _needs_two_views = True

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        self.n_clusters_ = self._check_n_clusters(target.n_rows)
        random_state = check_random_state(self.random_state)
        names = [self.representation]
        if self.representation == "both":
            names = ["scaled", "root"]
        self.cca_: dict[str, RidgeCCA] = {}
        self._spread: dict[str, dict[str, float]] = {}
        self.clusters_: dict[str, dict[int, NDArray[Any]]] = {}
        self.classifiers_: dict[str, dict[int, dict[str, Any]]] = {}
        for name in names:
            known, new = (represent_views(rows, name) for rows in (source, target))
            self._fit_representation(name, known, new, random_state)

    def _fit_representation(
        self,
        representation: str,
        source: ViewRows,
        target: ViewRows,
        random_state: np.random.RandomState,
    ) -> None:
        """Correlate and cluster the pairs in one representation."""
        cca = RidgeCCA(
            regularization=self.regularization,
            source_weight=self.source_weight,
            n_relays=self.n_relays,
        )
        cca.fit_views(source, target)
        spread, embedded = {}, {}
        for name, rows in target.views.items():
            directions = cca._project(rows, name)
            spread[name] = directions.std() or 1.0
            embedded[name] = directions / spread[name]
        # The square root of the correlations, halfway to plain whitening.
        flat = np.maximum(cca.correlations_, np.finfo(float).tiny) ** -0.5
        joint = np.hstack([normalize(rows * flat) for rows in embedded.values()])
        learned = spread_out(len(joint))
        found: dict[int, NDArray[Any]] = {}
        for k in self.n_clusters_:
            n_init = 1 if self._is_coarse(k) else 3
            if len(self.n_clusters_) == 1:
                n_init = 8
            k_means = KMeans(k, n_init=n_init, random_state=random_state)
            with catch_warnings():  # of duplicate pairs, which make fewer clusters
                simplefilter("ignore", ConvergenceWarning)
                found[k] = _assign(k_means, joint, learned)
        self.cca_[representation] = cca
        self._spread[representation] = spread
        self.clusters_[representation] = found
        self.classifiers_[representation] = {
            k: {
                name: self.make_classifier(clusters[learned]).fit(
                    rows[learned], clusters[learned]
                )
                for name, rows in embedded.items()
            }
            for k, clusters in found.items()
        }

    def make_classifier(self, clusters: NDArray[Any]) -> Any:
        if len(np.unique(clusters)) == 1:
            return DummyClassifier()
        tol = 1e-2 if self._is_coarse(clusters.max() + 1) else 1e-4
        return LogisticRegression(C=self.C, max_iter=1000, tol=tol)

    def _is_coarse(self, n_clusters: int) -> bool:
        """Tell whether many clusters, which are only averaged over, may be rough."""
        return len(self.n_clusters_) > 1 and n_clusters > NUMBERS_OF_CLUSTERS[-1]

    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        # The scalar product of these vectors, all of one length, is the similarity.
        parts = [self._embed_representation(X, view, name) for name in self.cca_]
        return np.hstack(parts) / np.sqrt(len(parts))

    def _embed_representation(
        self, X: NDArray[Any], view: str, representation: str
    ) -> NDArray[np.floating]:
        """Put the posteriors and the canonical directions side by side."""
        place = np.array([list(self.view_widths_).index(view)])
        cca = self.cca_[representation]
        X = represent(X, representation)
        rows = cca._project(X, view) / self._spread[representation][view]
        share = np.array(self.n_clusters_) / sum(self.n_clusters_)
        fitted = self.classifiers_[representation].values()
        blocks = []
        for weight, classifiers in zip(share, fitted, strict=True):
            p = classifiers[view].predict_proba(rows)  # (n, K)
            # Bring p to unit length in a coordinate where the other view has zero.
            missing = np.sqrt((1 - (p**2).sum(axis=1)).clip(0))[:, None]
            slack = spread_columns(missing, place, len(self.view_widths_))
            blocks.append(np.sqrt(weight) * np.hstack([p, slack]))
        canonical = normalize(cca.embed_rows(X, view))
        return np.hstack([*blocks, np.sqrt(self.cca_share) * canonical])

    def _check_n_clusters(self, n_pairs: int) -> tuple[int, ...]:
        """Resolve the numbers of clusters."""
        if self.n_clusters is None:
            return _as_pairs_allow(NUMBERS_OF_CLUSTERS, 2, n_pairs)
        if isinstance(self.n_clusters, str):
            return _as_pairs_allow(LADDER, FEWEST_PAIRS, n_pairs)
        numbers = tuple(np.unique(np.atleast_1d(self.n_clusters)).tolist())
        if not numbers or numbers[0] < 1 or numbers[-1] > n_pairs:
            raise ValueError(
                f"Expected numbers of clusters from 1 to {n_pairs}, the number of "
                f"pairs, got n_clusters={self.n_clusters!r}."
            )
        return numbers


def _assign(
    k_means: KMeans, rows: NDArray[Any], learned: NDArray[np.intp]
) -> NDArray[Any]:
    """Find the clusters of some rows, and assign all to them."""
    clusters: NDArray[Any] = k_means.fit_predict(rows[learned])
    return clusters if len(learned) == len(rows) else k_means.predict(rows)


def _as_pairs_allow(
    numbers: tuple[int, ...], n_each: int, n_pairs: int
) -> tuple[int, ...]:
    """Take the least number, and those with so many pairs for each cluster."""
    return numbers[:1] + tuple(k for k in numbers[1:] if n_each * k <= n_pairs)


def represent(X: NDArray[Any], representation: str) -> NDArray[Any]:
    """Take rows as they are, or their signed square roots of unit length."""
    if representation == "scaled":
        return X
    return normalize(np.sign(X) * np.sqrt(np.abs(X)))


def represent_views(pairs: ViewRows, representation: str) -> ViewRows:
    """Represent the rows of all views."""
    views = {
        name: represent(X, representation) if len(X) else X
        for name, X in pairs.views.items()
    }
    return pairs._replace(views=views)
