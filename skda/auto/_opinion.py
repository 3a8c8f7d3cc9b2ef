"""An outside opinion, as one more member of a committee."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.auto._outside import Given, Outside
from skda.unsupervised import PriorTransduction

__all__ = ["OPINION", "fit_opinion"]

Array = NDArray[np.float64]

#: Name of the member.
OPINION = "opinion"


def fit_opinion(
    probabilities: Array | None, given: Given, classes: NDArray[Any]
) -> tuple[dict[str, Outside], dict[str, Array]]:
    """Make a member of probabilities, corrected by how the rows lie.

    It does not see any label of the target, so that these may tell what it is worth.

    Parameters
    ----------
    probabilities : ndarray of shape (n_target, n_classes) or None
        The opinion.
    given : Given
        What there is to learn from.
    classes : ndarray of shape (n_classes,)
        All classes.

    Returns
    -------
    members : dict of str to Outside
        The fitted member; none without an opinion.
    probabilities : dict of str to ndarray of shape (n_target, n_classes)
        What it says of the target.
    """
    if probabilities is None:
        return {}, {}
    member = PriorTransduction().fit(
        given.target.X, probabilities=probabilities, classes=classes
    )
    said = {OPINION: member.label_distributions_}
    return {OPINION: Outside(member, classes)}, said
