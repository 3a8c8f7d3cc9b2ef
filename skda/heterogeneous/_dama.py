"""Domain adaptation by manifold alignment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, eigh

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
)
from skda.utils.class_graph import class_matrices
from skda.utils.neighbors import fit_neighbors
from skda.utils.ranges import Count, NonNegative, Positive, Transformer
from skda.utils.row_space import RowSpace, row_space
from skda.utils.scaling import normalize_rows

__all__ = ["DAMA"]


@estimator
class DAMA(BaseCommonSpaceClassifier):
    r"""Domain adaptation by manifold alignment.

    Projects both domains, each by a matrix of its own, so that rows of one class come
    close, those of different classes stay apart, and neighbors within a domain stay
    neighbors [1]_. One eigenproblem, without rounds.

    **Projection.** Let :math:`Z` have the rows of the source and of the target on its
    diagonal, each with zeros for the features of the other, and :math:`P` the
    projection of the source above that of the target. Three graphs join the rows: that
    of labeled rows of one class, of either domain, with the Laplacian :math:`L_s`; that
    of labeled rows of different classes, with :math:`L_d`; and that of the nearest
    neighbors within each domain, with :math:`L`. The projections are the leading
    solutions of

    .. math::

        Z^\top L_d Z \, v = \gamma \,
        \bigl( Z^\top (\mu L + L_s) Z + \alpha I \bigr) v. \tag{1}

    Projected rows are centered on the mean of the labeled ones, and scaled to unit
    length. A linear support vector machine is trained on the labeled ones of both
    domains.

    Without a source, the support vector machine is fitted to the labeled target rows.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    mu
        Weight :math:`\mu` of the graph of the neighbors.
    alpha
        Ridge :math:`\alpha`.
    n_components
        Number of directions, at most; None is twice the number of classes.
    n_neighbors
        Number of neighbors of every row.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).

    Attributes
    ----------
    projections_ : dict of str to ndarray of shape (n_features, `n_components_out_`)
        :math:`P` of either domain, by its name; only there with a source.
    eigenvalues_ : ndarray of shape (`n_components_out_`,)
        :math:`\gamma`, the largest first; only there with a source.
    center_ : ndarray of shape (`n_components_out_`,)
        Mean of the projected labeled rows; only there with a source.

    See Also
    --------
    CDSPP : Labels its own rows, round by round.
    GJDA : Means that meet, instead of rows.

    Notes
    -----
    The graphs of the classes are never built: their Laplacians are those of the means
    of the classes. A domain of more features than rows is rotated into the space of its
    rows before, which changes nothing. The eigenproblem takes :math:`O(d^3)` operations
    for :math:`d` the sum of the smaller of the numbers of features and of rows of
    either domain.

    Neighbors are joined by a weight of one. Where it differs from the paper: the
    directions are those with the largest :math:`\gamma` of Equation 1, as in public
    code, which adds the ridge, instead of those with the smallest of its inverse; the
    classifier, which the paper leaves open, and the defaults are choices made here.

    References
    ----------
    .. [1] C. Wang and S. Mahadevan, "Heterogeneous Domain Adaptation Using Manifold
       Alignment", IJCAI 2011.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import DAMA
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = DAMA().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    >>> clf.transform(data.X).shape
    (300, 8)
    """

    mu: NonNegative = 1.0
    alpha: Positive = 10.0
    n_components: Count | None = None
    n_neighbors: Count = 10
    neighbors: Transformer = None

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        spaces = {"source": row_space(source.X), "target": row_space(target.X)}
        self._learn_projections(
            spaces,
            Coded(spaces["source"].rows, source.codes),
            Coded(spaces["target"].rows, target.codes),
        )
        known = target.labeled()
        projected = [
            source.X @ self.projections_["source"],
            known.X @ self.projections_["target"],
        ]
        self.center_ = np.concatenate(projected).mean(axis=0)
        Z = normalize_rows(np.concatenate(projected) - self.center_)
        self._fit_classifier(Z, np.concatenate([source.codes, known.codes]))

    def _learn_projections(
        self, spaces: dict[str, RowSpace], source: Coded, target: Coded
    ) -> None:
        """Solve Equation 1."""
        known = target.labeled()
        codes = np.concatenate([source.codes, known.codes])
        Z = block_diag(source.X, known.X)
        _, similar = class_matrices(Z, np.eye(len(self.classes_))[codes])
        _, all_pairs = class_matrices(Z, np.ones((len(Z), 1)))
        topology = block_diag(*(self._topology(rows.X) for rows in (source, target)))
        A = self.mu * topology + similar + self.alpha * np.eye(Z.shape[1])
        k = min(self.n_components or 2 * len(self.classes_), len(A))
        self.eigenvalues_, P = eigh(
            all_pairs - similar, A, subset_by_index=[len(A) - k, len(A) - 1]
        )
        self.eigenvalues_, P = self.eigenvalues_[::-1], P[:, ::-1]
        width = source.X.shape[1]
        self.projections_ = {
            "source": spaces["source"].restore(P[:width]),
            "target": spaces["target"].restore(P[width:]),
        }

    def _topology(self, X: Array) -> Array:
        """Evaluate the product with the Laplacian of the graph of the neighbors."""
        n_neighbors = min(self.n_neighbors, len(X) - 1)
        if not n_neighbors:
            return np.zeros((X.shape[1], X.shape[1]))
        index = fit_neighbors(X, n_neighbors, transformer=self.neighbors)
        graph = index.kneighbors_graph()
        graph = graph.maximum(graph.T)
        degrees = np.asarray(graph.sum(axis=1))
        return X.T @ (degrees * X - graph @ X)

    def _features(self, X: NDArray[Any], domain: DomainName) -> Array:
        return normalize_rows(X @ self.projections_[domain] - self.center_)
