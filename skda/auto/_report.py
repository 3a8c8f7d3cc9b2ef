"""What a fit did and expects, as plain values and as a text."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Report", "describe"]

Array = NDArray[np.float64]

_WIDTH = 79
#: Members and classes that the text names; the rest are counted.
_MOST_LISTED = 12


class Report(dict[str, Any]):
    """A dict of plain values, which JSON takes, whose text a colleague can read.

    Its keys:

    - "data": counts of "rows", "labeled_rows", "features" and "classes" of the target,
      and "source_rows", "source_features" and "pairs".
    - "situation": what was found to be given, in a few words.
    - "assumptions": a list of sentences, what was assumed and why.
    - "members": by name, a dict of "weight" and "agreement", the share of target rows
      on which the member says what all say together; "fold_accuracy" where there were
      labels enough.
    - "class_shares": estimated shares of the classes in the target, by name.
    - "plain": what a plain classifier says: its "name" and "agreement"; None where
      nothing plain can say anything.
    - "expected_accuracy" of the target rows without a label, "p_below" (the probability
      that a plain classifier is better by more than five points) and "trust", one of
      "high", "fair", "low" and "unknown", where there is nothing plain to compare with.
    - "warnings": a list of sentences.
    - "sources", with several: for each whether it is "used", its "weight", its "gain"
      over itself with its classes renamed, the "least" gain that speaks for it, and
      what it was "judged_by".

    Examples
    --------
    >>> from skda import AutoAdapter
    >>> from skda.datasets import make_heterogeneous_domains
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = AutoAdapter().fit(data.X, data.y, source=data.source)
    >>> print(clf.report_)  # doctest: +ELLIPSIS
    AutoAdapter: ...
    """

    def __str__(self) -> str:
        """Spell the report."""
        parts = [
            [self._headline()],
            _listed("Assumed", self["assumptions"]),
            self._table(),
            [self._shares()],
            [self._plain()],
            [self._trust()],
            _listed("Warnings", self["warnings"]),
        ]
        return "\n\n".join("\n".join(part) for part in parts if any(part))

    def _headline(self) -> str:
        data = self["data"]
        text = (
            f"AutoAdapter: {data['rows']} target rows of {data['features']} features, "
            f"{data['labeled_rows']} of them labeled, {data['classes']} classes"
        )
        if "sources" in self:
            n_sources = len(self["sources"])
            text += f"; {n_sources} sources of {data['source_rows']} rows together"
        elif data["source_rows"]:
            text += (
                f"; a source of {data['source_rows']} rows of "
                f"{data['source_features']} features"
            )
        if data["pairs"]:
            text += f"; {data['pairs']} pairs"
        return _fill(f"{text}. Taken for: {self['situation']}.")

    def _table(self) -> list[str]:
        """Set the members out as a table, the heaviest first."""
        members = sorted(self["members"].items(), key=lambda item: -item[1]["weight"])
        shown, n_more = members[:_MOST_LISTED], len(members) - _MOST_LISTED
        width = max((len(name) for name, _ in shown), default=0)
        has_folds = any(m.get("fold_accuracy") is not None for _, m in members)
        width = max(width, len("Member"))
        lines = [f"{'Member':{width}}  weight  agreement" + "  on folds" * has_folds]
        for name, member in shown:
            line = (
                f"{name:{width}}  {member['weight']:6.2f}  {member['agreement']:9.0%}"
            )
            if has_folds:
                score = member.get("fold_accuracy")
                line += " " * 10 if score is None else f"  {score:8.0%}"
            lines.append(line.rstrip())
        return lines + ([f"and {n_more} more"] if n_more > 0 else [])

    def _shares(self) -> str:
        shares = sorted(self["class_shares"].items(), key=lambda item: -item[1])
        shown = [f"{name} {share:.0%}" for name, share in shares[:_MOST_LISTED]]
        n_more = len(shares) - len(shown)
        more = f" and {n_more} more" if n_more else ""
        return _fill(f"Estimated class shares: {', '.join(shown)}{more}.")

    def _plain(self) -> str:
        plain: Mapping[str, Any] | None = self["plain"]
        if plain is None:
            return _fill("There is nothing plain to compare with.")
        return _fill(
            f"A plain classifier ({plain['name']}) says the same on "
            f"{plain['agreement']:.0%} of the target rows."
        )

    def _trust(self) -> str:
        if self["trust"] == "unknown":
            return _fill("Trust: unknown; label some rows to find out.")
        return _fill(
            f"Expected accuracy on target rows without a label: "
            f"{self['expected_accuracy']:.0%}. Trust: {self['trust']}; the probability "
            f"that a plain classifier is better by more than five points is "
            f"{self['p_below']:.0%}."
        )


def _listed(title: str, sentences: list[str]) -> list[str]:
    """List sentences under a title."""
    if not sentences:
        return []
    lines = [f"{title}:"]
    for sentence in sentences:
        lines += wrap(sentence, _WIDTH, initial_indent="- ", subsequent_indent="  ")
    return lines


def _fill(text: str) -> str:
    return "\n".join(wrap(text, _WIDTH))


def describe(
    members: Mapping[str, Array],
    weights: Mapping[str, float],
    probabilities: Array,
    classes: NDArray[Any],
    facts: Mapping[str, Any],
) -> Report:
    """Write the report of a fit.

    Parameters
    ----------
    members : dict of str to ndarray of shape (n_target, n_classes)
        What every member says.
    weights : dict of str to float
        Their weights.
    probabilities : ndarray of shape (n_target, n_classes)
        What all say together.
    classes : ndarray of shape (n_classes,)
        Names of the classes.
    facts : dict
        The other keys of the report, and "fold_accuracy" of the members or None.

    Returns
    -------
    Report
        The report.
    """
    winner = probabilities.argmax(axis=1)
    folds = facts.get("fold_accuracy") or {}
    listed = {}
    for name, said in members.items():
        listed[name] = {
            "weight": float(weights[name]),
            "agreement": float(np.mean(said.argmax(axis=1) == winner)),
        }
        if name in folds:
            listed[name]["fold_accuracy"] = float(folds[name])
    shares = np.bincount(winner, minlength=len(classes)) / len(winner)
    return Report(
        {key: value for key, value in facts.items() if key != "fold_accuracy"}
        | {
            "members": listed,
            "class_shares": dict(
                zip(map(str, classes.tolist()), shares.tolist(), strict=True)
            ),
        }
    )
