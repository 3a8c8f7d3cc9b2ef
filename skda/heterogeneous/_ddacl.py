"""Discriminative distribution alignment with cross-entropy loss."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skda.base import DomainName, Rows, estimator
from skda.heterogeneous._margin import BaseMarginClassifier
from skda.heterogeneous._squared_hinge import Array, row_space
from skda.utils._sklearn import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from skda.utils.labels import UNLABELED
from skda.utils.ranges import Count, NonNegative, Positive, RandomState, WholeNumber
from skda.utils.warnings import warn_user

__all__ = ["DDACL"]

#: What the distances between classes may take of the decay where they are bounded.
SHARE_OF_DECAY = 0.9


class Weights(NamedTuple):
    """What is learned: a classifier, and a map of every domain into its space."""

    W: Array  # (d, K)
    b: Array  # (K,)
    maps: list[Array]  # (r, d) each

    def pack(self) -> Array:
        """Write all in one vector."""
        return np.concatenate([part.ravel() for part in (self.W, self.b, *self.maps)])

    def unpack(self, vector: Array) -> Weights:
        """Read all from one vector."""
        shapes = [part.shape for part in (self.W, self.b, *self.maps)]
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
        parts = np.split(vector, ends[:-1])
        W, b, *maps = (p.reshape(s) for p, s in zip(parts, shapes, strict=True))
        return Weights(W, b, maps)


class Side(NamedTuple):
    """What the objective sees of a domain."""

    Z: Array  # (n, r), rows in a basis of their space
    targets: Array  # (n, K), one-hot rows over their number, zero without a label
    gaps: Array  # (K + 1, r), means of all rows and of the classes, for Equation 2
    apart: Array  # (K', r), centered means of the classes there, for Equation 3


@estimator
class DDACL(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseMarginClassifier):
    r"""Discriminative distribution alignment, with the cross-entropy for a loss.

    Classifies a partially labeled target by a labeled source that has other features
    [1]_. Linear maps :math:`P_s` and :math:`P_t` take both domains into a common space,
    where they share a classifier. The method minimizes

    .. math::

        R_s + R_t + \tfrac{\beta}{2} Q - \tfrac{\tau}{2} (D_s + D_t)
        + \tfrac{\lambda}{2} \bigl( \|W\|_F^2 + \|P_s\|_F^2 + \|P_t\|_F^2 \bigr),
        \tag{1}

    with the mean cross-entropies :math:`R` of :math:`\operatorname{softmax}(W^\top
    P^\top x + b)` over the labeled rows of the domains. With :math:`\mu_0` the mean
    of a domain and :math:`\mu_k` those of its classes,

    .. math:: Q = \frac1\nu \sum_{k=0}^K \| P_s^\top \mu^s_k - P_t^\top \mu^t_k \|^2
        \tag{2}

    is to bring the means of the domains together, where :math:`\nu` is the Frobenius
    norm of the matrix by which the rows of both make :math:`\nu Q`. What is subtracted
    is to keep the classes of a domain apart,

    .. math:: D = \frac{1}{2 (K - 1)} \sum_{k, l}
        \| P^\top \mu_k - P^\top \mu_l \|^2 . \tag{3}

    An unlabeled target row counts for the class that is predicted: at first by a
    classifier of the target alone, Equation 1 without what has to do with the source,
    :math:`Q` and :math:`D`; then, in each round, by the last solution. A class that a
    domain lacks does not count in Equations 2 and 3.

    ``transform`` maps into the common space. Without a source there are no rounds: the
    first classifier, of the labeled target rows, is the last.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    n_components
        Dimension of the common space.
    beta
        Weight :math:`\beta` of the alignment.
    tau
        Weight :math:`\tau` of the distances between classes.
    lambda_reg
        Weight :math:`\lambda` of the decay.
    n_rounds
        Number of rounds.
    bounded
        Whether to lower :math:`\tau`, in a domain where Equation 1 may have no minimum,
        to nine tenths of the largest value with which it must have one.
    init_std
        Standard deviation of the initial weights.
    tol
        Change of Equation 1 in an iteration, relative to its value if that is larger
        than one, at which a round is solved.
    max_iter
        Most iterations of L-BFGS in a round.
    random_state : int, RandomState instance or None
        Seed of the initial weights.

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, n_components)
        The classifier :math:`W^\top`.
    intercept_ : ndarray of shape (n_classes,)
        Its intercepts :math:`b`.
    target_map_ : ndarray of shape (n_features, n_components)
        :math:`P_t`.
    source_map_ : ndarray of shape (n_source_features, n_components) or None
        :math:`P_s`; None without a source.
    n_iter_ : int
        Most iterations that a round has taken.

    See Also
    --------
    STN : Aligns the same means, by networks of two layers and soft labels.

    Notes
    -----
    Equation 1 must have a minimum if :math:`\tau` times the largest eigenvalue of the
    quadratic form in Equation 3 is below :math:`\lambda`, for both domains; else it may
    fall for ever as the maps grow, as it does on rows that are far apart. Hence
    ``bounded``, which is skda's. The public code has none, and always takes 20 steps of
    conjugate gradients; :meth:`published` takes as many of L-BFGS. A round that ends at
    ``max_iter`` warns, and says how large the gradient is.

    The maps are found in the spaces that the rows of the domains span, which changes
    nothing. An iteration costs :math:`O(n r d)` for :math:`n` rows that span :math:`r`
    dimensions and :math:`d` components; the matrix of Equation 2 is never formed.

    References
    ----------
    .. [1] Y. Yao, Y. Zhang, X. Li and Y. Ye, "Discriminative Distribution Alignment: A
       Unified Framework for Heterogeneous Domain Adaptation", Pattern Recognition 101,
       2020.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import DDACL
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = DDACL(random_state=0).fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    n_components: Count = 100
    beta: NonNegative = 0.001
    tau: NonNegative = 0.002
    lambda_reg: Positive = 0.001
    n_rounds: WholeNumber = 5
    bounded: bool = True
    init_std: Positive = 0.01
    tol: Positive = 1e-5
    max_iter: Count = 200
    random_state: RandomState = None

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "bounded": False,
        "max_iter": 20,
    }
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    def transform(self, X: Any, *, domain: DomainName = "target") -> Array:
        """Map samples into the space that the domains share.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latent features.
        """
        return self._map(self._check_samples(X, domain), domain)

    def _learn(self, source: Rows, target: Rows) -> None:
        self.n_iter_ = 1
        Z_t, basis_t = row_space(target.X)
        codes = target.labels.codes(self.classes_)
        rng, K = check_random_state(self.random_state), len(self.classes_)
        W, b, P_t = (
            self.init_std * rng.standard_normal(shape)
            for shape in (
                (self.n_components, K),
                (K,),
                (Z_t.shape[1], self.n_components),
            )
        )
        alone = self._minimize(Weights(W, b, [P_t]), [_side(Z_t, codes, codes, K)], 0.0)
        self._keep(alone, [basis_t])
        if not len(source.X):
            return
        Z_s, basis_s = row_space(source.X)
        codes_s = source.labels.codes(self.classes_)
        P_s = self.init_std * rng.standard_normal((Z_s.shape[1], self.n_components))
        weights = Weights(alone.W, alone.b, [P_s, *alone.maps])
        for _ in range(self.n_rounds):
            W, b, maps = weights
            predicted = (Z_t @ maps[-1] @ W + b).argmax(axis=1)
            assumed = np.where(codes == UNLABELED, predicted, codes)
            sides = [_side(Z_s, codes_s, codes_s, K), _side(Z_t, codes, assumed, K)]
            shared = np.isin(np.arange(K), codes_s) & np.isin(np.arange(K), assumed)
            norm = _norm_of_alignment(codes_s, assumed, shared)
            sides = [s._replace(gaps=s.gaps[np.append(True, shared)]) for s in sides]
            weights = self._minimize(weights, sides, self.beta / norm)
        self._keep(weights, [basis_s, basis_t])

    def _minimize(self, start: Weights, sides: list[Side], beta: float) -> Weights:
        """Minimize Equation 1, over the target alone if that is the only side."""
        taus = [self._bounded_tau(side) * (len(sides) > 1) for side in sides]

        def objective(vector: Array) -> tuple[float, Array]:
            value, gradient = evaluate(
                start.unpack(vector), sides, beta, taus, self.lambda_reg
            )
            return value, gradient.pack()

        options: Any = {"maxiter": self.max_iter, "maxfun": 2 * self.max_iter}
        options |= {"ftol": self.tol, "gtol": 0.0}
        found = minimize(
            objective, start.pack(), jac=True, method="L-BFGS-B", options=options
        )
        self.n_iter_ = max(self.n_iter_, found.nit)
        if found.nit >= self.max_iter:
            warn_user(
                f"DDACL has not converged in {self.max_iter} iterations: the norm of "
                f"the gradient is {np.linalg.norm(found.jac):.1e}. Raise max_iter or "
                f"tol, or lower tau, with which the objective may have no minimum.",
                ConvergenceWarning,
            )
        return start.unpack(found.x)

    def _bounded_tau(self, side: Side) -> float:
        """Weigh the distances of classes less than the decay in any direction."""
        largest = np.linalg.norm(side.apart, 2) ** 2
        if not self.bounded or self.tau * largest <= SHARE_OF_DECAY * self.lambda_reg:
            return self.tau
        return float(SHARE_OF_DECAY * self.lambda_reg / largest)

    def _keep(self, weights: Weights, bases: list[Array]) -> None:
        """Write the maps in the features of the domains."""
        self.coef_, self.intercept_ = weights.W.T, weights.b
        maps = [basis.T @ P for basis, P in zip(bases, weights.maps, strict=True)]
        self.target_map_ = maps.pop()
        self.source_map_ = maps.pop() if maps else None
        self._n_features_out = self.n_components

    def _map(self, X: NDArray[Any], domain: DomainName) -> Array:
        P: Any = self.target_map_ if domain == "target" else self.source_map_
        return X @ P

    def _scores(self, X: NDArray[Any], domain: DomainName) -> Array:
        return self._map(X, domain) @ self.coef_.T + self.intercept_


