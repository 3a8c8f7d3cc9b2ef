"""A committee for many rows, which learns from the labeled and a part of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skda.auto._few_labels import FewLabelsCommittee
from skda.utils.labels import UNLABELED
from skda.utils.many_rows import spread_out

__all__ = ["fit_to_part"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Unlabeled rows to learn from: what they tell of the classes no longer changes then,
#: and the representations of all of a million would not fit into memory.
MOST_ROWS = 50_000


def fit_to_part(
    committee: FewLabelsCommittee,
    X: Array,
    codes: Codes,
    n_classes: int,
    *,
    geometry: Array | None,
    extra: Mapping[str, Array],
) -> FewLabelsCommittee:
    """Fit a committee to the labeled rows and to no more than so many others.

    All the others are predicted as new rows are.

    Parameters
    ----------
    committee : FewLabelsCommittee
        Unfitted committee.
    X : ndarray of shape (n, p)
        All rows.
    codes : ndarray of shape (n,)
        Classes from 0 to ``n_classes - 1``, -1 where unknown.
    n_classes : int
        Number of classes.
    geometry : ndarray of shape (n_classes, n_classes) or None
        Prior covariance between classes.
    extra : dict of str to ndarray of shape (n, n_classes)
        Probabilities by others.

    Returns
    -------
    FewLabelsCommittee
        The fitted committee, whose members have a probability for every row.
    """
    others = np.flatnonzero(codes == UNLABELED)
    left_out = np.setdiff1d(others, others[spread_out(len(others), MOST_ROWS)])
    seen = np.setdiff1d(np.arange(len(X)), left_out)
    part = {name: each[seen] for name, each in extra.items()}
    # Without a copy where all are seen.
    rows: Any = seen if len(left_out) else slice(None)
    committee.fit(X[rows], codes[rows], n_classes, geometry=geometry, extra=part)
    if len(left_out):
        members = {name: np.empty((len(X), n_classes)) for name in committee.members_}
        for name, each in committee.members_.items():
            members[name][seen] = each
        for batch in gen_batches(len(left_out), MOST_ROWS):
            rows = left_out[batch]
            said = {name: each[rows] for name, each in extra.items()}
            own, given = committee.predict_parts(X[rows], said)
            for name, each in members.items():
                each[rows] = given.get(name, own)
        committee.take(members)
    return committee
