"""Text-to-image transfer."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skda.base import BasePairedClassifier, DomainName, PairedRows, Rows, estimator
from skda.utils.operations import expit
from skda.utils.ranges import Count, NonNegative
from skda.utils.warnings import warn_user

__all__ = ["TTI"]

Array = NDArray[np.float64]


@estimator
class TTI(BasePairedClassifier):
    r"""Text-to-image transfer: a low-rank translator of source rows to target rows.

    Classifies a target by labeled rows of a source that has other features, each of
    which votes for its class in proportion to how well it translates [1]_. A translator
    :math:`S` scores a source row :math:`x` and a target row :math:`u` by :math:`x^\top
    S u`. Class by class, with :math:`y_i = 1` for its rows and -1 for the others,

    .. math:: f(u) = \frac 1 {n_S} \sum_{i=1}^{n_S} y_i \, x_i^\top S u , \tag{1}

    and the translator minimizes

    .. math::

        \gamma \sum_j \log \bigl(1 + e^{-y_j f(u_j)}\bigr) + \sum_i \log \bigl(1 +
        e^{-x_i^\top S u_i}\bigr) + \lambda \lVert S \rVert_* , \tag{2}

    a sum over the labeled target rows :math:`u_j`, a sum over the pairs
    :math:`(x_i, u_i)` and the sum of the singular values. The class with the largest
    :math:`f` is predicted.

    The problem is convex. It is solved by accelerated proximal gradients: every step
    goes down the gradient of the first two terms, and shrinks the singular values.

    Without a source, this is a logistic regression on the labeled target rows. Without
    a labeled target row the pairs alone teach it, and all translators are equal.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    gamma
        Weight :math:`\gamma` of the labeled target rows.
    lambda_reg
        Weight :math:`\lambda` of the singular values; more makes fewer of them.
    normalize
        Whether to scale every row to unit length after standardizing the features.
    max_iter
        Most steps for a class.
    tol
        A class is done when a step moves its translator by less than this fraction of
        its norm.

    Attributes
    ----------
    translators_ : ndarray of shape (n_classes, n_source_features, n_features) or None
        Translator :math:`S` of every class; None without a source.
    votes_ : ndarray of shape (n_classes, n_source_features)
        Mean of :math:`y_i x_i` over the source for every class; only there with one.
    objective_ : ndarray of shape (n_classes,)
        Equation 2 in the end; only there with a source.
    n_iter_ : int
        Most steps that a class has taken; of the logistic regression without a source.
    estimator_ : LogisticRegression
        What predicts without a source.

    See Also
    --------
    WSDTN : Translates between networks.
    PairedRidgeTransfer : Maps target rows to features of the source.

    Notes
    -----
    Reconstructed from the objective; neither compared with the authors' code nor with
    their paper, so :meth:`published` returns the defaults. Equation 1 is a mean here,
    where the paper has a sum: then :math:`\gamma` does not depend on the number of
    source rows. That a multi-class problem has a translator per class is the usual
    reading of a binary method.

    Probabilities are :math:`1 / (1 + e^{-f})`, divided by their sum. Source rows are
    scored by :math:`\frac 1 {n_S} \sum_i y_i x_i^\top x`, which is not in the paper.

    A step takes a singular value decomposition of :math:`S`: reduce wide features
    first, such as by ``target_transformer=PCA(100)``.

    References
    ----------
    .. [1] G.-J. Qi, C. Aggarwal and T. Huang, "Towards Semantic Knowledge Propagation
       from Text Corpus to Web Images", WWW 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import TTI
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = TTI()
    >>> clf = clf.fit(right[500:550], y[500:550], source=source, pairs=pairs)
    >>> clf.predict(right[550:]).shape
    (350,)
    """

    gamma: NonNegative = 100.0
    lambda_reg: NonNegative = 1.0
    normalize: bool = True
    max_iter: Count = 200
    tol: NonNegative = 1e-3

    _of_source: ClassVar[tuple[str, ...]] = ("votes_", "objective_", "estimator_")

    def make_preprocessor(self, domain: DomainName) -> Any:
        return make_pipeline(
            super().make_preprocessor(domain),
            Normalizer() if self.normalize else None,
        )

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        labeled = target.labeled()
        self.translators_ = None
        if pairs is None:
            codes = labeled.labels.codes(self.classes_)
            self.estimator_ = LogisticRegression(max_iter=1000).fit(labeled.X, codes)
            self.n_iter_ = int(self.estimator_.n_iter_.max())
            return
        self._learn_votes(source)
        signs = 2.0 * labeled.labels.memberships(self.classes_) - 1
        problems = [
            TranslatorProblem(*pairs[:2], v, labeled.X, y, self.gamma, self.lambda_reg)
            for v, y in zip(self.votes_, signs.T, strict=True)
        ]
        results = [fit_translator(p, self.max_iter, self.tol) for p in problems]
        self.translators_ = np.stack([S for S, _ in results])
        self.objective_ = np.array([values[-1] for _, values in results])
        self.n_iter_ = max(len(values) - 1 for _, values in results)

    def _learn_votes(self, source: Rows) -> None:
        """Average the source rows, with the signs of their labels for every class."""
        known = source.labels.known
        if not known.any():
            raise ValueError(
                "TTI expects labeled source samples, got none: it has nothing else to "
                "translate. Label some."
            )
        if not known.all():
            warn_user(f"TTI leaves out {(~known).sum()} unlabeled source samples.")
        X, labels = source.labeled()
        signs = 2.0 * labels.memberships(self.classes_) - 1
        self.votes_ = signs.T @ X / len(X)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if self.translators_ is None:
            return self.estimator_.predict_proba(X)
        if domain == "source":
            scores = X @ self.votes_.T
        else:
            weights = np.einsum("kp,kpq->kq", self.votes_, self.translators_)
            scores = X @ weights.T
        probabilities = expit(scores)
        return probabilities / probabilities.sum(axis=1, keepdims=True)


class TranslatorProblem(NamedTuple):
    """The problem of one class, Equation 2 of :class:`TTI`.

    Parameters
    ----------
    X, U : ndarray of shape (n_pairs, p), (n_pairs, q)
        Source and target sides of the pairs.
    votes : ndarray of shape (p,)
        Mean of the source rows, each with its sign.
    labeled : ndarray of shape (n, q)
        Labeled target rows.
    signs : ndarray of shape (n,)
        Their labels, 1 and -1.
    gamma, lambda_reg : float
        Weights of the labeled rows and of the nuclear norm.
    """

    X: NDArray[Any]
    U: NDArray[Any]
    votes: Array
    labeled: NDArray[Any]
    signs: Array
    gamma: float
    lambda_reg: float

    def smooth(self, S: Array) -> tuple[float, Array]:
        """Evaluate all but the nuclear norm, and the gradient of that."""
        pairs = np.sum((self.X @ S) * self.U, axis=1)
        margins = self.signs * (self.labeled @ (self.votes @ S))
        value = self.gamma * np.logaddexp(0, -margins).sum()
        gradient_t = self.labeled.T @ (self.signs * expit(-margins))  # (q,)
        gradient = -self.X.T @ (expit(-pairs)[:, None] * self.U)
        gradient -= self.gamma * np.outer(self.votes, gradient_t)
        return float(value + np.logaddexp(0, -pairs).sum()), gradient

    def curvature(self) -> float:
        """Bound the curvature of the smooth part.

        A pair's row is the outer product of its sides, so that the Gram matrix is that
        of one side times, entry by entry, that of the other.
        """
        largest = [np.linalg.norm(side, 2) ** 2 for side in (self.X, self.U)]
        longest = [np.sum(side**2, axis=1).max() for side in (self.U, self.X)]
        pairs = min(a * b for a, b in zip(largest, longest, strict=True))
        rows = np.linalg.norm(self.labeled, 2) ** 2 if len(self.labeled) else 0.0
        return float(pairs + self.gamma * rows * (self.votes @ self.votes)) / 4


def shrink_singular_values(S: Array, threshold: float) -> tuple[Array, float]:
    """Shrink the singular values, and sum up what is left of them."""
    left, values, right = svd(S, full_matrices=False)
    values = np.maximum(values - threshold, 0)
    return (left * values) @ right, float(values.sum())


def fit_translator(
    problem: TranslatorProblem, max_iter: int, tol: float
) -> tuple[Array, list[float]]:
    """Minimize by accelerated proximal gradients, restarted when the objective rises.

    The second result are the values of the objective, none larger than the one before.
    """
    S = extrapolated = np.zeros((problem.X.shape[1], problem.U.shape[1]))
    momentum, values = 1.0, [problem.smooth(S)[0]]
    curvature = max(problem.curvature(), np.finfo(float).tiny)
    for _ in range(max_iter):
        step = extrapolated - problem.smooth(extrapolated)[1] / curvature
        new, norm = shrink_singular_values(step, problem.lambda_reg / curvature)
        value = problem.smooth(new)[0] + problem.lambda_reg * norm
        if value > values[-1]:
            if extrapolated is S:  # a plain step goes up by rounding alone
                break
            extrapolated, momentum = S, 1.0
            continue
        converged = np.linalg.norm(new - extrapolated) <= tol * np.linalg.norm(new)
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        extrapolated = new + (momentum - 1) / next_momentum * (new - S)
        S, momentum = new, next_momentum
        values.append(value)
        if converged:
            break
    return S, values
