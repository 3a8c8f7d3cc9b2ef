"""Networks that learn from rows which both domains have."""

from __future__ import annotations

from skda.base._net_classifier import BaseNetClassifier
from skda.base._paired import BasePairedClassifier, PairedRows
from skda.base._rows import Rows
from skda.utils.declaration import estimator

__all__ = ["BasePairedNetClassifier"]


@estimator
class BasePairedNetClassifier(BasePairedClassifier, BaseNetClassifier):
    """Classify a target by a network that pairs of rows train too.

    Every batch has ``pairs``; whether their sides are rows of the domains as well is
    up to the method (:meth:`PairedRows.join`).
    """

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        self._fit_net(source, target, pairs)

    def _phase_length(self, own: int | None, max_epochs: int) -> int:
        """Count the epochs of a phase: its own, unless that is None or steps count."""
        return max_epochs if own is None or (own and self.max_steps) else own
