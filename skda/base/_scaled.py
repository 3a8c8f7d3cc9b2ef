"""Classifiers of two domains that choose the scale of the features by themselves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils import _safe_indexing

from skda.base._contradictions import Sample, evenly, warn_of_contradictions
from skda.base._homogeneous import BaseHomogeneousClassifier, dense
from skda.base._rows import DomainName, Rows
from skda.preprocessing import RowScaler, shared_preprocessor
from skda.utils.declaration import estimator
from skda.utils.labels import Labels
from skda.utils.ranges import Power

__all__ = ["BaseScaledClassifier"]


@estimator
class BaseScaledClassifier(BaseHomogeneousClassifier):
    """Classify a target domain by rows of unit length, of features on one scale.

    A fit warns if the labels that it finds lead back to the source worse than those of
    a support vector machine do, if they have other shares than in the source, or if
    neighbors tell the classes of the source apart much better than planes do.

    Parameters
    ----------
    representation : {"auto", "unit"}
        What happens to the features before the rows are scaled to unit length. "auto"
        standardizes them in a way that suits their nature, see
        :func:`skda.preprocessing.shared_preprocessor`; a ``shared_transformer`` takes
        its place. "unit" does nothing.
    power : float or "auto"
        Power of the features, see :class:`skda.preprocessing.RowScaler`, which comes
        before anything of ``representation`` and after any ``shared_transformer``.
        "auto" is 0.5 for what ``representation="auto"`` takes for counts, and else 1.
    """

    representation: Literal["auto", "unit"] = "auto"
    power: Power = "auto"

    #: By how much the labels found may lead back to the source worse than those of a
    #: support vector machine, before a fit warns.
    max_loss: ClassVar[float] = 0.05
    #: Whether class shares far from those of the source tell that the method failed.
    holds_shares: ClassVar[bool] = True

    def make_shared_preprocessor(self, domains: list[Any]) -> Any:
        if self.representation == "unit":
            return None
        return shared_preprocessor(domains, power=self.power)

    def make_preprocessor(self, domain: DomainName) -> Any:
        done = self._shared_preprocessor is not None
        return RowScaler(1.0 if done or self.power == "auto" else self.power)

    def _fit_shared(
        self, rows: dict[DomainName, Any], labels: dict[str, Labels]
    ) -> None:
        super()._fit_shared(rows, labels)
        self._sample = None
        if "source" not in rows:
            return
        (known,) = labels["source"].known.nonzero()
        picked = {
            "source": evenly(known),
            "target": evenly(np.arange(len(labels["target"].known))),
        }
        samples = {d: _safe_indexing(rows[d], picked[d]) for d in rows}
        if self.shared_transformer_ is not None:
            samples = {d: self._shared(X, d) for d, X in samples.items()}
        X, X_s = dense(samples["target"]), dense(samples["source"])
        codes = labels["source"].codes(self.classes_)[picked["source"]]
        self._sample = Sample(X_s, codes, X, picked["target"])

    def _finish_fit(self, source: Rows, target: Rows) -> Self:
        super()._finish_fit(source, target)
        sample, self._sample = self._sample, None  # no rows of the fit are kept
        if sample is not None:
            warn_of_contradictions(
                type(self).__name__,
                source,
                self.transduction_,
                self.classes_,
                sample,
                max_loss=self.max_loss,
                holds_shares=self.holds_shares,
            )
        return self
