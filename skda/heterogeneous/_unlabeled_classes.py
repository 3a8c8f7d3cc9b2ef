"""Classes of which no target row is labeled, named by how classes lie in the source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from skda.heterogeneous._geost_solvers import Array, reduce_to_row_space, scale_rows
from skda.utils.labels import UNLABELED
from skda.utils.operations import softmax

__all__ = [
    "LEAST_APARTNESS",
    "LEAST_SKILL",
    "Inference",
    "fit_prototypes",
    "infer_classes",
    "join_rows",
    "score_geometry",
    "swap_prototypes",
    "whitened_geometry",
]

Codes = NDArray[np.int64]

#: Weight of the classes' cosines beside the identity, as in GeoST.
RHO = 0.8
#: Variance added to the directions within classes, in units of the mean of the largest.
RIDGE, N_LARGEST = 1.0, 20
#: Principal axes of the rows that count.
N_AXES = 150
TEMPERATURE = 12.0
#: Weight of the geometry, in rows of a class of mean size.
STRENGTH = 0.1
N_ROUNDS = 30
#: Rounds after which inferred classes may swap prototypes.
SWAP_AFTER = (8, 16, 24)
#: A half of the labeled classes is hidden, and then the other, so many times.
N_HALVINGS = 5
#: How far from chance to one the score has to be for names to be trusted.
LEAST_SKILL = 0.2
#: Below this, the rows of inferred classes do not stand apart from labeled classes.
LEAST_APARTNESS = 0.55
#: Rows to label in an inferred class: share of its own, and times labels of others.
TOP_SHARE, TIMES = 1 / 3, 3


class Inference(NamedTuple):
    """What the source says of classes without a labeled row.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
        Probabilities of all classes for every row.
    inferred : ndarray of shape (n_inferred,)
        Places of the classes that had no labeled row.
    score, chance : float
        Share of labeled rows of hidden classes that are named rightly, and what it
        would be if names were drawn.
    apartness : float
        How far rows of inferred classes are from labeled classes, in units of how far
        those are from each other: about one where the target has the classes, and less
        where it lacks them.
    """

    probabilities: Array
    inferred: Codes
    score: float
    chance: float
    apartness: float

    @property
    def agrees(self) -> bool:
        """Whether classes lie to each other as in the source."""
        return self.score - self.chance >= LEAST_SKILL * (1 - self.chance)

    @property
    def stands_apart(self) -> bool:
        """Whether rows seem to be of none of the labeled classes."""
        return self.apartness >= LEAST_APARTNESS

    def label(self, codes: Codes) -> Codes:
        """Label the surest rows of the inferred classes.

        Parameters
        ----------
        codes : ndarray of shape (n,)
            Places of the labels among the classes, -1 where unknown.

        Returns
        -------
        ndarray of shape (n,)
            The codes, with those of more rows.
        """
        return label_surest(self.probabilities, codes, self.inferred)

    def doubt(self, names: NDArray[Any]) -> str:
        """Say why the names are not to be trusted.

        Parameters
        ----------
        names : ndarray of shape (n_inferred,)
            Names of the inferred classes.

        Returns
        -------
        str
            A sentence without a subject, and what to do.
        """
        return (
            f"infers the classes {', '.join(map(repr, names.tolist()))}, which no "
            f"target sample is labeled with, from a source whose classes lie "
            f"otherwise to each other: of labeled classes that were hidden, it names "
            f"{self.score:.0%} of the samples rightly, and by chance it would be "
            f"{self.chance:.0%}. Label some samples of the classes that were "
            f"inferred, or pass unlabeled_classes='ignore'."
        )


def label_surest(probabilities: Array, codes: Codes, inferred: Codes) -> Codes:
    """Label the rows of every inferred class whose margin to the next is largest.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
        Probabilities of all classes for every row.
    codes : ndarray of shape (n,)
        Places of the labels among the classes, -1 where unknown.
    inferred : ndarray of shape (n_inferred,)
        Places of the classes to label.

    Returns
    -------
    ndarray of shape (n,)
        The codes with those of more rows: three times as many in every inferred class
        as labeled classes have in the mean, but at most a third of those it wins.
    """
    labeled = codes != UNLABELED
    most = TIMES * math.ceil(labeled.sum() / len(np.unique(codes[labeled])))
    winner = np.where(labeled, UNLABELED, probabilities.argmax(axis=1))
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    found = codes.copy()
    for k in inferred:
        rows = np.flatnonzero(winner == k)
        surest = rows[np.argsort(two[rows, 0] - two[rows, 1], kind="stable")]
        found[surest[: min(most, math.ceil(TOP_SHARE * len(rows)))]] = k
    return found


def whitened_geometry(X: Array, codes: Codes, n_classes: int) -> Array:
    r"""Tell which classes are alike, where variance within classes counts little.

    The class means are mapped by :math:`(S_w + c I)^{-1/2}`, with the covariance
    :math:`S_w` within classes and the mean :math:`c` of its 20 largest eigenvalues,
    centered and scaled to unit length, before they enter Equation 2 of GeoST.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows of the source.
    codes : ndarray of shape (n,)
        Places of their labels among the classes, -1 where unknown.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        Prior covariance of the classes; one without a row has none with others.
    """
    known = codes != UNLABELED
    present, places = np.unique(codes[known], return_inverse=True)
    geometry = np.eye(n_classes)
    if len(present) < 2:
        return geometry
    rows, _ = reduce_to_row_space(X[known] - X[known].mean(axis=0))
    one_hot = np.eye(len(present))[places]
    means = one_hot.T @ rows / one_hot.sum(axis=0)[:, None]
    within = rows - means[places]
    variances, axes = np.linalg.eigh(within.T @ within / len(within))
    ridge = RIDGE * max(variances[-N_LARGEST:].mean(), np.finfo(np.float64).tiny)
    whitened = means @ axes / np.sqrt(np.maximum(variances, 0) + ridge)
    M = scale_rows(whitened - whitened.mean(axis=0))
    cosines = M @ M.T
    np.fill_diagonal(cosines, 1.0)
    geometry[np.ix_(present, present)] *= 1 - RHO
    geometry[np.ix_(present, present)] += RHO * cosines
    return geometry


def join_rows(representations: Sequence[Array]) -> Array:
    """Put representations side by side, on principal axes and at unit length.

    Parameters
    ----------
    representations : sequence of ndarray of shape (n, p)
        Centered rows.

    Returns
    -------
    ndarray of shape (n, n_axes)
        Rows of unit length.
    """
    rows = np.hstack(representations)
    n, p = rows.shape
    gram = rows @ rows.T if n < p else rows.T @ rows
    largest = [max(len(gram) - N_AXES, 0), len(gram) - 1]
    squares, axes = eigh(gram, subset_by_index=largest)
    scores = axes * np.sqrt(np.maximum(squares, 0)) if n < p else rows @ axes
    return scale_rows(scores)


def fit_prototypes(Z: Array, codes: Codes, geometry: Array) -> tuple[Array, Array]:
    """Fit prototypes of all classes, by Equation 5 of GeoST.

    Parameters
    ----------
    Z : ndarray of shape (n, q)
        Rows of unit length.
    codes : ndarray of shape (n,)
        Places of their labels among the classes, -1 where unknown.
    geometry : ndarray of shape (K, K)
        Prior covariance of the classes.

    Returns
    -------
    probabilities : ndarray of shape (n, K)
        Of every row, those of labeled rows as they are labeled.
    prototypes : ndarray of shape (K, q)
        Of unit length.
    """
    labeled = codes != UNLABELED
    one_hot = np.eye(len(geometry))[codes[labeled]]
    counts = one_hot.sum(axis=0)
    inverse: Any = np.linalg.inv(geometry + 1e-6 * np.eye(len(geometry)))
    penalty = STRENGTH * len(Z) / len(geometry) * inverse
    # The mean of a Gaussian process over classes, given those with labels.
    prototypes = np.linalg.solve(np.diag(counts) + inverse, one_hot.T @ Z[labeled])
    for n_rounds in range(1, N_ROUNDS + 1):
        R = softmax(TEMPERATURE * Z @ scale_rows(prototypes).T, axis=1)
        R[labeled] = one_hot
        prototypes = np.linalg.solve(np.diag(R.sum(axis=0)) + penalty, R.T @ Z)
        if n_rounds in SWAP_AFTER:
            free = np.flatnonzero(counts == 0)
            prototypes = prototypes[swap_prototypes(prototypes, inverse, free)]
    return R, scale_rows(prototypes)


def swap_prototypes(prototypes: Array, inverse: Array, free: Codes) -> Codes:
    r"""Swap prototypes of free classes while that lets them fit the geometry better.

    What has to fall is :math:`\operatorname{tr}(G^{-1} C C^\top)`.

    Parameters
    ----------
    prototypes : ndarray of shape (K, q)
        The rows of :math:`C`.
    inverse : ndarray of shape (K, K)
        :math:`G^{-1}`.
    free : ndarray of shape (n_free,)
        Classes that may swap.

    Returns
    -------
    ndarray of shape (K,)
        Which prototype each class has in the end.
    """
    order = np.arange(len(inverse))
    products = prototypes @ prototypes.T
    tolerance = 1e-9 * max(np.abs(inverse * products).sum(), 1e-300)
    while len(free) > 1:
        change = _changes(inverse, products[np.ix_(order, order)])[np.ix_(free, free)]
        i, j = np.unravel_index(change.argmin(), change.shape)
        if change[i, j] >= -tolerance:
            break
        order[free[[i, j]]] = order[free[[j, i]]]
    return order


def _changes(A: Array, P: Array) -> Array:
    """By how much ``sum(A * P)`` changes as two rows and columns of P are swapped.

    The change of a swap is that of the entries outside of the crossing of both,
    twice as both matrices are symmetric, and that of the diagonal.
    """
    AP = A @ P
    a, p = np.diag(A), np.diag(P)
    all_ = AP + AP.T - np.diag(AP)[:, None] - np.diag(AP)
    at_i = (a[:, None] - A) * (P - p[:, None])
    at_j = (A - a) * (p - P)
    return 2 * (all_ - at_i - at_j) + (a[:, None] - a) * (p - p[:, None])


def score_geometry(Z: Array, codes: Codes, geometry: Array, candidates: Codes) -> float:
    """Name labeled classes that were hidden, to see whether the geometries agree.

    Parameters
    ----------
    Z : ndarray of shape (n, q)
        Rows of unit length.
    codes : ndarray of shape (n,)
        Places of their labels among the classes, -1 where unknown.
    geometry : ndarray of shape (K, K)
        Prior covariance of the classes.
    candidates : ndarray of shape (n_candidates,)
        Labeled classes that the source has, two or more.

    Returns
    -------
    float
        Share of labeled rows of hidden classes that are named rightly, the mean over
        five draws, always the same, of which each hides one half and then the other.
    """
    rng = np.random.default_rng(0)
    half = len(candidates) // 2
    right = []
    for _ in range(N_HALVINGS):
        drawn = rng.permutation(candidates)
        for hidden in (drawn[:half], drawn[half : 2 * half]):
            rows = np.isin(codes, hidden)
            R, _ = fit_prototypes(Z, np.where(rows, UNLABELED, codes), geometry)
            right.append(np.mean(R[rows].argmax(axis=1) == codes[rows]))
    return float(np.mean(right))


def infer_classes(
    Z: Array, codes: Codes, geometry: Array, source_codes: Codes
) -> Inference | None:
    """Infer the classes of the source that no row is labeled with.

    Parameters
    ----------
    Z : ndarray of shape (n, q)
        Rows of unit length.
    codes : ndarray of shape (n,)
        Places of their labels among the classes, -1 where unknown.
    geometry : ndarray of shape (K, K)
        Prior covariance of the classes.
    source_codes : ndarray of shape (n_source,)
        Places of the labels of the source.

    Returns
    -------
    Inference or None
        What was found; None if no class is without a label, or no row.

    Raises
    ------
    ValueError
        If fewer than two classes are labeled in both domains.
    """
    labeled = np.unique(codes[codes != UNLABELED])
    inferred = np.setdiff1d(np.arange(len(geometry)), labeled)
    if not inferred.size or (codes != UNLABELED).all():
        return None
    common = np.intersect1d(labeled, source_codes[source_codes != UNLABELED])
    if len(common) < 2:
        raise ValueError(
            f"unlabeled_classes='infer' expects two classes or more that both domains "
            f"have labeled samples of, got {len(common)}: the others are inferred from "
            f"how they lie to these. Label samples of more classes, or pass "
            f"unlabeled_classes='ignore'."
        )
    R, prototypes = fit_prototypes(Z, codes, geometry)
    score = score_geometry(Z, codes, geometry, common)
    chance = 1 / (len(inferred) + len(common) // 2)
    apartness = _apartness(Z[codes == UNLABELED] @ prototypes.T, inferred)
    return Inference(R, inferred, score, chance, apartness)


def _apartness(cosines: Array, inferred: Codes) -> float:
    """Compare margins between inferred and labeled classes with those within these."""
    others = np.delete(cosines, inferred, axis=1)
    wins = cosines[:, inferred].max(axis=1) - others.max(axis=1)
    two = np.partition(others, -2, axis=1)[:, -2:]
    usual = (two[:, 1] - two[:, 0])[wins <= 0]
    expected = len(cosines) * len(inferred) / cosines.shape[1]
    if not usual.any():
        return 0.0
    return float(np.maximum(wins, 0).sum() / (expected * usual.mean()))
