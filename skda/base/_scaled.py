"""Classifiers of two domains that choose the scale of the features by themselves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from skda.base._contradictions import warn_of_contradictions
from skda.base._homogeneous import BaseHomogeneousClassifier
from skda.base._rows import DomainName, Rows
from skda.preprocessing import RowScaler, shared_preprocessor
from skda.utils.declaration import estimator
from skda.utils.ranges import Power

__all__ = ["BaseScaledClassifier"]


@estimator
class BaseScaledClassifier(BaseHomogeneousClassifier):
    """Classify a target domain by rows of unit length, of features on one scale.

    A fit warns if the classes that it finds have other shares than in the source, or if
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

    #: Share of the target rows up to which the method may find other class shares than
    #: the source has, before it warns.
    max_share_distance: ClassVar[float] = 0.2

    def make_shared_preprocessor(self, domains: list[Any]) -> Any:
        if self.representation == "unit":
            return None
        return shared_preprocessor(domains, power=self.power)

    def make_preprocessor(self, domain: DomainName) -> Any:
        done = self._shared_preprocessor is not None
        return RowScaler(1.0 if done or self.power == "auto" else self.power)

    def _finish_fit(self, source: Rows, target: Rows) -> Self:
        super()._finish_fit(source, target)
        name, most = type(self).__name__, self.max_share_distance
        warn_of_contradictions(name, source, self.transduction_, self.classes_, most)
        return self
