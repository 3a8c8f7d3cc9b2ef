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
