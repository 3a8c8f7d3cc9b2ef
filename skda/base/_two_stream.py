"""Classifiers with an encoder per domain and a classifier for both."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

from skda.base._classifier import DomainName, Rows
from skda.base._net_classifier import BaseNetClassifier, Sizes
from skda.preprocessing import RowScaler, row_preprocessor
from skda.utils._sklearn import Interval
from skda.utils.warnings import warn_user

__all__ = ["BaseTwoStreamClassifier"]


class BaseTwoStreamClassifier(BaseNetClassifier):
    """Classify a target by a network with an encoder per domain.

    What SSAN and STN share: the layout of the network, the rows before it, and a few
    source rows per class in every step.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetClassifier._parameter_constraints,
        **RowScaler._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_hidden": [Interval(Integral, 1, None, closed="left"), None],
        "leaky_logits": ["boolean"],
        "init_std": [Interval(Real, 0, None, closed="neither")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "source_per_class": [Interval(Integral, 1, None, closed="left"), None],
    }
    n_components: int
    n_hidden: int | None
    leaky_logits: bool
    init_std: float
    power: float | str
    normalize: bool
    n_neighbors: int | None
    source_per_class: int | None

    def _fit(self, source: Rows, target: Rows) -> None:
        """Train the network, after a word on the rows that it will not see."""
        known = source.labels.known
        if self.source_per_class is not None and 0 < known.sum() < len(known):
            warn_user(
                f"{type(self).__name__} leaves out {(~known).sum()} unlabeled source "
                f"samples, as every step draws labeled ones: pass "
                f"source_per_class=None to use them."
            )
        super()._fit(source, target)

    def _layout(self, sizes: Sizes) -> dict[str, Any]:
        """Spell the layout in the parameters of a ``TwoStreamClassifier``."""
        return {
            "widths": sizes.widths,
            "n_components": self.n_components,
            "n_classes": sizes.n_classes,
            "n_hidden": self.n_hidden,
            "leaky_logits": self.leaky_logits,
        }

    def _preprocessor(self, domain: DomainName) -> Any:
        return row_preprocessor(
            domain,
            power=self.power,
            normalize=self.normalize,
            n_neighbors=self.n_neighbors,
        )

    def _source_per_class(self) -> int | None:
        return self.source_per_class
