"""Networks that learn from rows which both domains have."""

from __future__ import annotations

from typing import Any, ClassVar

from skda.base._classifier import Rows
from skda.base._net_classifier import BaseNetClassifier
from skda.base._paired import BasePairedClassifier, PairedRows

__all__ = ["BasePairedNetClassifier"]


class BasePairedNetClassifier(BasePairedClassifier, BaseNetClassifier):
    """Classify a target by a network that pairs of rows train too.

    Every batch has ``pairs``; whether their sides are rows of the domains as well is
    up to the method (:meth:`PairedRows.join`).
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        BaseNetClassifier._parameter_constraints
    )

    def _fit(self, source: Rows, target: Rows, pairs: PairedRows | None = None) -> None:
        self._fit_net(source, target, pairs)
