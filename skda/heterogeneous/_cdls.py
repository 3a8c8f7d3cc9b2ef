"""Cross-domain landmark selection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, NuSVC
from sklearn.utils.validation import has_fit_parameter

from skda.base import DomainName, estimator
from skda.heterogeneous._common_space import (
    Array,
    BaseCommonSpaceClassifier,
    Coded,
    Codes,
)
from skda.heterogeneous._final_classifier import FinalClassifier
from skda.heterogeneous._landmarks import Landmarks, select_landmarks
from skda.utils.labels import UNLABELED
from skda.utils.ranges import Count, Positive, PositiveShare
from skda.utils.row_space import RowSpace, row_space
from skda.utils.warnings import warn_user

__all__ = ["CDLS"]

#: Least share of support vectors. With half of the rows exactly, as published, all
#: multipliers may end at a bound, and rounding decides the intercept.
NU = 0.499


@estimator
class CDLS(BaseCommonSpaceClassifier):
    r"""Cross-domain landmark selection.

    Maps the source to principal components of the target so that domains, classes and
    rows of one class meet there, and weighs source rows and unlabeled target rows by
    how much they help with that [1]_. Rows with weight are the landmarks.

    **Map.** Let :math:`t` be the target's rows in its principal components and
    :math:`z_i = A^\top x_i` the mapped rows of the source, with weights
    :math:`\alpha_i`; labeled target rows have the weight :math:`w = 1`, unlabeled ones
    :math:`w = \beta_u`. With weighted means :math:`m` of the domains and :math:`m_k` of
    the classes, :math:`A` minimizes

    .. math::

        \| m^s - m^t \|^2 + \sum_k \| m^s_k - m^t_k \|^2
        + \sum_k \frac{1}{e_k} \sum_{i, j \in k} \alpha_i w_j \| z_i - t_j \|^2
        + \lambda \| A \|_F^2, \tag{1}

    where :math:`e_k = a_k b_k + b_k l_k + l_k a_k` for the weights :math:`a_k` of the
    source, :math:`b_k` of the unlabeled and :math:`l_k` of the labeled target rows of
    class :math:`k`.

    **Classifier.** A linear :math:`\nu`-support vector machine is trained on the mapped
    source, with the weights :math:`\alpha_i n_l / n_s`, and on the :math:`n_l` labeled
    target rows. It labels the unlabeled ones.

    **Landmarks.** With :math:`A` and these labels, the weights minimize Equation 1 with
    a term more, for the pairs of labeled and unlabeled target rows of a class,

    .. math::

        \min_{\alpha, \beta} \; (1)
        + \sum_k \frac{1}{e_k} \sum_{j, u \in k} \beta_u \| t_j - t_u \|^2
        \quad\text{with}\quad 0 \le \alpha, \beta \le 1, \quad
        \sum_{i \in k} \alpha_i = \delta n^s_k, \quad
        \sum_{u \in k} \beta_u = \delta n^u_k. \tag{2}

    These three steps are one round. In the first, all weights are one, and unlabeled
    rows have no class.

    Without a source, the support vector machine is fitted to the labeled target rows.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    delta
        Share :math:`\delta` of the weights that is left; 1 selects no landmarks.
    lambda_reg
        Weight :math:`\lambda` of the map.
    n_components
        Number of principal components, at most.
    n_rounds
        Number of rounds.
    tol
        Step of the weights below which they have converged.
    max_steps
        Most steps for the weights in a round.

    Attributes
    ----------
    projections_ : dict of str to ndarray of shape (n_features, `n_components_out_`)
        :math:`A` and the principal components, by the name of the domain; only there
        with a source.
    source_weights_ : ndarray of shape (n_source,)
        :math:`\alpha` of the labeled source rows; only there with a source.
    target_weights_ : ndarray of shape (n_target,)
        :math:`w`; only there with a source.

    See Also
    --------
    CDSPP : Projects both domains, and weighs no rows.

    Notes
    -----
    Sums over pairs are sums over classes, so that Equation 1 is a linear system of as
    many equations as there are features of the source, or rows if these are fewer.
    Equation 2 has no matrix: accelerated projected gradients take
    :math:`O((n_s + n_u) (k + K))` operations a step for :math:`k` components. It is not
    convex, as :math:`\alpha` meets :math:`\beta`; what is found is stationary. If the
    steps have not become shorter than ``tol`` after ``max_steps`` of them, a warning
    tells the last one.

    Where it differs from the public code: there, the weight of the unlabeled rows in
    the mean of the target is :math:`1 / a` instead of :math:`1 / b` in one block of
    Equation 2, and :math:`\nu` is 0.5 instead of 0.499. Where no
    :math:`\nu`-support vector machine exists, as some class has too few rows, an
    ordinary one with ``C=1`` takes its place.

    References
    ----------
    .. [1] Y.-H. H. Tsai, Y.-R. Yeh and Y.-C. F. Wang, "Learning Cross-Domain Landmarks
       for Heterogeneous Domain Adaptation", CVPR 2016.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import CDLS
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = CDLS().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    >>> clf.transform(data.X).shape
    (300, 30)
    """

    delta: PositiveShare = 0.5
    lambda_reg: Positive = 0.5
    n_components: Count = 100
    n_rounds: Count = 5
    tol: Positive = 1e-3
    max_steps: Count = 500

    def _fit_domains(self, source: Coded, target: Coded) -> None:
        n_components = min(self.n_components, *target.X.shape)
        n_classes = len(self.classes_)
        with np.errstate(invalid="ignore"):  # equal rows have no variance to share out
            pca = PCA(n_components, random_state=0).fit(target.X)
        self.projections_ = {"target": pca.components_.T}
        space, seen = row_space(source.X), target
        self.source_weights_ = np.ones(len(source.X))
        self.target_weights_ = np.ones(len(target.X))
        for r in range(self.n_rounds):
            if r and self.delta < 1:
                self._select(source, target, seen.codes)
            self._learn_map(space, source.codes, seen, target.counts(n_classes))
            self._train(source, target.labeled())
            P = self._classifier.predict_proba(self._features(target.X))
            seen = target.with_pseudo_labels(P.argmax(axis=1))

    def _learn_map(
        self, space: RowSpace, codes: Codes, target: Coded, n_labeled: Codes
    ) -> None:
        """Solve Equation 1, in which the sums over pairs are sums over classes."""
        X, T = space.rows, self._features(target.X)
        alpha, w = self.source_weights_, self.target_weights_
        of_source, of_target = (
            rows[:, None] == np.arange(len(n_labeled)) for rows in (codes, target.codes)
        )
        sums, sums_t = (alpha * of_source.T) @ X, (w * of_target.T) @ T
        a, t = alpha @ of_source, w @ of_target  # and b = t - l
        pairs = a * (t - n_labeled) + (t - n_labeled) * n_labeled + n_labeled * a
        per_row, per_row_t, per_pair = reciprocals(a, t, pairs, where=(a > 0) & (t > 0))
        means = np.vstack([alpha @ X / alpha.sum(), per_row * sums])
        means_t = np.vstack([w @ T / w.sum(), per_row_t * sums_t])
        partners = alpha * (of_source @ (t * per_pair[:, 0]))
        left = means.T @ means + (X.T * partners) @ X
        right = means.T @ means_t + sums.T @ (per_pair * sums_t)
        ridge = self.lambda_reg * np.eye(len(left))
        A = cho_solve(cho_factor(left + ridge), right)
        self.projections_["source"] = space.restore(A)

    def _train(self, source: Coded, known: Coded) -> None:
        """Fit the classifier to the landmarks and to the labeled target rows."""
        Z = [self._features(source.X, "source"), self._features(known.X)]
        codes = [source.codes, known.codes]
        weights = [self.source_weights_ * len(known.X) / len(source.X)]
        weights += [np.ones(len(known.X))]
        self._fit(np.concatenate(Z), np.concatenate(codes), np.concatenate(weights))

    def _fit(self, Z: Array, codes: Codes, weights: Array) -> None:
        """Fit the classifier to weighted rows, if it takes weights."""
        if self.estimator is None:
            self._fit_default(Z, codes, weights)
        elif has_fit_parameter(self.estimator, "sample_weight"):
            self._fit_classifier(Z, codes, sample_weight=weights)
        else:
            self._fit_classifier(Z, codes)

    def _fit_default(self, Z: Array, codes: Codes, weights: Array) -> None:
        """Fit the classifier of the paper, or one that exists in any case."""
        exact = {"kernel": "linear", "tol": 1e-6, "random_state": 0}
        for svm in (NuSVC(nu=NU, **exact), SVC(**exact)):
            classifier = FinalClassifier(svm, len(self.classes_))
            try:
                self._classifier = classifier.fit(Z, codes, sample_weight=weights)
            except ValueError as error:
                if "nu is infeasible" not in str(error):
                    raise
            else:
                self.estimator_ = classifier.estimator
                return

    def _select(self, source: Coded, target: Coded, codes: Codes) -> None:
        """Solve Equation 2."""
        unlabeled, known = target.codes == UNLABELED, target.labeled()
        Z = [
            self._features(source.X, "source"),
            self._features(target.X[unlabeled]),
        ]
        rows = Landmarks(
            np.concatenate(Z),
            np.concatenate([source.codes, codes[unlabeled]]),
            np.arange(len(source.X) + unlabeled.sum()) < len(source.X),
            self._features(known.X),
            known.codes,
            self.delta,
        )
        weights, residual = select_landmarks(
            rows, tol=self.tol, max_iter=self.max_steps
        )
        if residual > self.tol:
            warn_user(
                f"The weights of CDLS have not converged: after {self.max_steps} "
                f"steps, the last one is {residual:.1g} long, for tol={self.tol:.1g}. "
                f"Raise max_steps or tol.",
                ConvergenceWarning,
            )
        self.source_weights_ = weights[rows.is_source]
        self.target_weights_[unlabeled] = weights[~rows.is_source]

    def _features(self, X: NDArray[Any], domain: DomainName = "target") -> Array:
        return X @ self.projections_[domain]

    def _fit_target(self, target: Coded) -> None:
        known = target.labeled()
        self._fit(known.X, known.codes, np.ones(len(known.X)))


def reciprocals(*numbers: Array, where: NDArray[np.bool_]) -> list[Array]:
    """Invert numbers, of shape (K,) each, into columns; zeros elsewhere."""
    return [
        np.divide(1, x, where=where, out=np.zeros(len(x)))[:, None] for x in numbers
    ]
