"""Which of several sources to use, told without a test label."""

from __future__ import annotations

from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skda.utils.mixing import LEAST_PROBABILITY, member_weights

__all__ = [
    "Evidence",
    "Opinion",
    "by_agreement",
    "by_geometry",
    "by_labels",
    "choose",
    "join",
    "not_judged",
    "weigh",
]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Renamings that agreement is compared with, where there are more than that.
N_RENAMINGS = 99
#: Most classes of which all renamings are tried.
FEW_CLASSES = 4
#: How many standard deviations over renamings a source must stand out.
N_DEVIATIONS = 2
#: Least differences between cosines of classes that have any meaning.
LEAST_SPREAD = 1e-6
#: How many labels it takes to halve the distance of equal weights to likely ones.
N_LABELS = 10.0


class Opinion(NamedTuple):
    """What a fit with one source says of some rows.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Probabilities of all classes, zero for those that the fit does not know.
    knows : ndarray of shape (n_classes,)
        Whether it knows a class.
    """

    probabilities: Array
    knows: NDArray[np.bool_]


class Evidence(NamedTuple):
    """Whether a source is of use, and what says so.

    Parameters
    ----------
    used : bool
        Whether it is used.
    gain : float
        By how much it is better than the same source with its classes renamed.
    least : float
        Gain from which on it is used: one standard error, or two standard deviations
        over renamings.
    judged_by : {"labels", "geometry", "agreement", "nothing"}
        Labels that the fit had not seen, the geometry of the classes, agreement with
        the other sources, or nothing, so that it is used.
    truth : ndarray of shape (n_labeled,) or None
        Probability of the class of every labeled row by a fit that had not seen its
        label, NaN where the source does not know the class.
    """

    used: bool
    gain: float
    least: float
    judged_by: str
    truth: Array | None = None

    def as_dict(self) -> dict[str, Any]:
        """Spell it as plain values.

        Returns
        -------
        dict of str to object
            All but the probabilities.
        """
        plain = self._asdict()
        del plain["truth"]
        return plain


def not_judged() -> Evidence:
    """Use a source that nothing speaks for or against.

    Returns
    -------
    Evidence
        No evidence.
    """
    return Evidence(True, float("nan"), float("nan"), "nothing")


def by_labels(opinion: Opinion, codes: Codes) -> Evidence:
    """Judge a source by labels that the fit has not seen.

    Renamed, it would say of any other class what it says of this one, so the control
    costs no fit: the mean over the other classes.

    Parameters
    ----------
    opinion : Opinion
        What the fit says of the labeled rows.
    codes : ndarray of shape (n_labeled,)
        Their classes.

    Returns
    -------
    Evidence
        The evidence.
    """
    P, knows = opinion
    rows = np.arange(len(P))
    truth = np.where(knows[codes], P[rows, codes], np.nan)
    known = np.flatnonzero(knows[codes])
    if not known.size or knows.sum() < 2:
        return not_judged()
    logs = np.log(
        np.maximum(P[np.ix_(known, np.flatnonzero(knows))], LEAST_PROBABILITY)
    )
    right = np.log(np.maximum(truth[known], LEAST_PROBABILITY))
    renamed = (logs.sum(axis=1) - right) / (knows.sum() - 1)
    return _one_standard_error(right - renamed, truth, "labels")


def by_geometry(source: Array, target: Array, common: NDArray[np.bool_]) -> Evidence:
    """Judge a source by whether classes are alike in it that are alike in the target.

    Parameters
    ----------
    source, target : ndarray of shape (n_classes, n_classes)
        Cosines between the means of the classes.
    common : ndarray of shape (n_classes,)
        Classes that both have.

    Returns
    -------
    Evidence
        By the correlation of the cosines, beside that with classes renamed.
    """
    places = np.flatnonzero(common)
    if len(places) < FEW_CLASSES:
        return not_judged()
    above = np.triu_indices(len(places), 1)
    of_source, of_target = (each[np.ix_(places, places)] for each in (source, target))
    cosines = of_target[above]
    if min(np.ptp(of_source[above]), np.ptp(cosines)) < LEAST_SPREAD:
        return not_judged()
    chance = [
        np.corrcoef(of_source[np.ix_(names, names)][above], cosines)[0, 1]
        for names in _renamings(len(places))
    ]
    found = np.corrcoef(of_source[above], cosines)[0, 1]
    return _against_chance(float(found), chance, "geometry")


def _against_chance(found: float, chance: list[float], judged_by: str) -> Evidence:
    """Use a source that stands out from its renamed selves."""
    gain = found - float(np.mean(chance))
    least = N_DEVIATIONS * float(np.std(chance))
    return Evidence(gain > least, gain, least, judged_by)


def _one_standard_error(gains: Array, truth: Array, judged_by: str) -> Evidence:
    """Use a source whose mean gain over its renamed self exceeds its standard error."""
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    gain, least = float(gains.mean()), float(error)
    return Evidence(gain > least, gain, least, judged_by, truth)