def _side(Z: Array, codes: NDArray[Any], assumed: NDArray[Any], K: int) -> Side:
    """Describe a domain, by the known labels and by those assumed for the means."""
    known = np.asarray(codes[:, None] == np.arange(K), dtype=float)
    shares = np.asarray(assumed[:, None] == np.arange(K), dtype=float)
    counts = shares.sum(axis=0)
    means = shares.T @ Z / np.maximum(counts, 1)[:, None]
    present = means[counts > 0]
    # The sum in Equation 3 is over all pairs: the one over distances from their mean.
    apart = np.sqrt(len(present) / max(len(present) - 1, 1)) * (
        present - present.mean(axis=0)
    )
    gaps = np.vstack([Z.mean(axis=0), means])
    return Side(Z, known / known.sum(), gaps, apart)


def _norm_of_alignment(
    codes_s: NDArray[Any], codes_t: NDArray[Any], shared: NDArray[np.bool_]
) -> float:
    """Take the Frobenius norm of the matrix of Equation 2, from inner products."""
    columns = []
    for codes in (codes_s, codes_t):
        of_class = codes[:, None] == np.flatnonzero(shared)
        members = np.column_stack([np.ones(len(codes)), of_class])
        columns.append(members / members.sum(axis=0))
    gram = sum(part.T @ part for part in columns)
    return float(np.linalg.norm(gram))


