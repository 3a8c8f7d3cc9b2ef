"""Members in all views, fitted for given shares of the classes in the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from skda.auto._domain_views import MOVED, UNMOVED, Views, class_weights
from skda.auto._members import (
    Domains,
    KernelRidge,
    Member,
    Neighbor,
    Projection,
    Propagation,
)
from skda.utils.many_rows import spread_out

__all__ = ["Panel", "starting_weights"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Name of a member: its view, its class, and what it counts before anything is known.
_MEMBERS: dict[str, tuple[str, Any, float]] = {
    **{f"projection, {view}": (view, Projection, 1.0) for view in (*UNMOVED, *MOVED)},
    **{
        f"kernel, {view}": (view, KernelRidge, 0.4)
        for view in ("unit", "standard", "domain", "root domain", "ranks")
    },
    **{
        f"propagation, {view}": (view, Propagation, 1.0)
        for view in ("unit", "standard")
    },
    **{f"neighbor, {view}": (view, Neighbor, 0.2) for view in ("unit", "standard")},
}
#: Members that learn from the source alone, in a view that moves nothing.
_PLAIN = (
    "kernel, unit",
    "kernel, standard",
    "neighbor, unit",
    "neighbor, standard",
)
#: How much more these count where the distance of the domains is a half.
_TRUST = 10.0
#: Least distance of the domains, and rows of each to measure it with.
_LEAST_DISTANCE, _DISTANCE_ROWS = 0.05, 500


class Panel:
    """Members in some views, fitted for given shares of the classes in the target."""

    def __init__(
        self,
        names: Sequence[str],
        source: Array,
        codes: Codes,
        target: Array,
        shares: Array,
    ) -> None:
        self.views = Views(names).fit(source, codes, target, shares)
        weights = class_weights(codes, shares)
        self._members: dict[str, Member] = {}
        for name, (view, make, _) in _MEMBERS.items():
            if view in names:
                rows = self.views.source_[view], codes, self.views.target_[view]
                domains = Domains(*rows, weights, len(shares))
                self._members[name] = make().fit(domains)

    def distance(self) -> float:
        r"""Measure how well a kernel ridge regression tells the domains apart.

        Returns
        -------
        float
            :math:`\max(2\,\mathrm{AUC} - 1, 0.05)`, of rows that were left out.
        """
        S, T = self.views.source_["standard"], self.views.target_["standard"]
        n_rows = min(len(S), len(T), _DISTANCE_ROWS)
        parts = [rows[spread_out(len(rows), n_rows)] for rows in (S, T)]
        X, domain = np.concatenate(parts), np.repeat([0, 1], n_rows)
        apart = KernelRidge().fit(Domains(X, domain, X[:1], np.ones(len(X)), 2))
        area = roc_auc_score(domain, apart.source_probabilities_[:, 1])
        return max(2 * float(area) - 1, _LEAST_DISTANCE)

    @property
    def fitted(self) -> dict[str, Array]:
        """Probabilities of the rows of the target that the members were fitted to."""
        return {name: each.probabilities_ for name, each in self._members.items()}

    @property
    def source_accuracy(self) -> dict[str, float]:
        """Shares of the source whose class the members find."""
        return {name: each.source_accuracy_ for name, each in self._members.items()}

    @property
    def best_accuracy(self) -> float:
        """Largest of those of rows that a member did not learn from."""
        return max(
            each.source_accuracy_ for each in self._members.values() if each.left_out
        )

    def predict_proba(self, X: Array) -> dict[str, Array]:
        """Predict new rows of the target by every member."""
        rows = self.views.transform(X)
        return {
            name: each.predict_proba(rows[_MEMBERS[name][0]])
            for name, each in self._members.items()
        }


def starting_weights(names: Sequence[str], distance: float) -> dict[str, float]:
    r"""Weigh members by their kind and the distance of the domains.

    Parameters
    ----------
    names : sequence of str
        Names of the members.
    distance : float
        Distance :math:`\delta` of the domains.

    Returns
    -------
    dict of str to float
        :math:`\beta_m \tau_m`.
    """
    trust = 1 + _TRUST * (1 - distance) / distance
    return {
        name: _MEMBERS[name][2] * (trust if name in _PLAIN else 1) for name in names
    }
