"""A committee for a target without labels and a source of the same features."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skda.auto._domain_views import MOVED, UNMOVED
from skda.auto._panel import Panel, starting_weights
from skda.auto._votes import (
    agreement_weights,
    are_absent,
    average,
    find_absent,
    prior_weights,
)
from skda.utils.many_rows import spread_out
from skda.utils.operations import spread_columns

__all__ = ["SourceCommittee"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


class _Fit(NamedTuple):
    """The members fitted to some classes, and their weights."""

    panel: Panel
    kept: Codes
    weights: dict[str, float]


class SourceCommittee:
    r"""Classifiers in several views of both domains that vote by their agreement.

    Every view of :class:`~skda.auto._domain_views.Views` is right about some shifts and
    wrong about others, by tens of points, and nothing that needs no labels tells which.
    Their average is right about most, and what agrees with it counts more.

    **Members.** In every view :class:`~skda.auto._members.Projection`, with
    :math:`\beta = 1`, and in all but two :class:`~skda.auto._members.KernelRidge`, with
    :math:`\beta = 0.4`; in the views "unit" and "standard"
    :class:`~skda.auto._members.Propagation`, with 1, and
    :class:`~skda.auto._members.Neighbor`, with 0.2.

    **Weights.** A kernel ridge regression tells the domains apart by a distance
    :math:`\delta = \max(2\,\mathrm{AUC} - 1, 0.05)`. Where it is small nothing needs
    to be adapted, and members that learn from the source alone, in a view that moves
    nothing, count more by :math:`\tau_m = 1 + 10 (1 - \delta) / \delta`; for others
    :math:`\tau_m = 1`. A member that finds the share :math:`s_m` of the source's own
    classes, when the best finds :math:`s` and the largest class has the share
    :math:`c`, has the skill :math:`r_m = (s_m - c) / (s - c)`: one that is too simple
    for the classes must not decide. With the probabilities :math:`P_m` and the share
    :math:`a_m` of the target rows for which :math:`P_m` and the ensemble :math:`E` have
    the same class, four times

    .. math::
        E = \sum_m w_m P_m, \qquad
        w_m \propto \frac{\beta_m \tau_m (r_m^2 + 0.02)}{(1.05 - s_m)(1.02 - a_m)}.

    **Classes of the target.** The members in views that move nothing come first. A
    class seems absent if they find it in less than ``least_share`` of its share in the
    source, and in rows of which they are less sure than ``least_confidence`` of the
    mean, or in next to none. Where such classes make up ``least_lack`` of the source,
    the target is taken to lack them: their rows leave the source, and it is looked for
    others again. The mean probabilities of these members are the shares :math:`q` for
    which all members are then fitted: every row of the source counts
    :math:`q_k / \pi_k`.

    **Second opinion.** Where domains are far apart (:math:`\delta` of ``far`` or more),
    members that move nothing may find next to no row of a class that is there. So all
    members are fitted to all classes first. If they find the classes that would be left
    out in ``least_share`` of their share, or are as sure of the rows of one of them as
    of others, all classes stay, and the members are fitted again for the shares of the
    source. Else the members are fitted without those classes, too, and every member is
    the mean of its two fits, so that no class is lost for good.

    Of more than ``max_rows`` rows of a domain, as many are learned from; the others are
    predicted like new rows.

    Parameters
    ----------
    max_rows : int, default=5000
        Number of rows of each domain to learn from, and of those to predict at a time.
    least_share : float, default=0.5
        Share of a class in the target, relative to the source, below which it may be
        absent.
    least_confidence : float, default=0.85
        Mean probability of the rows found in it, relative to all rows, below which it
        may be absent.
    least_lack : float, default=0.12
        Share of the source that absent classes make up where the target lacks them.
    far : float, default=0.85
        Distance of the domains from which on classes that seem to be absent are looked
        for by members that move the domains.
    n_prunings : int, default=3
        How often to leave out classes, at most.

    Attributes
    ----------
    members_ : dict of str to ndarray of shape (n_target, K)
        Probabilities of every member.
    weights_ : dict of str to float
        Their weights, 1 in sum.
    agreement_ : dict of str to float
        Share of the rows where a member and the ensemble have the same class.
    source_accuracy_ : dict of str to float
        Share of the source whose class a member finds.
    probabilities_ : ndarray of shape (n_target, K)
        Those of the ensemble.
    class_shares_ : ndarray of shape (K,)
        Their means.
    is_partial_ : bool
        Whether the target is taken to lack classes of the source.
    kept_classes_ : ndarray of shape (n_kept,)
        Classes that it is taken to have; the others count half.
    domain_distance_ : float
        Distance :math:`\delta` of the domains, from 0.05 to 1.
    """

    def __init__(
        self,
        *,
        max_rows: int = 5000,
        least_share: float = 0.5,
        least_confidence: float = 0.85,
        least_lack: float = 0.12,
        far: float = 0.85,
        n_prunings: int = 3,
    ) -> None:
        self.max_rows = max_rows
        self.least_share = least_share
        self.least_confidence = least_confidence
        self.least_lack = least_lack
        self.far = far
        self.n_prunings = n_prunings

    def fit(
        self, X_source: Array, source_codes: Codes, X: Array, n_classes: int
    ) -> Self:
        """Fit to both domains.

        Parameters
        ----------
        X_source : ndarray of shape (n_source, n_features)
            Rows of the source.
        source_codes : ndarray of shape (n_source,)
            Their classes, from 0 to K - 1.
        X : ndarray of shape (n_target, n_features)
            Rows of the target.
        n_classes : int
            Number K of classes.

        Returns
        -------
        self : object
            Fitted committee.
        """
        self.n_classes_ = n_classes
        drawn = spread_out(len(X_source), self.max_rows)
        seen = spread_out(len(X), self.max_rows)
        source, codes, target = X_source[drawn], source_codes[drawn], X[seen]
        every, fewer = self._find_classes(source, codes, target)
        self._fits = [self._fit_members(source, codes, target, *every)]
        self.kept_classes_, _ = every
        self.is_partial_ = fewer is not None and self._confirms(codes, fewer[0])
        if fewer is not None and self.is_partial_:
            self._fits.append(self._fit_members(source, codes, target, *fewer))
            self.kept_classes_, _ = fewer
        elif fewer is not None:
            # Members that miss classes are wrong about the shares of the others, too.
            kept, counts = np.unique(codes, return_counts=True)
            shares = counts / len(codes)
            self._fits = [self._fit_members(source, codes, target, kept, shares)]
        self.weights_ = _mean([fit.weights for fit in self._fits])
        self.source_accuracy_ = _mean([fit.panel.source_accuracy for fit in self._fits])
        self._predict(X, seen)
        return self

    def predict_proba(self, X: Array) -> Array:
        """Predict new rows of the target.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, K)
            Probabilities of the classes.
        """
        return average(self.predict_members(X), self.weights_)

    def _find_classes(
        self, source: Array, codes: Codes, target: Array
    ) -> tuple[tuple[Codes, Array], tuple[Codes, Array] | None]:
        """Estimate the shares of all classes, and of those that seem to be there."""
        kept = np.unique(codes)
        shares = np.bincount(codes)[kept] / len(codes)
        found: list[tuple[Codes, Array]] = []
        for r in range(self.n_prunings + 1):
            rows, renumbered = _keep(source, codes, kept)
            panel = Panel(UNMOVED, rows, renumbered, target, shares)
            if r == 0:
                self.domain_distance_ = panel.distance()
            weights, _ = self._weigh(panel, shares)
            ensemble = average(panel.fitted, weights)
            shares = ensemble.mean(axis=0)
            found.append((kept, shares))
            absent = find_absent(
                ensemble, renumbered, self.least_share, self.least_confidence
            )
            lack = absent[renumbered].mean()
            lacks = lack >= self.least_lack or (r > 0 and absent.any())
            if not lacks or (~absent).sum() < 2:
                break
            kept, shares = kept[~absent], shares[~absent] / shares[~absent].sum()
        return found[0], found[-1] if len(found) > 1 else None

    def _fit_members(
        self, source: Array, codes: Codes, target: Array, kept: Codes, shares: Array
    ) -> _Fit:
        """Fit all members to some classes, for the estimated shares."""
        rows, renumbered = _keep(source, codes, kept)
        # A single row has no moments.
        views = UNMOVED if min(len(source), len(target)) < 2 else (*UNMOVED, *MOVED)
        panel = Panel(views, rows, renumbered, target, shares)
        weights, _ = self._weigh(panel, shares)
        return _Fit(panel, kept, weights)

    def _confirms(self, codes: Codes, kept: Codes) -> bool:
        """Say whether all members, too, miss all classes but these."""
        if self.domain_distance_ < self.far:
            return True
        (panel, every, weights), *_ = self._fits
        ensemble = average(panel.fitted, weights)
        left_out = ~np.isin(every, kept)
        return are_absent(
            ensemble,
            np.searchsorted(every, codes),
            left_out,
            self.least_share,
            self.least_confidence,
        )

    def _weigh(
        self, panel: Panel, shares: Array
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Weigh members by the source, and by their agreement on the target."""
        accuracy = panel.source_accuracy
        starts = starting_weights(list(accuracy), self.domain_distance_)
        strengths = prior_weights(
            starts, accuracy, panel.best_accuracy, float(shares.max())
        )
        return agreement_weights(panel.fitted, strengths)

    def _predict(self, X: Array, seen: NDArray[np.intp]) -> None:
        """Predict all rows of the target; those seen by the members have their own."""
        if len(seen) < len(X):
            self.members_ = self.predict_members(X)
        else:
            self.members_ = {
                name: np.zeros((len(X), self.n_classes_)) for name in self.weights_
            }
        for name, probabilities in self.members_.items():
            probabilities[seen] = 0.0
            for panel, kept, _ in self._fits:
                found = panel.fitted[name] / len(self._fits)
                probabilities[np.ix_(seen, kept)] += found
        self.probabilities_ = average(self.members_, self.weights_)
        self.class_shares_ = self.probabilities_.mean(axis=0)
        winner = self.probabilities_.argmax(axis=1)
        self.agreement_ = {
            name: float(np.mean(each.argmax(axis=1) == winner))
            for name, each in self.members_.items()
        }

    def predict_members(self, X: Array) -> dict[str, Array]:
        """Predict rows by every member.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, K)
            Probabilities of the classes.
        """
        batches = [
            self._predict_batch(X[rows]) for rows in gen_batches(len(X), self.max_rows)
        ]
        return {
            name: np.concatenate([batch[name] for batch in batches])
            for name in self.weights_
        }

    def _predict_batch(self, X: Array) -> dict[str, Array]:
        """Predict a few rows by every member."""
        predicted: dict[str, Array] = {}
        for panel, kept, _ in self._fits:
            for name, found in panel.predict_proba(X).items():
                share = found / len(self._fits)
                spread = spread_columns(share, kept, self.n_classes_)
                predicted[name] = (
                    predicted[name] + spread if name in predicted else spread
                )
        return predicted


def _keep(source: Array, codes: Codes, kept: Codes) -> tuple[Array, Codes]:
    """Take the rows of the classes that are kept, numbered anew."""
    rows = np.isin(codes, kept)
    return source[rows], np.searchsorted(kept, codes[rows])


def _mean(values: list[dict[str, float]]) -> dict[str, float]:
    """Average values by name."""
    return {name: float(np.mean([each[name] for each in values])) for name in values[0]}
