"""A warning where the data contradict what methods of target clusters expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skda.base._rows import Rows
from skda.utils.scaling import feature_moments
from skda.utils.warnings import warn_user

__all__ = ["Sample", "evenly", "warn_of_contradictions"]

Codes = NDArray[np.int64]

#: By how much neighbors may be more accurate than planes in the source. Like the other
#: bounds a rounded number, chosen on the choosing side of the boards.
MAX_LEAD = 0.05
#: Share of the target rows for which shares of classes may differ from the source's.
MAX_SHARE_DISTANCE = 0.25
#: Rows, in all and per class, below which nothing is judged.
MIN_ROWS, MIN_ROWS_PER_CLASS = 50, 5
#: Rows of each domain that are looked at, at most.
MAX_ROWS = 1000


class Sample(NamedTuple):
    """Some rows of both domains.

    Parameters
    ----------
    source : ndarray of shape (n, n_features)
        Labeled rows of the source.
    codes : ndarray of shape (n,)
        Positions of their classes.
    target : ndarray of shape (m, n_features)
        Rows of the target.
    positions : ndarray of shape (m,)
        Where these are in the target.
    """

    source: NDArray[Any]
    codes: Codes
    target: NDArray[Any]
    positions: NDArray[np.intp]

    def on_one_scale(self) -> Sample:
        """Standardize the features of both domains together.

        Returns
        -------
        Sample
            The same rows on one scale.
        """
        mean, scale = feature_moments(np.concatenate([self.source, self.target]))
        return self._replace(
            source=(self.source - mean) / scale, target=(self.target - mean) / scale
        )

    def each_on_its_scale(self) -> Sample:
        """Standardize the features of each domain by itself, which undoes a shift.

        Returns
        -------
        Sample
            The same rows, each domain on its scale.
        """
        source, target = (
            (X - mean) / scale
            for X in (self.source, self.target)
            for mean, scale in [feature_moments(X)]
        )
        return self._replace(source=source, target=target)


def evenly(positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Take at most 1000 positions, spread all over them.

    Parameters
    ----------
    positions : ndarray of shape (n,)
        Positions of rows.

    Returns
    -------
    ndarray of shape (min(n, 1000),)
        Some of them.
    """
    n = len(positions)
    return positions[np.linspace(0, n - 1, min(n, MAX_ROWS)).astype(np.intp)]


def warn_of_contradictions(
    name: str,
    source: Rows,
    transduction: NDArray[Any],
    classes: NDArray[Any],
    sample: Sample,
    *,
    max_loss: float,
    holds_shares: bool,
) -> None:
    """Warn where labels do not lead back, have other shares, or are no clusters.

    Parameters
    ----------
    name : str
        The method.
    source : Rows
        Source samples and their labels.
    transduction : ndarray of shape (n_target,)
        Classes that the method finds in the target.
    classes : ndarray of shape (n_classes,)
        All classes, sorted.
    sample : Sample
        Rows of both domains to look at.
    max_loss : float
        By how much the way back may be worse than that of a support vector machine.
    holds_shares : bool
        Whether other shares than those of the source tell of a failure. Those of a
        method that nothing holds to any differ in harmless fits as well.
    """
    codes = source.labels.codes(classes)
    found = np.searchsorted(classes, transduction)
    least = max(MIN_ROWS, MIN_ROWS_PER_CLASS * len(classes))
    if min((codes >= 0).sum(), len(found)) < least:
        return
    together = sample.on_one_scale()
    said = [
        *_what_leads_back([together, sample.each_on_its_scale()], found, max_loss),
        *(_what_shares_say(codes, found, len(classes)) if holds_shares else ()),
        *_what_neighbors_say(together),
    ]
    if said:
        warn_user(
            f"The data contradict what {name} expects: {', and '.join(said)}. The "
            f"target may have other class shares, or a shift that {name} cannot undo. "
            f"Try AutoAdapter, and compare both with SourceOnly(TunedClassifier()) on "
            f"some labeled rows."
        )


def _what_leads_back(
    samples: list[Sample], found: Codes, max_loss: float
) -> Iterator[str]:
    """Compare labels with those of a support vector machine, by the way back.

    Where it is the worse on one of two scales only, the shift makes it so, or what
    undoes the shift.
    """
    if len(np.unique(samples[0].codes)) < 2:
        return
    ways = [_ways_back(sample, found[sample.positions]) for sample in samples]
    own, other = min(ways, key=lambda way: way[1] - way[0])
    if other - own > max_loss:
        yield (
            f"five nearest neighbors that learn from its labels of the target "
            f"classify {own:.0%} of the source, and {other:.0%} if they learn from "
            f"those of an SVM of the source"
        )


def _ways_back(sample: Sample, found: Codes) -> tuple[float, float]:
    """Classify the source by neighbors in the target: its labels, those of an SVM."""
    variance = sample.source.var() or 1.0
    gamma = 1 / (variance * sample.source.shape[1])  # that of SVC()
    kernel = rbf_kernel(
        np.concatenate([sample.source, sample.target]), sample.source, gamma
    )
    n_source = len(sample.source)
    machine = SVC(kernel="precomputed", random_state=0).fit(
        kernel[:n_source], sample.codes
    )
    own, other = (
        KNeighborsClassifier(5).fit(sample.target, labels).score(*sample[:2])
        for labels in (found, machine.predict(kernel[n_source:]))
    )
    return own, other


def _what_shares_say(source: Codes, target: Codes, n_classes: int) -> Iterator[str]:
    """Find the share of rows that other classes would have to take."""
    counts = [np.bincount(c[c >= 0], minlength=n_classes) for c in (source, target)]
    shares = [c / c.sum() for c in counts]
    distance = np.abs(shares[0] - shares[1]).sum() / 2
    if distance > MAX_SHARE_DISTANCE:
        yield (
            f"the shares of the classes that it finds in the target differ from those "
            f"in the source for {distance:.0%} of the rows"
        )


def _what_neighbors_say(sample: Sample) -> Iterator[str]:
    """Compare neighbors and planes, trained on one half of the source, on the other."""
    order = np.argsort(sample.codes, kind="stable")  # to halve every class
    X, codes = sample.source[order], sample.codes[order]
    planes = RidgeClassifier(alpha=0.1 * len(codes))
    halves = slice(0, None, 2), slice(1, None, 2)
    right = np.zeros(2)
    for train, test in (halves, halves[::-1]):
        if len(np.unique(codes[train])) < 2:
            return
        for i, model in enumerate((KNeighborsClassifier(5), planes)):
            right[i] += np.sum(
                model.fit(X[train], codes[train]).predict(X[test]) == codes[test]
            )
    neighbors, linear = right / len(codes)
    if neighbors - linear > MAX_LEAD:
        yield (
            f"in the source, five nearest neighbors classify {neighbors:.0%} of "
            f"held-out rows and a linear classifier only {linear:.0%}, so classes are "
            f"no clusters there"
        )
