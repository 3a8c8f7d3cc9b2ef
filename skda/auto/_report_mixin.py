"""What AutoAdapter says of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.auto._few_labels import FewLabelsCommittee
from skda.auto._from_source import SourceCommittee
from skda.auto._outside import Given
from skda.auto._plain import PlainClassifier
from skda.auto._report import Report, describe
from skda.auto._trust import assess, collect, warn_of
from skda.auto._unlabeled import Named
from skda.utils.labels import UNLABELED
from skda.utils.warnings import warn_user

__all__ = ["ReportMixin"]

Array = NDArray[np.float64]


class ReportMixin:
    """Report on a committee, and warn where it is not to be trusted."""

    classes_: NDArray[Any]
    label_distributions_: Array
    members_: dict[str, Array]
    weights_: dict[str, float]
    report_: Report
    _plain: PlainClassifier
    _few_labels: FewLabelsCommittee | None
    _from_source: SourceCommittee | None
    _named: Named

    def _report(self, given: Given) -> None:
        """Say what was done, and warn where it is not to be trusted."""
        evidence = None
        if self._plain.probabilities_ is not None and len(self.classes_) > 1:
            evidence = collect(
                self.label_distributions_,
                self.members_,
                self.weights_,
                self._plain.probabilities_,
                labeled=given.codes != UNLABELED,
                n_features=given.target.X.shape[1],
            )
        situation = "few labels" if given.has_labels else "no labels"
        trust = assess(evidence, situation)
        said = []
        if self._named.doubt:
            said.append(f"AutoAdapter {self._named.doubt}")
            warn_user(said[0])
        if (given.codes == UNLABELED).any():
            said += warn_of(trust)
        facts = self._facts(given) | trust.as_facts() | {"warnings": said}
        self.report_ = describe(
            self.members_,
            self.weights_,
            self.label_distributions_,
            self.classes_,
            facts,
        )

    def _facts(self, given: Given) -> dict[str, Any]:
        """Collect what a report says of the data and of what was assumed."""
        few = self._few_labels
        plain = self._plain.probabilities_
        winner = self.label_distributions_.argmax(axis=1)
        return {
            "data": given.counts(len(self.classes_)),
            "situation": given.situation(),
            "assumptions": given.assumptions() + self._about_classes(given),
            "fold_accuracy": None if few is None else few.fold_accuracy_,
            "plain": None
            if plain is None
            else {
                "name": self._plain.name,
                "agreement": float(np.mean(plain.argmax(axis=1) == winner)),
            },
        }

    def _about_classes(self, given: Given) -> list[str]:
        """Say what was assumed of the classes."""
        said = []
        if self._from_source is not None:
            kept = self.classes_[self._from_source.kept_classes_]
            lacking = np.setdiff1d(self.classes_, kept).tolist()
            if lacking:
                said.append(
                    f"The target seems to lack the classes "
                    f"{', '.join(map(str, lacking))} of the source, which count half."
                )
        return said + [self._named.said] * bool(self._named.said)
