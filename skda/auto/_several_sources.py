"""What AutoAdapter adds where there are several sources."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skda.auto._report import describe
from skda.auto._trust import assess, collect, warn_of
from skda.base import (
    BaseHomogeneousClassifier,
    BaseSeveralSourcesPairedClassifier,
    estimator,
)
from skda.utils.labels import Labels

__all__ = ["SeveralSourcesAdapter"]

Array = NDArray[np.float64]

#: What a source was judged by, in words.
_JUDGED_BY = {
    "labels": "on target labels that it had not seen",
    "geometry": "in which classes are alike",
    "agreement": "in its agreement with the other sources",
}


@estimator
class SeveralSourcesAdapter(
    BaseSeveralSourcesPairedClassifier, BaseHomogeneousClassifier
):
    """Say what committees with one source each know, and report on all of them."""

    def _check_target(self, X: Any, y: Any) -> Labels:
        self.shared_transformer_ = clone(self.shared_transformer, safe=False)
        return super()._check_target(X, y)

    def _unlabeled_opinion(self, part: Any, X: Any, given: Any) -> Any:
        """Ask the members that have not seen a label of the target."""
        if part._from_source is not None:
            return self._opinion(part, part._from_source.probabilities_)
        if part._paired:
            said = [part.members_[name] for name in part._paired]
            return self._opinion(part, np.mean(said, axis=0))
        return None

    def _geometry_of_source(self, part: Any) -> Array:
        return np.asarray(part._geometry)

    def _closeness(self, part: Any) -> float:
        committee = part._from_source
        return 0.0 if committee is None else -float(committee.domain_distance_)

    def _conclude(self, given: list[Any], target: Labels, probabilities: Array) -> None:
        """Report on all sources, and warn where the fit is not to be trusted."""
        self.label_distributions_ = probabilities
        fits = [each for each, _ in self._voters]
        said = [self._opinion(each, each.label_distributions_) for each in fits]
        alone = not self.source_weights_.any()
        names = [f"source[{i}]" for i in np.flatnonzero(self.source_weights_)]
        names = ["no source"] if alone else names
        self.members_ = dict(zip(names, (P for P, _ in said), strict=True))
        self.weights_ = {
            name: weight for name, (_, weight) in zip(names, self._voters, strict=True)
        }
        heaviest = max(self._voters, key=lambda voter: voter.weight).estimator
        facts = self._facts_of_all(given, target) | self._trust_in_all(heaviest, target)
        self.report_ = describe(
            self.members_,
            self.weights_,
            self.label_distributions_,
            self.classes_,
            facts,
        )

    def _facts_of_all(self, given: list[Any], target: Labels) -> dict[str, Any]:
        """Collect what the report says of the data and of the sources."""
        parts = [each.report_["data"] for each in self.source_estimators_]
        counts = parts[0] | {
            name: sum(each[name] for each in parts)
            for name in ("source_rows", "source_features", "pairs")
        }
        labels = "few labels" if target.known.any() else "no labels"
        return {
            "data": counts | {"classes": len(self.classes_)},
            "situation": f"{labels}, {len(given)} sources",
            "assumptions": self._about_sources(),
            "sources": [
                {"weight": float(weight)} | evidence
                for weight, evidence in zip(
                    self.source_weights_, self.source_evidence_, strict=True
                )
            ],
        }

    def _about_sources(self) -> list[str]:
        """Say which sources are used, and why."""
        said = []
        facts = zip(self.source_weights_, self.source_evidence_, strict=True)
        for place, (weight, evidence) in enumerate(facts):
            verdict = f"weighs {weight:.2f}" if evidence["used"] else "is left out"
            if evidence["judged_by"] == "nothing":
                reason = "there is too little to judge it by"
            else:
                reason = (
                    f"its gain over itself with its classes renamed, "
                    f"{_JUDGED_BY[evidence['judged_by']]}, is {evidence['gain']:.2f}, "
                    f"where more than {evidence['least']:.2f} speaks for a source"
                )
            said.append(f"source[{place}] {verdict}: {reason}.")
        return said

    def _trust_in_all(self, heaviest: Any, target: Labels) -> dict[str, Any]:
        """Say how far the fit is to be trusted, beside the plain classifier of one."""
        plain = heaviest._plain.probabilities_
        evidence, about_plain = None, None
        warnings: list[str] = []
        if plain is not None and len(heaviest.classes_) > 1:
            plain, _ = self._opinion(heaviest, plain)
            winner = self.label_distributions_.argmax(axis=1)
            about_plain = {
                "name": heaviest._plain.name,
                "agreement": float(np.mean(plain.argmax(axis=1) == winner)),
            }
            evidence = collect(
                self.label_distributions_,
                self.members_,
                self.weights_,
                plain,
                labeled=target.known,
                n_features=self.n_features_in_,
            )
        kind = "few labels" if target.known.any() else "no labels"
        trust = assess(evidence, kind)
        if not target.known.all():
            warnings = warn_of(trust)
        return trust.as_facts() | {
            "plain": about_plain,
            "warnings": warnings,
            "fold_accuracy": None,
        }
