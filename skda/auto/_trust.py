"""A statement of trust: how accurate a fit is expected to be, and whether it pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from skda.utils.warnings import warn_user

__all__ = ["ALARM", "COEFFICIENTS", "Evidence", "Trust", "assess", "collect", "warn_of"]

Array = NDArray[np.float64]

#: Of the logistic models of the accuracy and of the probability to be below, by what
#: there is. They were fitted to the choosing side of the boards by
#: ``python -m benchmarks.boards.trust``, which writes these lines.
COEFFICIENTS = {
    "few labels": (
        (-1.492, 0.505, 0.216, 0.421, 0.061, 0.239, 0.068, -0.028, 0.159),
        (1.307, 0.000, -0.320, -0.468, 0.054, 0.000, 0.000, -0.388, -0.708),
    ),
    "no labels": (
        (-1.841, 0.345, 0.246, 0.552, 0.356, 0.311, 0.694, 0.000, -0.014),
        (0.299, 0.000, -0.221, -0.013, -0.587, 0.000, 0.000, 0.000, -0.538),
    ),
}
#: Probability to be below from which on a fit warns: one in ten or more, and so that of
#: the fits of the choosing side that are not below at most 13 % are warned of. The same
#: command writes it.
ALARM = {"few labels": 0.109, "no labels": 0.100}
#: Expected accuracy from which on trust is high.
HIGH = 0.8
#: Least distance of a share from zero and one, before its log-odds are taken.
MARGIN = 0.02


class Evidence(NamedTuple):
    """What a fit says of itself, without any label that it has not seen.

    Parameters
    ----------
    agreement : float
        Share of rows on which a member says what the committee says, the mean over the
        members with their weights.
    plain_agreement : float
        Share on which the plain classifier does.
    confidence : float
        Mean probability of the class that the committee predicts.
    plain_confidence : float
        The same of the plain classifier.
    share_distance : float
        Half the sum of the differences between the shares of the classes that the
        committee and the plain classifier predict.
    n_classes : int
        Number of classes.
    labels_per_class : float
        Labeled target rows for each of them, on average.
    n_features : int
        Number of features. Representations are made for many; with few, one classifier
        that is tuned to the rows as they are is more often right alone.
    """

    agreement: float
    plain_agreement: float
    confidence: float
    plain_confidence: float
    share_distance: float
    n_classes: int
    labels_per_class: float
    n_features: int

    def features(self) -> Array:
        """Take log-odds of the shares, the distance and logarithms of the counts."""
        shares = np.clip(self[:4], MARGIN, 1 - MARGIN)
        counts = np.log([self.n_classes, 1 + self.labels_per_class, self.n_features])
        return np.concatenate([[1.0], logit(shares), [self.share_distance], counts])


class Trust(NamedTuple):
    """What is to be expected of a fit.

    Parameters
    ----------
    evidence : Evidence or None
        Where it comes from; None where there is nothing plain to compare with.
    expected_accuracy : float
        On target rows without a label.
    p_below : float
        Probability that the plain classifier is better by more than five points.
    alarm : float
        The same, from which on a fit warns.
    """

    evidence: Evidence | None
    expected_accuracy: float
    p_below: float
    alarm: float

    @property
    def warns(self) -> bool:
        """Whether a plain classifier is too likely to be far better."""
        return self.p_below > self.alarm

    @property
    def word(self) -> str:
        """One of "high", "fair" and "low"."""
        if self.warns:
            return "low"
        return "high" if self.expected_accuracy > HIGH else "fair"

    def as_facts(self) -> dict[str, Any]:
        """Spell it as plain values."""
        if self.evidence is None:
            return dict.fromkeys(("evidence", "expected_accuracy", "p_below")) | {
                "trust": "unknown"
            }
        return {
            "evidence": self.evidence._asdict(),
            "expected_accuracy": self.expected_accuracy,
            "p_below": self.p_below,
            "trust": self.word,
        }


def collect(
    probabilities: Array,
    members: Mapping[str, Array],
    weights: Mapping[str, float],
    plain: Array,
    *,
    labeled: NDArray[np.bool_],
    n_features: int,
) -> Evidence:
    """Collect the evidence.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        What the committee says.
    members : dict of str to ndarray of shape (n, n_classes)
        What its members say.
    weights : dict of str to float
        Weights of the members.
    plain : ndarray of shape (n, n_classes)
        What the plain classifier says.
    labeled : ndarray of shape (n,)
        Whether rows are labeled; the others are looked at, if there are any.
    n_features : int
        Number of features of the target.

    Returns
    -------
    Evidence
        The evidence.
    """
    rows = labeled if labeled.all() else ~labeled
    P, plain = probabilities[rows], plain[rows]
    winner, n_classes = P.argmax(axis=1), P.shape[1]
    shares, plain_shares = (
        np.bincount(each.argmax(axis=1), minlength=n_classes) / len(P)
        for each in (P, plain)
    )
    return Evidence(
        agreement=float(
            sum(
                weights[name] * np.mean(each[rows].argmax(axis=1) == winner)
                for name, each in members.items()
            )
        ),
        plain_agreement=float(np.mean(plain.argmax(axis=1) == winner)),
        confidence=float(P.max(axis=1).mean()),
        plain_confidence=float(plain.max(axis=1).mean()),
        share_distance=float(np.abs(shares - plain_shares).sum() / 2),
        n_classes=n_classes,
        labels_per_class=float(labeled.sum() / n_classes),
        n_features=n_features,
    )


def assess(evidence: Evidence | None, situation: str) -> Trust:
    """Turn evidence into what is to be expected.

    Parameters
    ----------
    evidence : Evidence or None
        The evidence; None where there is nothing plain to compare with.
    situation : str
        One of :data:`COEFFICIENTS`.

    Returns
    -------
    Trust
        What is to be expected.
    """
    if evidence is None:
        return Trust(None, float("nan"), float("nan"), ALARM[situation])
    features = evidence.features()
    accuracy, below = (
        float(expit(features @ np.array(column))) for column in COEFFICIENTS[situation]
    )
    return Trust(evidence, accuracy, below, ALARM[situation])


def warn_of(trust: Trust) -> list[str]:
    """Warn where a plain classifier is too likely to be far better.

    Parameters
    ----------
    trust : Trust
        What is to be expected.

    Returns
    -------
    list of str
        What a report says of it; empty if nothing is to be warned of.
    """
    if not trust.warns:
        return []
    said = (
        f"Of fits like this one, {trust.p_below:.0%} are more than five points below a "
        f"plain classifier, which is more than of most: compare both on some labeled "
        f"rows."
    )
    warn_user(
        f"AutoAdapter expects {trust.expected_accuracy:.0%} of the unlabeled target "
        f"rows to be right. {said} print(clf.report_) tells more."
    )
    return [said]