def by_agreement(opinions: list[Opinion]) -> list[Evidence]:
    """Judge sources by how far each agrees with the mean of the others.

    Renamed at random, it would agree by chance; it must stand out from that. The worst
    of those that do not is left out, and the others are judged again without it, as
    long as there are three.

    Parameters
    ----------
    opinions : list of Opinion
        What the fits say of the target, one for each source.

    Returns
    -------
    list of Evidence
        The evidence on each source.
    """
    found: dict[int, Evidence] = {}
    left = list(range(len(opinions)))
    while True:
        found |= {i: _agreement(opinions, i, left) for i in left}
        lonely = [i for i in left if not found[i].used]
        if not lonely or len(left) < 3:
            return [found[i] for i in range(len(opinions))]
        left.remove(min(lonely, key=lambda i: found[i].gain))


def _agreement(opinions: list[Opinion], place: int, places: list[int]) -> Evidence:
    """Compare a source with the mean of the others at some places."""
    own = opinions[place]
    others = [opinions[i] for i in places if i != place]
    common = own.knows & np.any([each.knows for each in others], axis=0)
    n_common = int(common.sum())
    if n_common < 2:
        return not_judged()
    said = own.probabilities[:, common].argmax(axis=1)
    joined = join(others, np.ones(len(others)))
    expected = joined[:, common].argmax(axis=1)
    chance = [float(np.mean(names[said] == expected)) for names in _renamings(n_common)]
    return _against_chance(float(np.mean(said == expected)), chance, "agreement")


def _renamings(n_classes: int) -> list[NDArray[np.intp]]:
    """List permutations of the classes, but for the one that changes nothing."""
    if n_classes <= FEW_CLASSES:
        return [np.array(names) for names in list(permutations(range(n_classes)))[1:]]
    rng = np.random.RandomState(0)
    drawn = [rng.permutation(n_classes) for _ in range(N_RENAMINGS)]
    return [names for names in drawn if (names != np.arange(n_classes)).any()]


def choose(evidence: list[Evidence], closeness: list[float]) -> list[Evidence]:
    """Keep one source where agreement speaks for none of them.

    Parameters
    ----------
    evidence : list of Evidence
        That of every source.
    closeness : list of float
        How close every source is to the target: what is left to go by.

    Returns
    -------
    list of Evidence
        The same, with one source in use at least.
    """
    if any(each.used for each in evidence):
        return evidence
    ranks = [(near, e.gain) for near, e in zip(closeness, evidence, strict=True)]
    best = ranks.index(max(ranks))
    return [e._replace(used=i == best) for i, e in enumerate(evidence)]


def weigh(evidence: list[Evidence]) -> Array:
    """Weigh the sources that are used, by the labels or by what stands in for them.

    By labels, weights are the most likely ones, drawn to equal ones; by geometry or
    agreement, they are in proportion to the gains. (Agreement with a mean of which a
    source is a part would reward the heaviest for its weight.) Sources that were judged
    in different ways weigh the same.

    Parameters
    ----------
    evidence : list of Evidence
        That of every source.

    Returns
    -------
    ndarray of shape (n_sources,)
        Weights, 1 in sum; 0 for a source that is left out, and for all if all are.
    """
    used = np.array([each.used for each in evidence])
    weights = used / max(used.sum(), 1)
    kinds = {each.judged_by for each in evidence if each.used}
    if used.sum() > 1 and len(kinds) == 1 and kinds <= {"agreement", "geometry"}:
        gains = np.array([each.gain if each.used else 0.0 for each in evidence])
        return gains / gains.sum()
    truths = [each.truth for each in evidence if each.used]
    if used.sum() < 2 or any(truth is None for truth in truths):
        return np.asarray(weights, dtype=np.float64)
    truth = np.transpose([np.asarray(each) for each in truths])
    rows = truth[~np.isnan(truth).all(axis=1)]
    # Who does not know a class is neither better nor worse there than the others.
    rows = np.where(np.isnan(rows), np.nanmean(rows, axis=1, keepdims=True), rows)
    weights = weights.astype(np.float64)
    weights[used] = member_weights(rows, weights[used], N_LABELS)
    return weights


def join(opinions: list[Opinion], weights: Array) -> Array:
    """Average what fits say; on a class only those that know it have a say.

    Parameters
    ----------
    opinions : list of Opinion
        What they say of the same rows.
    weights : ndarray of shape (n_opinions,)
        Their weights.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Probabilities.
    """
    if all(each.knows.all() for each in opinions):
        total = sum(
            w * each.probabilities for w, each in zip(weights, opinions, strict=True)
        )
        return total / np.sum(weights)
    said = np.stack([each.probabilities for each in opinions])
    known = weights @ np.array([each.knows for each in opinions])
    mean = np.einsum("j,jnk->nk", weights, said) / np.where(known > 0, known, 1.0)
    return mean / mean.sum(axis=1, keepdims=True)
