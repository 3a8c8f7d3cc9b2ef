"""Cross-domain structure preserving projection."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, svd

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
    Codes,
)
from skda.utils.class_graph import class_matrices
from skda.utils.k_means import k_means
from skda.utils.labels import UNLABELED
from skda.utils.operations import cdist, normalize, softmax
from skda.utils.promotion import select_most_certain
from skda.utils.ranges import Count, NonNegative, Positive
from skda.utils.row_space import RowSpace, row_space
from skda.utils.scaling import normalize_rows

__all__ = ["CDSPP"]

#: Eigenvalues below this share of the largest one are rounding.
MIN_EIGENVALUE = 1e-9


@estimator
class CDSPP(BaseCommonSpaceClassifier):
    r"""Cross-domain structure preserving projection.

    Projects both domains, each by a matrix of its own, so that rows of one class meet
    whichever domain they are of [1]_. It is a closed form in a few rounds, in which the
    target labels its own rows.

    **Projection.** Let :math:`X_s` be the source and :math:`X_t` the rows of the target
    that have a label or a pseudo-label by now. :math:`W_{ij} = 1` where source row
    :math:`i` and target row :math:`j` are of one class, else 0; :math:`D_s` and
    :math:`D_t` are the sums of its rows and columns. :math:`L_s` and :math:`L_t` are
    the Laplacians of the same graph within each domain. The projections
    :math:`P_s, P_t` maximize the agreement across the domains over the scatter within
    the classes,

    .. math::

        \max_{P} \operatorname{tr} \bigl( (P^\top A P)^{-1} P^\top B P \bigr), \quad
        A = \begin{pmatrix} X_s^\top (L_s + \lambda D_s) X_s & 0 \\
            0 & X_t^\top (L_t + \lambda D_t) X_t \end{pmatrix} + \alpha I, \quad
        B = \begin{pmatrix} 0 & X_s^\top W X_t \\ X_t^\top W^\top X_s & 0
            \end{pmatrix}, \tag{1}

    with :math:`P^\top = (P_s^\top, P_t^\top)`: the leading solutions of
    :math:`B v = \mu A v`. Projected rows are centered on the mean of those that
    Equation 1 has seen, and scaled to unit length.

    **Two classifiers.** There are the means :math:`m_k` of the classes, over these rows
    of both domains, and the centers :math:`\tilde{m}_k` of the clusters that
    :math:`k`-means, started from them, finds in the target, all of unit length. A row
    :math:`z` is of class :math:`k` as far as the larger of

    .. math::
        \operatorname{softmax}_k(-\|z - m_k\|) \quad\text{and}\quad
        \operatorname{softmax}_k(-\|z - \tilde{m}_k\|). \tag{2}

    **Selection.** After round :math:`r` of :math:`R`, of all unlabeled target rows that
    this finds in a class, the share :math:`r / R` with the largest values has its
    pseudo-label in the next round.

    **Without a source**, the target takes its place: :math:`X_s = X_t`, so that
    :math:`W` and both Laplacians are those of the target's labels, and Equation 1 is
    :math:`X_t^\top W X_t v = \mu A_t v`. That is the control to beat.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    alpha
        Ridge :math:`\alpha`.
    lambda0
        Weight :math:`\lambda` of the degrees across the domains.
    n_components
        Number of directions, at most; None is the number of classes, and more there are
        not.
    n_rounds
        Number :math:`R` of rounds.
    clusters
        Whether there are :math:`\tilde{m}_k`. The public code has a version with them
        and one without; the script of its tables runs the latter.

    Attributes
    ----------
    projections_ : dict of str to ndarray of shape (n_features, `n_components_out_`)
        :math:`P_s` and :math:`P_t`, by the name of the domain, for the scaled features.
    eigenvalues_ : ndarray of shape (`n_components_out_`,)
        :math:`\mu`, the largest first.
    center_ : ndarray of shape (`n_components_out_`,)
        Mean of the projected rows.
    class_centers_ : ndarray of shape (n_classes, `n_components_out_`)
        :math:`m_k`; only there if ``estimator`` is None.
    cluster_centers_ : ndarray of shape (n_classes, `n_components_out_`) or None
        :math:`\tilde{m}_k`.

    See Also
    --------
    DAMA : A graph of all rows instead of that across the domains, and one round.
    GeoST : Takes from the source which classes are alike.
    skda.unsupervised.SPL : The like for domains of the same features.

    Notes
    -----
    With the sums :math:`S = X_s^\top Y_s` and :math:`T = X_t^\top Y_t` of the classes,
    :math:`X_s^\top W X_t = S T^\top` has a rank of at most the number :math:`K` of the
    classes, and the solutions of Equation 1 with :math:`\mu > 0` are
    :math:`A_s^{-1} S G_s^{-1/2} u` above :math:`A_t^{-1} T G_t^{-1/2} v`, where
    :math:`G = S^\top A^{-1} S` of either domain, and :math:`\mu, u, v` are singular
    values and vectors of :math:`G_s^{1/2} G_t^{1/2}`, of :math:`K` rows and columns.
    A domain of more features than rows is rotated into the space of its rows before,
    which changes nothing. A round takes :math:`O(n d^2 + d^3)` operations per domain,
    for :math:`d` the smaller of the numbers of features and of rows.

    A row of the source is judged by the means :math:`m_k` alone. A class that only one
    domain has has a mean, but no part in :math:`W`.

    Where it differs from the public code: features are scaled as ``power`` and
    ``normalize`` say, which :meth:`published` sets to rows of unit length; the clusters
    of ``clusters=True`` are there those of the unlabeled rows.

    References
    ----------
    .. [1] Q. Wang and T. P. Breckon, "Cross-Domain Structure Preserving Projection for
       Heterogeneous Domain Adaptation", Pattern Recognition 123, 2022.
       arXiv:2004.12427.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import CDSPP
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = CDSPP().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    >>> clf.transform(data.X).shape
    (300, 4)
    """

    alpha: Positive = 10.0
    lambda0: NonNegative = 0.5
    n_components: Count | None = None
    n_rounds: Count = 5
    clusters: bool = False

    published_params: ClassVar[dict[str, Any]] = {
        **BaseCommonSpaceClassifier.published_params,
        "clusters": False,
    }

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        if not np.isin(target.labeled().codes, source.codes).any():
            raise ValueError(
                "CDSPP expects a class that is labeled in both domains, got none: the "
                "rows of one class are what joins them. Label target samples of the "
                "classes of the source, or pass no source."
            )
        self._run({"source": source, "target": target})

    def _fit_target(self, target: Coded) -> None:
        self._run({"target": target})

    def _run(self, domains: dict[DomainName, Coded]) -> None:
        """Learn in rounds, of which each labels the target for the next."""
        spaces = {name: row_space(domain.X) for name, domain in domains.items()}
        target, seen = domains["target"], dict(domains)
        unlabeled = target.codes == UNLABELED
        for r in range(1, self.n_rounds + 1):
            self._learn_projections(spaces, seen)
            self._learn_classes(seen)
            if r < self.n_rounds and unlabeled.any():
                scores = self._scores(self._features(target.X[unlabeled], "target"))
                codes = target.codes.copy()
                codes[unlabeled] = select_most_certain(scores, r / self.n_rounds)
                seen["target"] = Coded(target.X, codes)

    def _learn_projections(
        self, spaces: dict[DomainName, RowSpace], seen: dict[DomainName, Coded]
    ) -> None:
        """Solve Equation 1."""
        n_classes = len(self.classes_)
        counts = {n: d.counts(n_classes) for n, d in seen.items()}
        first: DomainName = "source" if "source" in seen else "target"
        across = {first: counts["target"], "target": counts[first]}
        solved, roots, inverses = {}, {}, {}
        for name, space in spaces.items():
            rows, codes = Coded(space.rows, seen[name].codes).labeled()
            A = self._scatter(rows, codes, across[name])
            sums = rows.T @ np.eye(n_classes)[codes]  # (d, K)
            solved[name] = cho_solve(cho_factor(A), sums)
            roots[name], inverses[name] = both_roots(sums.T @ solved[name])
        U, mu, Vt = svd(roots[first] @ roots["target"])
        n_kept = max(np.sum(mu > MIN_EIGENVALUE * mu[0]), 1)
        n_kept = min(n_kept, self.n_components or n_kept)
        directions = {first: U, "target": Vt.T}
        self.eigenvalues_ = mu[:n_kept]
        self.projections_ = {
            name: space.restore(
                solved[name] @ (inverses[name] @ directions[name][:, :n_kept])
            )
            for name, space in spaces.items()
        }

    def _scatter(self, X: Array, codes: Codes, across: Codes) -> Array:
        """Evaluate the block of :math:`A` of a domain."""
        _, within = class_matrices(X, np.eye(len(across))[codes])
        joined = self.lambda0 * (X.T * across[codes]) @ X
        return within + joined + self.alpha * np.eye(X.shape[1])

    def _learn_classes(self, seen: dict[DomainName, Coded]) -> None:
        """Learn the classifier from rows that have a label or a pseudo-label."""
        labeled = {name: domain.labeled() for name, domain in seen.items()}
        projected = [rows.X @ self.projections_[name] for name, rows in labeled.items()]
        self.center_ = np.concatenate(projected).mean(axis=0)
        Z = np.concatenate([normalize_rows(rows - self.center_) for rows in projected])
        codes = np.concatenate([rows.codes for rows in labeled.values()])
        if self.estimator is not None:
            self._fit_classifier(Z, codes)
            return
        memberships = np.eye(len(self.classes_))[codes]
        self.class_centers_ = normalize_rows(memberships.T @ Z)
        self.cluster_centers_ = None
        if self.clusters:
            Z_t = self._features(seen["target"].X, "target")
            self.cluster_centers_ = normalize_rows(k_means(Z_t, self.class_centers_))

    def _features(self, X: NDArray[Any], domain: DomainName) -> Array:
        return normalize_rows(X @ self.projections_[domain] - self.center_)

    def _inputs(self, X: NDArray[Any], domain: DomainName) -> Array:
        return self._features(X, domain) if domain in self.projections_ else X

    def _scores(self, Z: Array, domain: DomainName = "target") -> Array:
        """Evaluate Equation 2, or the probabilities of another classifier."""
        if self.estimator is not None:
            return self._classifier.predict_proba(Z)
        scores = softmax(-cdist(Z, self.class_centers_), axis=1)
        if domain == "source" or self.cluster_centers_ is None:
            return scores
        return np.maximum(scores, softmax(-cdist(Z, self.cluster_centers_), axis=1))

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if domain not in self.projections_:  # a source without labels
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
        return normalize(self._scores(self._features(X, domain), domain), norm="l1")


def both_roots(gram: Array) -> tuple[Array, Array]:
    """Take the symmetric root of a matrix, and its inverse.

    No eigenvalue is negative. Those that are zero up to rounding stay so in both.
    """
    values, vectors = np.linalg.eigh(gram)
    safe = values > MIN_EIGENVALUE * values[-1]
    roots = np.sqrt(np.where(safe, values, 0))
    inverses = np.divide(1, roots, where=safe, out=np.zeros_like(roots))
    return (vectors * roots) @ vectors.T, (vectors * inverses) @ vectors.T
