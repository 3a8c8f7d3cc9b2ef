"""Representations of a source and a target that have the same features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skda.preprocessing import DomainScaler, LinearOptimalTransport, RowScaler

__all__ = ["MOVED", "UNMOVED", "Views", "class_weights", "normal_scores"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Names of the views that take both domains for one.
UNMOVED = ("unit", "root", "standard")
#: Names of the views that move the domains onto each other.
MOVED = ("domain", "root domain", "ranks", "transport")
#: Features up to which the covariance is decomposed rather than sketched.
FEW_FEATURES = 512


class Views:
    r"""Fit seven representations to both domains, each a different idea of their shift.

    ============== ===================================================================
    "unit"         Rows of unit length: the directions are shared.
    "root"         Roots of the features, whatever the sign, then rows of unit length:
                   counts, of which a few large ones must not decide.
    "standard"     Features standardized in both domains together: nothing moved.
    "domain"       Features standardized in each domain by itself: every feature is
                   shifted and stretched.
    "root domain"  "root", then "domain".
    "ranks"        Normal scores of the ranks in each domain by itself: every feature
                   is bent, whatever the curve.
    "transport"    "standard", of which the source is moved by the optimal transport
                   between normal distributions: features also go together otherwise.
    ============== ===================================================================

    All end in the principal components of both domains together. Means and variances
    of the source are those of rows that weigh :math:`q_k / \pi_k` in class :math:`k`,
    for shares :math:`\pi` of the classes in the source and :math:`q` in the target:
    equal moments of domains of different shares would move classes onto each other.

    Parameters
    ----------
    names : sequence of str
        Names of the views to fit.
    n_components : int, default=128
        Number of principal components, at most.

    Attributes
    ----------
    source_, target_ : dict of str to ndarray of shape (n, n_components)
        Rows of the domains in every view.
    """

    def __init__(self, names: Sequence[str], n_components: int = 128) -> None:
        self.names = names
        self.n_components = n_components

    def fit(self, source: Array, codes: Codes, target: Array, shares: Array) -> Self:
        """Fit all views.

        Parameters
        ----------
        source : ndarray of shape (n_source, n_features)
            Rows of the source.
        codes : ndarray of shape (n_source,)
            Their classes, all of 0 to K - 1.
        target : ndarray of shape (n_target, n_features)
            Rows of the target.
        shares : ndarray of shape (K,)
            Assumed shares of the classes in the target.

        Returns
        -------
        self : object
            Fitted views.
        """
        rows: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {"rows": (source, target)}
        self._steps: dict[str, tuple[str, Any]] = {}
        for name, origin, step in self._plan(shares):
            S, T = rows[origin]
            if isinstance(step, _OWN):
                step.fit(T, source=(S, codes))
                rows[name] = step.transform(S, domain="source"), step.transform(T)
            else:
                with np.errstate(invalid="ignore"):  # equal rows share out no variance
                    both = step.fit_transform(np.concatenate([S, T]))
                rows[name] = both[: len(S)], both[len(S) :]
            self._steps[name] = origin, step
        self.source_ = {name: rows[name][0] for name in self.names}
        self.target_ = {name: rows[name][1] for name in self.names}
        return self

    def transform(self, X: Array) -> dict[str, Array]:
        """Represent new rows of the target.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_components)
            The rows in every view.
        """
        rows = {"rows": X}
        for name, (origin, step) in self._steps.items():
            rows[name] = step.transform(rows[origin])
        return {name: rows[name] for name in self.names}

    def _plan(self, shares: Array) -> list[tuple[str, str, Any]]:
        """List steps in their order: name, what it starts from, transformer."""
        scale: Any = partial(DomainScaler, min_scale=0.1, class_prior=shares)
        transport: Any = partial(LinearOptimalTransport, ridge=0.1, class_prior=shares)
        steps: dict[str, tuple[str, Any]] = {
            "unit rows": ("rows", RowScaler(1.0)),
            "root rows": ("rows", RowScaler(0.5)),
            "standard rows": ("rows", StandardScaler()),
            "domain rows": ("rows", scale()),
            "root domain rows": ("root rows", scale()),
            "ranks rows": ("rows", _DomainRanks(shares)),
            "transport": ("standard", transport()),
        }
        for view in (*UNMOVED, *MOVED[:-1]):
            steps[view] = (f"{view} rows", _Components(self.n_components))
        plan: dict[str, tuple[str, str, Any]] = {}
        for name in self.names:
            path = [name]
            while (origin := steps[path[-1]][0]) != "rows":
                path.append(origin)
            plan |= {step: (step, *steps[step]) for step in reversed(path)}
        return list(plan.values())


class _Components:
    """Principal components; of many features they are sketched."""

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components

    def fit_transform(self, X: Array) -> Array:
        n_components = min(self.n_components, *X.shape)
        solver = "covariance_eigh" if X.shape[1] <= FEW_FEATURES else "randomized"
        self._pca = PCA(
            n_components, svd_solver=solver, iterated_power=3, random_state=0
        )
        return self._pca.fit_transform(X)

    def transform(self, X: Array) -> Array:
        return self._pca.transform(X)


class _DomainRanks:
    """Normal scores of the ranks in each domain, the source weighted by its classes."""

    def __init__(self, class_prior: Array) -> None:
        self.class_prior = class_prior

    def fit(self, X: Array, *, source: tuple[Array, Codes]) -> Self:
        rows, codes = source
        weights = class_weights(codes, self.class_prior)
        self._curves = {
            "target": [normal_scores(x, np.ones(len(X))) for x in X.T],
            "source": [normal_scores(x, weights) for x in rows.T],
        }
        return self

    def transform(self, X: Array, domain: str = "target") -> Array:
        columns = zip(X.T, self._curves[domain], strict=True)
        return np.column_stack([np.interp(x, *curve) for x, curve in columns])


#: Steps that treat each domain by itself.
_OWN = (DomainScaler, LinearOptimalTransport, _DomainRanks)


def class_weights(codes: Codes, shares: Array) -> Array:
    """Weigh rows so that their classes have the given shares.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Classes of the rows.
    shares : ndarray of shape (K,)
        Shares to have.

    Returns
    -------
    ndarray of shape (n,)
        Weights, 1 in the mean.
    """
    counts = np.bincount(codes, minlength=len(shares))
    weights = (shares / np.maximum(counts, 1))[codes]
    return weights * (len(codes) / weights.sum())


def normal_scores(values: Array, weights: Array) -> tuple[Array, Array]:
    """Score the distinct values of a feature by their weighted ranks.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values.
    weights : ndarray of shape (n,)
        What each of them counts.

    Returns
    -------
    tuple of ndarray
        Distinct values in ascending order, and the normal score of the share of the
        weight below each, half of its own included.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    mass = np.bincount(inverse, weights)
    ranks = (np.cumsum(mass) - mass / 2) / mass.sum()
    edge = 0.5 / len(values)  # a row of no weight must not be infinitely far
    return distinct, ndtri(np.clip(ranks, edge, 1 - edge))
