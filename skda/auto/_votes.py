"""Weights of the members of a committee, and what their mean says of the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "agreement_weights",
    "are_absent",
    "average",
    "find_absent",
    "prior_weights",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Errors, on the source and against the ensemble, that are not told from smaller ones.
_SOURCE_ERROR, _DISAGREEMENT = 0.05, 0.02
#: Skill that every member keeps.
_LEAST_SKILL = 0.02
_N_ITERATIONS = 4
#: Part of the least share below which the rows of a class are chance, however sure.
_NEXT_TO_NONE = 0.2


def prior_weights(
    starts: Mapping[str, float],
    source_accuracy: Mapping[str, float],
    best: float,
    largest: float,
) -> dict[str, float]:
    r"""Weigh members by the source, before their agreement is known.

    Parameters
    ----------
    starts : mapping of str to float
        Weights :math:`b_m` to start from.
    source_accuracy : mapping of str to float
        Share :math:`s_m` of the source whose class a member finds.
    best : float
        Accuracy :math:`s` that no :math:`s_m` is taken to exceed.
    largest : float
        Share :math:`c` of the largest class.

    Returns
    -------
    dict of str to float
        :math:`b_m (r_m^2 + 0.02) / (1.05 - s_m)` with the skill
        :math:`r_m = (s_m - c) / (s - c)`.
    """
    weights = {}
    for name, start in starts.items():
        capped = min(source_accuracy[name], best)
        skill = max(capped - largest, 0) / max(best - largest, _LEAST_SKILL)
        weights[name] = start * (skill**2 + _LEAST_SKILL) / (1 + _SOURCE_ERROR - capped)
    return weights


def agreement_weights(
    members: Mapping[str, Array], strengths: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    r"""Weigh members by how often they have the class of their weighted mean.

    Parameters
    ----------
    members : mapping of str to ndarray of shape (n, K)
        Probabilities of every member.
    strengths : mapping of str to float
        Weights to start from, :math:`b_m`.

    Returns
    -------
    tuple of dict of str to float
        Weights :math:`w_m \propto b_m / (1.02 - a_m)` after four iterations, 1 in sum,
        and the shares :math:`a_m` of rows that they come of.
    """
    classes = {name: P.argmax(axis=1) for name, P in members.items()}
    weights = dict(strengths)
    agreement: dict[str, float] = {}
    for _ in range(_N_ITERATIONS):
        ensemble = average(members, weights).argmax(axis=1)
        agreement = {
            name: float(np.mean(found == ensemble)) for name, found in classes.items()
        }
        weights = {
            name: strength / (1 + _DISAGREEMENT - agreement[name])
            for name, strength in strengths.items()
        }
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}, agreement


def find_absent(
    ensemble: Array, codes: Codes, least_share: float, least_confidence: float
) -> NDArray[np.bool_]:
    """Find the classes of the source that the target seems to lack.

    A class that is merely rare has rows that are as surely its own as those of others;
    what is found of one that is not there are rows that nothing fits.

    Parameters
    ----------
    ensemble : ndarray of shape (n_target, K)
        Probabilities of the target.
    codes : ndarray of shape (n_source,)
        Classes of the source, all of 0 to K - 1.
    least_share : float
        Share of a class in the target, relative to the source, that is enough.
    least_confidence : float
        Mean probability of the rows found in it, relative to all rows, that is enough.

    Returns
    -------
    ndarray of shape (K,)
        Whether a class has enough of neither, or next to no rows, a fifth of
        `least_share`.
    """
    ratio, sureness = _shares_and_sureness(ensemble, codes)
    rare, unsure = ratio < least_share, sureness < least_confidence
    return (rare & unsure) | (ratio < _NEXT_TO_NONE * least_share)


def are_absent(
    ensemble: Array,
    codes: Codes,
    suspects: NDArray[np.bool_],
    least_share: float,
    least_confidence: float,
) -> bool:
    """Say whether classes that seem to be absent are so in a second opinion.

    Parameters
    ----------
    ensemble : ndarray of shape (n_target, K)
        Probabilities of the target, of all classes.
    codes : ndarray of shape (n_source,)
        Classes of the source, all of 0 to K - 1.
    suspects : ndarray of shape (K,)
        Which classes seem to be absent.
    least_share : float
        Share of theirs in the target, relative to the source, that is enough.
    least_confidence : float
        Mean probability of the rows found in one, relative to all rows, that is enough.

    Returns
    -------
    bool
        Whether they have less than `least_share` of their share together, and none of
        them rows of enough confidence, or next to none.
    """
    ratio, sureness = _shares_and_sureness(ensemble, codes)
    expected = np.bincount(codes, minlength=len(ratio))[suspects]
    together = float(np.average(ratio[suspects], weights=expected))
    some = suspects & (ratio >= _NEXT_TO_NONE * least_share)
    return together < least_share and bool((sureness[some] < least_confidence).all())


def _shares_and_sureness(ensemble: Array, codes: Codes) -> tuple[Array, Array]:
    """Compare what is found of classes with the source, and how surely with others."""
    n_classes = ensemble.shape[1]
    found, confidence = ensemble.argmax(axis=1), ensemble.max(axis=1)
    counts = np.bincount(found, minlength=n_classes)
    source_counts = np.bincount(codes, minlength=n_classes)
    ratio = counts / len(found) / (source_counts / len(codes))
    total = np.bincount(found, confidence, minlength=n_classes)
    return ratio, total / np.maximum(counts, 1) / confidence.mean()


def average(members: Mapping[str, Array], weights: Mapping[str, float]) -> Array:
    """Average probabilities by weights of any sum.

    Parameters
    ----------
    members : mapping of str to ndarray of shape (n, K)
        Probabilities of every member.
    weights : mapping of str to float
        Their weights.

    Returns
    -------
    ndarray of shape (n, K)
        The weighted mean.
    """
    total = sum(weights.values())
    mean, *others = (weights[name] / total * members[name] for name in weights)
    return sum(others, start=mean)