def evaluate(
    weights: Weights, sides: list[Side], beta: float, taus: list[float], decay: float
) -> tuple[float, Weights]:
    """Evaluate Equation 1 and its gradient, with the alignment's norm in ``beta``."""
    W, b, maps = weights
    value = decay / 2 * (np.sum(W**2) + sum(np.sum(P**2) for P in maps))
    slope_W, slope_b = decay * W, np.zeros_like(b)
    slopes = [decay * P for P in maps]
    for i, (Z, targets, _, apart) in enumerate(sides):
        P = maps[i]
        log_p = log_softmax(Z @ P @ W + b, axis=1)
        error = targets.sum(axis=1, keepdims=True) * np.exp(log_p) - targets
        value -= np.sum(targets * log_p)
        pulled = Z.T @ error  # (r, K)
        slope_W += P.T @ pulled
        slope_b += error.sum(axis=0)
        slopes[i] += pulled @ W.T
        far = apart @ P
        value -= taus[i] / 2 * np.sum(far**2)
        slopes[i] -= taus[i] * apart.T @ far
    if len(sides) > 1:
        gap = sides[0].gaps @ maps[0] - sides[1].gaps @ maps[1]
        value += beta / 2 * np.sum(gap**2)
        slopes[0] += beta * sides[0].gaps.T @ gap
        slopes[1] -= beta * sides[1].gaps.T @ gap
    return float(value), Weights(slope_W, slope_b, slopes)
